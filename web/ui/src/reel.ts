// Where a film comes from: part by part for a replay, whole for a released interval. What is held is bounded.
import { FilmError, Kind, type Shot, ShotReader, textOf } from "./film";

/// A stretch that can be entered at its beginning. Times in ms since the channel's opening.
export type Part = { start: number; end: number; shots: Shot[]; bytes: number };

/// Of one part or interval; what is longer is not shown.
const longest = 96 << 20;
/// Of all parts that are kept.
const kept = 64 << 20;

export interface Reel {
  readonly begins: number;
  readonly ends: number;
  /// The part that shows this moment.
  at(moment: number): Promise<Part>;
  /// Asked for ahead of time; whether it works shows when it is needed.
  soon(moment: number): void;
}

type Index = { duration: number; cleared: number | null; parts: { start: number; url: string }[] };

/// A replay: parts are fetched when they are needed.
export class PartsReel implements Reel {
  readonly begins = 0;
  private readonly held = new Map<number, Promise<Part>>();

  private constructor(private readonly place: string, private readonly index: Index) {}

  static async open(place: string): Promise<PartsReel> {
    const index: Index = await (await get(place)).json();
    if (!Array.isArray(index.parts) || index.parts.length === 0) throw new FilmError("nothing was recorded");
    return new PartsReel(place, index);
  }

  get ends(): number {
    return this.index.duration;
  }
  /// What is later was not read when the recording ended; none if all of it was.
  get cleared(): number | null {
    return this.index.cleared;
  }

  at(moment: number): Promise<Part> {
    const { parts } = this.index;
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (parts[middle]!.start <= moment) low = middle;
      else high = middle - 1;
    }
    const held = this.held.get(low);
    if (held) {
      // Used last, dropped last.
      this.held.delete(low);
      this.held.set(low, held);
      return held;
    }
    const { start, url } = parts[low]!;
    const part = read(new URL(url, new URL(this.place, location.href)).href, start, parts[low + 1]?.start ?? this.ends);
    this.held.set(low, part);
    part.then(() => this.drop(), () => this.held.delete(low));
    return part;
  }

  soon(moment: number): void {
    if (moment < this.ends) this.at(moment).catch(() => {});
  }

  private async drop(): Promise<void> {
    let bytes = 0;
    for (const [n, part] of [...this.held].reverse()) {
      bytes += (await part.catch(() => undefined))?.bytes ?? 0;
      if (bytes > kept && this.held.size > 1) this.held.delete(n);
    }
  }
}

/// A released interval, fetched once: every fetch is a line in the audit log.
export class WholeReel implements Reel {
  private constructor(private readonly part: Part) {}

  static async open(url: string, progress: (bytes: number) => void): Promise<WholeReel> {
    const part = await read(url, 0, Number.POSITIVE_INFINITY, progress);
    const first = part.shots[0]?.at ?? 0;
    return new WholeReel({ ...part, start: first, end: part.shots.at(-1)?.at ?? first });
  }

  get begins(): number {
    return this.part.start;
  }
  get ends(): number {
    return this.part.end;
  }
  async at(): Promise<Part> {
    return this.part;
  }
  soon(): void {}
}

/// A film that grows: shots as they arrive. Ends when the server ends it.
export async function follow(url: string, stop: AbortSignal, shots: (some: Shot[]) => Promise<void>): Promise<void> {
  const reader = new ShotReader();
  const body = (await get(url, stop)).body!.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    // Not read on before it is shown: a slow browser slows the stream, not its memory.
    await shots(reader.push(value));
  }
}

async function read(url: string, start: number, end: number, progress?: (bytes: number) => void): Promise<Part> {
  const [reader, shots] = [new ShotReader(), [] as Shot[]];
  const body = (await get(url)).body!.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    bytes += value.length;
    if (bytes > longest) {
      await body.cancel();
      const at = shots.at(-1)?.at ?? start;
      shots.push({ at, kind: Kind.damaged, payload: new TextEncoder().encode("This stretch is larger than a browser can hold at once; the rest of it is not shown.") });
      return { start, end, shots, bytes };
    }
    shots.push(...reader.push(value));
    progress?.(bytes);
  }
  if (!reader.whole) shots.push({ at: shots.at(-1)?.at ?? start, kind: Kind.damaged, payload: new TextEncoder().encode("The answer was cut off here.") });
  return { start, end, shots, bytes };
}

/// What the portal says when it refuses is what people read.
async function get(url: string, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { headers: { accept: "application/json" }, signal }).catch((e) => {
    if (signal?.aborted) throw e;
    throw new FilmError("the portal does not answer");
  });
  if (answer.ok && answer.body) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, typeof said?.error === "string" ? textOf(new TextEncoder().encode(said.error)) : `the portal answered ${answer.status}`);
}

export class Refused extends FilmError {
  constructor(readonly status: number, why: string) {
    super(why);
  }
}
