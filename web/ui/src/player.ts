// Masked replay. The recording is a masked asciicast; the player draws text cells, so nothing in it can act on the page.
import { create } from "asciinema-player";

const place = document.getElementById("player");
if (place) start(place);

function start(place: HTMLElement): void {
  const speed = document.getElementById("speed") as HTMLSelectElement;
  const skip = document.getElementById("skip-idle") as HTMLInputElement;
  const share = document.getElementById("share") as HTMLButtonElement;
  const says = document.getElementById("player-says")!;
  const moment = Number(/^#t=(\d+)$/.exec(location.hash)?.[1] ?? 0);
  let player = make(moment, false);

  function make(at: number, play: boolean) {
    place.replaceChildren();
    const made = create({ url: place.dataset.cast! }, place, {
      speed: Number(speed.value),
      idleTimeLimit: skip.checked ? 2 : undefined,
      startAt: at,
      autoPlay: play,
      preload: true,
      fit: "width",
      theme: "auto/asciinema",
      terminalFontSize: "15px",
      poster: `npt:${at || 3}`,
    } as any);
    made.addEventListener("ended", () => (says.textContent = "The recording is over."));
    return made;
  }

  async function again(): Promise<void> {
    // A player has no setter for these, so it is made again at the same moment.
    const at = Math.floor((await player.getCurrentTime()) ?? 0);
    player.dispose();
    player = make(at, at > 0);
  }
  speed.addEventListener("change", again);
  skip.addEventListener("change", again);
  share.addEventListener("click", async () => {
    const at = Math.floor((await player.getCurrentTime()) ?? 0);
    history.replaceState(null, "", `#t=${at}`);
    try {
      await navigator.clipboard.writeText(location.href);
      says.textContent = "The link to this moment is copied. Only people who may watch this recording can open it.";
    } catch {
      says.textContent = "The link to this moment is in the address bar.";
    }
  });
}
