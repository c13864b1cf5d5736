//! What is shown of the lines around a problem: a window where a line is long, and nothing that drives the terminal.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::visible::visible_but_tabs;
use super::{Problem, place};

/// Lines of up to this many characters are shown whole; it is also the widest window.
pub(super) const WIDEST: usize = 200;

/// The part of a line that is shown: all of it, or `most` characters around the one at byte `at`.
pub(super) fn window(line: &str, at: usize, most: usize) -> Range<usize> {
    let count = line.chars().count();
    if count <= WIDEST {
        return 0..line.len();
    }
    let nth = line.char_indices().take_while(|(byte, _)| *byte < at).count();
    let first = nth.saturating_sub(most / 2).min(count.saturating_sub(most));
    let byte = |nth| line.char_indices().nth(nth).map_or(line.len(), |(byte, _)| byte);
    byte(first)..byte(first + most)
}

/// `text` as a part of `line`: with `…` where the line goes on.
pub(super) fn marked(line: &str, part: &Range<usize>, text: &str) -> String {
    let (before, after) = cuts(line, part);
    format!("{before}{text}{after}")
}

fn cuts(line: &str, part: &Range<usize>) -> (&'static str, &'static str) {
    let mark = |is_cut| if is_cut { "…" } else { "" };
    (mark(part.start > 0), mark(part.end < line.len()))
}

/// The line of a problem between its neighbours, with their real numbers and the real column.
#[derive(Debug)]
pub(super) struct Excerpt {
    file: String,
    text: String,
    /// Number of the first line that is shown, from 1.
    first_line: usize,
    line: usize,
    column: usize,
    /// What is underlined, in bytes of the excerpt.
    pub(super) mark: Range<usize>,
}

impl Excerpt {
    /// `file` is safe to show; a long line is cut to `most` characters.
    pub(super) fn new(file: &str, text: &str, problem: &Problem, most: usize) -> Self {
        let (line, column, source) = place(text, problem.span.start);
        let start = source.as_ptr() as usize - text.as_ptr() as usize;
        let behind = text.get(start + source.len()..).and_then(|rest| rest.split_once('\n')).map(|(_, rest)| rest);
        let mut out = String::new();
        let mut first_line = line;
        if start > 0 {
            first_line -= 1;
            out.push_str(&neighbour(place(text, start - 1).2, most));
            out.push('\n');
        }
        let within = |byte: usize| byte.saturating_sub(start).min(source.len());
        let (from, to) = (within(problem.span.start), within(problem.span.end));
        let part = window(source, from, most);
        let safe = |range: Range<usize>| visible_but_tabs(source.get(range).unwrap_or_default());
        let (lead, marked_text) = (safe(part.start..from), safe(from..to.min(part.end)));
        let begin = out.len() + cuts(source, &part).0.len() + lead.len();
        out.push_str(&marked(source, &part, &safe(part.clone())));
        // Without a line end, a mark behind the last character would not be drawn.
        out.push('\n');
        if let Some(rest) = behind.filter(|rest| !rest.is_empty()) {
            out.push_str(&neighbour(place(rest, 0).2, most));
        }
        let mark = begin..begin + marked_text.len();
        Self { file: file.to_owned(), text: out, first_line, line, column, mark }
    }
}

/// The beginning of a line above or below.
fn neighbour(line: &str, most: usize) -> String {
    let part = window(line, 0, most);
    marked(line, &part, &visible_but_tabs(line.get(part.clone()).unwrap_or_default()))
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        lines_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without lines around it the place of the span itself is asked for. miette would count the column in bytes.
        let (line, column) = if lines_before == 0 { (self.line, self.column) } else { (self.first_line, 1) };
        let (bytes, all) = (self.text.as_bytes(), (0, self.text.len()).into());
        let lines = self.text.lines().count();
        let contents = MietteSpanContents::new_named(self.file.clone(), bytes, all, line - 1, column - 1, lines);
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{WIDEST, window};

    proptest! {
        #[test]
        fn a_window_holds_the_character_it_is_about(line in "[aß€]{0,500}", nth in 0usize..500, most in 40usize..=WIDEST) {
            let at = line.char_indices().nth(nth).map_or(line.len(), |(byte, _)| byte);
            let part = window(&line, at, most);
            prop_assert!(part.start <= at && at <= part.end);
            let shown = line.get(part).unwrap().chars().count();
            prop_assert_eq!(shown, if line.chars().count() <= WIDEST { line.chars().count() } else { most });
        }
    }
}
