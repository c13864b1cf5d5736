//! What is no TOML: said once for each section that is broken. The other sections are checked all the same.
//!
//! After a syntax error the parser guesses, and problems with its guesses would mislead. So each section is parsed by
//! itself, and those that are broken are left out, with all that belongs to the same device or service.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, Error};

use crate::diagnostics::{Code, Report};

/// How the parser begins what it says of a word without quotes, and of no value at all.
const UNQUOTED: &str = "string values must be quoted";

/// Whether an error leaves the document readable: a key stands twice.
fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

/// Whether the text was understood, but for keys that stand twice.
pub(crate) fn is_readable(errors: &[Error]) -> bool {
    errors.iter().all(is_duplicate)
}

/// Reports keys that stand twice.
pub(crate) fn duplicates(errors: &[Error], text: &str, report: &mut Report) {
    for error in errors.iter().filter(|error| is_duplicate(error)) {
        let span = span(error, text);
        let key = text.get(span.clone()).unwrap_or("the key");
        let help = "keep one of the two; TOML does not let the later one win";
        report.problem(Code::DuplicateKey, &span, format!("`{key}` stands here a second time"), help);
    }
}

/// Reports what is no TOML in the text, and returns the text with the broken sections blanked out.
///
/// `errors` are those of the whole text. When no section can be blamed, nothing is left.
pub(crate) fn rest(text: &str, errors: &[Error], report: &mut Report) -> String {
    // A text over several lines may hold what looks like a section.
    let is_plain = !text.contains("\"\"\"") && !text.contains("'''");
    let sections = if is_plain { sections(text) } else { Vec::new() };
    let mut broken = BTreeSet::new();
    for section in &sections {
        let own = text.get(section.span.clone()).unwrap_or_default();
        let (_, errors) = DeTable::parse_recoverable(own);
        if !is_readable(&errors) {
            tell(&errors, own, section.span.start, "the rest of its section is", report);
            broken.insert(section.key.as_slice());
        }
    }
    let left_out = sections.iter().filter(|section| section.is_part_of(&broken));
    let rest = without(text, left_out, report);
    if !broken.is_empty() && is_readable(&DeTable::parse_recoverable(&rest).1) {
        return rest;
    }
    if broken.is_empty() {
        tell(errors, text, 0, "other mistakes in the file are", report);
    }
    String::new()
}

/// A part of the text that begins with its `[header]`; the first one has none.
struct Section<'t> {
    span: Range<usize>,
    /// The first two names of the header: `services` and `gpsd`. Further ones are parts of the same thing.
    key: Vec<&'t str>,
}

impl Section<'_> {
    /// Whether it is broken, or belongs to a device or service of which something is broken.
    fn is_part_of(&self, broken: &BTreeSet<&[&str]>) -> bool {
        broken.contains(self.key.as_slice())
            || self.key.first().is_some_and(|first| broken.contains([*first].as_slice()))
    }
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = vec![Section { span: 0..0, key: Vec::new() }];
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let start = end;
        end += line.len();
        if let Some(key) = header(line) {
            sections.push(Section { span: start..end, key });
        } else if let Some(section) = sections.last_mut() {
            section.span.end = end;
        }
    }
    sections
}

/// The first two names of a header, also of one that is not closed.
fn header(line: &str) -> Option<Vec<&str>> {
    let names = line.trim_start().strip_prefix('[')?.trim_start_matches('[').trim_start();
    let names = names.split([']', '#', '\n']).next()?;
    // A line of a list begins with a quote, or has a comma.
    let is_header = names.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c)) && !names.contains(',');
    is_header.then(|| names.split('.').map(|name| name.trim().trim_matches(['"', '\''])).take(2).collect())
}

/// The text with sections blanked out, so that all places in it stay the same. What is defined in them is not known.
fn without<'s, 't: 's>(text: &str, sections: impl Iterator<Item = &'s Section<'t>>, report: &mut Report) -> String {
    let mut rest = String::with_capacity(text.len());
    for section in sections {
        rest.push_str(text.get(rest.len()..section.span.start).unwrap_or_default());
        let blanked = text.get(section.span.clone()).unwrap_or_default();
        report.unread(blanked);
        rest.extend(blanked.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' }));
    }
    rest.push_str(text.get(rest.len()..).unwrap_or_default());
    rest
}

/// Reports the first error, and those after it that cannot follow from it. `unseen` is what is not looked at for now.
fn tell(errors: &[Error], text: &str, offset: usize, unseen: &str, report: &mut Report) {
    let mut errors: Vec<&Error> = errors.iter().filter(|error| !is_duplicate(error)).collect();
    // Where a text is not closed, neither is what it stands in.
    errors.sort_by_key(|error| (span(error, text).start, !error.message().starts_with("invalid")));
    let is_other = !text.lines().any(is_like_toml);
    let mut unseen = match is_other {
        true => "; no line here is like that: is this the right file?".to_owned(),
        false => format!("; {unseen} looked at once this is right"),
    };
    for error in errors {
        let span = span(error, text);
        let in_list = is_key_in_list(error.message(), text, span.start);
        let (message, help) = if in_list {
            ("a list before this key is not closed", "close the list with `]`")
        } else {
            words(error.message(), text.get(span.clone()).unwrap_or_default())
        };
        let span = offset + span.start..offset + span.end;
        report.problem(Code::Syntax, &span, format!("this is not TOML: {message}"), format!("{help}{unseen}"));
        unseen.clear();
        if is_other || in_list || !is_by_itself(error.message()) {
            break;
        }
    }
}

/// Whether a line may have been meant as TOML: it begins with a section or a key.
fn is_like_toml(line: &str) -> bool {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || " \t_-.\"'".contains(c));
    header(line).is_some() || line.split_once('=').is_some_and(|(key, _)| is_key(key.trim()))
}

/// Where an error is; one behind the end is at the end of the last line that holds something.
fn span(error: &Error, text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    let found = error.span().filter(|span| span.start < text.len());
    let found = found.or_else(|| is_too_deep(error).then(|| too_deep(text)).flatten());
    found.unwrap_or(end..end)
}

fn is_too_deep(error: &Error) -> bool {
    error.message().contains("recursion")
}

/// The first line that is nested too deep by itself: the parser does not say where.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut end = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        end += line.len();
        (end - line.len(), line)
    });
    lines.find(|(_, line)| DeTable::parse_recoverable(line).1.iter().any(is_too_deep)).map(|(start, line)| {
        let begin = start + line.len() - line.trim_start().len();
        begin..start + line.trim_end().len()
    })
}

/// Whether the parser takes the key of the next line for an item of a list.
fn is_key_in_list(message: &str, text: &str, at: usize) -> bool {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let begins_line = before.trim_end_matches([' ', '\t']).ends_with('\n');
    let behind = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-.\"".contains(c));
    let is_key = behind.len() < after.len() && behind.trim_start_matches([' ', '\t']).starts_with('=');
    let is_item = message.starts_with(UNQUOTED) || message.starts_with("missing comma between array");
    is_item && begins_line && is_key
}

/// Whether the parser goes on after such an error as if it were not there. Others have a chain of further ones.
fn is_by_itself(message: &str) -> bool {
    let is_a_word = message.starts_with("invalid") && !message.contains("string");
    is_a_word || message.starts_with(UNQUOTED) || message.starts_with("key with no value")
}

/// What is wrong, and the cure.
fn words<'m>(message: &'m str, written: &str) -> (&'m str, &'static str) {
    let help = match message {
        _ if message.starts_with(UNQUOTED) && written.trim().is_empty() => {
            return ("a value is missing here", "write a value behind the `=`, or take the line out");
        }
        _ if message.starts_with(UNQUOTED) => match written {
            "yes" | "on" | "True" | "TRUE" => "write true, or put text in quotes: name = \"text\"",
            "no" | "off" | "False" | "FALSE" => "write false, or put text in quotes: name = \"text\"",
            _ => "put text in quotes: name = \"text\"",
        },
        _ if message.starts_with("invalid boolean") => "write true or false, or put text in quotes: name = \"text\"",
        _ if message.contains("recursion") => "nothing here is nested that deep",
        _ if message.starts_with("missing comma") => "put a comma before it, or close the list or table before it",
        _ if message.contains("missing value") => "write a value behind the `=`",
        _ if message.starts_with("invalid multi-line") => "close the text with the three quotes that it began with",
        _ if message.contains("expected `\"`") => "close the text with `\"` on the same line",
        _ if message.starts_with("unclosed array") => "close the list with `]`",
        _ if message.starts_with("unclosed inline table") => "close the table with `}`",
        _ if message.starts_with("unclosed table") => "close the name of the section with `]`",
        _ if message.starts_with("unclosed") => "close what was opened before it",
        _ => "a line is `key = value`, a section `[name]`, a list `[\"a\", \"b\"]`, and text stands in quotes",
    };
    (message, help)
}
