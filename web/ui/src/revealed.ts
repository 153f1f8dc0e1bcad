// A released interval. It is fetched once a page: every fetch is a line in the audit log.
import { create } from "asciinema-player";

const place = document.getElementById("revealed");
if (place) void start(place);

async function start(place: HTMLElement): Promise<void> {
  const says = document.getElementById("player-says")!;
  const speed = document.getElementById("speed") as HTMLSelectElement;
  const answer = await fetch(place.dataset.cast!, { headers: { accept: "application/x-asciicast" } }).catch(() => undefined);
  if (!answer?.ok) {
    const why = await answer?.json().catch(() => ({}));
    says.textContent = why?.error ? `Nothing can be shown: ${why.error}.` : "The portal does not answer. Reload this page to try again.";
    return;
  }
  const cast = await answer.text();
  const starts = Number(place.dataset.starts ?? 0);
  let player = make(starts, false);

  function make(at: number, play: boolean) {
    place.replaceChildren();
    const made = create({ data: cast }, place, {
      speed: Number(speed.value),
      startAt: at,
      autoPlay: play,
      preload: true,
      fit: "width",
      theme: "auto/asciinema",
      terminalFontSize: "15px",
      poster: `npt:${at + 1}`,
    } as any);
    made.addEventListener("ended", () => (says.textContent = "The interval is over."));
    return made;
  }
  speed.addEventListener("change", async () => {
    const at = (await player.getCurrentTime()) ?? starts;
    player.dispose();
    player = make(at, at > starts);
  });
}
