// Every form with data-passkey="get|create" runs a ceremony: begin -> the browser's passkey -> finish -> next page.
import { fromBase64Url } from "./bytes";
import { create, explain, get } from "./webauthn";

type Started = { ceremony: string; options: any; content?: string };

const forms = document.querySelectorAll<HTMLFormElement>("form[data-passkey]");
const token = takeTokenFromAddress();

for (const form of forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form, event.submitter as HTMLButtonElement | null);
  });
}
if (!("credentials" in navigator) || typeof PublicKeyCredential === "undefined") {
  for (const form of forms) complain(form, "This browser cannot use passkeys here. Open the portal at its own address in a current browser.");
}
if (document.querySelector("[data-needs-token]") && !token) {
  for (const form of forms) complain(form, "This link is incomplete. Open the whole link you were given, or ask for a new one.");
}

// The exact content can be read before anything is signed: opening it begins the ceremony that the button then uses.
const prepared = new Map<string, { started: Started; at: number }>();
for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-content-of]")) {
  details.addEventListener("toggle", async () => {
    const form = document.getElementById(details.dataset.contentOf ?? "") as HTMLFormElement | null;
    if (!details.open || !form || prepared.has(form.id)) return;
    try {
      const started = await post<Started>(form.dataset.begin!, bodyOf(form));
      await show(form, started);
      prepared.set(form.id, { started, at: Date.now() });
    } catch (e) {
      complain(form, explain(e));
    }
  });
}

async function run(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
  const all = document.querySelectorAll<HTMLButtonElement>("form[data-passkey] button");
  complain(form, "");
  all.forEach((b) => (b.disabled = true));
  say(form, "Waiting for your passkey…");
  try {
    const body = bodyOf(form);
    const ready = prepared.get(form.id);
    prepared.delete(form.id);
    const fresh = ready && Date.now() - ready.at < 60_000;
    const started = fresh ? ready.started : await post<Started>(form.dataset.begin!, body);
    await show(form, started);
    const credential = form.dataset.passkey === "create" ? await create(started.options) : await get(started.options);
    say(form, "Checking…");
    const done = await post<{ next?: string }>(form.dataset.finish!, { ...body, ceremony: started.ceremony, credential });
    location.assign(ownPath(done.next) ?? ownPath(form.dataset.then) ?? "/");
  } catch (e) {
    say(form, "");
    complain(form, explain(e));
    all.forEach((b) => (b.disabled = false));
    button?.focus();
  }
}

/// Fields of the form, what the form says by itself, and the token of an enrolment link.
function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, v]) => typeof v === "string"));
  return { ...fields, ...(form.hasAttribute("data-needs-token") ? { token } : {}) };
}

/// Shows what is signed and checks that the challenge is really its digest, so the page cannot show one thing and sign another.
async function show(form: HTMLFormElement, started: Started): Promise<void> {
  if (started.content === undefined) return;
  const text = new TextEncoder();
  const domain = text.encode(`${form.dataset.domain}\0`);
  const content = text.encode(started.content);
  const all = new Uint8Array(domain.length + content.length);
  all.set(domain);
  all.set(content, domain.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  const challenge = fromBase64Url(started.options.publicKey.challenge);
  if (digest.length !== challenge.length || digest.some((b, i) => b !== challenge[i])) {
    throw new Error("What would be signed is not what is shown. Do not go on; tell your operator.");
  }
  const place = document.getElementById("content");
  if (place) place.textContent = started.content;
}

async function post<T>(url: string, body: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("The portal does not answer. Check your connection and try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(sentence(answer.error ?? `The portal answered ${response.status}.`));
  return answer as T;
}

function sentence(text: string): string {
  const s = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(s) ? s : `${s}.`;
}

function say(form: HTMLFormElement, text: string): void {
  const place = form.querySelector("[role=status]");
  if (place) place.textContent = text;
}

function complain(form: HTMLFormElement, text: string): void {
  const place = form.querySelector<HTMLElement>("[role=alert]");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}

function ownPath(next: string | undefined): string | undefined {
  return next && /^\/(?![/\\])[^\\\s]*$/.test(next) ? next : undefined;
}

/// The token of an enrolment link stands after the #, so it is in no server log; here it leaves the address bar and history too.
function takeTokenFromAddress(): string {
  if (!document.querySelector("[data-needs-token]")) return "";
  const found = location.hash.slice(1);
  if (found) history.replaceState(null, "", location.pathname);
  return found;
}
