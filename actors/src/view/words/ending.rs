//! Why the daemon ends, and what it leaves.

use std::fmt;

use humantime::format_duration;

use crate::message::{ActorId, GaveUp, Left};

in_words! {
    GaveUp, f:
    Self::Panics { borne, within, last } => {
        write!(f, "more than {borne} panics in {}, ", format_duration(*within))?;
        match last {
            ActorId::Root => f.write_str("of the root itself"),
            last => write!(f, "the last of them in {last}"),
        }
    },
    Self::PartLost(lost) => "{lost}",
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "{} (pid {pid})", self.service),
            None => self.service.fmt(f),
        }
    }
}

impl Left {
    /// Several, in words.
    #[must_use]
    pub fn all(left: &[Self]) -> String {
        left.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
