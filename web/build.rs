//! Embeds what npm built, each file under a name with its hash so that browsers may keep it for ever.
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher},
    path::{Path, PathBuf},
};

/// What the templates link to; the build fails when one is missing.
const NEEDED: [&str; 13] = [
    "app.css",
    "app.js",
    "desktop.css",
    "desktop.js",
    "passkey.js",
    "player.css",
    "player.js",
    "revealed.js",
    "supervise.js",
    "terminal.css",
    "terminal.js",
    "ticket.js",
    "icon.svg",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=templates");
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("ui/dist");
    let mut out = String::from("pub(crate) static ALL: &[Asset] = &[\n");
    for name in NEEDED {
        let path = dist.join(name);
        let Ok(bytes) = fs::read(&path) else {
            println!("cargo::error=web/ui/dist/{name} is missing; run: make ui");
            return Ok(());
        };
        entry(&mut out, name, &path, &bytes)?;
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("assets.rs"), out)?;
    Ok(())
}

fn entry(out: &mut String, name: &str, path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    // Only names the bytes; nothing trusts it.
    let mut h = DefaultHasher::new();
    h.write(bytes);
    let (stem, ext) = name.split_once('.').ok_or("an asset needs an extension")?;
    let mime = match ext {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return Err(format!("no media type for {name}").into()),
    };
    writeln!(
        out,
        "Asset {{ name: {name:?}, url: \"/assets/{stem}.{:016x}.{ext}\", mime: {mime:?}, bytes: include_bytes!({:?}) }},",
        h.finish(),
        path.display().to_string()
    )?;
    Ok(())
}
