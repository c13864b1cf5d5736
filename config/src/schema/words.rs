//! The words of the configuration and what they mean.

use crate::model::{DeviceKind, OnReturn, RestartWhen, Sharing, StopSignal, StopTo, WifiMode};
use crate::read::Word;

impl Word for DeviceKind {
    const WHAT: &'static str = "a kind of device";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("hackrf", Self::Hackrf),
        ("usb", Self::Usb),
        ("gps", Self::Gps),
        ("serial", Self::Serial),
        ("wifi", Self::Wifi),
    ];
}

impl Word for Sharing {
    const WHAT: &'static str = "a kind of lease";
    const WORDS: &'static [(&'static str, Self)] = &[("exclusive", Self::Exclusive), ("shared", Self::Shared)];
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

impl Word for OnReturn {
    const WHAT: &'static str = "something to do on return";
    const WORDS: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("restart", Self::Restart)];
}

impl Word for RestartWhen {
    const WHAT: &'static str = "a time to restart";
    const WORDS: &'static [(&'static str, Self)] =
        &[("always", Self::Always), ("failure", Self::Failure), ("never", Self::Never)];
}

impl Word for StopSignal {
    const WHAT: &'static str = "a signal to stop with";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("TERM", Self::Term),
        ("INT", Self::Int),
        ("HUP", Self::Hup),
        ("QUIT", Self::Quit),
        ("USR1", Self::Usr1),
        ("USR2", Self::Usr2),
        ("KILL", Self::Kill),
    ];
}

impl Word for StopTo {
    const WHAT: &'static str = "the processes to stop";
    const WORDS: &'static [(&'static str, Self)] = &[("all", Self::All), ("main", Self::Main)];
}
