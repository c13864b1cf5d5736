//! Problems as a graphical report, through miette.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::excerpt::{Excerpt, WIDEST};
use super::visible::visible;
use super::{Colour, Problem, Problems, count};

/// A problem together with the lines it is about, in miette's terms.
#[derive(Debug)]
struct Drawn<'a> {
    problem: &'a Problem,
    excerpt: Excerpt,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.problem.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::underline(self.excerpt.mark.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

pub(super) fn problems(problems: &Problems, colour: Colour, width: usize) -> String {
    /// What miette writes before a line of the file, and a few columns to spare.
    const MARGIN: usize = 12;
    const NARROWEST: usize = 40;
    let theme = match colour {
        Colour::Always => GraphicalTheme::unicode(),
        Colour::Never => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_context_lines(1).with_links(false);
    let most = width.saturating_sub(MARGIN).clamp(NARROWEST, WIDEST);
    let file = visible(&problems.file);
    let mut out = String::new();
    for problem in &problems.list {
        let drawn = Drawn { problem, excerpt: Excerpt::new(&file, &problems.text, problem, most) };
        // Writing to a String does not fail; miette itself fails only for a span outside the text.
        if handler.render_report(&mut out, &drawn).is_err() {
            let _ = writeln!(out, "   at {file}:{}:{}", problem.line, problem.column);
        }
        out.push('\n');
    }
    let _ = write!(out, "{file}: {}", count(problems.list.len() + problems.left_off));
    if problems.left_off > 0 {
        let _ = write!(out, ", the first {} of them shown", problems.list.len());
    }
    out.push('\n');
    out
}
