// A supervisor's place at a session: heard of every second while this page is open, given up the moment it goes away.
import { complain, post, say } from "./ceremony";
import { clockOf, type Left } from "./timeleft";
import { explain } from "./webauthn";

type Renewed = { watching: boolean; over: boolean; paused: boolean; channel: { id: number; opened: number; desktop: boolean } | null; left: Left | null };

const place = document.getElementById("seat");
if (place) sit(place);

function sit(place: HTMLElement): void {
  const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const join = element<HTMLButtonElement>("join");
  const leave = element<HTMLButtonElement>("leave");
  const pause = element<HTMLButtonElement>("pause");
  const resume = element<HTMLButtonElement>("resume");
  const end = clockOf(`/supervise/${place.dataset.session}`, (why) => tell(why, "bad"));
  const state = element("seat-state");
  const here = `/supervise/${place.dataset.session}`;
  const session = `/sessions/${place.dataset.session}`;
  let seat: string | undefined;
  // The channel that is seen; what is opened later is offered.
  let shown: number | undefined;
  let renewals = 0;
  let paused = place.dataset.paused === "true";

  join.addEventListener("click", async () => {
    join.disabled = true;
    try {
      seat = (await post<{ seat: string }>(`${here}/join`, {})).seat;
      tell("You watch. The session runs.", "ok");
      await renew();
    } catch (e) {
      tell(explain(e), "bad");
    }
    join.disabled = false;
    buttons();
  });
  leave.addEventListener("click", () => (give(), tell("You stopped watching. The session stands still unless somebody else watches.", "warn"), buttons()));
  pause.addEventListener("click", () => order("pause", true));
  resume.addEventListener("click", () => order("resume", false));
  // Also when the tab is closed, and when a phone puts the page away for good.
  addEventListener("pagehide", give);
  // One player a page: another channel is seen by the page beginning anew, at which the session stands still for a moment.
  element("show-newer").addEventListener("click", () => (sessionStorage.setItem("join", here), location.reload()));
  if (sessionStorage.getItem("join") === here) {
    sessionStorage.removeItem("join");
    setTimeout(() => join.click());
  }
  setInterval(renew, 1000);
  buttons();

  /// Gives the place up. Sent even while the page goes away.
  function give(): void {
    if (!seat) return;
    const body = JSON.stringify({ seat });
    seat = undefined;
    void fetch(`${here}/leave`, { method: "POST", keepalive: true, headers: { "content-type": "application/json", accept: "application/json" }, body });
  }

  async function renew(): Promise<void> {
    const mine = seat;
    if (!mine) return;
    try {
      const answer = await post<Renewed>(`${here}/renew`, { seat: mine, looks: shown === undefined || ++renewals % 3 === 0 });
      if (mine !== seat) return;
      paused = answer.paused;
      end.heard(answer.over ? null : answer.left);
      if (answer.over) {
        seat = undefined;
        tell("The session has ended.", "");
        join.hidden = true;
      } else if (!answer.watching) {
        seat = undefined;
        tell("Your connection was lost for too long and the session stands still. Join again to let it go on.", "bad");
      } else {
        tell(paused ? "You watch. The session is paused." : "You watch. The session runs.", paused ? "warn" : "ok");
        if (answer.channel && shown === undefined) view(answer.channel);
        else if (answer.channel) element("newer").hidden = answer.channel.id === shown;
      }
    } catch (e) {
      tell(`${explain(e)} If this lasts, the session stands still.`, "bad");
    }
    buttons();
  }

  function view(channel: NonNullable<Renewed["channel"]>): void {
    shown = channel.id;
    element("view").hidden = false;
    const box = document.createElement("div");
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Live, masked");
    Object.assign(box.dataset, { place: `/recordings/${place.dataset.session}/channels/${channel.id}`, liveView: "", watched: "", opened: String(channel.opened), at: "0" });
    if (channel.desktop) {
      box.id = "desktop";
      box.className = "screen-box";
      box.tabIndex = 0;
      const style = document.createElement("link");
      Object.assign(style, { rel: "stylesheet", href: place.dataset.desktopLook! });
      document.head.append(style);
      element("view-how").textContent = "Masked: every picture is read and cleared before it is shown.";
      element("heard").hidden = false;
    } else {
      box.id = "player";
      box.className = "player-box";
    }
    element("view-place").replaceChildren(box);
    void import(new URL(channel.desktop ? place.dataset.desktop! : place.dataset.player!, location.href).href);
  }

  async function order(what: string, value: boolean): Promise<void> {
    const answer = await fetch(`${session}/${what}`, { method: "POST", redirect: "manual", body: new URLSearchParams() }).catch(() => undefined);
    if (answer?.type === "opaqueredirect") paused = value;
    else tell("That did not work. Look under Live sessions.", "bad");
    buttons();
  }

  function buttons(): void {
    join.hidden = !!seat || state.dataset.over !== undefined;
    leave.hidden = !seat;
    pause.hidden = !seat || paused;
    end.watched(!!seat);
    resume.hidden = !seat || !paused;
  }

  function tell(text: string, how: string): void {
    if (state.textContent !== text) state.textContent = text;
    state.className = `notice ${how}`;
    if (text === "The session has ended.") state.dataset.over = "";
  }

  send(element<HTMLFormElement>("message-form"), "Sent.", async (text, form) => {
    const answer = await fetch(form.dataset.post!, { method: "POST", redirect: "manual", body: new URLSearchParams({ text }) });
    if (answer.type !== "opaqueredirect") throw new Error("Nobody read it: no terminal is open there.");
  });
  send(element<HTMLFormElement>("note-form"), "Kept.", (text) => post(`${here}/note`, { text }));
}

function send(form: HTMLFormElement, done: string, how: (text: string, form: HTMLFormElement) => Promise<unknown>): void {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = form.querySelector("input")!;
    complain(form, "");
    try {
      await how(field.value, form);
      field.value = "";
      say(form, done);
    } catch (e) {
      say(form, "");
      complain(form, explain(e));
    }
  });
}
