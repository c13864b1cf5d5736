//! The limit on open files: mainstay needs many, services get what mainstay was given.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
