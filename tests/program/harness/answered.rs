//! The command line's answers.

use std::process::Output;

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answered {
    pub(super) fn from(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Both outputs without their line breaks.
    pub(crate) fn words(&self) -> String {
        format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
