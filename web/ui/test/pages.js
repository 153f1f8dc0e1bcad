// Looks at every page of a running preview in Chromium: `node test/pages.js PREVIEW_OUTPUT [PICTURES_DIR]`.
// Fails when axe finds something, a policy is violated, a page is wider than the screen, or a script complains.
// `refused` says of a page that its form is meant to be sent back: the browser logs the 422, and has to.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { browser, button } from "./webdriver.js";

const [output, pictures] = process.argv.slice(2);
const said = readFileSync(output, "utf8").split("\n").map((l) => l.split(" "));
const id = (what) => said.find((l) => l[0] === what)?.[1];
const cookie = (who) => said.find((l) => l[0] === "cookie" && l[1] === who)?.[2];
const origin = id("ready").replace(/\/$/, "");
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
if (pictures) mkdirSync(pictures, { recursive: true });

const pages = [
  ["sign-in", null, "/sign-in"],
  ["enrol", null, `/enrol#${id("enrol")}`],
  ["problem", null, "/nothing-here"],
  ["home-admin", "ada", "/"],
  ["home-all", "eve", "/"],
  ["ask", "ada", "/requests/new?target=mri-3"],
  ["login", "ada", `/login/${id("login")}`],
  ["terminal", "ada", "/terminal/root@ehr-db-1"],
  ["ask-desktop", "ada", "/requests/new?target=ct-2"],
  ["desktop", "ada", `/desktop/${id("desktop")}`],
  ["desktop-ticket", "ada", `/desktop/${id("desktop")}`, { script: "ticketToLookAt" }],
  ["requests", "ada", "/requests"],
  ["request-own", "ada", `/requests/${id("request")}`],
  ["keys", "ada", "/keys"],
  ["step-up", "ada", `/step-up/${id("step-up")}`],
  ["approvals", "ben", "/approvals"],
  ["approve", "ben", `/requests/${id("request")}`],
  ["grants", "ben", "/grants"],
  ["revoke", "ben", `/grants/${id("grant")}/revoke`],
  ["sessions", "ben", "/sessions"],
  ["message", "ben", `/sessions/${id("session")}/message`],
  ["terminate", "ben", `/sessions/${id("session")}/terminate`],
  ["recordings", "max", "/recordings"],
  ["recording", "max", `/recordings/${id("recording")}`],
  ["watch", "max", `/recordings/${id("session")}`, { rest: 1_500 }],
  ["recorded-desktop", "max", `/recordings/${id("recorded-desktop")}?at=8`, { rest: 1_500 }],
  ["desktop-watch", "eve", `/recordings/${id("desktop-session")}`, { rest: 4_000 }],
  ["search", "max", "/recordings/search"],
  ["search-found", "max", "/recordings/search", { fill: ["//input[@id='words']", "filesystem or ward or mrn"], press: button("Search"), until: "Filesystem" }],
  ["search-none", "max", "/recordings/search", { fill: ["//input[@id='words']", "Fictional"], press: button("Search"), until: "Nothing that was shown" }],
  ["hold", "max", `/recordings/${id("recording")}/hold`],
  ["held", "max", `/recordings/${id("held")}/hold`],
  ["recording-held", "max", `/recordings/${id("held")}`],
  ["unmask-ask", "max", `/recordings/${id("recording")}/unmask?from=0:00:05`],
  ["unmasks", "max", "/unmask"],
  ["unmask-own", "max", `/unmask/${id("unmask")}`],
  ["unmask-open", "max", `/unmask/${id("unmask-open")}`],
  ["home-auditor", "max", "/"],
  ["home-holder", "lee", "/"],
  ["key-holder", "lee", "/key-holder"],
  ["unmask-answer", "lee", `/unmask/${id("unmask")}`],
  ["unmask-answered", "kim", `/unmask/${id("unmask")}`],
  ["keys-holder", "kim", "/keys"],
  ["cards", "lee", "/cards?show=all"],
  ["card-new", "lee", "/cards/new"],
  ["card-sign", "lee", `/cards/${id("card")}`],
  ["card-own", "kim", `/cards/${id("card")}`],
  ["card-valid", "kim", `/cards/${id("card-valid")}`],
  ["card-revoked", "max", `/cards/${id("card-revoked")}`],
  ["card-revoke", "lee", `/cards/${id("card-valid")}/revoke`],
  ["audit", "max", "/audit"],
  ["audit-none", "max", "/audit?q=nothing+like+this"],
  ["people", "olga", "/people"],
  ["person", "olga", `/people/${id("person")}`],
  ["targets", "olga", "/targets"],
  ["device", "olga", `/targets/${id("device")}`],
  ["target-locked", "olga", `/targets/${id("locked")}`],
  ["components", "olga", "/components?name=ssl"],
  ["companies", "olga", "/companies"],
  ["companies-approver", "ben", "/companies"],
  ["company", "olga", `/companies/${id("company")}`],
  ["company-approver", "ben", `/companies/${id("company")}`],
  ["company-ended", "olga", `/companies/${id("company-ended")}`],
  ["company-wrong", "olga", `/companies/${id("company")}`, { fill: ["//input[@id='handle']", "ben"], press: button("Add person"), until: "can be admin only", refused: true }],
  ["locks", "ben", "/locks"],
  ["policies", "olga", "/policies"],
  ["policy-version", "max", "/policies/versions/2"],
  ["policy-edit", "olga", "/policies/edit"],
  ["policy-checked", "olga", "/policies/edit", { fill: ["//textarea[@id='text1']", "\n@id(\"closed\") @reason(\"Closed today.\") forbid (principal, action, resource) when { resource.name == \"ehr-db-1\" };\n"], press: button("Check and compare"), until: "What this text changes" }],
  ["policy-wrong", "olga", "/policies/edit", { fill: ["//textarea[@id='text0']", "permit (principal, action, resource) when { principal.rolls };"], press: button("Check and compare"), until: "the text is not right", refused: true }],
  ["what-if", "max", "/policies/what-if"],
  ["what-if-chosen", "max", "/policies/what-if?person=ada&target=mri-3&capabilities=download%3A%2Fvar%2Flog%2F*%0Adesktop&factor=certificate&age=600"],
  ["what-if-answered", "max", "/policies/what-if?person=ada&target=mri-3&from=192.0.2.41"],
  ["target-rdp", "olga", `/targets/${id("target-rdp")}`],
  ["target", "olga", `/targets/${id("target")}`],
  // One test of a target every two seconds.
  ["target-tested", "olga", `/targets/${id("target")}`, { rest: 2_000, press: button("Test connection"), until: "Key changed", stays: "Test connection" }],
];
// A ticket's page as it is after the passkey, with a made-up one: a preview has no passkeys. flow.js goes the whole way.
const ticketToLookAt = `
  const put = (id, text) => (document.getElementById(id).textContent = text);
  put("name", "t-k7mwq4hx2p"); put("secret", "7hqm-x2kd-pw9r-4tcz-nb6e-jv3y-gs8a"); put("life", "Connect within 4:41.");
  put("xfreerdp", document.getElementById("xfreerdp").dataset.before + "t-k7mwq4hx2p");
  document.getElementById("file").href = "#";
  document.getElementById("before").hidden = true; document.getElementById("ticket").hidden = false;
  for (const d of document.querySelectorAll("#ticket details")) d.open = true;`;
const only = process.argv[4]?.split(",");
let problems = 0;
const complain = (text) => {
  problems += 1;
  console.log(text);
};

const b = await browser();
try {
  for (const [name, who, path, act] of pages.filter(([n]) => !only || only.includes(n))) {
    for (const [width, height] of [[1200, 850], [390, 844]]) {
      for (const scheme of ["light", "dark"]) {
        const label = `${name}-${width}-${scheme}`;
        await b.cdp("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
        await b.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }] });
        await b.cdp("Network.clearBrowserCookies", {});
        if (who) await b.cdp("Network.setCookie", { url: origin, name: "anteroom", value: cookie(who), path: "/", httpOnly: true });
        await b.go("about:blank");
        await b.go(origin + path);
        await new Promise((r) => setTimeout(r, name === "recording" ? 1500 : 150 + (act?.rest ?? 0)));
        if (act?.script === "ticketToLookAt") await b.run(ticketToLookAt);
        if (act?.fill) await b.type(...act.fill);
        if (act?.press) {
          await b.click(act.press);
          for (let i = 0; i < 40 && !(await b.run("return document.body.innerText")).includes(act.until); i += 1) await new Promise((r) => setTimeout(r, 100));
          if (!(await b.run("return document.body.innerText")).includes(act.until)) complain(`${label}: never saw "${act.until}"`);
          if (act.stays && !(await b.run("return location.pathname")).endsWith(path)) complain(`${label}: the page was left`);
          if (act.stays && !(await b.run("return document.activeElement.textContent")).includes(act.stays)) complain(`${label}: the keyboard lost its place`);
        }
        if (pictures) {
          const tall = await b.run("return document.documentElement.scrollHeight");
          await b.cdp("Emulation.setDeviceMetricsOverride", { width, height: Math.min(Math.max(tall, height), 3000), deviceScaleFactor: 1, mobile: width < 500 });
          writeFileSync(join(pictures, `${label}.png`), await b.shot());
        }
        const wide = await b.run("return document.documentElement.scrollWidth - innerWidth");
        if (wide > 0) complain(`${label}: ${wide} px wider than the screen`);
        await b.run(axe);
        const found = await b.runAsync(
          "const done = arguments[0]; axe.run(document, { runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice'] }).then(r => done(r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | '))))",
        );
        for (const f of found) complain(`${label}: axe ${f}`);
        const meant = name === "problem" ? "404" : act?.refused ? "422" : null;
        const severe = (await b.logs()).filter((l) => l.level === "SEVERE").map((l) => l.message);
        for (const m of severe) if (!meant || !m.includes(meant)) complain(`${label}: ${m}`);
        if (act?.refused && !severe.some((m) => m.includes(meant))) complain(`${label}: the form was taken, and should not have been`);
      }
    }
  }
} finally {
  await b.end();
}
console.log(problems ? `${problems} problems` : "nothing found");
process.exitCode = problems ? 1 : 0;
