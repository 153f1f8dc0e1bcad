//! `sqlx::migrate!` reads a directory: cargo has to be told that a new file in it matters.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
