//! Problems as a graphical report, through miette.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::{Colour, Problem, Problems, count, place};

/// Lines longer than this are not drawn: the report would be unreadable, and its size a multiple of the file's.
const LONGEST_LINE: usize = 400;

/// A problem together with the text it is about, in miette's terms.
#[derive(Debug)]
struct Drawn<'a> {
    problem: &'a Problem,
    source: Option<&'a NamedSource<std::sync::Arc<str>>>,
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
        self.source.map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source?;
        let label = LabeledSpan::underline(self.problem.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

pub(super) fn problems(problems: &Problems, colour: Colour, width: usize) -> String {
    let theme = match colour {
        Colour::Always => GraphicalTheme::unicode(),
        Colour::Never => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_context_lines(1).with_links(false);
    let source = NamedSource::new(&problems.file, problems.text.clone());
    let mut out = String::new();
    for problem in &problems.list {
        let drawable = is_drawable(&problems.text, problem);
        let drawn = Drawn { problem, source: drawable.then_some(&source) };
        // Writing to a String does not fail; miette itself fails only for a span outside the text.
        if handler.render_report(&mut out, &drawn).is_err() || !drawable {
            let _ = writeln!(out, "   at {}:{}:{}", problems.file, problem.line, problem.column);
        }
        out.push('\n');
    }
    let _ = write!(out, "{}: {}", problems.file, count(problems.list.len() + problems.left_off));
    if problems.left_off > 0 {
        let _ = write!(out, ", the first {} of them shown", problems.list.len());
    }
    out.push('\n');
    out
}

/// Whether the line of a problem and its neighbours are short enough to be drawn.
fn is_drawable(text: &str, problem: &Problem) -> bool {
    let (_, _, line) = place(text, problem.span.start);
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let before = place(text, start.saturating_sub(1)).2;
    let after = place(text, start + line.len() + 1).2;
    [before, line, after].iter().all(|line| line.len() <= LONGEST_LINE)
}
