//! Waiting for something to become true, with a bound. There are no fixed sleeps in the scenarios.

use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long the kernel may take to do its part: enumerate a device, make a node, name an interface.
pub(crate) const HARDWARE: Duration = Duration::from_secs(30);
/// How long mainstay and the programs it runs may take for one step. The machine is emulated, and slow.
pub(crate) const STEP: Duration = Duration::from_secs(60);
/// How long something that must not happen is waited for.
pub(crate) const QUIET: Duration = Duration::from_secs(3);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is a value.
///
/// # Errors
/// When the question itself fails, or `within` has passed: then the error says what was waited for.
pub(crate) fn value<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = ask().with_context(|| format!("while waiting for {what}"))? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {within:?} in vain for {what}");
        }
        thread::sleep(PAUSE);
    }
}

/// Asks until the answer is yes.
///
/// # Errors
/// As [`value`].
pub(crate) fn until(what: &str, within: Duration, mut ask: impl FnMut() -> Result<bool>) -> Result<()> {
    value(what, within, || Ok(ask()?.then_some(())))
}

/// Asks until something has been true without a break for `quiet`.
///
/// # Errors
/// As [`value`].
pub(crate) fn steady(
    what: &str,
    quiet: Duration,
    within: Duration,
    mut ask: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let mut since = None;
    until(what, within, || {
        if !ask()? {
            since = None;
            return Ok(false);
        }
        let since = *since.get_or_insert_with(Instant::now);
        Ok(since.elapsed() >= quiet)
    })
}

/// Waits without polling until something can be read (of a pidfd: until the process has ended), and returns when that was.
///
/// # Errors
/// When [`STEP`] has passed.
pub(crate) fn until_readable(what: &impl AsFd) -> Result<Instant> {
    let bound = Timespec::try_from(STEP)?;
    let ready = poll(&mut [PollFd::new(what, PollFlags::IN)], Some(&bound))?;
    ensure!(ready == 1, "nothing happened for {STEP:?}");
    Ok(Instant::now())
}
