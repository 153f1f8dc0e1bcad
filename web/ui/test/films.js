// Films for the player's test: pictures whose every tile has one colour that can be told from its place and time.

/// A lossless WebP of one colour: five prefix codes with one symbol each, so that no pixel takes a bit.
export function webp(width, height, [red, green, blue]) {
  const bits = [];
  const put = (value, count) => {
    for (let n = 0; n < count; n += 1) bits.push((value >>> n) & 1);
  };
  put(width - 1, 14);
  put(height - 1, 14);
  put(0, 1 + 3 + 3); // no alpha, version 0, no transform, no colour cache, no meta codes
  for (const symbol of [green, red, blue, 255, 0]) {
    put(1, 1); // simple code
    put(0, 1); // of one symbol
    put(1, 1); // of eight bits
    put(symbol, 8);
  }
  const data = Buffer.alloc(1 + Math.ceil(bits.length / 8));
  data[0] = 0x2f;
  bits.forEach((bit, n) => (data[1 + (n >> 3)] |= bit << (n & 7)));
  const padded = data.length + (data.length & 1);
  const out = Buffer.alloc(20 + padded);
  out.write("RIFF", 0);
  out.writeUInt32LE(12 + padded, 4);
  out.write("WEBPVP8L", 8);
  out.writeUInt32LE(data.length, 16);
  data.copy(out, 20);
  return out;
}

export function shot(at, kind, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(at, 0);
  head[4] = kind;
  head.writeUInt32LE(payload.length, 5);
  return Buffer.concat([head, payload]);
}
export const u16 = (...all) => Buffer.from(Uint16Array.from(all).buffer);
export const u32 = (...all) => Buffer.from(Uint32Array.from(all).buffer);
export const size = (at, width, height) => shot(at, 1, u16(width, height));
export const pointer = (at, x, y) => shot(at, 3, u16(x, y));
export const note = (at, text) => shot(at, 4, Buffer.from(text));

export function batch(at, tiles) {
  const all = tiles.map(([column, row, bytes]) => Buffer.concat([u16(column, row), u32(bytes.length), bytes]));
  return shot(at, 2, Buffer.concat([u16(tiles.length), ...all]));
}

/// One second after the other, another tile of the picture changes its colour: what is to be seen at any moment can be told.
export class Film {
  constructor({ width, height, seconds, partSeconds, padding = 0, quiet = [] }) {
    Object.assign(this, { width, height, seconds, partSeconds, padding, quiet });
    this.columns = Math.ceil(width / 64);
    this.rows = Math.ceil(height / 64);
  }
  changes(second) {
    return second > 0 && second < this.seconds && !this.quiet.some(([from, until]) => second >= from && second < until);
  }
  /// The colour of a tile when so many seconds have passed.
  colour(tile, second) {
    let changed = 0;
    for (let s = 1; s <= second; s += 1) if (this.changes(s) && s % (this.columns * this.rows) === tile) changed = s;
    return [(tile * 37) & 255, (changed * 11) & 255, (changed * 101 + tile) & 255];
  }
  tile(tile, second) {
    const [column, row] = [tile % this.columns, Math.floor(tile / this.columns)];
    const [w, h] = [Math.min(64, this.width - column * 64), Math.min(64, this.height - row * 64)];
    return [column, row, webp(w, h, this.colour(tile, second))];
  }
  picture(second) {
    const all = Array.from({ length: this.columns * this.rows }, (_, tile) => this.tile(tile, second));
    const shots = [size(second * 1000, this.width, this.height)];
    while (all.length > 0) shots.push(batch(second * 1000, all.splice(0, 500)));
    return Buffer.concat([...shots, pointer(second * 1000, 10 + second, 20)]);
  }
  part(n) {
    const [from, until] = [n * this.partSeconds, Math.min(this.seconds, (n + 1) * this.partSeconds)];
    const shots = [this.picture(from)];
    for (let s = from + 1; s < until; s += 1) {
      if (!this.changes(s)) continue;
      shots.push(batch(s * 1000, [this.tile(s % (this.columns * this.rows), s)]), pointer(s * 1000, 10 + s, 20));
      // A kind that this player does not know; later versions may have one.
      if (this.padding) shots.push(shot(s * 1000, 77, Buffer.alloc(this.padding)));
    }
    return Buffer.concat(shots);
  }
  index(cleared = null) {
    const parts = Array.from({ length: Math.ceil(this.seconds / this.partSeconds) }, (_, n) => ({ start: n * this.partSeconds * 1000, url: `film/${n}` }));
    return { duration: this.seconds * 1000, cleared, parts };
  }
}
