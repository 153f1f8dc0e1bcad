// A terminal in the browser: one passkey confirmation, then a WebSocket. The gateway at the other end judges, records and ends it.
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { complain, post, say, sentence, show, type Started } from "./ceremony";
import { explain, get } from "./webauthn";

const form = document.getElementById("confirm") as HTMLFormElement;
const before = document.getElementById("before")!;
const screen = document.getElementById("screen")!;
const after = document.getElementById("after")!;
const box = document.getElementById("terminal")!;
const says = document.getElementById("terminal-says")!;
// A paste goes in frames below the portal's bound of 64 KiB.
const largestFrame = 32 * 1024;
const sayHowMuchEvery = 64 * 1024;

allowStyles(document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "");
countDown();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button")!;
  complain(form, "");
  button.disabled = true;
  say(form, "Waiting for your passkey…");
  try {
    const started = await post<Started & { terminal: string }>(form.dataset.begin!, {});
    await show(form, started);
    const credential = await get(started.options);
    say(form, "Connecting…");
    const done = await post<{ socket: string }>(`/terminal/${started.terminal}/finish`, { ceremony: started.ceremony, credential });
    open(done.socket);
  } catch (e) {
    say(form, "");
    complain(form, explain(e));
    button.disabled = false;
    button.focus();
  }
});

function open(path: string): void {
  before.hidden = true;
  screen.hidden = false;
  document.body.classList.add("running");
  const term = new Terminal({
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize: 15,
    scrollback: 5_000,
    theme: { background: "#121314", foreground: "#dfe4e4" },
    // A target may not write into the clipboard, open windows or name the page.
    linkHandler: { activate: () => undefined },
  });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(box);
  fillScreen(fit);
  term.focus();

  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${path}?cols=${term.cols}&rows=${term.rows}`);
  socket.binaryType = "arraybuffer";
  const text = new TextEncoder();
  let last: string | undefined;
  let seen = 0;
  let copyAllowed = false;
  let pasteAllowed = false;

  const send = (bytes: Uint8Array<ArrayBuffer>) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < bytes.length; at += largestFrame) socket.send(bytes.subarray(at, at + largestFrame));
  };
  const type = (typed: string) => send(text.encode(withCtrl(typed)));
  term.onData(type);
  term.onBinary((s) => send(Uint8Array.from(s, (c) => c.charCodeAt(0))));
  term.onResize(({ cols, rows }) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ cols, rows })));

  // The clipboard by policy: before xterm.js sees the event.
  const guard = (event: Event, allowed: boolean, what: string) => {
    if (allowed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    says.textContent = `${what} is switched off here.`;
  };
  for (const kind of ["copy", "cut"]) box.addEventListener(kind, (e) => guard(e, copyAllowed, "Copying"), { capture: true });
  for (const kind of ["paste", "drop"]) box.addEventListener(kind, (e) => guard(e, pasteAllowed, "Pasting"), { capture: true });
  term.onSelectionChange(() => !copyAllowed && term.hasSelection() && term.clearSelection());

  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") {
      const told = JSON.parse(data);
      if (told.clipboard) {
        copyAllowed = told.clipboard === "both" || told.clipboard === "copy";
        pasteAllowed = told.clipboard === "both" || told.clipboard === "paste";
      }
      if (told.said) says.textContent = told.said;
      if (told.ended !== undefined) last = sentence(told.ended || "The session is over") + (told.status ? ` Exit status ${told.status}.` : "");
      return;
    }
    const bytes = new Uint8Array(data as ArrayBuffer);
    term.write(bytes, () => {
      seen += bytes.length;
      if (seen < sayHowMuchEvery || socket.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify({ seen }));
      seen = 0;
    });
  });
  const leave = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener("beforeunload", leave);
  socket.addEventListener("close", () => {
    removeEventListener("beforeunload", leave);
    term.options.disableStdin = true;
    term.options.cursorBlink = false;
    document.body.classList.remove("running");
    document.getElementById("ended")!.textContent = last ?? "The connection to the portal broke, so the session ended.";
    document.getElementById("recorded")!.hidden = true;
    after.hidden = false;
    after.scrollIntoView({ block: "nearest" });
  });
  keys(term, type);
}

// --- Keys that a tablet does not have

let ctrl = false;

function keys(term: Terminal, type: (text: string) => void): void {
  const held = document.querySelector<HTMLButtonElement>("[data-key=ctrl]")!;
  const hold = (on: boolean) => {
    ctrl = on;
    held.setAttribute("aria-pressed", String(on));
  };
  term.onData(() => hold(false));
  const arrows: Record<string, string> = { up: "A", down: "B", right: "C", left: "D" };
  for (const button of document.querySelectorAll<HTMLButtonElement>(".keys button")) {
    // The focus stays in the terminal, or the soft keyboard would go away.
    button.addEventListener("pointerdown", (e) => e.preventDefault());
    button.addEventListener("click", () => {
      const key = button.dataset.key;
      if (key === "ctrl") hold(!ctrl);
      else if (key === "esc") type("\x1b");
      else if (key === "tab") type("\t");
      else if (key && arrows[key]) type(`\x1b${term.modes.applicationCursorKeysMode ? "O" : "["}${arrows[key]}`);
      else if (button.dataset.text) type(button.dataset.text);
      if (key !== "ctrl") hold(false);
      term.focus();
    });
  }
}

/// With Ctrl held on the screen, a letter is what it would be on a keyboard.
function withCtrl(typed: string): string {
  if (!ctrl || typed.length !== 1 || !/[a-z@[\\\]^_ ]/i.test(typed)) return typed;
  return String.fromCharCode(typed.toUpperCase().charCodeAt(0) & 0x1f);
}

// --- The size: what the window leaves, also when a soft keyboard covers half of it

function fillScreen(fit: FitAddon): void {
  const resize = () => {
    const height = (window.visualViewport?.height ?? innerHeight) - box.getBoundingClientRect().top - scrollY;
    const below = screen.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
    box.style.height = `${Math.max(180, Math.floor(height - below - 16))}px`;
    fit.fit();
  };
  resize();
  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(resize, 100);
  };
  addEventListener("resize", soon);
  window.visualViewport?.addEventListener("resize", soon);
}

// --- How long the grant lasts

function countDown(): void {
  const place = document.getElementById("countdown")!;
  const ends = new Date(place.dataset.ends!).getTime();
  const two = (n: number) => String(n).padStart(2, "0");
  const tick = () => {
    const s = Math.max(0, Math.round((ends - Date.now()) / 1000));
    const h = Math.floor(s / 3600);
    place.textContent = s ? `grant ends in ${h ? `${h}:${two(Math.floor(s / 60) % 60)}` : Math.floor(s / 60)}:${two(s % 60)}` : "the grant has ended";
    place.classList.toggle("ends-soon", s < 300);
  };
  tick();
  setInterval(tick, 1000);
}

// --- Content security policy

/// xterm.js draws with style elements and style attributes of its own making. The policy of this page allows style elements that carry its
/// nonce, and no attributes; setting a style through its object is always allowed.
function allowStyles(nonce: string): void {
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name: string, value: string) {
    if (name === "style" && this instanceof HTMLElement) this.style.cssText = value;
    else set.call(this, name, value);
  };
}
