// Every form with data-passkey="get|create" runs a ceremony: begin -> the browser's passkey -> finish -> next page.
import { complain, post, say, show, type Started } from "./ceremony";
import { create, explain, get } from "./webauthn";

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
const prepared = new Map<string, { started: Started; at: number; body: string }>();
for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-content-of]")) {
  details.addEventListener("toggle", async () => {
    const form = document.getElementById(details.dataset.contentOf ?? "") as HTMLFormElement | null;
    if (!details.open || !form || prepared.has(form.id)) return;
    try {
      const body = bodyOf(form);
      const started = await post<Started>(form.dataset.begin!, body);
      await show(form, started);
      prepared.set(form.id, { started, at: Date.now(), body: JSON.stringify(body) });
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
    // What was filled in since is not what was shown: then it is begun, and shown, anew.
    const fresh = ready && Date.now() - ready.at < 60_000 && ready.body === JSON.stringify(body);
    const started = fresh ? ready.started : await post<Started>(form.dataset.begin!, body);
    await show(form, started);
    const credential = form.dataset.passkey === "create" ? await create(started.options) : await get(started.options);
    say(form, "Checking…");
    const done = await post<{ next?: string; show?: string }>(form.dataset.finish!, {
      ...body,
      ceremony: started.ceremony,
      credential,
      keep: started.keep,
    });
    const shown = form.querySelector<HTMLElement>("[data-shown]");
    if (done.show && shown) {
      shown.hidden = false;
      shown.querySelector("pre")!.textContent = done.show;
      say(form, "Here it is.");
      all.forEach((b) => (b.disabled = false));
      return;
    }
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
