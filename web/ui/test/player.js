// The player of desktops in Chromium, against films made here: `node test/player.js [PICTURES_DIR]`. What is looked at is the canvas's
// pixels, what was fetched, and what a hostile film does to the page.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { batch, Film, note, pointer, shot, size, u16, u32, webp } from "./films.js";
import { browser } from "./webdriver.js";

const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const asset = (name) => readFileSync(new URL(`../dist/${name}`, import.meta.url));
const films = new Map();
let asked = [];

/// The ids that the templates have.
const page = (name, attributes, extra = "") => `<!doctype html><html lang="en"><head><title>t</title><link rel="stylesheet" href="/app.css"><link rel="stylesheet" href="/desktop-player.css"><script type="module" src="/desktop-player.js"></script></head><body><main>
<h1>t</h1>${extra}<div class="screen-box" id="desktop" tabindex="0" role="region" aria-label="x" data-place="/${name}" data-page="/${name}?channel=0" ${attributes}></div>
<svg class="timeline" id="timeline" viewBox="0 0 1200 52" preserveAspectRatio="none" data-duration="${60e6}"><rect id="not-cleared" class="not-cleared" height="52"></rect><rect id="head" width="3" height="52"></rect></svg>
<div class="player-tools"><button id="play">Play</button><output id="clock"></output><input type="range" id="seek" class="seek" aria-label="t"><select id="speed"><option>1</option><option>8</option></select><input type="checkbox" id="skip-idle">
<span class="zoom"><button id="fit">Fit</button><button id="whole">100</button><output id="scale"></output></span><button id="share">s</button></div>
<p id="cleared"></p><p role="status" id="player-says"></p><ol id="heard" class="heard"></ol></main></body></html>`;

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://x");
  const [, name, , rest] = url.pathname.split("/");
  const film = films.get(name);
  response.setHeader("content-security-policy", csp);
  if (/\.(js|css)$/.test(url.pathname)) {
    response.setHeader("content-type", url.pathname.endsWith("js") ? "text/javascript" : "text/css");
    return response.end(asset(name));
  }
  if (!film) return response.writeHead(404).end();
  if (!url.pathname.includes("/film")) return response.setHeader("content-type", "text/html").end(page(name, film.attributes ?? 'data-opened="0" data-at="0"', film.extra));
  asked.push(url.pathname);
  film.serve(rest, response);
});
await new Promise((r) => server.listen(0, "127.0.0.1", r));
const origin = `http://127.0.0.1:${server.address().port}`;

/// A replay of a film.
const replay = (film, cleared) => ({
  serve: (part, response) => (part === undefined ? response.end(JSON.stringify(film.index(cleared))) : response.end(film.part(Number(part)))),
});
/// A replay whose one part is these bytes.
const one = (bytes, seconds = 10) => ({
  serve: (part, response) => (part === undefined ? response.end(JSON.stringify({ duration: seconds * 1000, cleared: null, parts: [{ start: 0, url: "film/0" }] })) : response.end(bytes)),
});

let problems = 0;
const check = (what, ok, seen = "") => {
  if (!ok) problems += 1;
  console.log(`${ok ? "ok  " : "FAIL"} ${what}${ok ? "" : `: ${JSON.stringify(seen)}`}`);
};
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

const b = await browser();
const says = () => b.run("return document.getElementById('player-says').textContent");
const until = async (what, ok, ms = 8000) => {
  let seen;
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (ok((seen = await what()))) return seen;
  return seen;
};
const colours = () =>
  b.run(`const c = document.querySelector('canvas.picture'); if (!c || !c.width) return [];
    const x = c.getContext('2d'); const out = [];
    for (let r = 0; r * 64 < c.height; r++) for (let k = 0; k * 64 < c.width; k++) out.push([...x.getImageData(Math.min(k * 64 + 5, c.width - 1), Math.min(r * 64 + 5, c.height - 1), 1, 1).data].slice(0, 3));
    return out`);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const seek = (seconds) => b.run("const s = document.getElementById('seek'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", [seconds * 1000]);
const press = (k) => b.run("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }))", [k]);
const open = async (name, film) => {
  films.set(name, film);
  asked = [];
  await b.go(`${origin}/${name}`);
};
const expected = (film, second) => Array.from({ length: film.columns * film.rows }, (_, tile) => film.colour(tile, second));

try {
  const film = new Film({ width: 330, height: 200, seconds: 60, partSeconds: 10, quiet: [[20, 40]] });
  await open("f1", replay(film, 50_000));
  await until(colours, (c) => c.length > 0);
  check("the first picture stands there before anything plays", same(await until(colours, (c) => same(c, expected(film, 0))), expected(film, 0)), await colours());
  check("only the first part was fetched", same(asked, ["/f1/film", "/f1/film/0"]), asked);
  for (const second of [5, 47, 12, 59, 1, 33, 20, 0, 58]) {
    await seek(second + 0.5);
    const seen = await until(colours, (c) => same(c, expected(film, second)));
    check(`a seek to ${second}.5 s shows what was there then`, same(seen, expected(film, second)), seen);
  }
  check("the clock says where it is", (await b.run("return document.getElementById('clock').textContent")) === "0:58");
  check("what was not cleared is said and drawn", (await b.run("return document.getElementById('cleared').textContent")).startsWith("Cleared up to 0:50") && Number(await b.run("return document.getElementById('not-cleared').getAttribute('width')")) > 100);
  const fetched = asked.length;
  await seek(59.9);
  await sleep(300);
  check("a part that is held is not fetched again", asked.length === fetched, asked);

  await seek(17.5);
  await b.run("document.getElementById('speed').selectedIndex = 1; document.getElementById('speed').dispatchEvent(new Event('change')); document.getElementById('skip-idle').click()");
  await press(" ");
  const began = Date.now();
  await until(() => b.run("return Number(document.getElementById('seek').value)"), (at) => at >= 44_000);
  const took = Date.now() - began;
  check(`idle time is skipped: 17 s to 44 s at 8 times in ${took} ms`, took < 3_000, took);
  await press(" ");
  check("space pauses", (await b.run("return document.getElementById('play').textContent")) === "Play");
  const paused = await b.run("return Number(document.getElementById('seek').value)");
  await sleep(200);
  const second = Math.floor((await b.run("return Number(document.getElementById('seek').value)")) / 1000);
  check("after playing over three parts the picture is right", same(await colours(), expected(film, second)), [paused, second]);
  await press("]");
  await seek(30);
  await press(".");
  check("a step goes to the next change", (await until(() => b.run("return document.getElementById('clock').textContent"), (t) => t === "0:40")) === "0:40");
  await press("ArrowLeft");
  check("the left arrow goes back", (await until(() => b.run("return document.getElementById('clock').textContent"), (t) => t === "0:35")) === "0:35");
  await seek(59);
  await press(" ");
  check("the end is said", (await until(says, (t) => t.includes("over"))) === "The recording is over.", await says());

  // Zoom
  const scale = () => b.run("return document.getElementById('scale').textContent");
  await press("f");
  const fit = await scale();
  await press("1");
  check("100 % is one pixel a pixel", (await scale()) === "100 %" && (await b.run("return document.querySelector('canvas.picture').clientWidth")) === 330, [fit, await scale()]);
  await b.run("document.getElementById('desktop').dispatchEvent(new WheelEvent('wheel', { deltaY: -200, ctrlKey: true, bubbles: true, cancelable: true, clientX: 100, clientY: 100 }))");
  check("a pinch on a trackpad comes closer", (await scale()) === "272 %", await scale());
  await seek(7.2);
  const [px, py] = await until(() => b.run("const p = document.querySelector('.pointer').getBoundingClientRect(), c = document.querySelector('canvas.picture').getBoundingClientRect(); return [p.left - c.left, p.top - c.top]"), ([x]) => Math.abs(x - 17 * 2.718) < 3);
  check("the pointer is where it was, at any scale", Math.abs(px - 17 * 2.718) < 3 && Math.abs(py - 20 * 2.718) < 3, [px, py]);

  // Memory: 40 parts of about 6 MB each.
  const long = new Film({ width: 128, height: 64, seconds: 1_200, partSeconds: 30, padding: 200_000 });
  await open("f2", replay(long));
  await until(colours, (c) => c.length > 0);
  for (let s = 5; s < 1_200; s += 30) {
    await seek(s);
    await until(() => asked.includes(`/f2/film/${Math.floor(s / 30)}`), (ok) => ok);
    await until(colours, (c) => same(c, expected(long, s)));
  }
  const before = asked.length;
  await seek(1_199);
  await sleep(200);
  check("the part seen last is held", asked.length === before);
  await seek(3);
  const again = await until(() => asked.length, (n) => n > before);
  check("a part seen long ago was let go, and is fetched again", again > before && asked.at(-1) === "/f2/film/0", asked.at(-1));
  check("every part was fetched once till then", new Set(asked.slice(0, before)).size === before, before);

  // Hostile films: each is told in words, and the page goes on.
  const good = [size(0, 128, 64), batch(0, [[0, 0, webp(64, 64, [1, 2, 3])], [1, 0, webp(64, 64, [4, 5, 6])]])];
  const bomb = webp(64, 64, [9, 9, 9]);
  bomb.writeUInt32LE((bomb.readUInt32LE(21) & ~0x0fffffff) | 0x0fffffff, 21);
  const huge = Buffer.alloc(9);
  huge[4] = 2;
  huge.writeUInt32LE(0x7fffffff, 5);
  const cases = {
    "a tile that names 16384 x 16384": [...good, batch(1000, [[0, 0, bomb]])],
    "a picture of 65535 x 65535": [size(0, 65535, 65535)],
    "a shot of 2 GB": [...good, huge],
    "tiles without a picture": [batch(0, [[0, 0, webp(64, 64, [1, 2, 3])]])],
    "a tile beside the picture": [...good, batch(1000, [[9, 9, webp(64, 64, [1, 2, 3])]])],
    "a batch that is cut off": [...good, shot(1000, 2, Buffer.concat([u16(3, 0, 0), u32(99)]))],
    "noise for WebP": [...good, batch(1000, [[0, 0, Buffer.concat([webp(64, 64, [1, 2, 3]).subarray(0, 25), Buffer.from("not what it says")])]])],
    "a GIF instead": [...good, batch(1000, [[0, 0, Buffer.from("GIF89a............................")]])],
    "an answer that is cut off": [...good, shot(1000, 4, Buffer.from("hello")).subarray(0, 11)],
    "damage that the recorder tells": [...good, shot(1000, 12, Buffer.from("The recording is damaged from here on."))],
  };
  let n = 0;
  for (const [what, shots] of Object.entries(cases)) {
    n += 1;
    await open(`h${n}`, one(Buffer.concat(shots)));
    await sleep(100);
    await seek(5);
    const said = await until(says, (t) => t.length > 0, 4000);
    const ok = /cannot be shown|damaged|cut off|larger/.test(said);
    check(`${what} is told: ${said}`, ok, said);
  }
  await open("h-index", { serve: (_, response) => response.end("<html>") });
  check("an index that is none is told", /Nothing can be shown/.test(await until(says, (t) => t.startsWith("Nothing"))));
  await open("h-refused", { serve: (_, response) => response.writeHead(410).end(JSON.stringify({ error: "the keys are gone" })) });
  check("why the portal refuses is told", (await until(says, (t) => t.startsWith("Nothing"))) === "Nothing can be shown: the keys are gone.");
  await b.logs();

  // Live
  let stream;
  let joined = 0;
  const live = new Film({ width: 128, height: 128, seconds: 100, partSeconds: 100 });
  await open("l1", {
    attributes: 'data-opened="0" data-at="0" data-live-view',
    extra: '<p><span id="live-tag"><span></span>Live</span> <span id="behind"></span></p>',
    serve: (_, response) => {
      joined += 1;
      stream = response;
      response.write(live.picture(joined === 1 ? 3 : 9));
    },
  });
  check("a live view begins with the picture as it is", same(await until(colours, (c) => same(c, expected(live, 3))), expected(live, 3)), await colours());
  stream.write(Buffer.concat([batch(4000, [live.tile(4 % 4, 4)]), shot(4000, 6, u32(4000)), shot(4000, 10, u32(9000))]));
  check("it follows", same(await until(colours, (c) => same(c, expected(live, 4))), expected(live, 4)));
  check("it says how far behind it is", (await until(() => b.run("return document.getElementById('behind').textContent"), (t) => t.length > 0)) === "5 seconds behind");
  stream.end();
  check("it comes back when the stream ends", same(await until(colours, (c) => same(c, expected(live, 9))), expected(live, 9)) && joined === 2, joined);
  stream.write(note(9500, "the target asks for a password\u202e"));
  check("notes are told as they come", /Note the target asks for a password $/.test(await until(() => b.run("return document.getElementById('heard').textContent"), (t) => t.length > 0)));
  stream.end(shot(9600, 11));
  check("the end is told", /over/.test(await until(says, (t) => t.includes("over"))) && (await sleep(1500), joined === 2), [await says(), joined]);

  // A released interval
  const area = (x, y, w, h, how) => Buffer.concat([u16(x, y, w, h), Buffer.from([how])]);
  await open("r1", {
    attributes: 'data-film="/r1/film" data-opened="2"',
    serve: (_, response) => response.end(Buffer.concat([
      size(5000, 128, 64), batch(5000, [[0, 0, webp(64, 64, [200, 0, 0])], [1, 0, webp(64, 64, [0, 200, 0])]]),
      shot(5000, 7, Buffer.concat([u16(2), area(10, 10, 30, 12, 1), area(70, 10, 30, 12, 2)])), shot(6000, 8, Buffer.from("ls<Enter>")), pointer(9000, 3, 3),
    ])),
  });
  const mark = (x, y) => b.run("const c = document.querySelector('canvas.hidden-marks'); return c.width ? [...c.getContext('2d').getImageData(arguments[0], arguments[1], 1, 1).data] : []", [x, y]);
  const outline = await until(() => mark(25, 9), (p) => p.length > 0);
  check("what was hidden is outlined", same(outline, [255, 225, 77, 255]), outline);
  check("and shown as it was inside", same((await mark(25, 16)), [0, 0, 0, 0]) && same((await colours())[0], [200, 0, 0]));
  check("the clock counts from the session's start", (await b.run("return document.getElementById('clock').textContent")) === "0:07");
  await press(" ");
  check("keys are told, readable", /Typed ls<Enter>/.test(await until(() => b.run("return document.getElementById('heard').textContent"), (t) => t.length > 0)));
  check("it was fetched once", asked.length === 1, asked);
  const severe = (await b.logs()).filter((l) => l.level === "SEVERE");
  check("no policy was violated, and no script complained", severe.length === 0, severe);
} finally {
  await b.end();
  server.close();
}
console.log(problems ? `${problems} problems` : "nothing found");
process.exitCode = problems ? 1 : 0;
