#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{WaitOptions, waitpid};

use super::*;
use crate::effect::process::sys::{ignore, ignored};

/// Starts a shell with a script in `/usr` and a variable of its own: what it printed, and its process id.
fn says(script: &str) -> (String, u32) {
    says_by(bear, script)
}

fn says_by(bear: fn(&mut Task<'_>) -> io::Result<u32>, script: &str) -> (String, u32) {
    let (output, input) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let pid = start_by(bear, "/bin/sh", script, input).unwrap();
    let mut said = String::new();
    io::PipeReader::from(output).read_to_string(&mut said).unwrap();
    let pid = Pid::from_raw(pid.try_into().unwrap());
    waitpid(pid, WaitOptions::empty()).unwrap();
    (said.trim_end().to_owned(), pid.unwrap().as_raw_nonzero().get().unsigned_abs())
}

fn start(path: &str, script: &str, output: OwnedFd) -> Result<u32, Unborn> {
    start_by(bear, path, script, output)
}

fn start_by(
    bear: fn(&mut Task<'_>) -> io::Result<u32>,
    path: &str,
    script: &str,
    output: OwnedFd,
) -> Result<u32, Unborn> {
    let arguments = ["a shell", "-c", script].map(OsStr::new);
    let environment = [(OsStr::new("PATH"), OsStr::new("/usr/bin:/bin")), (OsStr::new("X"), OsStr::new("a = b"))];
    let input = File::open("/dev/null").unwrap();
    let pid = AtomicI32::new(0);
    let (group, open_files, tag, identity) = (None, None, None, None);
    let (input, output, errors, ignored) = (input.as_fd(), output.as_fd(), output.as_fd(), &ignored()[..]);
    let protection = Protection::Kept;
    let steps = Steps { input, output, errors, group, open_files, tag, ignored, protection, identity, pid: &pid };
    let born = Program::new(&[path.into()], Path::new("/usr"), arguments, environment)?.start_by(bear, &steps)?;
    assert_eq!(u32::try_from(pid.into_inner()), Ok(born), "the kernel has written it");
    Ok(born)
}

#[test]
fn a_program_gets_its_name_its_variables_and_its_directory() {
    assert_eq!(says("echo \"$0, $X, $(pwd)\"; env | grep -c .; cat").0.replace('\n', ", "), "a shell, a = b, /usr, 3");
}

#[test]
fn a_program_is_started_also_where_what_is_new_in_the_kernel_is_forbidden() {
    let (said, pid) = says_by(bear_beside, "echo \"$X $$\"");
    assert_eq!(said, format!("a = b {pid}"));
    let output = File::options().write(true).open("/dev/null").unwrap().into();
    let error = start_by(bear_beside, "/no/such/program", "", output).unwrap_err();
    assert_eq!((error.step, error.error.raw_os_error()), (Step::Program(0), Some(libc::ENOENT)));
}

#[test]
fn a_program_inherits_no_mask_and_ignores_no_signal() {
    // Two that mean nothing to this process; it is to ignore SIGPIPE already.
    for signal in [libc::SIGWINCH, 64] {
        ignore(signal).unwrap();
    }
    for bear in [bear, bear_beside] {
        let (said, _) = says_by(bear, "exec grep -E 'SigBlk|SigIgn' /proc/self/status");
        let words: Vec<&str> = said.split_whitespace().collect();
        assert_eq!([words[1], words[3]].map(|mask| mask.trim_start_matches('0')), ["", ""], "{said}");
    }
}

#[test]
fn a_program_inherits_no_descriptor_whatever_it_is_marked_with() {
    let secret = File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    for bear in [bear, bear_beside] {
        let (said, _) = says_by(bear, "for fd in /proc/$$/fd/*; do readlink $fd; done");
        let is_meant = |file: &str| file == "/dev/null" || file.starts_with("pipe:") || file.starts_with("/proc/");
        assert!(said.lines().all(is_meant), "{said}");
    }
}

#[test]
fn a_program_leads_a_session_of_its_own_without_a_terminal() {
    for bear in [bear, bear_beside] {
        let (said, pid) = says_by(bear, "echo $$; cut -d ' ' -f 5,6,7 /proc/$$/stat");
        assert_eq!(said, format!("{pid}\n{pid} {pid} 0"), "itself; its group, its session and its terminal");
    }
}

#[test]
fn what_the_kernel_says_to_a_program_is_told() {
    let output = || File::options().write(true).open("/dev/null").unwrap().into();
    assert_eq!(start("/no/such/program", "", output()).unwrap_err().error.raw_os_error(), Some(libc::ENOENT));
    assert_eq!(start("/etc/passwd", "", output()).unwrap_err().error.raw_os_error(), Some(libc::EACCES));
    assert_eq!(start("/bin/sh", "a\0b", output()).unwrap_err().error.kind(), io::ErrorKind::InvalidInput);
}
