//! Limits of services: that on open files, of which mainstay needs many and services get what mainstay was given; and the tag.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::action::process::RunId;
use crate::effect::process::tree::Tag;

/// The limit that mainstay was started with, when it raised its own.
#[derive(Debug, Clone)]
pub(super) struct OpenFiles {
    original: Option<Rlimit>,
}

impl OpenFiles {
    /// Raises the soft limit of this process to its hard limit: each run needs a descriptor or two.
    pub(super) fn raise() -> Self {
        let original = getrlimit(Resource::Nofile);
        if original.current == original.maximum {
            return Self { original: None };
        }
        let raised = Rlimit { current: original.maximum, maximum: original.maximum };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => Self { original: Some(original) },
            Err(error) => {
                tracing::warn!(%error, "the limit on open files could not be raised; many services may need more");
                Self { original: None }
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
