// Bundles the browser parts into dist/, which the Rust build embeds. Nothing comes from anywhere but package-lock.json.
import { build } from "esbuild";
import { cpSync, mkdirSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
await build({
  entryPoints: {
    app: "src/app.ts",
    desktop: "src/desktop.ts",
    passkey: "src/passkey.ts",
    player: "src/player.ts",
    revealed: "src/revealed.ts",
    supervise: "src/supervise.ts",
    terminal: "src/terminal.ts",
    ticket: "src/ticket.ts",
  },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome110", "firefox115", "safari16.4"],
  outdir: "dist",
  legalComments: "inline",
});
await build({
  entryPoints: { app: "src/app.css", desktop: "src/desktop.css", player: "src/player.css", terminal: "src/terminal.css" },
  bundle: true,
  minify: true,
  outdir: "dist",
});
cpSync("src/icon.svg", "dist/icon.svg");
