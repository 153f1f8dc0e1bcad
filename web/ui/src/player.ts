// Masked replay and live view. What is shown is a masked asciicast; the player draws text cells, so nothing in it can act on the page.
// Times in addresses and on the timeline count from the session's start, the player's own from the channel's opening.
import { create, type Player } from "asciinema-player";
import { bounded, clock, shortcuts } from "./replay";

const place = document.getElementById("player");
if (place) place.dataset.liveView === undefined ? replay(place) : watch(place);

const look = { fit: "width", theme: "auto/asciinema", terminalFontSize: "15px" } as const;

function replay(place: HTMLElement): void {
  const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const speed = element<HTMLSelectElement>("speed");
  const skip = element<HTMLInputElement>("skip-idle");
  const says = element("player-says");
  const time = element("clock");
  const timeline = document.querySelector<SVGSVGElement>("#timeline");
  const head = document.querySelector<SVGRectElement>("#head");
  const opened = Number(place.dataset.opened);
  const whole = Number(timeline?.dataset.duration ?? 0) / 1e6;
  /// Stretches of this channel in which nothing is shown, in seconds.
  const quiet: [number, number][] = JSON.parse(place.dataset.quiet || "[]").map(([from, until]: [number, number]) => [from / 1000, until / 1000]);
  // Links of earlier versions name the channel's time behind "#t=".
  const old = /^#t=(\d+)$/.exec(location.hash)?.[1];
  const begin = old ? Number(old) : Math.max(0, Number(place.dataset.at) - opened);
  let playing = false;
  let player = make(begin, false);

  function make(at: number, play: boolean): Player {
    place.replaceChildren();
    const source = { driver: "recording", format: "segmented", url: `${place.dataset.place}/parts` };
    const made = create(source as any, place, { ...look, speed: Number(speed.value), startAt: at, autoPlay: play, preload: true, poster: `npt:${at || 3}` });
    made.addEventListener("playing", () => ((playing = true), (says.textContent = "")));
    made.addEventListener("pause", () => (playing = false));
    made.addEventListener("ended", () => {
      playing = false;
      says.textContent = "The recording is over.";
    });
    return made;
  }

  // Before something plays the player has no time of its own: then it is where it is to begin.
  let touched = false;
  const now = () => (touched ? player.getCurrentTime() || 0 : begin);
  async function seek(at: number): Promise<void> {
    touched = true;
    await player.seek(bounded(at, player.getDuration()));
    tick();
  }
  async function toggle(): Promise<void> {
    touched = true;
    await (playing ? player.pause() : player.play());
  }

  /// Moves the mark on the timeline, and jumps over a stretch in which nothing happens.
  function tick(): void {
    if (playing) touched = true;
    const at = now();
    time.textContent = clock(opened + at);
    if (head && whole > 0) head.setAttribute("x", String(Math.min(1197, ((opened + at) / whole) * 1200)));
    if (!playing || !skip.checked) return;
    const idle = quiet.find(([from, until]) => at > from + 1 && at < until - 1);
    if (idle) void player.seek(idle[1] - 0.5);
  }
  setInterval(tick, 200);
  tick();

  speed.addEventListener("change", () => {
    // A player has no setter for this, so it is made again at the same moment.
    const [at, was] = [now(), playing];
    player.dispose();
    playing = false;
    touched = was;
    player = make(at, was);
    if (!was) void seek(at);
  });

  timeline?.addEventListener("click", (event) => {
    const box = timeline.getBoundingClientRect();
    void seek(((event.clientX - box.left) / box.width) * whole - opened);
  });
  document.querySelector(".marks")?.addEventListener("click", (event) => {
    const mark = (event.target as Element).closest<HTMLAnchorElement>("a[data-seek]");
    if (!mark || (event as MouseEvent).ctrlKey || (event as MouseEvent).metaKey) return;
    event.preventDefault();
    void seek(Number(mark.dataset.seek) - opened);
    place.scrollIntoView({ block: "nearest" });
  });

  element("share").addEventListener("click", async () => {
    const link = new URL(`${place.dataset.page}&at=${Math.floor(opened + now())}`, location.href);
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link.href);
      says.textContent = "The link to this moment is copied. Only people who may watch this recording can open it.";
    } catch {
      says.textContent = "The link to this moment is in the address bar.";
    }
  });

  const tenth = () => (player.getDuration() ?? 0) / 10;
  shortcuts({
    " ": toggle,
    ArrowLeft: (shift) => seek(now() - (shift ? tenth() : 5)),
    ArrowRight: (shift) => seek(now() + (shift ? tenth() : 5)),
    "[": () => ((touched = true), player.seek({ marker: "prev" })),
    "]": () => ((touched = true), player.seek({ marker: "next" })),
    "<": () => choose(-1),
    ">": () => choose(1),
    i: () => skip.click(),
    "/": () => document.getElementById("find")?.click(),
  });
  function choose(step: number): void {
    const next = speed.options[speed.selectedIndex + step];
    if (!next) return;
    speed.value = next.value;
    speed.dispatchEvent(new Event("change"));
  }
}

/// A page that nobody touches for so long stops following: otherwise it would keep a session of the portal alive for ever.
const restAfter = 15 * 60_000;

function watch(place: HTMLElement): void {
  const says = document.getElementById("player-says")!;
  const tag = document.getElementById("live-tag")!;
  let player: Player | undefined = follow();
  let touched = Date.now();
  for (const event of ["pointerdown", "pointermove", "keydown", "scroll"])
    addEventListener(event, () => ((touched = Date.now()), (player ??= follow())), { passive: true, capture: true });
  setInterval(() => {
    if (!player || Date.now() - touched < restAfter) return;
    player.dispose();
    player = undefined;
    say("Nobody touched this page for a while, so it stopped following. Touch it to go on.", "Paused");
  }, 15_000);

  function follow(): Player {
    place.replaceChildren();
    const source = { driver: "eventsource", url: `${place.dataset.place}/live` };
    const made = create(source as any, place, { ...look, autoPlay: true });
    made.addEventListener("playing", () => say("", "Live"));
    made.addEventListener("ended", () => {
      say("The channel or the session is over. The replay is under “Watch from the beginning”.", "Over");
      place.dataset.over = "";
    });
    return made;
  }
  function say(text: string, word: string): void {
    says.textContent = text;
    tag.lastChild!.textContent = word;
  }
}
