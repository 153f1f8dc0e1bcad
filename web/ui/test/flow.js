// One story in a real browser with a virtual passkey, against a running preview: `node test/flow.js PREVIEW_OUTPUT`.
// Enrol by link, make a link for somebody else, sign out and in, answer a request, see the inbox change by itself, replay.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browser, button } from "./webdriver.js";

const said = readFileSync(process.argv[2], "utf8").split("\n").map((l) => l.split(" "));
const id = (what) => said.find((l) => l[0] === what)?.[1];
const cookie = (who) => said.find((l) => l[0] === "cookie" && l[1] === who)?.[2];
const origin = id("ready").replace(/\/$/, "");
const b = await browser();
const text = () => b.run("return document.body.innerText");
async function sees(words, seconds = 8) {
  for (let i = 0; i < seconds * 10; i += 1) {
    if ((await text().catch(() => "")).includes(words)) return console.log(`ok: ${words}`);
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`never saw "${words}" in:\n${await text()}`);
}
const be = (who) => b.cdp("Network.setCookie", { url: origin, name: "anteroom", value: cookie(who), path: "/", httpOnly: true });

try {
  await b.authenticator();
  await b.go(`${origin}/enrol#${id("enrol")}`);
  await b.click(button("Create a passkey"));
  await sees("Hello, Olga Operator");
  if ((await b.run("return location.href + history.length")).includes(id("enrol"))) throw new Error("the token stayed in the address bar");

  const people = await b.run("return fetch('/people?q=ben').then(r => r.text())");
  const ben = /href="(\/people\/[0-9a-f-]{36})"/.exec(people)[1];
  await b.go(origin + ben);
  await b.click(button("Make a sign-in link"));
  await sees("is not shown again");
  const link = await b.run("return document.getElementById('enrol-link').textContent");
  await b.click(button("Sign out"));
  await sees("You are signed out.");

  await b.authenticator();
  await b.go(link);
  await b.click(button("Create a passkey"));
  await sees("Hello, Dr. Ben Beispiel");
  await b.click(button("Sign out"));
  await sees("You are signed out.");
  await b.go(`${origin}/requests/${id("request")}`);
  await sees("Sign in");
  await b.click(button("Sign in with a passkey"));
  await sees("gradient amplifier");
  await b.run("document.querySelector('details[data-content-of]').open = true");
  await sees('"verdict":"approve"');
  await b.click(button("Approve with passkey"));
  await sees("You approved this request.");
  await sees("The grant is open");

  // The inbox changes by itself while somebody else asks.
  await b.go(`${origin}/approvals`);
  await new Promise((r) => setTimeout(r, 500));
  const asked = await fetch(`${origin}/requests`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: `anteroom=${cookie("ada")}`, "content-type": "application/x-www-form-urlencoded" },
    body: "target=ehr-db-1&account=service&window=1&reason=A+second+look",
  });
  if (asked.status !== 303) throw new Error(`asking answered ${asked.status}`);
  await sees("A second look", 4);

  // So does the requester's own page.
  await be("ada");
  const own = asked.headers.get("location").split("?")[0];
  await b.go(origin + own);
  await sees("Waiting for an approver");
  await new Promise((r) => setTimeout(r, 500));
  await fetch(`${origin}${own}/withdraw`, { method: "POST", redirect: "manual", headers: { cookie: `anteroom=${cookie("ada")}` } });
  await sees("Withdrawn", 4);

  // A terminal in the browser: one touch, typing, colours under the policy, and its end. Ada enrols this browser by a link first.
  await b.authenticator();
  await b.go(`${origin}/enrol#${id("enrol-ada")}`);
  await b.click(button("Create a passkey"));
  await sees("Hello, Ada Example");
  await b.click("//a[contains(., 'Open in browser')]");
  await sees("in this browser");
  await b.click(button("Open with passkey"));
  await sees("This session is recorded.");
  const draws = await b.run("const s = [...document.querySelectorAll('.xterm-rows span')].map(e => getComputedStyle(e).color); return s.join(' ')");
  if (!draws.includes("rgb(120, 170, 255)")) throw new Error(`the renderer's colours are blocked: ${draws}`);
  await b.type("//textarea[contains(@class, 'xterm-helper-textarea')]", "uptime");
  await sees("# uptime");
  if (process.argv[3]) writeFileSync(`${process.argv[3]}/terminal-open.png`, await b.shot());
  await b.type("//textarea[contains(@class, 'xterm-helper-textarea')]", "\ue009d");
  await sees("Logout.");
  await sees("Open again");

  // A desktop: one touch, a ticket that is shown once, a file without the secret; leaving the page leaves nothing of it behind.
  await b.go(`${origin}/`);
  await b.click(`//a[@href='/desktop/${id("desktop")}']`);
  await sees("good for five minutes");
  await b.click(button("Get a ticket with passkey"));
  await sees("Connect within 4:");
  const of = (what) => b.run("return document.getElementById(arguments[0]).textContent", [what]);
  const [name, secret] = [await of("name"), await of("secret")];
  if (!/^t-[a-z2-9]{10}$/.test(name) || !/^([a-z2-9]{4}-){6}[a-z2-9]{4}$/.test(secret)) throw new Error(`no ticket: ${name}`);
  const downloads = mkdtempSync(join(tmpdir(), "anteroom-flow-"));
  await b.cdp("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
  await b.click("//a[@id='file']");
  const saved = join(downloads, "ct-2.rdp");
  for (let i = 0; i < 50 && !existsSync(saved); i += 1) await new Promise((r) => setTimeout(r, 100));
  const file = readFileSync(saved, "latin1");
  rmSync(downloads, { recursive: true });
  if (!file.includes(`username:s:${name}\r\n`)) throw new Error(`not the file: ${file}`);
  if ((await b.run("return location.href")).includes(name) || file.includes(secret)) throw new Error("the ticket is where it should not be");
  if (process.argv[3]) writeFileSync(`${process.argv[3]}/desktop-open.png`, await b.shot());
  await b.go(`${origin}/`);
  await b.run("history.back()");
  await sees("Get a ticket with passkey");
  if ((await text()).includes(secret)) throw new Error("going back shows the ticket again");

  // A break-glass card: one touch, the code once, on a page for paper; asked for again it is gone.
  await b.authenticator();
  await b.go(`${origin}/enrol#${id("enrol-kim")}`);
  await b.click(button("Create a passkey"));
  await sees("Hello, Kim Keeper");
  await b.go(`${origin}/cards/new`);
  await b.type("//input[@id='target']", "ehr-db-1");
  await b.type("//input[@id='account']", "root");
  await b.click(button("Sign with passkey"));
  await sees("Print it now.");
  const card = (await b.run("return location.pathname"));
  await b.click(button("Show the card to print"));
  await sees("Single use.");
  const code = await of("code");
  if (!/^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/.test(code)) throw new Error(`no code: ${code}`);
  if ((await b.run("return document.querySelector('.paper svg').getBoundingClientRect().width")) < 100) throw new Error("no square to scan");
  if (process.argv[3]) {
    writeFileSync(`${process.argv[3]}/card-paper.png`, await b.shot());
    const pdf = await b.cdp("Page.printToPDF", { preferCSSPageSize: true });
    writeFileSync(`${process.argv[3]}/card-paper.pdf`, Buffer.from(pdf.data, "base64"));
  }
  if ((await b.run("return location.href")).includes(code)) throw new Error("the code is in the address");
  await b.go(origin + card);
  if ((await text()).includes("Print it now.")) throw new Error("the code is offered a second time");

  await be("ben");
  await b.go(`${origin}/sessions`);
  await sees("Paused");
  await b.click(button("Resume ada on ct-2"));
  await sees("The session goes on.");
  await b.click(button("Pause ada on ct-2"));
  await sees("The session stands still");

  await be("eve");
  await b.go(`${origin}/sessions/${id("session")}/terminate`);
  await sees("What will happen");
  await b.click(button("Terminate session"));
  await sees("The session was told to end.");

  await be("max");
  await b.go(`${origin}/recordings/${id("recording")}`);
  await new Promise((r) => setTimeout(r, 1_000));
  // The timeline's list jumps in place, and keys work without the player being clicked first.
  await b.click("//a[contains(., 'please finish by noon')]");
  const shows = (words) => b.run("return document.getElementById('player').innerText").then((t) => t.includes(words));
  for (let i = 0; i < 50 && !(await shows("(4 rows)")); i += 1) await new Promise((r) => setTimeout(r, 100));
  if (!(await shows("(4 rows)"))) throw new Error("a mark was clicked and the player did not go there");
  await sees("0:30");
  const press = (key, shift = false) => b.run("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], shiftKey: arguments[1], bubbles: true }))", [key, shift]);
  await press("ArrowLeft");
  await sees("0:25");
  await press(">");
  if ((await b.run("return document.getElementById('speed').value")) !== "2") throw new Error("> does not play faster");
  await press("i");
  if (await b.run("return document.getElementById('skip-idle').checked")) throw new Error("i does not keep idle time");
  // A link to a moment opens there.
  await b.go(`${origin}/recordings/${id("recording")}?channel=0&at=12.5`);
  await sees("mrn", 15);
  if (await shows("VACUUM\n")) throw new Error("the link opened at another moment");
  // A long one is fetched in parts: a moment deep inside is there at once, and so is the one before it.
  await b.go(`${origin}/recordings/${id("long")}?at=5000`);
  await sees("step 4996 of", 15);
  const parts = () => b.run("return performance.getEntriesByType('resource').filter((e) => /parts.[0-9]/.test(e.name)).length");
  const index = await b.run("return fetch(document.getElementById('player').dataset.place + '/parts').then((r) => r.json())");
  if (index.segments.length < 3) throw new Error(`only ${index.segments.length} parts`);
  if ((await parts()) >= index.segments.length) throw new Error("all parts were fetched to show one moment");
  await press("ArrowLeft", true);
  await sees("step 4276 of");
  await b.click("//*[@id='player']");
  await sees("step 4284 of", 15);
  await b.go(`${origin}/recordings/${id("recording")}`);
  await new Promise((r) => setTimeout(r, 1_000));
  await b.click("//*[@id='player']");
  await sees("psql -U ehr", 15);
  await sees("mrn", 15);
  const shown = await text();
  for (const secret of ["84930211", "Fictional", "555"]) if (shown.includes(secret)) throw new Error(`${secret} is not masked`);
  const bad = (await b.logs()).filter((l) => l.level === "SEVERE");
  if (bad.length) throw new Error(JSON.stringify(bad, null, 1));
  console.log("all seen");
} finally {
  await b.end();
}
