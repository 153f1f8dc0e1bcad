// The picture of a desktop on a canvas: tiles are decoded here, and only those that will be seen.
import { type Area, areasOf, FilmError, Kind, pair, type Shot, sizeOf, tilesOf, tileSide, webpSize } from "./film";

/// Decoded at once; each takes 16 KiB.
const atOnce = 256;

export class Screen {
  readonly picture = document.createElement("canvas");
  private readonly marks = document.createElement("canvas");
  private readonly pointer = arrow();
  private at: [number, number] | undefined;
  /// Told when the picture has another size.
  resized: () => void = () => {};

  constructor(readonly area: HTMLElement, label: string) {
    this.picture.className = "picture";
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", label);
    this.picture.width = this.picture.height = 0;
    this.marks.className = "hidden-marks";
    this.marks.width = this.marks.height = 0;
    this.marks.setAttribute("aria-hidden", "true");
    area.replaceChildren(this.picture, this.marks, this.pointer);
  }

  get width(): number {
    return this.picture.width;
  }
  get height(): number {
    return this.picture.height;
  }

  /// Shows the state after these shots. A tile that a later one covers is not decoded. `again`: nothing of what is shown now stays.
  async show(shots: Iterable<Shot>, again = false): Promise<void> {
    let size = again ? undefined : { width: this.width, height: this.height };
    let empty = again;
    let [at, areas]: [[number, number] | undefined, Area[] | undefined] = [again ? undefined : this.at, again ? [] : undefined];
    const tiles = new Map<number, Uint8Array>();
    for (const shot of shots) {
      if (shot.kind === Kind.size) {
        size = sizeOf(shot);
        tiles.clear();
        empty = true;
      } else if (shot.kind === Kind.tiles) {
        if (!size || size.width === 0) throw new FilmError("tiles without a picture");
        for (const { column, row, webp } of tilesOf(shot)) {
          if (column * tileSide >= size.width || row * tileSide >= size.height) throw new FilmError("a tile beside the picture");
          tiles.set(row * 0x1_0000 + column, webp);
        }
      } else if (shot.kind === Kind.pointer) at = pair(shot);
      else if (shot.kind === Kind.hidden) areas = areasOf(shot);
    }
    if (size && empty) this.begin(size, tiles);
    await this.draw(tiles);
    if (areas) this.mark(areas);
    this.at = at;
    this.place();
  }

  /// A new picture. What every tile covers anyway is not wiped before: that would flicker.
  private begin({ width, height }: { width: number; height: number }, tiles: Map<number, Uint8Array>): void {
    const same = width === this.width && height === this.height;
    if (!same) {
      this.picture.width = width;
      this.picture.height = height;
      if (this.marks.width > 0) this.mark([]);
      this.resized();
    }
    if (same && tiles.size === Math.ceil(width / tileSide) * Math.ceil(height / tileSide)) return;
    const context = this.picture.getContext("2d", { alpha: false })!;
    context.fillStyle = "#5b6366";
    context.fillRect(0, 0, width, height);
  }

  private async draw(tiles: Map<number, Uint8Array>): Promise<void> {
    const context = this.picture.getContext("2d", { alpha: false })!;
    const all = [...tiles];
    for (let from = 0; from < all.length; from += atOnce) {
      const some = all.slice(from, from + atOnce);
      const decoded = await Promise.allSettled(some.map(([place, webp]) => this.decode(place, webp)));
      let broken = false;
      decoded.forEach((tile, n) => {
        if (tile.status === "rejected") return void (broken = true);
        const place = some[n]![0];
        context.drawImage(tile.value, (place & 0xffff) * tileSide, (place >>> 16) * tileSide);
        tile.value.close();
      });
      if (broken) throw new FilmError("a tile that cannot be decoded");
    }
  }

  private decode(place: number, webp: Uint8Array): Promise<ImageBitmap> {
    const size = webpSize(webp);
    const [x, y] = [(place & 0xffff) * tileSide, (place >>> 16) * tileSide];
    const fits = size && size[0] === Math.min(tileSide, this.width - x) && size[1] === Math.min(tileSide, this.height - y);
    if (!fits) return Promise.reject(new FilmError("a tile of another size"));
    return createImageBitmap(new Blob([webp as BlobPart], { type: "image/webp" }));
  }

  /// Outlines of what the masked recording hides: two colours, and two kinds of line, so that neither has to be told by colour alone.
  private mark(areas: Area[]): void {
    this.marks.width = areas.length > 0 ? this.width : 0;
    this.marks.height = areas.length > 0 ? this.height : 0;
    const context = areas.length > 0 ? this.marks.getContext("2d") : undefined;
    if (!context) return;
    for (const a of areas) {
      context.setLineDash(a.black ? [] : [6, 4]);
      for (const [colour, wide] of [["#000", 4], [a.black ? "#ffe14d" : "#6fd3ff", 2]] as const) {
        context.strokeStyle = colour;
        context.lineWidth = wide;
        context.strokeRect(a.x - 1, a.y - 1, a.width + 2, a.height + 2);
      }
    }
  }

  /// Where the pointer is to be seen at the picture's present scale.
  place(): void {
    const scale = this.width > 0 ? this.area.clientWidth / this.width : 0;
    this.pointer.toggleAttribute("hidden", !this.at);
    if (this.at) this.pointer.style.transform = `translate(${this.at[0] * scale}px, ${this.at[1] * scale}px)`;
  }
}

function arrow(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 22");
  svg.setAttribute("class", "pointer");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("hidden", "");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M1 1v17l4-4 3 7 3-1.3-3-6.7h6z");
  svg.append(path);
  return svg;
}
