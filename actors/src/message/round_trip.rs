//! Whatever machines are told and answer can be written down and read back: the journal and `replay` need that.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes something down, reads it back, and sees that it is the same. The tests of all machines do so with every message and
/// every effect.
#[track_caller]
pub(crate) fn survives<T: Serialize + DeserializeOwned + Debug>(something: &T) {
    let text = serde_json::to_string(something).unwrap_or_else(|error| panic!("{something:?}: {error}"));
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{something:?} as {text}: {error}"));
    assert_eq!(format!("{read:?}"), format!("{something:?}"), "{text}");
}
