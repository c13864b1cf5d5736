//! Memory that is free is given back to the kernel: what only starting needed, or answering somebody.
//!
//! Reading the configuration takes several times the memory of what is kept of it. What is freed lies between what is kept, and
//! glibc gives back only the end of the heap by itself: with 1,000 services a sixth of the daemon's memory. See
//! docs/decisions/0021-free-memory-given-back-once.md.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::Notify;

/// By then everything that can start at once has started, and whoever asks several things has asked, so that giving back costs nobody time.
const AFTER: Duration = Duration::from_secs(5);

/// Gives it back in a while, and whenever nobody has asked for anything for as long since. `rest` frees what is kept only for haste.
pub(super) async fn give_back_when_quiet(used: &Notify, rest: impl Fn()) -> Infallible {
    loop {
        while tokio::time::timeout(AFTER, used.notified()).await.is_ok() {}
        rest();
        give_back();
        used.notified().await;
    }
}

#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "malloc_trim(3) has no safe form")]
fn give_back() {
    // SAFETY: it takes the allocator's own locks and touches no memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}
