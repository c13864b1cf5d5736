//! Collects what is found while a file is read, and turns it into [`Problems`] or notes at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::excerpt::{WIDEST, marked, window};
use super::visible::visible;
use super::{Code, Note, Problem, Problems, place};
use crate::suggest::{self, Keys};

crate::words! {
    /// What this version accepts and validates but does not act on, and what else is to be known.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) enum Later {
        Api = "`[api]` is",
        Oneshot = "`oneshot` services are",
        Systemd = "`systemd` services are",
        Container = "`container` services are",
        External = "`external` services are",
        OptionalDevice = "`optional` devices are",
        Preemption = "`preempt` and `preemptible` are",
        DeviceReturn = "`on_return` of a device is",
        Ageing = "`ageing` is",
        Channel = "`channel` is",
        Fallback = "`fallback` is",
        Live = "`live` checks are",
        RestartStrategy = "`restart.strategy` is",
        Recovery = "`recovery` is",
        Breaker = "`breaker` is",
        StopCommand = "`stop.command` is",
        Critical = "`critical` is",
        AnybodysPort = "a number that is no fixed port in the `ports` of its service is looked at, and whoever listens there is believed: \
            have the port in `ports`, and write \"{port.NAME}\" for the number",
    }
}

impl Later {
    /// What follows for the services that use it.
    fn consequence(self) -> &'static str {
        match self {
            Self::Oneshot
            | Self::Systemd
            | Self::Container
            | Self::External
            | Self::OptionalDevice
            | Self::Channel
            | Self::StopCommand => ", and what uses it is not started",
            _ => "",
        }
    }
}

struct Found {
    code: Code,
    span: Range<usize>,
    message: String,
    help: String,
}

/// Collects problems and notes.
pub(crate) struct Report {
    file: String,
    text: Arc<str>,
    found: Vec<Found>,
    left_off: usize,
    /// The sections with keys that there are not, and what to write instead.
    meant: Vec<(String, String)>,
    /// How many names have been compared with others.
    comparisons: usize,
    later: BTreeMap<Later, (usize, Vec<String>)>,
    /// Names that may be defined in what could not be read.
    unread: BTreeSet<String>,
}

impl Report {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.into(),
            found: Vec::new(),
            left_off: 0,
            meant: Vec::new(),
            comparisons: 0,
            later: BTreeMap::new(),
            unread: BTreeSet::new(),
        }
    }

    /// Something is wrong at `span`; `help` says what to write instead.
    pub(crate) fn problem(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if !self.is_full() {
            let (message, help) = (said(&message.into()), said(&help.into()));
            self.found.push(Found { code, span: span.clone(), message, help });
        } else {
            self.left_off += 1;
        }
    }

    /// What to write instead of the text at `span`, when something was wrong with it and more is known now.
    pub(crate) fn cure(&mut self, span: &Range<usize>, help: impl Fn(&str) -> Option<String>) {
        let Some(found) = self.found.iter_mut().find(|found| found.span == *span) else { return };
        let written = self.text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        if let Some(help) = help(written) {
            found.help = said(&help);
        }
    }

    /// Whether further problems are only counted: what it takes time to say of them is not worth it.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= Problems::MOST
    }

    /// How many problems there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len() + self.left_off
    }

    /// This part of the file is not looked at: whatever is named in it may well be defined there.
    pub(crate) fn unread(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        self.unread.extend(words.filter(|word| !word.is_empty()).map(ToOwned::to_owned));
    }

    /// Something of this name is defined, though it cannot be referred to.
    pub(crate) fn unread_name(&mut self, name: &str) {
        self.unread.insert(name.to_owned());
    }

    /// `written` is not among `known`: says which was meant, or lists them. After many comparisons it only lists them,
    /// since a file may hold thousands of names, each of them wrong. Says nothing of a device or service that may be
    /// defined in what could not be read.
    pub(crate) fn unknown<'a>(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: String,
        written: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
        what: &str,
    ) {
        if matches!(code, Code::UnknownDevice | Code::UnknownService) && self.unread.contains(written) {
            return;
        }
        if self.is_full() {
            // Not even listed: a file may hold thousands of names, and a hundred thousand references to others.
            return self.problem(code, span, message, "");
        }
        let help = if self.may_compare(known.clone().into_iter().count()) {
            suggest::did_you_mean(written, known, what)
        } else {
            format!("{what}: {}", suggest::list(known))
        };
        self.problem(code, span, message, help);
    }

    /// `written` is none of the keys of a section: says which was meant, or lists all of them.
    pub(crate) fn unknown_key(&mut self, span: &Range<usize>, message: String, written: &str, keys: Keys<'_>) {
        let help =
            if self.may_compare(keys.known.len()) { suggest::key(written, keys) } else { suggest::keys(keys.offered) };
        if !self.is_full() {
            self.meant.push((keys.path.to_owned(), help.clone()));
        }
        self.problem(Code::UnknownKey, span, message, help);
    }

    /// Whether a key of the section at `path` is one of these, misspelled: then it does not lack them.
    pub(crate) fn is_meant(&self, path: &str, keys: &[&str]) -> bool {
        let misspelled =
            |help: &str| keys.iter().any(|key| help.starts_with("did you") && help.contains(&format!("`{key}`")));
        self.meant.iter().any(|(section, help)| section == path && misspelled(help))
    }

    /// Whether a name may be compared with so many others.
    fn may_compare(&mut self, others: usize) -> bool {
        const MOST_COMPARISONS: usize = 20_000;
        self.comparisons += others;
        self.comparisons <= MOST_COMPARISONS
    }

    /// `place`, at `span`, uses something that this version does not act on.
    pub(crate) fn later(&mut self, what: Later, span: &Range<usize>, place: &str) {
        let (first, places) = self.later.entry(what).or_insert((span.start, Vec::new()));
        *first = span.start.min(*first);
        if !place.is_empty() && !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
    }

    /// The notes when nothing is wrong, else all that is.
    pub(crate) fn finish(self) -> Result<Vec<Note>, Problems> {
        let mut later: Vec<_> = self.later.iter().collect();
        later.sort_by_key(|(what, (at, _))| (*at, **what));
        let notes = later.into_iter().map(|(what, (at, places))| note(*what, &self.text, *at, places)).collect();
        if self.found.is_empty() {
            return Ok(notes);
        }
        let mut list: Vec<Problem> = self.found.into_iter().map(|found| problem(&self.text, found)).collect();
        list.sort_by(|a, b| (a.span.start, a.code, &a.message).cmp(&(b.span.start, b.code, &b.message)));
        Err(Problems { file: self.file, list, notes, left_off: self.left_off, run_dir: None, text: self.text })
    }
}

/// Messages quote the file, and the file may hold anything.
fn said(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut text = visible(text);
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn note(what: Later, text: &str, at: usize, places: &[String]) -> Note {
    let (line, column, _) = place(text, at);
    let places = if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) };
    let message = match what {
        Later::AnybodysPort => format!("{}{places}", what.as_str()),
        _ => format!("{} accepted but not acted on in this version{}{places}", what.as_str(), what.consequence()),
    };
    Note { message, line, column }
}

fn problem(text: &str, found: Found) -> Problem {
    let (line, column, source) = place(text, found.span.start);
    // What is marked stays within its first line: a mark over a whole section hides more than it shows.
    let start = found.span.start.min(text.len());
    let line_end = text.get(start..).and_then(|rest| rest.find(['\r', '\n'])).map_or(text.len(), |at| start + at);
    let span = start..found.span.end.clamp(start, line_end);
    let at = start.saturating_sub(source.as_ptr() as usize - text.as_ptr() as usize);
    let part = window(source, at, WIDEST);
    let source = marked(source, &part, source.get(part.clone()).unwrap_or_default());
    Problem { code: found.code, message: found.message, line, column, source, help: found.help, span }
}
