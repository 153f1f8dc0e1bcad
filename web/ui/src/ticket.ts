// A ticket for a desktop: one passkey confirmation, then user name and password, shown once. They are kept nowhere but in this page.
import { complain, post, say, show, type Started } from "./ceremony";
import { explain, get } from "./webauthn";

type Ticket = { name: string; secret: string; ends: string; file: string; file_name: string };

const form = document.getElementById("confirm") as HTMLFormElement;
const ticket = document.getElementById("ticket")!;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button")!;
  complain(form, "");
  button.disabled = true;
  say(form, "Waiting for your passkey…");
  try {
    const started = await post<Started & { confirmation: string }>(form.dataset.begin!, {});
    await show(form, started);
    const credential = await get(started.options);
    say(form, "Making your ticket…");
    open(await post<Ticket>(form.dataset.finish!, { confirmation: started.confirmation, ceremony: started.ceremony, credential }));
  } catch (e) {
    say(form, "");
    complain(form, explain(e));
    button.disabled = false;
    button.focus();
  }
});

function open(t: Ticket): void {
  fill("name", t.name);
  fill("secret", t.secret);
  const command = document.getElementById("xfreerdp")!;
  fill("xfreerdp", `${command.dataset.before}${t.name}`);
  const file = document.getElementById("file") as HTMLAnchorElement;
  file.href = URL.createObjectURL(new Blob([t.file], { type: "application/x-rdp" }));
  file.download = t.file_name;
  document.getElementById("before")!.hidden = true;
  ticket.hidden = false;
  document.getElementById("ticket-title")!.focus();
  live(new Date(t.ends).getTime());
  const watched = document.getElementById("watched");
  if (watched) setInterval(() => void ask(watched), 2000);
}

/// How a session stands that somebody has to watch. A client that is connecting can be told nothing.
async function ask(place: HTMLElement): Promise<void> {
  const answer = await fetch(place.dataset.waiting!, { headers: { accept: "application/json" } }).catch(() => undefined);
  if (!answer?.ok) return;
  const { state } = (await answer.json()) as { state: string | null };
  const [words, how] = said[state ?? ""] ?? [];
  if (!words || place.textContent === words) return;
  place.textContent = words;
  place.className = `notice ${how}`;
}

const said: Record<string, [string, string]> = {
  lobby: ["You are connected, and you wait for a supervisor to join. Nothing reaches the target before. Leave your client open; if it gives up, connect again with the same ticket.", "warn"],
  watched: ["A supervisor watches. Your desktop is open.", "ok"],
  unwatched: ["Nobody watches at the moment: your session stands still until a supervisor joins.", "warn"],
};

function fill(id: string, text: string): void {
  document.getElementById(id)!.textContent = text;
  const button = document.querySelector<HTMLButtonElement>(`button[data-copy-from=${id}]`);
  if (button) button.dataset.copy = text;
}

/// Counts down; when its time is over nothing of the ticket stands in the page any longer.
function live(ends: number): void {
  const place = document.getElementById("life")!;
  const tick = () => {
    const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
    place.textContent = left ? `Connect within ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}.` : "Its time to connect is over. Get another one if you are not connected.";
    if (left) return;
    clearInterval(timer);
    fill("secret", "(over)");
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// A page that comes back by "Back" must not show it again.
addEventListener("pagehide", () => {
  for (const id of ["name", "secret", "xfreerdp"]) fill(id, "");
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
