#![allow(clippy::unwrap_used)]
use std::fs::File;
use std::os::fd::AsFd;

use rustix::process::{WaitOptions, waitpid};

use super::*;

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

fn start(path: &str, script: &str, output: OwnedFd) -> io::Result<u32> {
    start_by(bear, path, script, output)
}

fn start_by(bear: fn(&mut Task<'_>) -> io::Result<u32>, path: &str, script: &str, output: OwnedFd) -> io::Result<u32> {
    let arguments = ["a shell", "-c", script].map(OsStr::new);
    let environment = [(OsStr::new("PATH"), OsStr::new("/usr/bin:/bin")), (OsStr::new("X"), OsStr::new("a = b"))];
    let input = File::open("/dev/null").unwrap();
    let pid = AtomicI32::new(0);
    let (group, open_files, identity) = (None, None, None);
    let steps = Steps { input: input.as_fd(), output: output.as_fd(), group, open_files, identity, pid: &pid };
    let born = Program::new(Path::new(path), Path::new("/usr"), arguments, environment)?.start_by(bear, &steps)?;
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
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
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
fn a_program_leads_a_session_of_its_own_without_a_terminal() {
    for bear in [bear, bear_beside] {
        let (said, pid) = says_by(bear, "echo $$; cut -d ' ' -f 5,6,7 /proc/$$/stat");
        assert_eq!(said, format!("{pid}\n{pid} {pid} 0"), "itself; its group, its session and its terminal");
    }
}

#[test]
fn what_the_kernel_says_to_a_program_is_told() {
    let output = || File::options().write(true).open("/dev/null").unwrap().into();
    assert_eq!(start("/no/such/program", "", output()).unwrap_err().raw_os_error(), Some(libc::ENOENT));
    assert_eq!(start("/etc/passwd", "", output()).unwrap_err().raw_os_error(), Some(libc::EACCES));
    assert_eq!(start("/bin/sh", "a\0b", output()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}
