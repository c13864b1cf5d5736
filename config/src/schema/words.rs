//! The words of the configuration and what they mean.

use crate::model::{DeviceKind, OnReturn, RestartWhen, Sharing, StopSignal, StopTo, WifiMode};
use crate::read::Word;

/// Every word that one of these has can be written; what they are called together stands behind it.
macro_rules! all_words {
    ($($type:ident: $what:literal;)*) => { $(
        impl Word for $type {
            const WHAT: &'static str = $what;
            const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
        }
    )* };
}

all_words! {
    DeviceKind: "a kind of device";
    Sharing: "a kind of lease";
    OnReturn: "a word for what to do on return";
    RestartWhen: "a word for when to restart";
    StopSignal: "a signal to stop with";
    StopTo: "a word for which processes to stop";
}

impl Word for WifiMode {
    const WHAT: &'static str = "a Wi-Fi mode";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("managed", Self::Managed),
        ("monitor", Self::Monitor),
        ("ap", Self::Ap),
        ("ibss", Self::Ibss),
        ("mesh", Self::Mesh),
    ];
}
