//! Enums of which every variant can be gone through.

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
