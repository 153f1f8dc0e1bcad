// What the portal tells of a desktop: shots in order (docs/decisions/0020-rdp.md has the table). It comes from a recording of hostile
// bytes, so every length is checked before it is used.

export type Shot = { at: number; kind: number; payload: Uint8Array };
export type Tile = { column: number; row: number; webp: Uint8Array };
/// In pixels; black in the masked recording, or blurred there.
export type Area = { x: number; y: number; width: number; height: number; black: boolean };

export const Kind = {
  size: 1, tiles: 2, pointer: 3, note: 4, message: 5, cleared: 6, hidden: 7, typed: 8, clipboard: 9, now: 10, over: 11, damaged: 12,
} as const;

export const tileSide = 64;
const head = 9;
const maxPayload = 256 << 10;
const maxSide = 8_192;
const maxPixels = 16 << 20;

export class FilmError extends Error {}

/// Gives shots of bytes that arrive in pieces. Holds no more than one shot that is not whole.
export class ShotReader {
  private rest = new Uint8Array(0);
  private last = 0;

  push(piece: Uint8Array): Shot[] {
    let bytes = piece;
    if (this.rest.length > 0) {
      bytes = new Uint8Array(this.rest.length + piece.length);
      bytes.set(this.rest);
      bytes.set(piece, this.rest.length);
    }
    const view = viewOf(bytes);
    const shots: Shot[] = [];
    let from = 0;
    while (bytes.length - from >= head) {
      const length = view.getUint32(from + 5, true);
      if (length > maxPayload) throw new FilmError("a shot is too long");
      if (bytes.length - from - head < length) break;
      // Time does not run back: what says so is shown when it comes. A watcher's clock runs before what is shown.
      const [at, kind] = [Math.max(this.last, view.getUint32(from, true)), bytes[from + 4]!];
      if (kind !== Kind.now) this.last = at;
      shots.push({ at, kind, payload: bytes.subarray(from + head, from + head + length) });
      from += head + length;
    }
    this.rest = bytes.slice(from);
    return shots;
  }

  /// Whether it ended where a shot does.
  get whole(): boolean {
    return this.rest.length === 0;
  }
}

export function sizeOf(shot: Shot): { width: number; height: number } {
  const [width, height] = pair(shot);
  if (width < 1 || height < 1 || width > maxSide || height > maxSide || width * height > maxPixels) throw new FilmError(`a picture of ${width} x ${height}`);
  return { width, height };
}

export function pair(shot: Shot): [number, number] {
  if (shot.payload.length !== 4) throw new FilmError("a shot of another length");
  const view = viewOf(shot.payload);
  return [view.getUint16(0, true), view.getUint16(2, true)];
}

export function milliseconds(shot: Shot): number {
  if (shot.payload.length !== 4) throw new FilmError("a shot of another length");
  return viewOf(shot.payload).getUint32(0, true);
}

export function tilesOf(shot: Shot): Tile[] {
  const [bytes, view] = [shot.payload, viewOf(shot.payload)];
  const tiles: Tile[] = [];
  let from = 2;
  for (let count = bytes.length < 2 ? 0 : view.getUint16(0, true); count > 0; count -= 1) {
    if (bytes.length - from < 8) throw new FilmError("a batch that is cut off");
    const length = view.getUint32(from + 4, true);
    if (bytes.length - from - 8 < length) throw new FilmError("a tile that is cut off");
    tiles.push({ column: view.getUint16(from, true), row: view.getUint16(from + 2, true), webp: bytes.subarray(from + 8, from + 8 + length) });
    from += 8 + length;
  }
  return tiles;
}

export function areasOf(shot: Shot): Area[] {
  const view = viewOf(shot.payload);
  const count = shot.payload.length < 2 ? 0 : view.getUint16(0, true);
  if (shot.payload.length < 2 + count * 9) throw new FilmError("a list that is cut off");
  return Array.from({ length: count }, (_, n) => {
    const [x, y, width, height] = [0, 2, 4, 6].map((at) => view.getUint16(2 + n * 9 + at, true)) as [number, number, number, number];
    return { x, y, width, height, black: view.getUint8(2 + n * 9 + 8) === 1 };
  });
}

export function textOf(payload: Uint8Array): string {
  // Control characters and those that turn the direction of text have no place on the page.
  return new TextDecoder().decode(payload.subarray(0, 4_096)).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, " ");
}

/// The size that a lossless WebP names. Checked before it is decoded: a few bytes may name a picture of a gigabyte.
export function webpSize(webp: Uint8Array): [number, number] | undefined {
  const named = (at: number, name: string) => [...name].every((c, n) => webp[at + n] === c.charCodeAt(0));
  if (webp.length < 25 || !named(0, "RIFF") || !named(8, "WEBPVP8L") || webp[20] !== 0x2f) return undefined;
  const bits = viewOf(webp).getUint32(21, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
