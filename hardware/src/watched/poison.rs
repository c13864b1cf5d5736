//! Threads and tasks that are told to panic, so that it can be seen what follows: `mainstay panic`, in debug builds.

/// Those of the log-keeper, a process of its own: it is told when it is asked whether it reads.
pub const KEEPER_PARTS: [&str; 2] = ["keeper-intake", "keeper-writer"];

/// The threads and tasks that can be told to panic, in debug builds, and `close`, over which the root supervisor does: `docs/contributing.md` says when each does.
pub const PARTS: [&str; 38] = [
    "answer",
    "caller",
    "close",
    "control",
    "deliver",
    "drive",
    "driver-call",
    "follower",
    "hardware-end",
    "hardware-events",
    "hardware-start",
    "hardware-watch",
    "keep-awake",
    "keeper-intake",
    "keeper-reports",
    "keeper-writer",
    "log",
    "main",
    "marks",
    "notify",
    "operator",
    "outputs",
    "probe",
    "probe-look",
    "probe-rest",
    "run-dir",
    "run-dir-end",
    "signals",
    "spawner-1",
    "spawner-2",
    "spawner-spare",
    "store",
    "timekeeper",
    "timer",
    "trees",
    "usb-events",
    "watchdog",
    "wifi-read",
];

#[cfg(debug_assertions)]
mod told {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::{Mutex, PoisonError};
    use std::task::Waker;

    static POISONED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    static WAKERS: Mutex<BTreeMap<&'static str, Waker>> = Mutex::new(BTreeMap::new());

    /// Makes a part of mainstay panic: a task at once, a thread at the next thing it does.
    pub fn poison(part: &str) {
        POISONED.lock().unwrap_or_else(PoisonError::into_inner).insert(part.to_owned());
        let waker = WAKERS.lock().unwrap_or_else(PoisonError::into_inner).remove(part);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether this part was told to panic; from now on it is not.
    pub fn was_told(part: &str) -> bool {
        POISONED.lock().unwrap_or_else(PoisonError::into_inner).remove(part)
    }

    /// Panics when this part was told to.
    #[allow(clippy::panic, reason = "that is what it is for")]
    pub fn perhaps_panic(part: &str) {
        assert!(!was_told(part), "`mainstay panic {part}`");
    }

    pub(in crate::watched) fn perhaps_panic_and_wake(part: &'static str, waker: &Waker) {
        WAKERS.lock().unwrap_or_else(PoisonError::into_inner).insert(part, waker.clone());
        perhaps_panic(part);
    }
}

#[cfg(not(debug_assertions))]
mod told {
    use std::task::Waker;

    /// Only a debug build can be told to panic.
    #[inline]
    pub fn perhaps_panic(_part: &str) {}

    #[inline]
    pub(in crate::watched) fn perhaps_panic_and_wake(_part: &'static str, _waker: &Waker) {}
}

pub(super) use told::perhaps_panic_and_wake;
pub use told::*;
