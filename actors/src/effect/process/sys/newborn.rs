//! A child, and what it does until it has become its program.
//!
//! posix_spawn(3) can neither put it into a control group nor make it somebody else. A child that moves itself into its group
//! makes the kernel wait for a grace period of RCU, tens of milliseconds on a small machine; one that is born there does not. And
//! a child that is forked has the page tables copied, and each page that mainstay touches meanwhile; one that borrows the memory
//! has not.

mod child;

use std::ffi::{CString, OsStr, c_char, c_int};
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI32;

use rustix::fs::{Mode, OFlags, openat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Gid, Pid, Rlimit, Uid, WaitId, WaitIdOptions, waitid};

use self::child::{Failure, Handlers, Task, child};
use super::clone3::{CloneArgs, clone3};
use super::{every_signal, set_mask};

/// `CLONE_CLEAR_SIGHAND` of the kernel's include/uapi/linux/sched.h (5.5).
const CLEAR_SIGHAND: u64 = 1 << 32;
/// `CLONE_INTO_CGROUP` of the same (5.7).
const INTO_CGROUP: u64 = 1 << 33;
/// Bytes of the child's stack. A handful of system calls need a few hundred.
const STACK: usize = 64 * 1024;

/// Whom a child becomes before it executes its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::effect::process) struct Identity {
    /// User.
    pub uid: Uid,
    /// Group.
    pub gid: Gid,
    /// Supplementary groups.
    pub groups: Vec<Gid>,
}

/// What becomes of the value in `oom_score_adj` (proc_pid_oom_score_adj(5)), which a child inherits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::effect::process) enum Protection {
    /// It stays.
    Kept,
    /// It becomes 0.
    GivenUp,
}

/// What a child does before it executes its program.
#[derive(Debug)]
pub(in crate::effect::process) struct Steps<'a> {
    /// Its standard input.
    pub input: BorrowedFd<'a>,
    /// Its standard output.
    pub output: BorrowedFd<'a>,
    /// Its standard error.
    pub errors: BorrowedFd<'a>,
    /// The folder of the control group (version 2) that it is in.
    pub group: Option<BorrowedFd<'a>>,
    /// It gets this limit on open files.
    pub open_files: Option<Rlimit>,
    /// It gets this limit on realtime processor time, by which its whole tree is known.
    pub tag: Option<Rlimit>,
    /// The signals that mainstay ignores: they are not to be ignored by it.
    pub ignored: &'a [c_int],
    /// Whether memory is taken from it before it is taken from others.
    pub protection: Protection,
    /// It becomes somebody else.
    pub identity: Option<&'a Identity>,
    /// The kernel writes its process id there before it runs: whoever cannot wait for it any longer can kill it.
    pub pid: &'a AtomicI32,
}

/// How far a child came that did not become its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::effect::process) enum Step {
    /// It was not born, or could not leave mainstay.
    Birth,
    /// It could not become somebody else.
    Identity,
    /// It could not enter its directory.
    Directory,
    /// It could not execute the file at this place in its list.
    Program(usize),
}

/// A child that did not become its program.
#[derive(Debug)]
pub(in crate::effect::process) struct Unborn {
    /// How far it came.
    pub step: Step,
    /// What the kernel said.
    pub error: io::Error,
}

/// Before there is a child.
impl From<io::Error> for Unborn {
    fn from(error: io::Error) -> Self {
        Self { step: Step::Birth, error }
    }
}

impl From<rustix::io::Errno> for Unborn {
    fn from(error: rustix::io::Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// A program as execve(2) wants it, made before there is a child: that one must not allocate memory.
#[derive(Debug)]
pub(in crate::effect::process) struct Program {
    paths: Vec<CString>,
    directory: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// The files that it may be, of which the child executes the first that it can; its working directory, from which they count; its
    /// arguments with its own name first, and its variables.
    ///
    /// # Errors
    /// A text has a zero byte in it.
    pub(in crate::effect::process) fn new<'a>(
        paths: &[PathBuf],
        directory: &Path,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        environment: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> io::Result<Self> {
        let text = |text: &OsStr| CString::new(text.as_bytes());
        let variable =
            |(name, value): (&OsStr, &OsStr)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat());
        Ok(Self {
            paths: paths.iter().map(|path| text(path.as_os_str())).collect::<Result<_, _>>()?,
            directory: text(directory.as_os_str())?,
            arguments: arguments.into_iter().map(text).collect::<Result<_, _>>()?,
            environment: environment.into_iter().map(variable).collect::<Result<_, _>>()?,
        })
    }

    /// Starts it in a session of its own, and waits until the kernel has executed it: its process id.
    ///
    /// # Errors
    /// How far it came, and what the kernel said.
    pub(in crate::effect::process) fn start(&self, steps: &Steps<'_>) -> Result<u32, Unborn> {
        self.start_by(bear, steps)
    }

    fn start_by(&self, bear: fn(&mut Task<'_>) -> io::Result<u32>, steps: &Steps<'_>) -> Result<u32, Unborn> {
        // The child has its program, or has said why not, when this thread goes on: there is nothing to wait for, and another child that
        // is just being started may hold the other end open.
        let (failures, failed) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (arguments, environment) = (pointers(&self.arguments), pointers(&self.environment));
        let failed_fd = failed.as_fd();
        let (joining, handlers) = (None, Handlers::Forgotten);
        let mut task = Task { program: self, steps, joining, handlers, arguments, environment, failed: failed_fd };
        // A handler of mainstay's must not run in the child.
        let before = set_mask(&every_signal())?;
        let born = bear(&mut task);
        set_mask(&before)?;
        let pid = born?;
        drop(failed);
        let mut told = Failure::UNREAD;
        match io::PipeReader::from(failures).read_exact(&mut told) {
            Ok(()) => {
                // Its control group can be removed once it has ended. Whoever waits for children may have done so already.
                let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                if let Some(pid) = c_int::try_from(pid).ok().and_then(Pid::from_raw) {
                    let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), ended));
                }
                Err(Failure::read(told))
            }
            // Executing the program has closed the other end, or nothing was said.
            Err(_) => Ok(pid),
        }
    }
}

/// Makes the child, in its group where the kernel can: a container may forbid what is new.
fn bear(task: &mut Task<'_>) -> io::Result<u32> {
    match bear_into_group(task) {
        Err(error) if is_forbidden_here(&error) => bear_beside(task),
        born => born,
    }
}

/// As with posix_spawn(3), this thread waits until the child has its program, and lends it its memory meanwhile instead of having
/// the page tables copied; but not to one that becomes somebody else, who could then look into it.
fn lending(task: &Task<'_>) -> c_int {
    let memory = if task.steps.identity.is_some() { 0 } else { libc::CLONE_VM };
    libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID | memory
}

fn bear_into_group(task: &mut Task<'_>) -> io::Result<u32> {
    let (mut stack, size) = stack();
    let (into, cgroup) = match task.steps.group.map(|group| u64::try_from(group.as_raw_fd())) {
        Some(Ok(number)) => (INTO_CGROUP, number),
        _ => (0, 0),
    };
    let arguments = CloneArgs {
        flags: into | CLEAR_SIGHAND | u64::from(lending(task).unsigned_abs()),
        parent_tid: task.steps.pid.as_ptr().expose_provenance() as u64,
        exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
        stack: stack.as_mut_ptr().expose_provenance() as u64,
        stack_size: size as u64,
        cgroup,
        ..CloneArgs::default()
    };
    // SAFETY: `child` ends in its program or by _exit(2), and needs a fraction of the stack. This thread waits until then.
    let born = unsafe { clone3(&arguments, child, (&raw mut *task).cast()) };
    number(born?)
}

/// The child joins its group itself.
fn bear_beside(task: &mut Task<'_>) -> io::Result<u32> {
    let (mut stack, size) = stack();
    task.handlers = Handlers::Inherited;
    let open = |group| openat(group, c"cgroup.procs", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    task.joining = task.steps.group.map(open).transpose()?;
    let flags = lending(task) | libc::SIGCHLD;
    // SAFETY: as above; clone(3) wants the end of the stack.
    let born = unsafe {
        libc::clone(child, stack.as_mut_ptr().add(size).cast(), flags, (&raw mut *task).cast(), task.steps.pid.as_ptr())
    };
    if born < 0 { Err(io::Error::last_os_error()) } else { number(born) }
}

/// Memory for a stack, and how much of it is used: stacks end at a multiple of 16.
fn stack() -> (Box<[MaybeUninit<u8>]>, usize) {
    let stack = Box::<[u8]>::new_uninit_slice(STACK);
    let size = STACK - stack.as_ptr().addr() % 16;
    (stack, size)
}

fn number(pid: i32) -> io::Result<u32> {
    u32::try_from(pid).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Not known to the kernel or on this processor, or not let through by a filter of system calls.
fn is_forbidden_here(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::E2BIG | libc::EOPNOTSUPP))
}

/// A list of texts that ends with a null pointer.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

#[cfg(test)]
mod tests;
