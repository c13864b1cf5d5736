//! An invariant that was broken, told so that it can be repeated.

use std::fmt;

use super::checkers::{Checker, Verdict};
use super::{Moment, World};

/// An invariant that was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// When.
    pub at: Moment,
    /// Which invariant of DESIGN section 12.
    pub invariant: u8,
    /// How.
    pub words: String,
    /// The last messages.
    pub messages: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.since_boot().as_secs_f64();
        let Self { seed, invariant, words, messages, .. } = self;
        writeln!(f, "{messages}")?;
        writeln!(f, "invariant {invariant} is broken at {seconds:.6} s: {words}")?;
        write!(f, "seed {seed}; again with: MAINSTAY_SEED={seed} cargo test -p mainstay-actors world")
    }
}

impl std::error::Error for Failure {}

/// More messages than this without any time going by: actors send each other messages for ever.
const AT_ONE_MOMENT: u32 = 50_000;

impl World {
    /// Invariant 10: nothing makes mainstay hang.
    pub(super) fn count_at_this_moment(&mut self) {
        self.at_this_moment += 1;
        if self.at_this_moment > AT_ONE_MOMENT && self.failed.is_none() {
            self.fail(10, "actors send each other messages for ever".to_owned());
        }
    }

    pub(super) fn fail(&mut self, invariant: u8, words: String) {
        let messages = self.journal.text();
        self.failed = Some(Failure { seed: self.seed, at: self.now, invariant, words, messages });
    }

    /// Asks a checker, and keeps the first failure.
    pub(super) fn ask(&mut self, checker: usize, question: impl FnOnce(&mut dyn Checker, &Self) -> Verdict) {
        if self.failed.is_some() || checker >= self.checkers.len() {
            return;
        }
        // Taken out while it looks at the world, and put back into its place.
        let mut asked = self.checkers.swap_remove(checker);
        let verdict = question(asked.as_mut(), self);
        if let Err(words) = verdict {
            self.fail(asked.invariant(), words);
        }
        self.checkers.push(asked);
        let last = self.checkers.len().saturating_sub(1);
        self.checkers.swap(checker, last);
    }
}
