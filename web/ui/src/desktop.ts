// Desktops: masked replay, masked live view, and released intervals. Times in addresses and on the timeline count from the session's start,
// a film's own from the channel's opening.
import { Kind, milliseconds, type Shot, textOf } from "./film";
import { Projector } from "./projector";
import { follow, PartsReel, Refused, WholeReel } from "./reel";
import { clock, shortcuts } from "./replay";
import { Screen } from "./screen";
import { Zoom } from "./zoom";

const place = document.getElementById("desktop");
const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
if (place) void start(place);

async function start(place: HTMLElement): Promise<void> {
  const area = document.createElement("div");
  area.className = "screen-area";
  place.append(area);
  const kind = place.dataset.liveView !== undefined ? "live" : place.dataset.film !== undefined ? "revealed" : "replay";
  const screen = new Screen(area, { live: "The desktop as it is now, masked", revealed: "The desktop as it was, unmasked", replay: "The desktop, masked" }[kind]);
  const zoom = new Zoom(place, screen, document.getElementById("scale"));
  for (const [id, act] of [["fit", () => zoom.fit()], ["whole", () => zoom.to(1)], ["closer", () => zoom.by(1.25)], ["farther", () => zoom.by(0.8)]] as const)
    document.getElementById(id)?.addEventListener("click", act);
  const keys = {
    f: () => zoom.fit(), "1": () => zoom.to(1), "+": () => zoom.by(1.25), "-": () => zoom.by(0.8),
    w: () => zoom.pan(0, -1), a: () => zoom.pan(-1, 0), s: () => zoom.pan(0, 1), d: () => zoom.pan(1, 0),
  };
  if (kind === "live") {
    shortcuts(keys);
    watch(place, screen);
    return;
  }
  const says = element("player-says");
  try {
    says.textContent = "Loading …";
    const reel =
      kind === "replay"
        ? await PartsReel.open(`${place.dataset.place}/film`)
        : await WholeReel.open(place.dataset.film!, (bytes) => (says.textContent = `Loading … ${(bytes / 1e6).toFixed(1)} MB`));
    says.textContent = "";
    play(place, screen, reel, keys);
  } catch (e) {
    says.textContent = e instanceof Error && e.message ? `Nothing can be shown: ${e.message}.` : "Nothing can be shown. Reload this page to try again.";
  }
}

function play(place: HTMLElement, screen: Screen, reel: PartsReel | WholeReel, keys: Record<string, () => void>): void {
  const [says, time, button] = [element("player-says"), element("clock"), element<HTMLButtonElement>("play")];
  const [speed, skip, slider] = [element<HTMLSelectElement>("speed"), element<HTMLInputElement>("skip-idle"), element<HTMLInputElement>("seek")];
  const timeline = document.querySelector<SVGSVGElement>("#timeline");
  const head = document.querySelector<SVGRectElement>("#head");
  const opened = Number(place.dataset.opened ?? 0) * 1_000;
  const whole = Number(timeline?.dataset.duration ?? 0) / 1_000;
  const old = /^#t=(\d+)$/.exec(location.hash)?.[1];
  const player = new Projector(reel, screen, old ? Number(old) * 1_000 : Number(place.dataset.at ?? 0) * 1_000 - opened);
  slider.min = String(Math.floor(reel.begins));
  slider.max = String(Math.ceil(reel.ends));
  notCleared(reel, opened, whole);

  player.failed = (why) => {
    says.textContent = why;
    tell();
  };
  player.heard = (shot) => hear(shot, opened);
  player.changed = tell;
  let over = false;
  function tell(): void {
    const at = player.at;
    const text = clock((opened + at) / 1_000);
    if (time.textContent !== text) {
      time.textContent = text;
      slider.setAttribute("aria-valuetext", text);
    }
    if (document.activeElement !== slider || player.playing) slider.value = String(Math.round(at));
    if (head && whole > 0) head.setAttribute("x", String(Math.min(1_197, ((opened + at) / whole) * 1_200)));
    const word = player.playing ? "Pause" : "Play";
    if (button.textContent !== word) button.textContent = word;
    const ended = !player.playing && at >= reel.ends && at > reel.begins;
    if (ended && !over) says.textContent = place.dataset.film === undefined ? "The recording is over." : "The interval is over.";
    if (!ended && over) says.textContent = "";
    over = ended;
  }
  const seek = (at: number) => player.seek(at);
  const toggle = () => (player.playing ? player.pause() : player.play());
  seek(player.at);

  button.addEventListener("click", toggle);
  slider.addEventListener("input", () => seek(Number(slider.value)));
  speed.addEventListener("change", () => (player.speed = Number(speed.value)));
  player.speed = Number(speed.value);
  skip.addEventListener("change", () => (player.skipIdle = skip.checked));
  player.skipIdle = skip.checked;
  timeline?.addEventListener("click", (event) => {
    const box = timeline.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * whole - opened);
  });
  const marks = [...document.querySelectorAll<HTMLAnchorElement>(".marks a[data-seek]")];
  const moments = marks.map((m) => Number(m.dataset.seek) * 1_000 - opened).sort((a, b) => a - b);
  document.querySelector(".marks")?.addEventListener("click", (event) => {
    const mark = (event.target as Element).closest<HTMLAnchorElement>("a[data-seek]");
    if (!mark || (event as MouseEvent).ctrlKey || (event as MouseEvent).metaKey) return;
    event.preventDefault();
    seek(Number(mark.dataset.seek) * 1_000 - opened);
    place.scrollIntoView({ block: "nearest" });
  });
  document.getElementById("share")?.addEventListener("click", async () => {
    const link = new URL(`${place.dataset.page}&at=${Math.floor((opened + player.at) / 1_000)}`, location.href);
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link.href);
      says.textContent = "The link to this moment is copied. Only people who may watch this recording can open it.";
    } catch {
      says.textContent = "The link to this moment is in the address bar.";
    }
  });
  const tenth = () => (reel.ends - reel.begins) / 10;
  shortcuts({
    ...keys,
    " ": toggle,
    ArrowLeft: (shift) => seek(player.at - (shift ? tenth() : 5_000)),
    ArrowRight: (shift) => seek(player.at + (shift ? tenth() : 5_000)),
    Home: () => seek(reel.begins),
    End: () => seek(reel.ends),
    "[": () => seek(moments.filter((m) => m < player.at - 500).at(-1) ?? reel.begins),
    "]": () => seek(moments.find((m) => m > player.at + 1) ?? reel.ends),
    ".": () => player.step(),
    "<": () => choose(-1),
    ">": () => choose(1),
    i: () => skip.click(),
    "/": () => document.getElementById("find")?.click(),
  });
  function choose(by: number): void {
    const next = speed.options[speed.selectedIndex + by];
    if (!next) return;
    speed.value = next.value;
    speed.dispatchEvent(new Event("change"));
  }
}

/// The end of the recording that nobody read: drawn on the timeline, and said.
function notCleared(reel: PartsReel | WholeReel, opened: number, whole: number): void {
  if (!(reel instanceof PartsReel) || reel.cleared === null) return;
  const [stretch, says] = [document.querySelector<SVGRectElement>("#not-cleared"), document.getElementById("cleared")];
  if (says) says.textContent = `Cleared up to ${clock((opened + reel.cleared) / 1_000)}. What is later was not read, so all of it is blurred.`;
  if (!stretch || whole <= 0) return;
  const [from, until] = [opened + reel.cleared, opened + reel.ends].map((ms) => Math.min(1_200, (ms / whole) * 1_200)) as [number, number];
  stretch.setAttribute("x", String(from));
  stretch.setAttribute("width", String(Math.max(2, until - from)));
}

/// What is no picture: the last few lines, newest at the end.
function hear(shot: Shot, opened: number): void {
  const list = document.getElementById("heard");
  const way = shot.kind === Kind.clipboard ? shot.payload[0] : undefined;
  const text = textOf(way === undefined ? shot.payload : shot.payload.subarray(1));
  const what: Partial<Record<number, string>> = {
    [Kind.note]: "Note", [Kind.message]: "Message", [Kind.typed]: "Typed", [Kind.clipboard]: way === 1 ? "Copied from the target" : "Copied to the target",
  };
  const word = what[shot.kind];
  if (!list || !word || !text.trim()) return;
  const last = list.lastElementChild as HTMLElement | null;
  if (shot.kind === Kind.typed && last?.dataset.kind === "typed" && (last.lastChild?.textContent?.length ?? 0) < 200) {
    last.lastChild!.textContent += text;
    return;
  }
  const line = document.createElement("li");
  if (shot.kind === Kind.typed) line.dataset.kind = "typed";
  const [at, kind, said] = ["span", "b", "span"].map((name) => document.createElement(name)) as [HTMLElement, HTMLElement, HTMLElement];
  at.className = "mono soft";
  at.textContent = clock((opened + shot.at) / 1_000);
  kind.textContent = word;
  said.className = "break";
  said.textContent = text;
  line.append(at, " ", kind, " ", said);
  list.append(line);
  while (list.children.length > 8) list.firstElementChild!.remove();
}

/// A page that nobody touches for so long stops following: otherwise it would keep a session of the portal alive for ever.
const restAfter = 15 * 60_000;

function watch(place: HTMLElement, screen: Screen): void {
  const [says, tag, behind] = [element("player-says"), element("live-tag"), element("behind")];
  let [touched, stop]: [number, AbortController | undefined] = [Date.now(), undefined];
  for (const event of ["pointerdown", "pointermove", "keydown", "scroll"])
    addEventListener(event, () => {
      touched = Date.now();
      if (!stop && place.dataset.over === undefined) void run();
    }, { passive: true, capture: true });
  setInterval(() => {
    // Whoever supervises looks, and says so every second by themselves.
    if (!stop || place.dataset.watched !== undefined || Date.now() - touched < restAfter) return;
    stop.abort();
    stop = undefined;
    say("Nobody touched this page for a while, so it stopped following. Touch it to go on.", "Paused");
  }, 15_000);
  addEventListener("pagehide", () => stop?.abort());
  // Who pauses or resumes while watching goes on watching.
  document.querySelector<HTMLFormElement>("form[data-stay]")?.addEventListener("submit", async (event) => {
    const form = event.currentTarget as HTMLFormElement;
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST" }).catch(() => undefined);
    if (answer?.ok) location.reload();
    else form.submit();
  });
  void run();

  /// The portal ends each stream after a while, so that who may not watch any more loses it.
  async function run(): Promise<void> {
    const mine = (stop = new AbortController());
    let wait = 500;
    while (stop === mine) {
      try {
        await follow(`${place.dataset.place}/film/live`, mine.signal, async (shots) => {
          wait = 500;
          await show(shots);
        });
      } catch (e) {
        if (stop !== mine) return;
        if (e instanceof Refused && e.status !== 503) {
          stop = undefined;
          place.dataset.over = "";
          say(`Nothing more can be shown: ${e.message}.`, "Over");
          return;
        }
        say("The connection was lost; trying again.", "Lost");
        wait = Math.min(10_000, wait * 2);
      }
      if (place.dataset.over !== undefined) return;
      await new Promise((r) => setTimeout(r, wait));
    }
  }

  /// The whole picture comes again with every stream; what is known of times goes on.
  let reached = 0;
  async function show(shots: Shot[]): Promise<void> {
    await screen.show(shots);
    for (const shot of shots) {
      if (shot.kind === Kind.now) {
        const seconds = Math.max(0, Math.round((milliseconds(shot) - reached) / 1_000));
        say("", "Live");
        behind.textContent = seconds < 2 ? "a second or two behind" : `${seconds} seconds behind`;
      } else if (shot.kind === Kind.over || shot.kind === Kind.damaged) {
        place.dataset.over = "";
        behind.textContent = "";
        const why = shot.kind === Kind.over ? "The channel or the session is over." : textOf(shot.payload);
        say(place.dataset.watched === undefined ? `${why} The replay is under “Watch from the beginning”.` : why, "Over");
      } else {
        reached = Math.max(reached, shot.kind === Kind.cleared ? milliseconds(shot) : shot.at);
        hear(shot, Number(place.dataset.opened ?? 0) * 1_000);
      }
    }
  }
  function say(text: string, word: string): void {
    if (says.textContent !== text) says.textContent = text;
    if (tag.lastChild!.textContent !== word) tag.lastChild!.textContent = word;
  }
}
