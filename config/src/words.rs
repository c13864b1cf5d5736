//! Enums of words.

/// Defines an enum, and for each variant the word that people write or are shown for it.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $type:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        $vis enum $type { $($(#[$of])* $variant,)* }

        impl $type {
            /// Each with its word.
            #[allow(dead_code, reason = "what is only shown is never looked up by its word")]
            $vis const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// The word for it.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
