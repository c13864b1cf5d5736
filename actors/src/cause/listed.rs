//! The first of many, and how many there are besides.

/// How many of a kind are listed where there may be thousands.
pub const LISTED_MAX: usize = 8;

/// The first few of many things, the most telling first, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Listed<T> {
    /// At most [`LISTED_MAX`] of them.
    pub first: Vec<T>,
    /// How many there are besides.
    pub more: usize,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { first: Vec::new(), more: 0 }
    }
}

impl<T> Listed<T> {
    /// The first of so many.
    pub fn of(all: impl Iterator<Item = T>, count: usize) -> Self {
        let first: Vec<T> = all.take(LISTED_MAX).collect();
        let more = count.saturating_sub(first.len());
        Self { first, more }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.more == 0
    }

    /// The same of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        Listed { first: self.first.into_iter().map(change).collect(), more: self.more }
    }
}
