//! Errors as people are told them: what is wrong, and what to do about it.

use std::io::{self, ErrorKind};

use crate::exit::ExitStatus;
use crate::protocol::{ErrorAnswer, ErrorCode};
use crate::render::style;
use crate::render::text::{plain_lines, wrap};

/// What to do about services that were left: the next mainstay adopts none (docs/decisions/0014-no-adoption-yet.md).
pub(crate) const END_THEM: &str = "What is left is not adopted: end it before you run mainstay again, or there will be two of each service. \
     Every process of a service has MAINSTAY_RUN in its environment:\n\
     `sudo grep -slz '^MAINSTAY_RUN=' /proc/[0-9]*/environ`";

/// An error with cause, cure and exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Told {
    /// What is wrong; may have several lines.
    pub(crate) message: String,
    /// What to do next; may have several lines.
    pub(crate) help: Option<String>,
    /// How the program ends because of it.
    pub(crate) status: ExitStatus,
}

impl Told {
    /// An error that ends the program with `status`.
    pub(crate) fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, status }
    }

    /// The same with a cure.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The text for standard error, styled, wrapped at `width` columns. Control characters are made visible:
    /// a message may quote what a device or a file says.
    pub(crate) fn render(&self, width: usize) -> String {
        let mut out = String::new();
        labelled(&mut out, "error: ", style::BAD, &self.message, width);
        if let Some(help) = &self.help {
            labelled(&mut out, "  help: ", style::GOOD, help, width);
        }
        out
    }
}

/// What helps where a directory cannot be written, and it is not for want of a right.
pub(crate) fn cure_of(why: &io::Error) -> Option<&'static str> {
    match why.kind() {
        ErrorKind::StorageFull => {
            Some("its file system is full: free some of it (`df` and `df -i` show which), or choose another directory")
        }
        ErrorKind::QuotaExceeded => Some("this user has no more room there: see `quota`, or choose another directory"),
        ErrorKind::FileTooLarge => Some("this user may write no file so large: raise the limit (`ulimit -f`)"),
        ErrorKind::ReadOnlyFilesystem => Some(
            "its file system can only be read: mount it for writing (`findmnt` shows how it is), or choose another directory",
        ),
        _ => None,
    }
}

fn labelled(out: &mut String, label: &str, style: anstyle::Style, text: &str, width: usize) {
    let indent = " ".repeat(label.len());
    for (nth, line) in plain_lines(text).enumerate() {
        let wrapped = wrap(&line, &indent, &indent, width);
        if nth == 0 {
            let rest = wrapped.strip_prefix(&indent).unwrap_or(&wrapped);
            out.push_str(&format!("{style}{label}{style:#}{rest}"));
        } else {
            out.push_str(&wrapped);
        }
        out.push('\n');
    }
}

impl From<ErrorAnswer> for Told {
    fn from(answer: ErrorAnswer) -> Self {
        let status = match answer.code {
            ErrorCode::UnknownName => ExitStatus::UnknownName,
            ErrorCode::NotInDemo | ErrorCode::Refused | ErrorCode::Forbidden | ErrorCode::Busy => ExitStatus::Refused,
            ErrorCode::Nothing | ErrorCode::BadRequest => ExitStatus::Failed,
        };
        Self { message: answer.message, help: answer.help, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::InstanceError;
    use crate::server::ServerError;

    #[test]
    fn an_error_shows_cause_and_cure_with_aligned_continuation_lines() {
        let told = Told::new(ExitStatus::Failed, "one two three four").help("five six seven");
        let text = anstream::adapter::strip_str(&told.render(20)).to_string();
        assert_eq!(text, "error: one two three\n       four\n  help: five six\n        seven\n");
    }

    #[test]
    fn what_cannot_be_written_for_want_of_room_is_not_told_as_a_want_of_rights() {
        let dir = || std::path::PathBuf::from("/run/x");
        let cures = |code| {
            let source = || io::Error::from_raw_os_error(code);
            let unusable = InstanceError::Unusable { dir: dir(), source: source() };
            let socket = ServerError::Io { path: dir(), source: source() };
            [Told::from(unusable), Told::from(socket)].map(|told| told.help.unwrap_or_default())
        };
        for (code, cure) in [
            (libc::ENOSPC, "`df`"),
            (libc::EDQUOT, "`quota`"),
            (libc::EFBIG, "`ulimit -f`"),
            (libc::EROFS, "`findmnt`"),
        ] {
            assert!(cures(code).iter().all(|told| told.contains(cure)), "{code}: {:?}", cures(code));
        }
        assert!(cures(libc::EACCES).iter().all(|told| told.contains("this user")));
    }

    #[test]
    fn an_error_cannot_drive_the_terminal() {
        let told = Told::new(ExitStatus::Failed, "no \u{1b}[2J device\nsecond line");
        let text = anstream::adapter::strip_str(&told.render(80)).to_string();
        assert_eq!(text, "error: no \\x1b[2J device\n       second line\n");
    }
}
