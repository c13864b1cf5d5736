//! What a service waits for at the end of a chain of services that wait for each other.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use mainstay_config::names::ServiceName;

use crate::board::Board;
use crate::cause::{Matter, Missing};
use crate::message::service::Waiting;

/// Follows waiting services to the one that keeps them all. Each service is looked at once, however many wait for it.
pub struct Roots<'a> {
    board: &'a Board,
    known: RefCell<BTreeMap<ServiceName, Option<Missing>>>,
}

impl<'a> Roots<'a> {
    /// Those of what is shown now.
    #[must_use]
    pub fn new(board: &'a Board) -> Self {
        Self { board, known: RefCell::default() }
    }

    /// What a service that is missing waits for in the end. `None`: it does not wait for another, or has just ceased to.
    pub fn of(&self, missing: &Missing) -> Option<Missing> {
        if !waits(missing) {
            return None;
        }
        let mut known = self.known.borrow_mut();
        let mut way = vec![missing.need.clone()];
        let mut seen = BTreeSet::from([missing.need.clone()]);
        let root = loop {
            let last = way.last()?;
            if let Some(root) = known.get(last) {
                break root.clone();
            }
            let Some(Waiting::Needs(needs)) = self.board.service(last).map(|entry| entry.snapshot.waiting_for) else {
                break None;
            };
            match needs.first.into_iter().next() {
                // What is shown may be of different moments, and seem to lead round in a circle.
                Some(next) if waits(&next) && !seen.insert(next.need.clone()) => break None,
                Some(next) if waits(&next) => way.push(next.need),
                root => break root,
            }
        };
        known.extend(way.into_iter().map(|name| (name, root.clone())));
        root
    }
}

/// Whether it waits for another service itself.
fn waits(missing: &Missing) -> bool {
    matches!(missing.standing.matter(), Some(Matter::Needs))
}
