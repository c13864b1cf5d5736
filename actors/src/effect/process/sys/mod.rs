//! The few calls that neither std nor rustix offers as safe functions.
#![allow(
    unsafe_code,
    reason = "waitid with the pid it peeked at, a child in a control group, a descriptor table of a thread's own, a scheduling class, ignoring a signal and waiting for one have no safe form"
)]

mod clone3;
mod descriptors;
pub(super) mod newborn;
mod scheduling;

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

pub(super) use self::descriptors::keep_to_ourselves;
pub(super) use self::scheduling::be_scheduled_as_others;
use crate::action::process::Exit;

/// The largest number of a signal (signal(7)).
const LAST_SIGNAL: c_int = 64;

/// A child that has ended and is not reaped yet: its number cannot be given to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ended {
    /// Its process id.
    pub pid: u32,
    /// How it ended.
    pub exit: Exit,
}

/// Looks at one child that has ended, of any thread, and leaves it there. `None`: no child has.
pub(super) fn peek() -> io::Result<Option<Ended>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is writable memory of the right size; waitid(2) writes nothing else.
    if unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags) } != 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ECHILD) { Ok(None) } else { Err(error) };
    }
    // SAFETY: zero bytes are a valid `siginfo_t`, and waitid has filled in the fields of SIGCHLD or left them zero.
    let (pid, status, code) = unsafe {
        let info = info.assume_init();
        (info.si_pid(), info.si_status(), info.si_code)
    };
    let exit = match code {
        libc::CLD_EXITED => Exit::Code(status),
        libc::CLD_KILLED | libc::CLD_DUMPED => Exit::Signal(status),
        _ => Exit::Unknown,
    };
    // With WNOHANG and nothing to report, si_pid stays zero.
    Ok(u32::try_from(pid).ok().filter(|pid| *pid != 0).map(|pid| Ended { pid, exit }))
}

/// Gives the calling thread a descriptor table of its own, with nothing in it but standard input, output and error, and a copy
/// of `kept`: the answer. Where the kernel refuses a table, the copy is in the one that all threads share.
///
/// The thread must not touch a descriptor that it did not get or make afterwards: its number means nothing here. For that reason it
/// also hears no signal any more: the handler of one runs on whichever thread the kernel chooses, and writes to a descriptor.
pub(super) fn own_descriptors(kept: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    set_mask(&every_signal())?;
    // SAFETY: the thread goes on with a copy of the table, in which every number still means the same.
    let is_refused = unsafe { libc::unshare(libc::CLONE_FILES) } != 0;
    let own = kept.try_clone_to_owned()?;
    if is_refused {
        return Ok(own);
    }
    // Listed first: the folder that is read has a descriptor as well.
    let numbers: Vec<c_int> = std::fs::read_dir("/proc/thread-self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > libc::STDERR_FILENO && *number != own.as_raw_fd())
        .collect();
    for number in numbers {
        // SAFETY: the table is this thread's own, and nothing in it is in use but `own` and the three that are left out.
        unsafe { libc::close(number) };
    }
    Ok(own)
}

/// Makes this process deaf to a signal.
pub(super) fn ignore(signal: c_int) -> io::Result<()> {
    dispose(signal, libc::SIG_IGN)
}

/// Lets every signal in, and ignores none but these, if it does.
pub(super) fn hear_all_signals(but: &[c_int]) -> io::Result<()> {
    for signal in ignored().into_iter().filter(|signal| !but.contains(signal)) {
        set_default(signal)?;
    }
    set_mask(&no_signal()).map(drop)
}

/// Lets these signals wait, for this thread and those that it begins.
pub(super) fn block(signals: &[c_int]) -> io::Result<()> {
    let set = set_of(signals);
    // SAFETY: pthread_sigmask(3) reads one set, and writes none when it is given none.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Takes one of these signals, which are blocked, as soon as there is one.
pub(super) fn take_signal(signals: &[c_int], within: Option<Duration>) -> io::Result<Option<c_int>> {
    let set = set_of(signals);
    let wait = within.map(|within| libc::timespec {
        tv_sec: libc::time_t::try_from(within.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: within.subsec_nanos().into(),
    });
    let wait = wait.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: sigtimedwait(2) reads one set and, where there is one, a time; without a time it waits for ever, and it writes nothing.
    let taken = unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), wait) };
    if taken >= 0 {
        return Ok(Some(taken));
    }
    match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => Ok(None),
        error => Err(error),
    }
}

/// Sends this thread a signal.
#[cfg(test)]
pub(super) fn raise(signal: c_int) {
    // SAFETY: what is sent is held by whoever calls this.
    unsafe { libc::raise(signal) };
}

fn set_of(signals: &[c_int]) -> libc::sigset_t {
    let mut set = no_signal();
    for signal in signals {
        // SAFETY: sigaddset(3) changes one set; a number that is no signal is refused.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

/// The signals that this process ignores, for whatever reason.
pub(super) fn ignored() -> Vec<c_int> {
    (1..=LAST_SIGNAL).filter(|signal| disposition(*signal) == libc::SIG_IGN).collect()
}

/// Lets a signal do to this process what it does to one that has not said anything.
fn set_default(signal: c_int) -> io::Result<()> {
    dispose(signal, libc::SIG_DFL)
}

/// Lets every signal that has a handler do what it does to one that has not said anything.
fn forget_handlers() {
    for signal in 1..=LAST_SIGNAL {
        let handler = disposition(signal);
        if handler != libc::SIG_DFL && handler != libc::SIG_IGN {
            // Refused for none that can have a handler.
            let _ = set_default(signal);
        }
    }
}

/// Forgets every signal that was sent and waits behind the mask: to ignore one drops it. No signal may have a handler any more.
fn drop_pending() -> io::Result<()> {
    let pending = pending()?;
    for signal in (1..=LAST_SIGNAL).filter(|signal| is_in(&pending, *signal)) {
        ignore(signal)?;
        set_default(signal)?;
    }
    Ok(())
}

fn pending() -> io::Result<libc::sigset_t> {
    let mut pending = no_signal();
    // SAFETY: sigpending(2) writes one set.
    if unsafe { libc::sigpending(&raw mut pending) } == 0 { Ok(pending) } else { Err(io::Error::last_os_error()) }
}

fn is_in(set: &libc::sigset_t, signal: c_int) -> bool {
    // SAFETY: sigismember(3) reads one set; a number that is no signal is in none.
    unsafe { libc::sigismember(&raw const *set, signal) == 1 }
}

/// What a signal does: SIG_DFL, SIG_IGN or a handler.
fn disposition(signal: c_int) -> libc::sighandler_t {
    let mut known = KernelAction::default();
    // Numbers that are none are refused, and nothing is known of them.
    let _ = action(signal, std::ptr::null(), &raw mut known);
    known.handler
}

fn dispose(signal: c_int, disposition: libc::sighandler_t) -> io::Result<()> {
    let new = KernelAction { handler: disposition, ..KernelAction::default() };
    action(signal, &raw const new, std::ptr::null_mut())
}

/// `struct sigaction` of the kernel's include/linux/signal_types.h: the handler, then at most four more words.
#[repr(C)]
#[derive(Debug, Default)]
struct KernelAction {
    handler: libc::sighandler_t,
    rest: [usize; 7],
}

/// The system call, since the C library keeps the signals 32 and 33 to itself; whoever starts mainstay may have them ignored all the same.
fn action(signal: c_int, new: *const KernelAction, old: *mut KernelAction) -> io::Result<()> {
    // The kernel's set has a bit for each signal.
    let size = LAST_SIGNAL.unsigned_abs() as usize / 8;
    // SAFETY: `new` and `old` are null or of at least the kernel's size; SIG_IGN and SIG_DFL, which are all that is passed, install no code.
    match unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, new, old, size) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn every_signal() -> libc::sigset_t {
    let mut all = MaybeUninit::uninit();
    // SAFETY: sigfillset(3) writes the whole set, and fails with no address but a null pointer.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        all.assume_init()
    }
}

fn no_signal() -> libc::sigset_t {
    let mut none = MaybeUninit::uninit();
    // SAFETY: as above, for sigemptyset(3).
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        none.assume_init()
    }
}

/// Blocks exactly these signals for the calling thread: those that were blocked before.
fn set_mask(blocked: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: pthread_sigmask(3) reads one set and, when it succeeds, has written the other.
    unsafe {
        match libc::pthread_sigmask(libc::SIG_SETMASK, blocked, before.as_mut_ptr()) {
            0 => Ok(before.assume_init()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_is_forgotten_and_what_is_sent_afterwards_is_not() {
        let is_pending = |signal| is_in(&pending().unwrap(), signal);
        // SAFETY: the signal goes to this thread, which does not let it in.
        let send = |signal| unsafe { libc::raise(signal) };
        let before = set_mask(&every_signal()).unwrap();
        let signals = [libc::SIGUSR2, libc::SIGTSTP, libc::SIGTERM, libc::SIGHUP];
        signals.map(send).into_iter().for_each(drop);
        assert!(signals.into_iter().all(is_pending));
        drop_pending().unwrap();
        assert!(!signals.into_iter().any(is_pending));
        send(libc::SIGUSR2);
        assert!(is_pending(libc::SIGUSR2));
        drop_pending().unwrap();
        set_mask(&before).unwrap();
    }
}
