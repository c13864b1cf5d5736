//! The daemon's answers for people, in 80 columns or the terminal's width.
//!
//! Everything is rendered into a `String` with colours; the output stream drops them where they do not belong. Nothing
//! is cut: what does not fit is continued on the next line.

mod devices;
mod leases;
mod parts;
mod status;
pub(crate) mod style;
mod table;
pub(crate) mod text;
mod time;
mod trace;
mod tree;
mod why;

use std::time::SystemTime;

pub(crate) use devices::devices;
pub(crate) use leases::leases;
pub(crate) use status::status;
pub(crate) use trace::trace;
pub(crate) use why::why;

/// What the rendering depends on besides the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    /// The present, for "3m 12s ago".
    pub(crate) now: SystemTime,
}

/// The width where there is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// Narrower than this, tables are left to the terminal's own wrapping.
const NARROWEST: usize = 40;
/// Wider than this is hard to read.
const WIDEST: usize = 160;

impl Look {
    /// For standard output, now. A clock before 1970 cannot be written.
    pub(crate) fn of_stdout() -> Self {
        Self { width: width_of(std::io::stdout()), now: SystemTime::now().max(SystemTime::UNIX_EPOCH) }
    }
}

/// The width to use for a stream: its terminal's, or 80 columns.
pub(crate) fn width_of(stream: impl std::os::fd::AsFd) -> usize {
    terminal_size::terminal_size_of(stream)
        .map_or(DEFAULT_WIDTH, |(terminal_size::Width(width), _)| usize::from(width).clamp(NARROWEST, WIDEST))
}

/// What was done: a line for each thing, and where to look next.
pub(crate) fn done(said: &[String], trace: Option<u64>, look: &Look) -> String {
    let mut out = String::new();
    for sentence in said {
        out.push_str(&text::wrap(&text::plain(sentence), "", "  ", look.width));
        out.push('\n');
    }
    if let Some(trace) = trace {
        let quiet = style::QUIET;
        out.push_str(&format!("{quiet}Follow it: mainstay trace {trace}{quiet:#}\n"));
    }
    out
}

#[cfg(test)]
mod tests;
