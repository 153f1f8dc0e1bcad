// One event stream a page: the server says that something changed, htmx fetches the region again. Regions also ask
// by themselves now and then, so nothing depends on the stream.
export function live(): void {
  if (!document.querySelector("[data-live]")) return;
  let stream = open();
  addEventListener("pagehide", () => stream.close());

  // A page that refreshes itself would keep its session alive for ever. When nobody has touched it for a while it
  // rests, so that the session can end by idling; a touch wakes it.
  let touched = Date.now();
  const rests = () => Date.now() - touched > restAfter;
  for (const event of ["pointerdown", "pointermove", "keydown", "scroll", "focus"]) {
    addEventListener(
      event,
      () => {
        const slept = rests();
        touched = Date.now();
        if (slept && stream.readyState === EventSource.CLOSED) stream = open();
      },
      { passive: true, capture: true },
    );
  }
  setInterval(() => rests() && stream.close(), 15_000);
  document.addEventListener("htmx:before:request", (event) => rests() && event.preventDefault());
}

const restAfter = 5 * 60_000;

function open(): EventSource {
  const stream = new EventSource("/live");
  for (const what of ["requests", "sessions", "unmasks"]) stream.addEventListener(what, () => soon(what));
  return stream;
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
