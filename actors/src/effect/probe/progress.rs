//! How far a look has come.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;

use crate::action::not_ready::Awaited;

/// Where a look is, for the one who stops it when it takes too long, and who took its connection.
#[derive(Debug, Default)]
pub(super) struct Progress(RefCell<Awaited>, Cell<Option<SocketAddr>>);

impl Progress {
    /// The look now waits for this.
    pub(super) fn to(&self, stage: Awaited) {
        self.0.replace(stage);
    }

    /// Somebody took the connection there.
    pub(super) fn connected(&self, place: SocketAddr) {
        self.1.set(Some(place));
    }

    /// Where the last connection was taken.
    pub(super) fn place(&self) -> Option<SocketAddr> {
        self.1.get()
    }

    /// What it waited for last.
    pub(super) fn stage(&self) -> Awaited {
        self.0.borrow().clone()
    }
}
