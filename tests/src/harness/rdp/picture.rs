//! What a screen shows: compared, cut, and read by Tesseract.
use anyhow::{Context, Result, bail};
use std::{
    fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// 8 bits each of red, green, blue; rows from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// Pixels without padding.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        if rgb.len() != width * height * 3 {
            bail!("{} bytes are no {width} x {height} picture", rgb.len());
        }
        Ok(Self { width, height, rgb })
    }

    /// Binary PPM or PGM of 8 bits, as ImageMagick writes it.
    pub fn from_pnm(bytes: &[u8]) -> Result<Self> {
        let mut at = 0;
        let mut word = || {
            let start = at + bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            let end = start + bytes[start.min(bytes.len())..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
            at = end;
            bytes.get(start..end).and_then(|w| std::str::from_utf8(w).ok()).context("the picture breaks off")
        };
        let kind = word()?.to_owned();
        let (width, height, deepest) = (word()?.parse()?, word()?.parse()?, word()?.parse::<u32>()?);
        let body = bytes.get(at + 1..).context("the picture has no pixels")?;
        match (kind.as_str(), deepest) {
            ("P6", 255) => Self::new(width, height, body.to_vec()),
            ("P5", 255) => Self::new(width, height, body.iter().flat_map(|&v| [v; 3]).collect()),
            _ => bail!("a picture of kind {kind} with {deepest} shades"),
        }
    }

    /// Any file that ImageMagick can read.
    pub fn open(file: &Path) -> Result<Self> {
        let out = Command::new("convert").arg(file).args(["-depth", "8", "ppm:-"]).output().context("cannot run convert (imagemagick)")?;
        if !out.status.success() {
            bail!("{}: {}", file.display(), String::from_utf8_lossy(&out.stderr).trim());
        }
        Self::from_pnm(&out.stdout)
    }

    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        self.rgb.get(at..at + 3).map_or([0; 3], |p| [p[0], p[1], p[2]])
    }

    pub fn cut(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let (width, height) = (width.min(self.width.saturating_sub(x)), height.min(self.height.saturating_sub(y)));
        let rgb = (y..y + height).flat_map(|row| (x..x + width).flat_map(move |column| self.pixel(column, row))).collect();
        Self { width, height, rgb }
    }

    /// Part of the pixels, 0 to 1, in which a colour differs by more than `tolerance`. Codecs are lossy, and a pointer may be on one of the two.
    pub fn differs(&self, other: &Self, tolerance: u8) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let pairs = self.rgb.as_chunks::<3>().0.iter().zip(other.rgb.as_chunks::<3>().0);
        let differing = pairs.filter(|(a, b)| a.iter().zip(b.iter()).any(|(x, y)| x.abs_diff(*y) > tolerance)).count();
        differing as f64 / (self.width * self.height).max(1) as f64
    }

    /// Part of the pixels, 0 to 1, that are not the commonest colour: how much stands there.
    pub fn drawn(&self) -> f64 {
        let mut counts = std::collections::HashMap::new();
        for p in self.rgb.as_chunks::<3>().0 {
            *counts.entry(*p).or_insert(0_usize) += 1;
        }
        let commonest = counts.values().max().copied().unwrap_or(0);
        1.0 - commonest as f64 / (self.width * self.height).max(1) as f64
    }

    pub fn to_ppm(&self) -> Vec<u8> {
        let mut out = format!("P6\n{} {}\n255\n", self.width, self.height).into_bytes();
        out.extend_from_slice(&self.rgb);
        out
    }

    /// Every word that Tesseract finds, in twice the size: whoever looks at a recording may zoom too.
    pub fn read(&self) -> Result<String> {
        let mut larger = Vec::with_capacity(self.rgb.len() * 4);
        for y in 0..self.height {
            let row: Vec<u8> = (0..self.width).flat_map(|x| [self.pixel(x, y); 2]).flatten().collect();
            larger.extend_from_slice(&row);
            larger.extend_from_slice(&row);
        }
        let larger = Self { width: self.width * 2, height: self.height * 2, rgb: larger };
        let mut command = Command::new("tesseract");
        command.args(["stdin", "stdout", "--psm", "6", "-l", "eng"]).env("OMP_THREAD_LIMIT", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.as_mut().map_err(|e| anyhow::anyhow!("cannot run tesseract (tesseract-ocr, tesseract-ocr-eng): {e}"))?;
        let mut pipe = child.stdin.take().context("no pipe")?;
        let mut said = child.stdout.take().context("no pipe")?;
        let text = std::thread::scope(|s| {
            s.spawn(move || drop(pipe.write_all(&larger.to_ppm())));
            let mut text = String::new();
            std::io::Read::read_to_string(&mut said, &mut text).map(|_| text)
        })?;
        let status = child.wait()?;
        if !status.success() {
            bail!("tesseract: {status}");
        }
        Ok(text)
    }

    /// For people who want to see why a test failed.
    pub fn keep(&self, name: &str) -> Result<PathBuf> {
        let dir = crate::harness::Screenshots::dir();
        fs::create_dir_all(&dir)?;
        let file = dir.join(format!("{name}.png"));
        let mut convert = Command::new("convert").args(["ppm:-"]).arg(&file).stdin(Stdio::piped()).spawn().context("cannot run convert")?;
        convert.stdin.take().context("no pipe")?.write_all(&self.to_ppm())?;
        if !convert.wait()?.success() {
            bail!("cannot write {}", file.display());
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_read_cut_and_compared() {
        let a = Picture::from_pnm(b"P6\n2 2\n255\n\0\0\0\x0a\x0a\x0a\xff\xff\xff\0\0\0").unwrap();
        assert_eq!((a.pixel(1, 0), a.pixel(0, 1)), ([10; 3], [255; 3]));
        let grey = Picture::from_pnm(b"P5 2 2 255\n\0\x0a\xff\0").unwrap();
        assert_eq!(a, grey);
        assert_eq!(a.cut(1, 0, 5, 1).rgb, [10; 3]);
        let b = Picture::from_pnm(b"P5 2 2 255\n\x05\x0a\0\0").unwrap();
        assert_eq!((a.differs(&b, 0), a.differs(&b, 5), a.differs(&a, 0)), (0.5, 0.25, 0.0));
        assert_eq!(a.differs(&a.cut(0, 0, 1, 1), 255), 1.0, "another size is another picture");
        assert_eq!(a.drawn(), 0.5);
        assert!(Picture::from_pnm(b"P6\n2 2\n255\n\0").is_err() && Picture::from_pnm(b"P6 2").is_err() && Picture::from_pnm(b"").is_err());
    }
}
