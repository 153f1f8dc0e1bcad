// When a watched session ends by its grant: said, counted down, and put off once if the approvers signed that whoever watches may.
import { post } from "./ceremony";
import { localizeTimes } from "./times";
import { explain } from "./webauthn";

/// Seconds from when it was said.
export type Left = { seconds: number; minutes: number | null; prolonged: { by: string; seconds: number } | null };

/// From here on it is a warning.
const SOON = 5 * 60;

export function clockOf(here: string, complain: (why: string) => void): { heard(left: Left | null): void; watched(yes: boolean): void } {
  const box = document.getElementById("end");
  if (!box) return { heard: () => {}, watched: () => {} };
  const place = document.getElementById("prolong-place");
  const button = document.getElementById("prolong") as HTMLButtonElement | null;
  const inWords = document.getElementById("ends-in")!;
  const said = document.getElementById("ends-said")!;
  let seat = false;
  let left: (Left & { at: number }) | null = null;

  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await post<{ minutes: number }>(`${here}/prolong`, {});
      announce("It goes on after the grant's end.");
    } catch (e) {
      complain(explain(e));
      button.disabled = false;
    }
  });
  setInterval(show, 500);

  function heard(now: Left | null): void {
    // Monotonic: a clock that is set meanwhile changes nothing.
    const at = performance.now();
    if (now?.prolonged && !left?.prolonged) {
      place?.remove();
      const ends = document.getElementById("ends")!;
      ends.replaceChildren(`${now.prolonged.by} let it go on after its grant's end. It is cut `, moment(now.prolonged.seconds), ", whatever anybody does. ", inWords);
      localizeTimes(ends);
    }
    left = now ? { ...now, at } : null;
    if (!now) box!.hidden = true;
    show();
  }

  function show(): void {
    if (place) place.hidden = !seat || !!left?.prolonged || (left !== null && remaining(left) <= 0);
    if (!left) return;
    const s = remaining(left);
    inWords.textContent = s > 0 ? `${span(s)} left.` : "Its time is over.";
    const soon = s <= SOON;
    if (soon !== box!.classList.contains("warn")) {
      box!.classList.toggle("notice", soon);
      box!.classList.toggle("warn", soon);
      if (soon) announce(`${span(Math.max(s, 0))} left.${place && !left.prolonged ? " You may let it go on." : ""}`);
    }
  }

  /// Once, for who listens; the numbers that run are for the eye.
  function announce(words: string): void {
    said.textContent = words;
  }

  return { heard, watched: (yes) => ((seat = yes), show()) };
}

function remaining(l: Left & { at: number }): number {
  return Math.round((l.prolonged ?? l).seconds - (performance.now() - l.at) / 1000);
}

function moment(seconds: number): HTMLTimeElement {
  const t = document.createElement("time");
  t.dateTime = new Date(Date.now() + seconds * 1000).toISOString();
  t.dataset.as = "clock";
  return t;
}

function span(s: number): string {
  const many = (n: number, unit: string) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  if (s < 60) return many(s, "second");
  if (s < 600) return s % 60 ? `${many(Math.floor(s / 60), "minute")} ${many(s % 60, "second")}` : many(s / 60, "minute");
  return s < 5400 ? many(Math.round(s / 60), "minute") : many(Math.round(s / 3600), "hour");
}
