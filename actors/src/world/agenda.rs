//! What is due, and when.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::message::Moment;

/// Things that are due at some moment; of those due at the same moment, the one that was put in first comes first.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Item<T>>,
    count: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: Moment,
    number: u64,
    what: T,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }

    pub(super) fn put(&mut self, at: Moment, what: T) {
        self.count += 1;
        self.heap.push(Item { at, number: self.count, what });
    }

    /// Only these stay.
    pub(super) fn retain(&mut self, stays: impl Fn(&T) -> bool) {
        self.heap.retain(|item| stays(&item.what));
    }

    /// When the next thing is due.
    pub(super) fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|item| item.at)
    }

    pub(super) fn take(&mut self) -> Option<T> {
        self.heap.pop().map(|item| item.what)
    }
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first; the earliest is wanted.
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Item<T> {}
