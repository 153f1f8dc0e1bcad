// What every signature needs: talking JSON to the portal, and showing what is signed.
import { fromBase64Url } from "./bytes";

export type Started = { ceremony: string; options: any; content?: string; keep?: unknown };

/// Shows what is signed and checks that the challenge is really its digest, so the page cannot show one thing and sign another.
export async function show(form: HTMLFormElement, started: Started): Promise<void> {
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
  const place = document.getElementById(form.dataset.content ?? "content");
  if (place) place.textContent = started.content;
}

export async function post<T>(url: string, body: unknown): Promise<T> {
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

export function sentence(text: string): string {
  const s = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(s) ? s : `${s}.`;
}

export function say(form: HTMLFormElement, text: string): void {
  const place = form.querySelector("[role=status]");
  if (place) place.textContent = text;
}

export function complain(form: HTMLFormElement, text: string): void {
  const place = form.querySelector<HTMLElement>("[role=alert]");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}
