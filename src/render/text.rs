//! Text that is safe to show and fits the width: escaping and wrapping.

use std::borrow::Cow;
use std::fmt::Write;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// Whether a character could move the cursor, change colours or reverse the text around it.
fn is_dangerous(c: char) -> bool {
    let reverses = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks_the_line = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || reverses || breaks_the_line
}

fn escape_into(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
}

fn escape_unless(text: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmless = |c: char| !is_dangerous(c) || allowed(c);
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if harmless(c) { out.push(c) } else { escape_into(&mut out, c) }
    }
    Cow::Owned(out)
}

/// The text with control characters made visible (`\x1b`): names and reasons may quote what a device, a file or a
/// program says, and that must not drive the terminal.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escape_unless(text, |_| false)
}

/// Like [`plain`], but a tab stays a tab: for the output of services.
pub(crate) fn plain_but_tabs(text: &str) -> Cow<'_, str> {
    escape_unless(text, |c| c == '\t')
}

/// The lines of a text, each made [`plain`].
pub(crate) fn plain_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(plain)
}

/// Wraps one paragraph at `width` columns; no trailing newline. A word longer than a line (a path) is left whole, and
/// so is what stands between backticks (a command), so that it can be copied.
pub(crate) fn wrap(text: &str, first_indent: &str, next_indent: &str, width: usize) -> String {
    let options = options(width).initial_indent(first_indent).subsequent_indent(next_indent).break_words(false);
    textwrap::fill(&hold_commands_together(text), options).replace(HARD_SPACE, " ")
}

/// A space at which no line breaks.
const HARD_SPACE: char = '\u{a0}';

fn hold_commands_together(text: &str) -> String {
    let parts = text.split('`');
    let ticks = text.matches('`').count();
    let mut out = String::with_capacity(text.len());
    for (nth, part) in parts.enumerate() {
        if nth > 0 {
            out.push('`');
        }
        // Every second part lies between two backticks; a last one without a partner does not count.
        let between = nth % 2 == 1 && nth < ticks;
        if between { out.push_str(&part.replace(' ', "\u{a0}")) } else { out.push_str(part) }
    }
    out
}

/// The lines of one table cell, none wider than `width` columns (at least one): a long word is broken.
pub(crate) fn cell_lines(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, options(width.max(1)).break_words(true)).into_iter().map(Cow::into_owned).collect()
}

/// Lines break at spaces only: not in paths, not at hyphens.
fn options(width: usize) -> Options<'static> {
    Options::new(width)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
}

/// How many columns a text takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tab_stays_only_in_the_output_of_services() {
        assert_eq!(plain("a\tb"), "a\\tb");
        assert_eq!(plain_but_tabs("a\tb\u{7}\u{9b}\u{202e}"), "a\tb\\x07\\x9b\\u{202e}");
    }

    #[test]
    fn a_path_longer_than_the_line_is_left_whole() {
        assert_eq!(wrap("see /var/lib/mainstay/logs now", "- ", "  ", 12), "- see\n  /var/lib/mainstay/logs\n  now");
    }

    #[test]
    fn a_command_is_left_whole() {
        assert_eq!(wrap("try `mainstay run` or `x y", "", "", 10), "try\n`mainstay run`\nor `x y");
    }

    proptest! {
        #[test]
        fn plain_text_never_holds_a_control_character(text in any::<String>()) {
            prop_assert!(!plain(&text).chars().any(is_dangerous));
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(
            words in proptest::collection::vec("[a-zé/-]{1,30}", 0..20), width in 1usize..60,
        ) {
            let text = words.join(" ");
            let wrapped = wrap(&text, "", "", width);
            prop_assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>().join(" "), text.clone());
            let cell = cell_lines(&text, width);
            prop_assert!(cell.iter().all(|line| columns(line) <= width));
            prop_assert_eq!(cell.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
