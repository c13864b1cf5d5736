//! What is printed, and where.

use std::io::{self, Write};

use serde::Serialize;

use super::Ended;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::render::width_of;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Human,
    /// One JSON document on one line.
    Json,
}

impl From<super::args::Json> for Form {
    fn from(args: super::args::Json) -> Self {
        if args.json { Self::Json } else { Self::Human }
    }
}

/// Prints an answer in its form.
pub(super) fn show<V: Serialize>(form: Form, view: &V, human: impl FnOnce(&V) -> String) -> Result<(), Ended> {
    match form {
        Form::Human => print(&human(view)),
        Form::Json => json(view),
    }
}

/// Prints text for people; colours are dropped where they do not belong.
pub(super) fn print(text: &str) -> Result<(), Ended> {
    let mut out = anstream::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints one JSON document and a line end.
pub(super) fn json(value: &impl Serialize) -> Result<(), Ended> {
    let mut text = serde_json::to_vec(value).map_err(|why| Told::new(ExitStatus::Failed, why.to_string()))?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    written(out.write_all(&text).and_then(|()| out.flush()))
}

/// Tells an error.
pub(super) fn complain(told: &Told) {
    print_error(&told.render(width_of(io::stderr())));
}

/// Prints text about an error. Where not even that can be written, the exit code has to do.
pub(super) fn print_error(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

fn written(result: io::Result<()>) -> Result<(), Ended> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Ended::Said(ExitStatus::Ok)),
        Err(error) => {
            let told = Told::new(ExitStatus::Failed, format!("the output cannot be written: {error}"));
            Err(told.help("see where the output goes: a full disk, perhaps").into())
        }
        Ok(()) => Ok(()),
    }
}
