// The few WebDriver calls that looking at pages needs; chromedriver comes with Debian's chromium-driver.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function browser() {
  const profile = mkdtempSync(join(tmpdir(), "anteroom-look-"));
  const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((found, gone) => {
    let said = "";
    driver.stdout.on("data", (d) => {
      said += d;
      const m = /started successfully on port (\d+)/.exec(said);
      if (m) found(Number(m[1]));
    });
    driver.on("exit", () => gone(new Error("chromedriver did not start")));
  });
  const call = async (method, path, body) => {
    const r = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await r.json();
    if (!r.ok) throw new Error(`${path}: ${value?.message}`);
    return value;
  };
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--user-data-dir=${profile}`];
  const capabilities = { alwaysMatch: { browserName: "chrome", "goog:chromeOptions": { args }, "goog:loggingPrefs": { browser: "ALL" } } };
  const { sessionId } = await call("POST", "/session", { capabilities });
  const at = `/session/${sessionId}`;
  let device;
  return {
    cdp: (cmd, params) => call("POST", `${at}/goog/cdp/execute`, { cmd, params }),
    go: (url) => call("POST", `${at}/url`, { url }),
    run: (script, args = []) => call("POST", `${at}/execute/sync`, { script, args }),
    runAsync: (script, args = []) => call("POST", `${at}/execute/async`, { script, args }),
    shot: async () => Buffer.from(await call("GET", `${at}/screenshot`), "base64"),
    logs: () => call("POST", `${at}/se/log`, { type: "browser" }),
    click: async (xpath) => {
      const e = await call("POST", `${at}/element`, { using: "xpath", value: xpath });
      await call("POST", `${at}/element/${Object.values(e)[0]}/click`, {});
    },
    type: async (xpath, value) => {
      const e = await call("POST", `${at}/element`, { using: "xpath", value: xpath });
      await call("POST", `${at}/element/${Object.values(e)[0]}/value`, { text: value });
    },
    /// A new, empty device with passkeys that says yes to everything.
    authenticator: async () => {
      if (device) await call("DELETE", `${at}/webauthn/authenticator/${device}`);
      const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, isUserConsenting: true };
      device = await call("POST", `${at}/webauthn/authenticator`, options);
    },
    async end() {
      await call("DELETE", at).catch(() => {});
      driver.kill();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/// Clicks by what people read.
export const button = (text) => `//button[contains(normalize-space(.), "${text}")]`;
