// The server writes times in UTC and in words; here they become the reader's own clock and keep up with it.
const day = 86_400;

export function localizeTimes(root: ParentNode): void {
  const now = Date.now();
  for (const e of root.querySelectorAll<HTMLTimeElement>("time[data-as]")) {
    const at = new Date(e.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const words = e.dataset.as === "rel" ? relative(at, now) : clock(at, e, now);
    if (e.textContent !== words) e.textContent = words;
    const exact = at.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "long" });
    const utc = at.toISOString().replace("T", " ").replace(".000Z", " UTC");
    e.title = exact.endsWith("UTC") ? exact : `${exact} (${utc})`;
  }
}

function relative(at: Date, now: number): string {
  const s = Math.round((at.getTime() - now) / 1000);
  const a = Math.abs(s);
  if (a < 10) return "just now";
  const [n, unit] =
    a < 60 ? [a, "second"] : a < 3570 ? [Math.floor((a + 30) / 60), "minute"] : a < 84_600 ? [Math.floor((a + 1800) / 3600), "hour"] : [Math.floor((a + day / 2) / day), "day"];
  const words = `${n} ${unit}${n === 1 ? "" : "s"}`;
  return s < 0 ? `${words} ago` : `in ${words}`;
}

function clock(at: Date, e: HTMLElement, now: number): string {
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  // The end of a window on the same day needs no day of its own.
  const from = e.dataset.as === "until" ? e.parentElement?.querySelector<HTMLTimeElement>("time[data-as=from]") : null;
  if (from && new Date(from.dateTime).toDateString() === at.toDateString()) return time;
  return `${dayWords(at, new Date(now))} ${time}`;
}

function dayWords(at: Date, now: Date): string {
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(at) - midnight(now)) / (day * 1000));
  if (days === 0) return "today";
  if (days === 1) return "tomorrow";
  if (days === -1) return "yesterday";
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year });
}

/// Date fields are in UTC for the server. With this script people fill them in their own time, and a hidden twin carries UTC.
export function fillUtcFields(): void {
  for (const zone of document.querySelectorAll("[data-zone]")) {
    zone.textContent = `your time, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  }
  for (const form of document.querySelectorAll("form")) {
    const fields = form.querySelectorAll<HTMLInputElement>("input[type=datetime-local][data-utc]");
    for (const f of fields) {
      // What the server wrote back after an error is UTC.
      const at = f.value ? new Date(`${f.value}Z`) : null;
      if (at && !Number.isNaN(at.getTime())) f.value = local(at);
    }
    form.addEventListener("submit", () => {
      for (const f of fields) {
        const twin = form.querySelector<HTMLInputElement>(`input[type=hidden][name="${f.dataset.utc}"]`);
        const at = f.value ? new Date(f.value) : null;
        if (twin) twin.value = at && !Number.isNaN(at.getTime()) ? at.toISOString().slice(0, 16) : "";
      }
    });
  }
}

function local(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
