//! Limits of services: that on open files, of which mainstay needs many and services get what mainstay was given; and the tag.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::action::process::RunId;
use crate::effect::process::tree::Tag;

/// The limit that mainstay was started with, when it raised its own.
#[derive(Debug, Clone)]
pub(in crate::effect::process) struct OpenFiles {
    original: Option<Rlimit>,
}

/// What mainstay itself has open, and what it opens for moments.
const BASE: u64 = 48;
/// What the log-keeper has open for each service, which is more than mainstay has: its pipe and its file.
const EACH: u64 = 2;

/// The limit on open files does not let so many services run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::effect::process) struct TooFew {
    /// The limit.
    pub limit: u64,
    /// What is needed.
    pub needed: u64,
}

impl OpenFiles {
    /// Raises the soft limit of this process, and with it the log-keeper's, to its hard limit; where that is too low for so many services,
    /// and this is root, further.
    ///
    /// # Errors
    /// It is not enough: services would be ended by SIGPIPE, because nobody could hold what they print.
    pub(in crate::effect::process) fn raise(services: usize) -> Result<Self, TooFew> {
        let needed = u64::try_from(services).unwrap_or(u64::MAX).saturating_mul(EACH).saturating_add(BASE);
        let original = getrlimit(Resource::Nofile);
        let wanted = original.maximum.map(|hard| hard.max(needed));
        if original.current == wanted {
            return Ok(Self { original: None });
        }
        let both = |limit| setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: limit });
        let raised = both(wanted).or_else(|error| both(original.maximum).and(Err(error)));
        match (raised, getrlimit(Resource::Nofile).current) {
            (Err(_), Some(limit)) if limit < needed => Err(TooFew { limit, needed }),
            (Ok(()), _) => Ok(Self { original: Some(original) }),
            (Err(error), _) => {
                tracing::warn!(%error, "the limit on open files could not be raised; many services may need more");
                Ok(Self { original: None })
            }
        }
    }

    /// The limit that children get, where it is not mainstay's own: programs that use select(2) break above 1024.
    pub(super) fn original(&self) -> Option<Rlimit> {
        self.original
    }
}

/// Whether services can be tagged. Not when mainstay has a limit on realtime processor time itself, which it may not raise: it runs
/// below another mainstay, say, and all that it starts has that one's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    /// They get one.
    Given,
    /// They do not.
    Omitted,
}

impl Tags {
    /// What is possible here.
    pub(super) fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Rttime);
        if limit.current.is_none() && limit.maximum.is_none() { Self::Given } else { Self::Omitted }
    }

    /// The limit that is the tag of a run.
    pub(super) fn limit(self, run: RunId) -> Option<Rlimit> {
        let Tag(number) = Tag::of(run);
        (self == Self::Given).then_some(Rlimit { current: Some(number), maximum: Some(number) })
    }
}
