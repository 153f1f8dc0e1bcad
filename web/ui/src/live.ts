// One event stream a page: the server says that something changed, htmx fetches the region again. Regions also ask
// by themselves now and then, so nothing depends on the stream.
export function live(): void {
  if (!document.querySelector("[data-live]")) return;
  const stream = new EventSource("/live");
  for (const what of ["requests", "sessions", "steps"]) {
    stream.addEventListener(what, () => soon(what));
  }
  addEventListener("pagehide", () => stream.close());
}

const waiting = new Set<string>();

/// Many changes at once are one look.
function soon(what: string): void {
  if (waiting.has(what)) return;
  waiting.add(what);
  setTimeout(() => {
    waiting.delete(what);
    document.body.dispatchEvent(new CustomEvent(`${what}-changed`));
  }, 150);
}
