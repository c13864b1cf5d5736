//! What the child does until it has become its program. It makes system calls and nothing else: it is a copy of one thread of several,
//! and a lock that another one held would be held for ever. It may even share its parent's memory.

use std::convert::Infallible;
use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::Resource;

use super::{Identity, Program, Protection, Step, Steps, Unborn};
use crate::effect::process::sys::descriptors::{close_from, move_to};
use crate::effect::process::sys::{drop_pending, forget_handlers, no_signal, set_default, set_mask};

/// The descriptor by which the child tells that it failed, once it has no other of mainstay's.
const FAILURES: c_int = 3;

/// All that the child works with.
pub(super) struct Task<'a> {
    pub(super) program: &'a Program,
    pub(super) steps: &'a Steps<'a>,
    /// The `cgroup.procs` by which it has to join its group itself.
    pub(super) joining: Option<OwnedFd>,
    pub(super) handlers: Handlers,
    pub(super) arguments: Vec<*const c_char>,
    pub(super) environment: Vec<*const c_char>,
    /// Where it says why it could not become its program.
    pub(super) failed: BorrowedFd<'a>,
}

/// Whether the child still has mainstay's handlers of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handlers {
    /// It was born without.
    Forgotten,
    /// It has to forget them itself.
    Inherited,
}

/// What the child tells when it failed: how far it came, and what the kernel said.
pub(super) struct Failure {
    step: Step,
    errno: c_int,
}

impl Failure {
    /// As it stands in the pipe: the kind of the step, its place in a list, and the number of the error.
    const SIZE: usize = 3 * size_of::<c_int>();
    /// Nothing read yet.
    pub(super) const UNREAD: [u8; Self::SIZE] = [0; Self::SIZE];

    fn at<E: Into<io::Error>>(step: Step) -> impl FnOnce(E) -> Self {
        move |error| Self { step, errno: error.into().raw_os_error().unwrap_or(libc::EIO) }
    }

    fn write(&self, to: c_int) {
        let (kind, place) = match self.step {
            Step::Birth => (0, 0),
            Step::Identity => (1, 0),
            Step::Directory => (2, 0),
            Step::Program(place) => (3, c_int::try_from(place).unwrap_or(c_int::MAX)),
        };
        let words: [c_int; 3] = [kind, place, self.errno];
        // SAFETY: so many bytes are read; they are written whole into an empty pipe.
        unsafe { libc::write(to, words.as_ptr().cast(), Self::SIZE) };
    }

    pub(super) fn read(told: [u8; Self::SIZE]) -> Unborn {
        let mut words = told.as_chunks::<{ size_of::<c_int>() }>().0.iter().map(|word| c_int::from_ne_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        let (kind, place, errno) = (next(), next(), next());
        let step = match kind {
            0 => Step::Birth,
            1 => Step::Identity,
            2 => Step::Directory,
            _ => Step::Program(usize::try_from(place).unwrap_or_default()),
        };
        Unborn { step, error: io::Error::from_raw_os_error(errno) }
    }
}

/// The child.
pub(super) extern "C" fn child(task: *mut c_void) -> c_int {
    // SAFETY: `bear` passes a `Task`, which its parent does not touch before the child has its program or has ended.
    let task = unsafe { &*task.cast::<Task<'_>>() };
    match task.leave_mainstay() {
        Err(error) => Failure::at(Step::Birth)(error).write(task.failed.as_raw_fd()),
        Ok(()) => {
            let Err(failure) = task.become_program();
            failure.write(FAILURES);
        }
    }
    // SAFETY: _exit(2) runs nothing of mainstay.
    unsafe { libc::_exit(127) }
}

impl Task<'_> {
    /// Nothing of mainstay is left to the child: not its session, not its control group, not a descriptor. At once, not when the program
    /// is executed: that may take for ever where a disk does not answer, and mainstay's lock and sockets would live on in the child.
    fn leave_mainstay(&self) -> io::Result<()> {
        // A session of its own, and with it a group: nobody of another service can join it, no terminal is its own, and what is sent to
        // mainstay's group or typed at its terminal does not reach it any more.
        rustix::process::setsid()?;
        rustix::stdio::dup2_stdin(self.steps.input)?;
        rustix::stdio::dup2_stdout(self.steps.output)?;
        rustix::stdio::dup2_stderr(self.steps.errors)?;
        if let Some(procs) = &self.joining {
            rustix::io::write(procs, b"0")?;
        }
        move_to(FAILURES, self.failed)?;
        close_from(FAILURES + 1);
        Ok(())
    }

    fn become_program(&self) -> Result<Infallible, Failure> {
        if let Some(limit) = self.steps.open_files {
            rustix::process::setrlimit(Resource::Nofile, limit).map_err(Failure::at(Step::Birth))?;
        }
        if let Some(tag) = self.steps.tag {
            // Without it, it is known by what else there is: nothing to fail for.
            let _ = rustix::process::setrlimit(Resource::Rttime, tag);
        }
        if self.steps.protection == Protection::GivenUp {
            // Before it is somebody else, who may not open it. Without it, it is only too safe.
            let _ = give_up_protection();
        }
        become_somebody(self.steps.identity).map_err(Failure::at(Step::Identity))?;
        // As whom it is now: what follows it may, or may not.
        rustix::process::chdir(&*self.program.directory).map_err(Failure::at(Step::Directory))?;
        self.let_signals_in().map_err(Failure::at(Step::Birth))?;
        Err(self.execute())
    }

    /// As execvp(3), it goes on to the next file when one is not there, or not for it to execute; and tells of one that it may not execute
    /// rather than of any other, else of the first.
    fn execute(&self) -> Failure {
        let mut told = None;
        for (place, path) in self.program.paths.iter().enumerate() {
            // SAFETY: both lists end with a null pointer and point to texts of the program, which end with a zero byte.
            unsafe { libc::execve(path.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr()) };
            let failure = Failure::at(Step::Program(place))(io::Error::last_os_error());
            match (failure.errno, &told) {
                (libc::ENOENT | libc::ENOTDIR | libc::EACCES, None) => told = Some(failure),
                (libc::EACCES, Some(Failure { errno, .. })) if *errno != libc::EACCES => told = Some(failure),
                (libc::ENOENT | libc::ENOTDIR | libc::EACCES, Some(_)) => {}
                _ => return failure,
            }
        }
        told.unwrap_or(Failure { step: Step::Program(0), errno: libc::ENOENT })
    }

    /// As they do to a program that has not said anything about them: a handler of mainstay's must not run here.
    fn let_signals_in(&self) -> io::Result<()> {
        if self.handlers == Handlers::Inherited {
            forget_handlers();
        }
        // What came while the child was in mainstay's group was not meant for it: a Ctrl-Z would stop it for ever, and with it the thread
        // that waits. Whoever means the child itself kills it, which no mask holds up.
        drop_pending()?;
        for signal in self.steps.ignored {
            set_default(*signal)?;
        }
        set_mask(&no_signal()).map(drop)
    }
}

/// Its own value is meant, also while it shares its parent's memory: the kernel makes an exception for vfork(2).
fn give_up_protection() -> io::Result<()> {
    let value = open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(value, b"0")?;
    Ok(())
}

/// A session keyring of its own (session-keyring(7)) in the place of the one that mainstay was started with: whoever has that in his session
/// may read what is in it, whoever he is. As mainstay's user, of whose quota it is: others may have only a few.
fn leave_keys() -> io::Result<()> {
    const NAMELESS: *const c_char = std::ptr::null();
    // SAFETY: without a name, the call reads nothing.
    match unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, NAMELESS) } {
        -1 => match io::Error::last_os_error() {
            // The kernel has no keys, or a container may not use them: then nobody can read any.
            error if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => Ok(()),
            error => Err(error),
        },
        _ => Ok(()),
    }
}

fn become_somebody(identity: Option<&Identity>) -> io::Result<()> {
    if let Some(identity) = identity {
        leave_keys()?;
        // For this thread, which is the only one there is.
        rustix::thread::set_thread_groups(&identity.groups)?;
        rustix::thread::set_thread_res_gid(identity.gid, identity.gid, identity.gid)?;
        rustix::thread::set_thread_res_uid(identity.uid, identity.uid, identity.uid)?;
    }
    // What mainstay may beyond its user was given to mainstay. It fails where the kernel knows of none.
    let _ = rustix::thread::clear_ambient_capability_set();
    // With what is inheritable, a file's capabilities could be had (capabilities(7)).
    if let Ok(sets) = rustix::thread::capabilities(None) {
        let inheritable = rustix::thread::CapabilitySet::empty();
        let _ = rustix::thread::set_capabilities(None, rustix::thread::CapabilitySets { inheritable, ..sets });
    }
    Ok(())
}
