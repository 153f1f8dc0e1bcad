//! A desktop's picture: decoded from RDP's PDUs, cut into tiles, cleared of what must not be seen. No clock, no I/O.
//!
//! The road of a frame: [`Decoder`] paints a [`Picture`] and says which tiles it touched ([`Damage`]); [`Differ`] says which of those changed;
//! [`encode_tiles`] makes batches of them, which are the sealed track's picture and what [`Clearing`] takes. Clearing reads what is new through
//! an [`Ocr`], asks the masking rules about it and gives [`Shown`]: the masked track's tiles, lines and counts.
//!
//! **Invariant:** tiles of the masked track ([`MaskedTiles`]) are made from a picture that only clearing can paint.
#![forbid(unsafe_code)]

mod batch;
mod clearing;
mod damage;
mod decode;
mod desktop;
mod ocr;
mod picture;
mod rect;
mod sheet;
mod tiles;

pub use batch::{MAX_BATCH_BYTES, MAX_BATCH_TILES, Tile, TileError, Tiles, encode_tiles};
pub use clearing::{Clearing, Line, MaskedTiles, Shown};
pub use damage::Damage;
pub use decode::{DecodeError, Decoder, Fed, Limits};
pub use desktop::{Desktop, Zone};
pub use ocr::{MAX_REGION_PIXELS, MAX_REGIONS, Ocr, OcrError, Region, Word};
pub use picture::{MAX_PIXELS, MAX_SIDE, PIXEL, Picture, PictureError};
pub use rect::Rect;
pub use sheet::Sheet;
pub use tiles::{Differ, TILE, TileAt};
