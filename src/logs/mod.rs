//! The log files of a service as the command line shows them: the last lines, and pieces of what is added.

mod pieces;
mod tail;

pub(crate) use pieces::{Piece, Pieces};
pub(crate) use tail::last_lines;

#[cfg(test)]
mod tests;
