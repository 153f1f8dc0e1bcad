// What the replay page needs besides a player.

/// "1:02:33".
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/// Within the recording; just before its end, so that its last screen stays.
export function bounded(at: number, duration?: number): number {
  return Math.max(0, duration === undefined ? at : Math.min(at, Math.max(0, duration - 0.001)));
}

/// Keys of the whole page. Whoever types into a field, presses a button or has the player in focus means that instead.
export function shortcuts(keys: Record<string, (shift: boolean) => unknown>): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as Element;
    if (target.closest("input, select, textarea, #player") || (target.closest("a, button") && [" ", "Enter"].includes(event.key))) {
      // The player knows most of these keys; "/" and idle time it does not.
      if (!target.closest("#player") || !["/", "i"].includes(event.key)) return;
    }
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    void act(event.shiftKey);
  });
}
