// On every page: times in the reader's zone, live regions, and small comforts. Pages work without it.
import "htmx.org";
import { localizeTimes, fillUtcFields } from "./times";
import { live } from "./live";
import "./interval";

localizeTimes(document);
setInterval(() => localizeTimes(document), 20_000);
document.addEventListener("htmx:after:swap", () => localizeTimes(document));
fillUtcFields();
live();

// On a phone the navigation scrolls sideways; where one is should be seen.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// "Copy" buttons: the text stands in the page beside them, this only saves the selecting.
document.addEventListener("click", async (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-copy]");
  if (!button) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
    const text = document.getElementById(button.dataset.copyFrom ?? "");
    if (text) getSelection()?.selectAllChildren(text);
  }
  setTimeout(() => (button.textContent = before), 2_000);
});

// What is made for paper says so with a button.
document.addEventListener("click", (event) => {
  if ((event.target as Element).closest("button[data-print]")) print();
});

// Filters that are a choice act when chosen; the button stays for keyboards and for pages without scripts.
document.addEventListener("change", (event) => {
  const field = event.target as Element;
  if (field.matches("form[data-auto] select")) field.closest("form")?.requestSubmit();
});

// A known target decides what can be asked for there: its own boxes are shown.
const target = document.querySelector<HTMLInputElement>("input#target[list]");
const fits = () => {
  const known = [...(target?.list?.options ?? [])].find((o) => o.value === target?.value)?.dataset.protocol;
  const way = known && target?.form?.querySelector<HTMLInputElement>(`input[name=way][value=${known === "rdp" ? "rdp" : "ssh"}]`);
  if (way) way.checked = true;
};
target?.addEventListener("change", fits);
// What it speaks comes with what the field offers, a moment after the name was typed.
target?.addEventListener("htmx:after:swap", fits);
