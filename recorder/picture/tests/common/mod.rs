//! Screens drawn by ImageMagick and read by Tesseract, as far as these are installed.
#![allow(unreachable_pub, reason = "a module of tests")]
#![allow(dead_code, reason = "not every test draws, and not every test reads")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anteroom_picture::{Clearing, Damage, MaskedTiles, Ocr, OcrError, Picture, Rect, Region, Sheet, Shown, Tiles, Word, encode_tiles};

/// Tesseract as it stands on the path.
#[derive(Debug, Default)]
pub struct Tesseract {
    /// Page segmentation mode; 11 ("sparse text") when 0.
    pub mode: u8,
    pub asked: usize,
    pub pixels: usize,
}

pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Says why nothing was tested.
pub fn can_draw_and_read() -> bool {
    let can = installed("tesseract") && installed("convert") && std::path::Path::new(SANS).exists();
    if !can {
        eprintln!("skipped: tesseract, ImageMagick and DejaVu fonts are not all installed");
    }
    can
}

fn piped(command: &mut Command, input: Vec<u8>) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || _ = stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

impl Ocr for Tesseract {
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError> {
        self.asked += regions.len();
        self.pixels += regions.iter().map(|region| region.area.area()).sum::<usize>();
        let sheet = Sheet::of(regions);
        let mode = if self.mode == 0 { 11 } else { self.mode };
        let mut command = Command::new("tesseract");
        command.args(["-", "-", "--psm", &mode.to_string(), "-l", "eng", "tsv"]).env("OMP_THREAD_LIMIT", "1");
        sheet.words(&String::from_utf8(piped(&mut command, sheet.pgm())).map_err(|_| OcrError::Answer)?)
    }
}

pub const SANS: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
pub const MONO: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf";
pub const NARROW: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansCondensed.ttf";
pub const SERIF: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf";

/// A screen to be drawn.
#[derive(Debug)]
pub struct Drawing {
    width: u16,
    height: u16,
    arguments: Vec<String>,
}

impl Drawing {
    pub fn new(width: u16, height: u16, ground: &str) -> Self {
        let arguments = ["-size", &format!("{width}x{height}"), &format!("xc:{ground}"), "-depth", "8"].map(str::to_owned).to_vec();
        Self { width, height, arguments }
    }

    /// Text whose line begins at x and stands on y; `size` in pixels.
    pub fn text(mut self, font: &str, size: u16, colour: &str, x: u16, y: u16, text: &str) -> Self {
        let at = format!("+{x}+{y}");
        let text = text.replace('\\', "\\\\").replace('%', "%%");
        self.add(&["-font", font, "-pointsize", &size.to_string(), "-fill", colour, "-annotate", &at, &text]);
        self
    }

    #[allow(clippy::too_many_arguments, reason = "each says one thing about a line of text")]
    pub fn turned(mut self, font: &str, size: u16, colour: &str, degrees: i16, x: u16, y: u16, text: &str) -> Self {
        let at = format!("{degrees}x{degrees}+{x}+{y}");
        self.add(&["-font", font, "-pointsize", &size.to_string(), "-fill", colour, "-annotate", &at, text]);
        self
    }

    pub fn filled(mut self, colour: &str, x: u16, y: u16, width: u16, height: u16) -> Self {
        let area = format!("rectangle {x},{y} {},{}", x + width - 1, y + height - 1);
        self.add(&["-fill", colour, "-stroke", "none", "-draw", &area]);
        self
    }

    pub fn options(mut self, options: &[&str]) -> Self {
        self.add(options);
        self
    }

    fn add(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    }

    pub fn picture(&self) -> Picture {
        let rgb = piped(Command::new("convert").args(&self.arguments).arg("rgb:-"), Vec::new());
        assert_eq!(rgb.len(), usize::from(self.width) * usize::from(self.height) * 3, "ImageMagick drew nothing");
        let mut picture = Picture::new(self.width, self.height).unwrap();
        let pixels: Vec<u8> = rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        picture.paint(picture.area(), &pixels, usize::from(self.width) * 4);
        picture
    }
}

/// All tiles of a picture, as a clearing takes them.
pub fn batches(picture: &Picture) -> Vec<Vec<u8>> {
    encode_tiles(picture, &Damage::all(picture.width(), picture.height()).tiles().collect::<Vec<_>>()).unwrap()
}

pub fn show(clearing: &mut Clearing, picture: &Picture, ocr: &mut dyn Ocr) -> Shown {
    batches(picture).iter().for_each(|batch| clearing.take(batch).unwrap());
    clearing.settle(ocr)
}

pub fn seen(tiles: &[MaskedTiles]) -> Picture {
    let mut picture = None;
    tiles.iter().for_each(|batch| Tiles::decode(batch.as_bytes()).unwrap().paint(&mut picture).unwrap());
    picture.unwrap()
}

/// What Tesseract reads in a picture, in any of the ways somebody might try.
pub fn readable(picture: &Picture) -> Vec<String> {
    let mut words = Vec::new();
    for mode in [11, 6] {
        let mut ocr = Tesseract { mode, ..Tesseract::default() };
        let region = Region { picture, area: picture.area() };
        words.extend(ocr.read(&[region]).unwrap().into_iter().flatten().map(|word| word.text));
    }
    words
}

/// Saves a picture where a person can look at it, when KEEP_SCREENS names a folder.
pub fn keep(picture: &Picture, name: &str) {
    if let Some(folder) = std::env::var_os("KEEP_SCREENS") {
        let mut file = format!("P6\n{} {}\n255\n", picture.width(), picture.height()).into_bytes();
        file.extend(Region { picture, area: picture.area() }.rgb());
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.ppm")), file).unwrap();
    }
}

/// A reader that knows what stands where, for tests without Tesseract.
#[derive(Debug, Default)]
pub struct Script {
    pub words: Vec<(&'static str, Rect, f32)>,
    pub asked: Vec<Rect>,
    pub fails: Option<OcrError>,
}

impl Ocr for Script {
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError> {
        self.asked.extend(regions.iter().map(|region| region.area));
        if let Some(error) = self.fails {
            return Err(error);
        }
        Ok(regions
            .iter()
            .map(|region| {
                self.words
                    .iter()
                    .filter(|(_, area, _)| region.area.touches(area))
                    .map(|(text, area, confidence)| Word {
                        text: (*text).to_owned(),
                        area: area.intersection(&region.area),
                        confidence: *confidence,
                    })
                    .collect()
            })
            .collect())
    }
}
