//! How processes end, why they could not be started, and what the system says.

use std::fmt;

use crate::action::process::{AccountKind, Exit, Needed, NotAs, NotRunnable, SpawnFailure, Status};
use mainstay_hardware::error::{Errno, SystemError};

/// That a program is being loaded for long.
pub(super) const LOADS_SLOWLY: &str =
    "its program is still being loaded: the disk it is on is slow, or does not answer";

in_words! {
    Exit, f:
    Self::Code(code) => "exit code {code}",
    Self::Signal(number) => {
        match signal_name(*number) {
            Some(name) => write!(f, "killed by SIG{name}"),
            None => write!(f, "killed by signal {number}"),
        }
    },
    Self::Unknown => "exit code unknown",
}

/// Names of signals as on Linux (signal(7)), without `SIG`.
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        _ => return None,
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words.as_ref().map(ToString::to_string).filter(|words| !words.is_empty());
        let error = self.errno.map(|errno| format!("it reports: {errno}"));
        let exit = self.exit.map(|code| format!("it reports exit code {code}"));
        f.write_str(&[words, error, exit].into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

in_words! {
    SpawnFailure, f:
    Self::NoProgram => "the command is empty",
    Self::NotFound(program) if program.contains('/') => "there is no program `{program}`; install it, or correct its path",
    Self::NotFound(program) => "there is no program `{program}` in the service's PATH; install it, write its full path, or set PATH in `environment`",
    Self::NotExecutable(program) => "`{program}` cannot be executed: permission denied; `chmod +x` it, or check the user it runs as",
    Self::NotRunnable { program, why } => "`{program}` {why}",
    Self::NotAs(why) => "{why}",
    Self::Directory { path, user, error } => {
        write!(f, "the working directory {} cannot be entered: ", path.display())?;
        match (error, user) {
            (SystemError::Number(Errno(libc::EACCES)), Some(user)) => write!(f, "`{user}` may not"),
            (SystemError::Number(Errno(libc::EACCES)), None) => f.write_str("permission denied"),
            (SystemError::Number(Errno(libc::ENOTDIR)), _) => f.write_str("it is not a directory"),
            _ => error.fmt(f),
        }
    },
    Self::Refused { what: Needed::Process(program), error: SystemError::Number(Errno(libc::EAGAIN)) } => "`{program}` could not be started: too many processes; see `ulimit -u` and the cgroup's pids.max",
    Self::Refused { what, error } => "{what}: {error}",
    Self::Busy => "mainstay is busy: thousands of programs wait to be started",
    Self::Ending => "mainstay is ending",
}

in_words! {
    /// In words that follow the program.
    NotRunnable, f:
    Self::NoInterpreter => "is there, but what should run it is not: look at its first line (`#!`), or whether it was built for this machine",
    Self::Directory => "is a directory; name the program in it",
    Self::Format => "is neither a program for this machine nor a script that begins with `#!`",
}

in_words! {
    NotAs, f:
    Self::Unknown(account, name) => ("there is no {account} `{name}` in {}; create it, or correct `{account}`", account.file()),
    Self::Unreadable(account, error) => ("{} cannot be read: {error}", account.file()),
    Self::NotRoot(account, name) => "mainstay is not root and cannot run a program as {account} `{name}`; start mainstay as root, or remove `{account}`",
    Self::NotCapable(program) => "mainstay may not change to the user or group that `{program}` shall run as; it needs CAP_SETUID and CAP_SETGID",
}

in_words! {
    /// As the configuration spells it.
    AccountKind, f:
    Self::User => "user",
    Self::Group => "group",
}

in_words! {
    Needed, f:
    Self::Process(program) => "`{program}` could not be started",
    Self::OutputPipe => "no pipe for its output",
    Self::NotificationSocket => "its notification socket could not be made",
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::round_trip::survives;

    fn errno(number: i32) -> SystemError {
        SystemError::Number(Errno(number))
    }

    #[test]
    fn each_failure_to_start_says_what_helps_and_can_be_written_down() {
        let (tool, nobody) = (|| "tool".to_owned(), || "nobody".to_owned());
        let runnable = |why| SpawnFailure::NotRunnable { program: tool(), why };
        let directory =
            |number| SpawnFailure::Directory { path: "/x".into(), user: Some(nobody()), error: errno(number) };
        let process = |number| SpawnFailure::Refused { what: Needed::Process(tool()), error: errno(number) };
        for (failure, words) in [
            (
                SpawnFailure::NotFound("a/tool".to_owned()),
                "there is no program `a/tool`; install it, or correct its path",
            ),
            (SpawnFailure::NotFound(tool()), "in the service's PATH; install it, write its full path, or set PATH"),
            (SpawnFailure::NotExecutable(tool()), "`chmod +x` it"),
            (runnable(NotRunnable::NoInterpreter), "`tool` is there, but what should run it is not"),
            (runnable(NotRunnable::Directory), "`tool` is a directory; name the program in it"),
            (runnable(NotRunnable::Format), "`tool` is neither a program for this machine nor a script"),
            (directory(libc::EACCES), "the working directory /x cannot be entered: `nobody` may not"),
            (directory(libc::ENOTDIR), "it is not a directory"),
            (directory(libc::ENOENT), "No such file or directory"),
            (process(libc::EAGAIN), "`tool` could not be started: too many processes; see `ulimit -u`"),
            (process(libc::ENOMEM), "`tool` could not be started: Cannot allocate memory"),
            (
                SpawnFailure::Refused { what: Needed::OutputPipe, error: errno(libc::ENFILE) },
                "no pipe for its output: ",
            ),
            (
                SpawnFailure::NotAs(NotAs::Unknown(AccountKind::Group, nobody())),
                "no group `nobody` in /etc/group; create",
            ),
            (
                SpawnFailure::NotAs(NotAs::NotRoot(AccountKind::User, nobody())),
                "start mainstay as root, or remove `user`",
            ),
            (SpawnFailure::NotAs(NotAs::NotCapable(tool())), "CAP_SETUID and CAP_SETGID"),
            (SpawnFailure::Busy, "mainstay is busy"),
        ] {
            survives(&failure);
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }
}
