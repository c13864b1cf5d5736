//! An invariant that was broken, told so that it can be repeated.

use std::fmt;

use super::checkers::{Check, Checker, Verdict};
use super::{Moment, World};

/// An invariant that was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// When.
    pub at: Moment,
    /// Which checker says so.
    pub check: Check,
    /// How.
    pub words: String,
    /// The last messages.
    pub messages: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.since_boot().as_secs_f64();
        let Self { seed, check, words, messages, .. } = self;
        writeln!(f, "{messages}")?;
        writeln!(f, "invariant {} is broken at {seconds:.6} s ({check:?}): {words}", check.invariant())?;
        write!(f, "seed {seed}; again with: MAINSTAY_SEED={seed} cargo test -p mainstay-actors world")
    }
}

impl std::error::Error for Failure {}

impl World {
    fn fail(&mut self, check: Check, words: String) {
        let messages = self.journal.text();
        self.failed = Some(Failure { seed: self.seed, at: self.now, check, words, messages });
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
            self.fail(asked.check(), words);
        }
        self.checkers.push(asked);
        let last = self.checkers.len().saturating_sub(1);
        self.checkers.swap(checker, last);
    }
}
