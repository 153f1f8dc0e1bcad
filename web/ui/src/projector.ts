// Plays a reel on a screen: a clock, and the shots that are due by it.
import { FilmError, Kind, type Shot, textOf } from "./film";
import type { Part, Reel } from "./reel";
import type { Screen } from "./screen";

/// Nothing changes for longer than this: with idle time skipped, it goes on shortly before the next change.
const idle = 2_000;
const before = 500;
/// A page that was hidden or busy does not catch up.
const longestStep = 250;

export class Projector {
  speed = 1;
  skipIdle = true;
  playing = false;
  /// Told of shots that are no picture, when they come up in playing.
  heard: (shot: Shot) => void = () => {};
  changed: () => void = () => {};
  failed: (why: string) => void = () => {};
  private now: number;
  private part: Part | undefined;
  private next = 0;
  private busy = false;
  private wanted: number | undefined;
  private last = 0;
  /// The reel is broken from here on.
  private broken: number | undefined;

  constructor(private readonly reel: Reel, private readonly screen: Screen, at: number) {
    this.now = this.within(at);
  }

  get at(): number {
    return this.wanted ?? this.now;
  }
  get ends(): number {
    return this.broken ?? this.reel.ends;
  }

  play(): void {
    if (this.playing) return;
    if (this.at >= this.ends) this.seek(this.reel.begins);
    this.playing = true;
    this.last = performance.now();
    this.changed();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause(): void {
    this.playing = false;
    this.changed();
  }

  /// The latest wish counts; those between are not shown.
  seek(at: number): void {
    this.wanted = this.within(at);
    this.changed();
    void this.settle();
  }

  /// Until the next change of the picture.
  async step(): Promise<void> {
    this.pause();
    if (this.busy || !this.part) return;
    const shot = this.part.shots.slice(this.next).find((s) => s.kind === Kind.tiles && s.at > this.now);
    this.seek(shot ? shot.at : this.part.end);
  }

  private within(at: number): number {
    return Math.max(this.reel.begins, Math.min(at, this.ends));
  }

  private async settle(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.wanted !== undefined) {
      const at = this.wanted;
      await this.work(() => this.jump(at));
      this.now = this.within(at);
      if (this.wanted === at) this.wanted = undefined;
    }
    this.busy = false;
    this.last = performance.now();
    this.changed();
  }

  private async jump(at: number): Promise<void> {
    this.part = await this.reel.at(at);
    const { shots } = this.part;
    let next = 0;
    // What was already so when the part begins belongs to its first picture.
    while (next < shots.length && shots[next]!.at <= Math.max(at, this.part.start)) next += 1;
    this.next = next;
    await this.screen.show(shots.slice(0, next), true);
    this.listen(shots.slice(0, next).filter((s) => s.kind === Kind.damaged));
  }

  private async tick(frame: number): Promise<void> {
    if (!this.playing) return;
    const passed = Math.min(longestStep, Math.max(0, frame - this.last));
    this.last = frame;
    if (!this.busy) {
      this.busy = true;
      await this.work(() => this.advance(passed * this.speed));
      this.busy = false;
      if (this.wanted !== undefined) await this.settle();
      this.changed();
    }
    requestAnimationFrame((now) => this.tick(now));
  }

  private async advance(by: number): Promise<void> {
    if (!this.part) return this.jump(this.now);
    const { shots, end } = this.part;
    let to = Math.min(this.now + by, this.ends);
    if (this.skipIdle) {
      const happens = shots.slice(this.next, this.next + 4_096).find((s) => s.kind !== Kind.cleared && s.kind !== Kind.now)?.at ?? end;
      if (happens - to > idle) to = happens - before;
    }
    if (to >= end && end < this.ends) {
      this.now = end;
      return this.jump(end);
    }
    if (to > this.part.start + (end - this.part.start) * 0.7) this.reel.soon(end);
    const due: Shot[] = [];
    while (this.next < shots.length && shots[this.next]!.at <= to) due.push(shots[this.next++]!);
    if (due.length > 0) await this.screen.show(due);
    this.now = to;
    this.listen(due);
    if (to >= this.ends) this.pause();
  }

  private listen(shots: Shot[]): void {
    for (const shot of shots) {
      if (shot.kind === Kind.damaged) {
        this.stop(shot.at, textOf(shot.payload));
        return;
      }
      if (shot.kind >= Kind.note && shot.kind !== Kind.cleared && shot.kind !== Kind.hidden) this.heard(shot);
    }
  }

  private async work(what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (e) {
      this.stop(undefined, e instanceof FilmError ? `This moment cannot be shown: ${e.message}.` : "This moment cannot be shown.");
    }
  }

  private stop(at: number | undefined, why: string): void {
    this.playing = false;
    this.broken = at;
    this.failed(why);
  }
}
