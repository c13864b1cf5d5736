//! Seeded chance: the same seed gives the same world.

use std::time::Duration;

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): small, fast, good enough for choosing.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Chance that is determined by a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    #[allow(clippy::cast_possible_truncation, reason = "the result is below a usize")]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Whether something happens that happens so many times in a thousand.
    pub fn happens(&mut self, per_mille: u16) -> bool {
        self.below(1000) < usize::from(per_mille)
    }

    /// One of several; `None` of none.
    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    /// A time between two, in whole microseconds.
    #[allow(clippy::cast_possible_truncation, reason = "times here are far below 2^64 microseconds")]
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_micros() as usize;
        from + Duration::from_micros(self.below(span.saturating_add(1)) as u64)
    }

    /// The wait until something that happens every `mean` on average, without memory (exponentially distributed).
    #[allow(clippy::cast_precision_loss, reason = "53 bits are enough for a wait")]
    pub fn wait(&mut self, mean: Duration) -> Duration {
        let uniform = ((self.bits() >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        mean.mul_f64(-uniform.ln())
    }
}
