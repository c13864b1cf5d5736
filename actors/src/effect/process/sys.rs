//! The few calls that neither std nor rustix offers as safe functions.
#![allow(
    unsafe_code,
    reason = "waitid with the pid it peeked at, code between fork and exec, and ignoring a signal have no safe form"
)]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Gid, Resource, Rlimit, Uid};

use super::order::Exit;

/// A child that has ended and is not reaped yet: its number cannot be given to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
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

/// Whom a child becomes before it executes its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// User.
    pub uid: Uid,
    /// Group.
    pub gid: Gid,
    /// Supplementary groups.
    pub groups: Vec<Gid>,
}

/// What a child does between fork and exec.
#[derive(Debug)]
pub(super) struct BeforeExec {
    /// It joins the cgroup whose `cgroup.procs` this is.
    pub cgroup: Option<OwnedFd>,
    /// It gets this limit on open files.
    pub open_files: Option<Rlimit>,
    /// It becomes somebody else.
    pub identity: Option<Identity>,
}

impl BeforeExec {
    /// Only system calls, no memory is allocated: this runs in a forked copy of a process with threads.
    fn run(&self) -> io::Result<()> {
        if let Some(procs) = &self.cgroup {
            rustix::io::write(procs, b"0")?;
        }
        if let Some(limit) = self.open_files {
            rustix::process::setrlimit(Resource::Nofile, limit)?;
        }
        if let Some(identity) = &self.identity {
            rustix::thread::set_thread_groups(&identity.groups)?;
            rustix::thread::set_thread_res_gid(identity.gid, identity.gid, identity.gid)?;
            rustix::thread::set_thread_res_uid(identity.uid, identity.uid, identity.uid)?;
        }
        Ok(())
    }
}

/// Lets the child do `steps` before it executes its program.
pub(super) fn before_exec(command: &mut Command, steps: BeforeExec) {
    // SAFETY: `BeforeExec::run` makes raw system calls on memory and descriptors prepared before the fork; it takes no
    // lock and allocates nothing. The child has one thread, so the per-thread calls change the whole process.
    unsafe {
        command.pre_exec(move || steps.run());
    }
}

/// Makes this process deaf to a signal.
pub(super) fn ignore(signal: c_int) -> io::Result<()> {
    // SAFETY: SIG_IGN installs no code of ours.
    if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
