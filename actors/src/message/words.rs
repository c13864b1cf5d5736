//! What a message says, kept so that it costs next to nothing until somebody reads it.

use std::fmt;

use mainstay_config::names::{DeviceName, ServiceName};

/// Bytes of a text that are kept.
const TEXT_MAX: usize = 400;

/// A sentence without a full stop. What is said all the time is put together only when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// The same each time.
    Plain(&'static str),
    /// A service, and what is said of it.
    Service(ServiceName, &'static str),
    /// A device, and what is said of it.
    Device(DeviceName, &'static str),
    /// Something with a number at its end.
    Number(&'static str, u64),
    /// Anything else, at most 400 bytes of it.
    Text(Box<str>),
}

impl Words {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Plain(words) => words.is_empty(),
            Self::Text(words) => words.is_empty(),
            Self::Service(..) | Self::Device(..) | Self::Number(..) => false,
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(words) => f.write_str(words),
            Self::Service(name, words) => write!(f, "{name} {words}"),
            Self::Device(name, words) => write!(f, "{name} {words}"),
            Self::Number(words, number) => write!(f, "{words} {number}"),
            Self::Text(words) => f.write_str(words),
        }
    }
}

impl From<&'static str> for Words {
    fn from(words: &'static str) -> Self {
        Self::Plain(words)
    }
}

impl From<String> for Words {
    fn from(mut text: String) -> Self {
        if text.len() > TEXT_MAX {
            text.truncate(text.floor_char_boundary(TEXT_MAX));
            text.push('…');
        }
        Self::Text(text.into_boxed_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use crate::message::words::*;

    #[test]
    fn words_read_as_if_they_had_been_put_together_at_once() {
        let gpsd = ServiceName::new("gpsd").unwrap();
        let words: [(Words, &str); 4] = [
            ("begin".into(), "begin"),
            (Words::Service(gpsd, "wants to start"), "gpsd wants to start"),
            (Words::Number("it runs as pid", 7), "it runs as pid 7"),
            ("a".to_owned().into(), "a"),
        ];
        for (words, text) in words {
            assert_eq!(words.to_string(), text);
            assert!(!words.is_empty());
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let words: Words = "ä".repeat(TEXT_MAX).into();
        assert_eq!(words.to_string().chars().count(), TEXT_MAX / 2 + 1);
    }
}
