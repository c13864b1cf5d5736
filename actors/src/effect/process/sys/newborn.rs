//! A child of clone3(2), and what it does until it has become its program.
//!
//! posix_spawn(3) can neither change who a program runs as nor put it into a control group. A child that moves itself there makes the
//! kernel wait for a grace period of RCU, tens of milliseconds on a small machine; one that is born there does not.

use std::convert::Infallible;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_long};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Gid, Pid, Resource, Rlimit, Uid, WaitId, WaitIdOptions, waitid};

use super::{every_signal, no_signal, set_default, set_mask};

/// `CLONE_CLEAR_SIGHAND` of the kernel's include/uapi/linux/sched.h (5.5): caught signals are at their defaults in the child.
const CLEAR_SIGHAND: u64 = 1 << 32;
/// `CLONE_INTO_CGROUP`, likewise (5.7).
const INTO_CGROUP: u64 = 1 << 33;

/// `struct clone_args` in its third version, which knows `cgroup`.
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

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

/// What a child does before it executes its program.
#[derive(Debug)]
pub(in crate::effect::process) struct Steps<'a> {
    /// Its standard input.
    pub input: BorrowedFd<'a>,
    /// Its standard output and error.
    pub output: BorrowedFd<'a>,
    /// The folder of the control group (version 2) that it is in.
    pub group: Option<BorrowedFd<'a>>,
    /// It gets this limit on open files.
    pub open_files: Option<Rlimit>,
    /// It becomes somebody else.
    pub identity: Option<&'a Identity>,
}

/// A program as execve(2) wants it, made before there is a child: that one must not allocate memory.
#[derive(Debug)]
pub(in crate::effect::process) struct Program {
    path: CString,
    directory: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// The program's file, its working directory, its arguments with its own name first, and its variables.
    ///
    /// # Errors
    /// A text has a zero byte in it.
    pub(in crate::effect::process) fn new<'a>(
        path: &Path,
        directory: &Path,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        environment: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> io::Result<Self> {
        let text = |text: &OsStr| CString::new(text.as_bytes());
        let variable =
            |(name, value): (&OsStr, &OsStr)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat());
        Ok(Self {
            path: text(path.as_os_str())?,
            directory: text(directory.as_os_str())?,
            arguments: arguments.into_iter().map(text).collect::<Result<_, _>>()?,
            environment: environment.into_iter().map(variable).collect::<Result<_, _>>()?,
        })
    }

    /// Starts it in a process group of its own, and waits until the kernel has executed it: its process id.
    ///
    /// A child that fails is left to whoever waits for children.
    ///
    /// # Errors
    /// What the kernel said to a step or to the program.
    pub(in crate::effect::process) fn start(&self, steps: &Steps<'_>) -> io::Result<u32> {
        let (failures, failed) = pipe_with(PipeFlags::CLOEXEC)?;
        let (arguments, environment) = (pointers(&self.arguments), pointers(&self.environment));
        // A handler of mainstay's must not run in the child.
        let before = set_mask(&every_signal())?;
        let pid = match bear(steps.group) {
            Ok(Born::Child(joining)) => {
                let Err(error) = self.become_it(steps, joining.as_ref(), &arguments, &environment);
                // Four bytes into an empty pipe are written whole, and its reader waits for them.
                let _ = rustix::io::write(&failed, &error.raw_os_error().unwrap_or(libc::EIO).to_ne_bytes());
                // SAFETY: _exit(2) runs nothing of this copy of mainstay.
                unsafe { libc::_exit(127) }
            }
            Ok(Born::Parent(pid)) => Ok(pid),
            Err(error) => Err(error),
        };
        set_mask(&before)?;
        drop(failed);
        let pid = pid?;
        let mut error = [0; size_of::<c_int>()];
        match io::PipeReader::from(failures).read_exact(&mut error) {
            Ok(()) => {
                // Its control group can be removed once it has ended. Whoever waits for children may have done so already.
                let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                if let Some(pid) = c_int::try_from(pid).ok().and_then(Pid::from_raw) {
                    let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), ended));
                }
                Err(io::Error::from_raw_os_error(c_int::from_ne_bytes(error)))
            }
            // Executing the program has closed the other end.
            Err(_) => Ok(pid),
        }
    }

    /// Does the steps and executes the program. Nothing but system calls: this is a copy of one thread of several, and a lock that
    /// another one held is held for ever.
    fn become_it(
        &self,
        steps: &Steps<'_>,
        joining: Option<&OwnedFd>,
        arguments: &[*const c_char],
        environment: &[*const c_char],
    ) -> io::Result<Infallible> {
        prepare(steps, joining, &self.directory)?;
        // SAFETY: both lists end with a null pointer and point to texts of `self`, which end with a zero byte.
        unsafe { libc::execve(self.path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        Err(io::Error::last_os_error())
    }
}

fn prepare(steps: &Steps<'_>, joining: Option<&OwnedFd>, directory: &CStr) -> io::Result<()> {
    rustix::stdio::dup2_stdin(steps.input)?;
    rustix::stdio::dup2_stdout(steps.output)?;
    rustix::stdio::dup2_stderr(steps.output)?;
    if let Some(procs) = joining {
        rustix::io::write(procs, b"0")?;
    }
    rustix::process::setpgid(None, None)?;
    rustix::process::chdir(directory)?;
    if let Some(limit) = steps.open_files {
        rustix::process::setrlimit(Resource::Nofile, limit)?;
    }
    if let Some(identity) = steps.identity {
        // For this thread, which is the only one there is.
        rustix::thread::set_thread_groups(&identity.groups)?;
        rustix::thread::set_thread_res_gid(identity.gid, identity.gid, identity.gid)?;
        rustix::thread::set_thread_res_uid(identity.uid, identity.uid, identity.uid)?;
    }
    // Ignored by std in mainstay, and by nobody who starts a program.
    set_default(libc::SIGPIPE)?;
    set_mask(&no_signal()).map(drop)
}

/// Which of the two one is, after there are two.
#[derive(Debug)]
enum Born {
    /// The one there was, with the process id of the other.
    Parent(u32),
    /// The new one, with the `cgroup.procs` by which it has to join its group itself.
    Child(Option<OwnedFd>),
}

/// Makes the child, in its group where the kernel can: a container may forbid what is new.
fn bear(group: Option<BorrowedFd<'_>>) -> io::Result<Born> {
    match clone3(group) {
        Err(error) if is_forbidden_here(&error) => {
            let open = |group| openat(group, c"cgroup.procs", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
            let joining = group.map(open).transpose()?;
            // SAFETY: the child only makes system calls, see `Program::become_it`.
            born(unsafe { libc::fork() }.into(), joining)
        }
        cloned => born(cloned?, None),
    }
}

/// Not known to the kernel, or not let through by a filter of system calls.
fn is_forbidden_here(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::E2BIG | libc::EOPNOTSUPP))
}

fn born(pid: c_long, joining: Option<OwnedFd>) -> io::Result<Born> {
    match u32::try_from(pid) {
        Ok(0) => Ok(Born::Child(joining)),
        Ok(pid) => Ok(Born::Parent(pid)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// 0 in the child.
fn clone3(group: Option<BorrowedFd<'_>>) -> io::Result<c_long> {
    let (into, cgroup) = match group.map(|group| u64::try_from(group.as_raw_fd())) {
        Some(Ok(number)) => (INTO_CGROUP, number),
        _ => (0, 0),
    };
    let exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    let arguments = CloneArgs { flags: CLEAR_SIGHAND | into, exit_signal, cgroup, ..CloneArgs::default() };
    // SAFETY: the arguments are those of a fork: no memory, descriptors or stack are shared. The child only makes system calls, see
    // `Program::become_it`, so it does not matter that the C library was not told of it.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<CloneArgs>()) };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
}

/// A list of texts that ends with a null pointer.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use rustix::process::{WaitOptions, waitpid};

    use super::*;

    /// Starts a shell with a script in `/usr` and a variable of its own: what it printed, and its process id.
    fn says(script: &str) -> (String, u32) {
        let (output, input) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let pid = start("/bin/sh", script, input).unwrap();
        let mut said = String::new();
        io::PipeReader::from(output).read_to_string(&mut said).unwrap();
        let pid = Pid::from_raw(pid.try_into().unwrap());
        waitpid(pid, WaitOptions::empty()).unwrap();
        (said.trim_end().to_owned(), pid.unwrap().as_raw_nonzero().get().unsigned_abs())
    }

    fn start(path: &str, script: &str, output: OwnedFd) -> io::Result<u32> {
        let arguments = ["a shell", "-c", script].map(OsStr::new);
        let environment = [(OsStr::new("PATH"), OsStr::new("/usr/bin:/bin")), (OsStr::new("X"), OsStr::new("a = b"))];
        let input = File::open("/dev/null").unwrap();
        let steps =
            Steps { input: input.as_fd(), output: output.as_fd(), group: None, open_files: None, identity: None };
        Program::new(Path::new(path), Path::new("/usr"), arguments, environment)?.start(&steps)
    }

    #[test]
    fn a_program_gets_its_name_its_variables_and_its_directory() {
        assert_eq!(
            says("echo \"$0, $X, $(pwd)\"; env | grep -c .; cat").0.replace('\n', ", "),
            "a shell, a = b, /usr, 3"
        );
    }

    #[test]
    fn a_program_inherits_no_mask_and_no_ignored_pipe() {
        let (said, _) = says("exec grep -E 'SigBlk|SigIgn' /proc/self/status");
        let words: Vec<&str> = said.split_whitespace().collect();
        assert_eq!(words[1].trim_start_matches('0'), "", "{said}");
        let ignored = u64::from_str_radix(words[3], 16).unwrap();
        assert_eq!(ignored & (1 << (libc::SIGPIPE - 1)), 0, "{said}");
    }

    #[test]
    fn a_program_inherits_no_descriptor_that_is_not_meant_for_it() {
        let (said, _) = says("ls /proc/$$/fd");
        // The test itself may have been started with some.
        let is_inherited = |number: &str| {
            let flags = File::open(format!("/proc/self/fdinfo/{number}")).map(io::read_to_string).unwrap().unwrap();
            let flags = flags.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
            u32::from_str_radix(flags.trim(), 8).unwrap() & OFlags::CLOEXEC.bits() == 0
        };
        assert!(said.lines().all(|number| ["0", "1", "2"].contains(&number) || is_inherited(number)), "{said}");
    }

    #[test]
    fn a_program_leads_a_process_group_of_its_own() {
        let (said, pid) = says("cut -d ' ' -f 5 /proc/$$/stat | tr -d '\\n'; printf ' %s' $$");
        // Its name has a space.
        assert!(said.ends_with(&format!(" {pid}")) && said.contains(&pid.to_string()), "{said}");
    }

    #[test]
    fn what_the_kernel_says_to_a_program_is_told() {
        let output = || File::options().write(true).open("/dev/null").unwrap().into();
        assert_eq!(start("/no/such/program", "", output()).unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(start("/etc/passwd", "", output()).unwrap_err().raw_os_error(), Some(libc::EACCES));
        assert_eq!(start("/bin/sh", "a\0b", output()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
