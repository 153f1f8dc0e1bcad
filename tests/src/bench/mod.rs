//! Measuring. Every number comes from real OpenSSH clients against the lab, but for `seek`, `masking` and `verify`, which need none, and `rdp`, which has its own.
pub mod capacity;
pub mod echo;
pub mod lab;
pub mod masking;
pub mod rdp;
pub mod recording;
pub mod seek;
pub mod throughput;
pub mod verify;
pub mod zero_trust;

/// The ways to the same target, in the order of every result.
pub const HOSTS: [&str; 3] = ["direct", "jump", "gateway"];

/// The middle of some numbers; not a number of none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which `part` of the numbers lie.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 - 1.0) * part).round().max(0.0) as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_tail() {
        let mut v: Vec<f64> = (1..=101).rev().map(f64::from).collect();
        assert_eq!((median(&mut v), quantile(&mut v, 0.99)), (51.0, 100.0));
    }
}
