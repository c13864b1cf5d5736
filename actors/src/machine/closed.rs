//! Enums of which every variant can be gone through; and what a chart made of two of them can say.

#[cfg(test)]
use crate::message::Outcome;

/// An enum without fields, with all its variants in `ALL`: none can be forgotten there.
macro_rules! closed {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$of:meta])* $variant:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[$of])* $variant),*
        }

        impl $name {
            /// Every one.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

pub(crate) use closed;

/// How a machine takes what it is told where it is, when it can be told that there. What a chart does not list is handled: a state that
/// was forgotten where a message is let go shows in the storms.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It acts on it, or says why it refuses.
    Handled,
    /// Nothing comes of it: it is ignored, or superseded.
    Passed,
    /// The one or the other: that depends on what it says.
    Either,
}

#[cfg(test)]
impl Taken {
    /// Passed in these places; elsewhere this.
    pub(crate) fn passed_if(is_passed: bool, elsewhere: Self) -> Self {
        if is_passed { Self::Passed } else { elsewhere }
    }

    /// Whether a machine that has noted this has taken it so.
    pub(crate) fn fits(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Ignored | Outcome::Superseded => self != Self::Handled,
            Outcome::Handled | Outcome::Refused | Outcome::Queued => self != Self::Passed,
            Outcome::Panicked => true,
        }
    }
}
