//! `mainstay trace`.

use mainstay_config::counted;
use std::time::SystemTime;

use mainstay_actors::view::{MessageView, TraceView};

use crate::render::text::{plain, wrap};
use crate::render::time::{Grain, after, clock, parse};
use crate::render::tree::{Branch, branches};
use crate::render::{Look, style};

/// The external event, and below it every message it caused, with the time since the event.
pub(crate) fn trace(view: &TraceView, look: &Look) -> String {
    let head = style::HEAD;
    let mut out = format!("{head}{}{head:#}\n", wrap(&headline(view, look), "", "    ", look.width));
    if view.forgotten > 0 {
        let quiet = style::QUIET;
        let said = counted(
            view.forgotten,
            "message of this trace is no longer kept",
            "messages of this trace are no longer kept",
        );
        out.push_str(&format!("{quiet}{said}{quiet:#}\n"));
    }
    let clock = Clock::of(view);
    for branch in branches(&view.messages) {
        if let Some(message) = view.messages.get(branch.index) {
            push_message(&mut out, &branch, message, clock, look);
        }
    }
    out
}

/// `trace 42  hardware: USB 1-1 unplugged  22:56:33.120 UTC`.
fn headline(view: &TraceView, look: &Look) -> String {
    let cause = &view.cause;
    let mut said = format!("trace {}  {}: {}", view.trace, plain(&cause.kind), plain(&cause.detail));
    if let Some(at) = beginning(view) {
        said.push_str(&format!("  {} UTC", plain(&clock(at, look.now))));
    }
    said
}

/// When it happened. A daemon that does not tell it, tells when the first message was sent.
fn beginning(view: &TraceView) -> Option<&str> {
    view.cause.at.as_deref().or_else(|| view.messages.first().map(|first| first.sent.as_str()))
}

/// The start of the trace, and how finely its times are known.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Option<SystemTime>,
    grain: Grain,
}

impl Clock {
    fn of(view: &TraceView) -> Self {
        let fine = view.messages.iter().any(|message| Grain::of(&message.sent) == Grain::Finer);
        let grain = if fine { Grain::Finer } else { Grain::Millis };
        Self { start: beginning(view).and_then(parse), grain }
    }

    /// `+0.1 ms`; the time as it was sent where it cannot be read.
    fn read(self, sent: &str) -> String {
        match (self.start, parse(sent)) {
            (Some(start), Some(sent)) => after(start, sent, self.grain),
            _ => plain(sent).into_owned(),
        }
    }
}

fn push_message(out: &mut String, branch: &Branch, message: &MessageView, clock: Clock, look: &Look) {
    let kind = plain(&message.kind);
    let mut said = format!("{}  {} → {}  {kind}", clock.read(&message.sent), plain(&message.from), plain(&message.to));
    if !message.detail.is_empty() {
        said.push_str("  ");
        said.push_str(&plain(&message.detail));
    }
    let outcome = if message.outcome == "handled" { "" } else { message.outcome.as_str() };
    if !outcome.is_empty() {
        said.push_str(&format!("  [{}]", plain(outcome)));
    }
    let wrapped = wrap(&said, &branch.first, &branch.next, look.width);
    out.push_str(&coloured(wrapped, &kind, outcome));
    out.push('\n');
}

/// Colours the name of the message and its outcome, after wrapping, so that colours take no columns.
fn coloured(wrapped: String, kind: &str, outcome: &str) -> String {
    let head = style::HEAD;
    let named = if kind.is_empty() {
        wrapped
    } else {
        wrapped.replacen(&format!("  {kind}"), &format!("  {head}{kind}{head:#}"), 1)
    };
    let Some(before) = named.strip_suffix(&format!("[{outcome}]")).filter(|_| !outcome.is_empty()) else {
        return named;
    };
    let style = style::of_word(outcome);
    format!("{before}{style}[{outcome}]{style:#}")
}
