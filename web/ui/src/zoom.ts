// How large a picture is shown: as wide as there is room, or pixel by pixel, or whatever fingers and wheel say. Moving about in it is the
// browser's own scrolling.
import type { Screen } from "./screen";

const least = 0.1;
const most = 8;

export class Zoom {
  private scale = 1;
  private fitting = true;

  constructor(private readonly box: HTMLElement, private readonly screen: Screen, private readonly says: HTMLElement | null) {
    screen.resized = () => this.apply();
    new ResizeObserver(() => this.fitting && this.apply()).observe(box);
    box.addEventListener("wheel", (event) => {
      // A trackpad's pinch comes as a wheel with the control key.
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.by(Math.exp(-event.deltaY / 200), event.clientX, event.clientY);
    }, { passive: false });
    box.addEventListener("dblclick", (event) => (this.fitting ? this.to(1, event.clientX, event.clientY) : this.fit()));
    this.pinch();
    this.apply();
  }

  fit(): void {
    this.fitting = true;
    this.apply();
  }

  to(scale: number, x?: number, y?: number): void {
    const before = this.scale;
    const frame = this.box.getBoundingClientRect();
    const [dx, dy] = [x === undefined ? frame.width / 2 : x - frame.left, y === undefined ? frame.height / 2 : y - frame.top];
    const [left, top] = [(this.box.scrollLeft + dx) / before, (this.box.scrollTop + dy) / before];
    this.fitting = false;
    this.scale = Math.min(most, Math.max(least, scale));
    this.apply();
    // What was under the finger stays there.
    this.box.scrollTo(left * this.scale - dx, top * this.scale - dy);
  }

  by(factor: number, x?: number, y?: number): void {
    this.to(this.scale * factor, x, y);
  }

  pan(x: number, y: number): void {
    this.box.scrollBy(x * this.box.clientWidth * 0.25, y * this.box.clientHeight * 0.25);
  }

  private apply(): void {
    const { area, width, height } = this.screen;
    if (width === 0) return;
    if (this.fitting) {
      const room = Math.max(160, innerHeight * 0.78);
      this.scale = Math.min(this.box.clientWidth / width, room / height);
    }
    area.style.width = `${Math.max(1, Math.round(width * this.scale))}px`;
    area.style.height = `${Math.max(1, Math.round(height * this.scale))}px`;
    area.classList.toggle("close", this.scale >= 2);
    this.screen.place();
    if (this.says) this.says.textContent = `${Math.round(this.scale * 100)} %`;
  }

  private pinch(): void {
    const fingers = new Map<number, PointerEvent>();
    let apart = 0;
    const two = () => [...fingers.values()] as [PointerEvent, PointerEvent];
    const distance = () => {
      const [a, b] = two();
      return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    this.box.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, event);
      if (fingers.size === 2) apart = distance();
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event);
      if (fingers.size !== 2 || apart === 0) return;
      const now = distance();
      const [a, b] = two();
      this.by(now / apart, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
      apart = now;
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"] as const)
      this.box.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
}
