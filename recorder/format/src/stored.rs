//! zstd frames for what does not become smaller: one raw block (RFC 8878 sections 3.1.1.1 and 3.1.1.2.2). Any decompressor reads them.

/// Bytes looked at to tell noise from everything else.
const SAMPLES: usize = 256;
/// So many different values have 256 random bytes: 162 on average, and never fewer than this. Text has less than 100.
const DIFFERENT: u32 = 128;
/// The frame's content size is written in two bytes, from this on.
const LEAST: usize = 256;
const MOST: usize = LEAST + 0xffff;

/// Whether compressing is not worth trying. May be wrong either way: then the file is a little longer, or the time was spent.
pub(crate) fn looks_like_noise(plain: &[u8]) -> bool {
    if !(16 * SAMPLES..=MOST).contains(&plain.len()) {
        return false;
    }
    let mut seen = [0u64; 4];
    for byte in plain.iter().step_by(plain.len() / SAMPLES) {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|bits| bits.count_ones()).sum::<u32>() >= DIFFERENT
}

/// Appends the frame; `plain` has from `LEAST` to `MOST` bytes.
pub(crate) fn frame(plain: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&0xfd2f_b528u32.to_le_bytes());
    // A single segment whose size is in two bytes.
    out.push(0x60);
    out.extend_from_slice(&((plain.len() - LEAST) as u16).to_le_bytes());
    // The last block, raw.
    let header = ((plain.len() as u32) << 3) | 1;
    out.extend_from_slice(&header.to_le_bytes()[..3]);
    out.extend_from_slice(plain);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut x = 1u64;
        let next = |x: &mut u64| {
            *x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*x >> 56) as u8
        };
        (0..len).map(|_| next(&mut x)).collect()
    }

    #[test]
    fn any_decompressor_reads_what_was_stored() {
        for len in [LEAST, 4096, 65_535, 65_536, MOST] {
            let (plain, mut out) = (noise(len), Vec::new());
            frame(&plain, &mut out);
            assert_eq!(zstd::zstd_safe::find_frame_compressed_size(&out).unwrap(), out.len());
            assert!(zstd::bulk::decompress(&out, len).unwrap() == plain, "{len}");
        }
    }

    #[test]
    fn noise_is_told_from_text_and_zeros() {
        assert!(looks_like_noise(&noise(65_536)) && looks_like_noise(&noise(4096)));
        assert!(!looks_like_noise(&vec![0; 65_536]));
        assert!(!looks_like_noise(&"The quick brown fox jumps over the lazy dog, 0123456789 times.\n".repeat(1000).into_bytes()));
        assert!(!looks_like_noise(&noise(100)));
    }
}
