//! Colours. They are always written; the output stream drops them where they do not belong (no terminal, `NO_COLOR`).

use anstyle::{AnsiColor, Style};

/// As it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// On its way, or waiting.
pub(crate) const PENDING: Style = AnsiColor::Yellow.on_default();
/// Needs a person.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Out of the way.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// Headings.
pub(crate) const HEAD: Style = Style::new().bold();
/// Ordinary text.
pub(crate) const NONE: Style = Style::new();

/// The colour of a status, health or outcome word of the views. A word of a newer daemon is shown without colour.
pub(crate) fn of_word(word: &str) -> Style {
    match word {
        "running" | "ready" | "in use" | "healthy" | "handled" => GOOD,
        "waiting" | "starting" | "stopping" | "backoff" | "settling" | "probing" | "degraded" | "quarantined"
        | "queued" | "refused" => PENDING,
        "failed" | "faulted" | "unhealthy" | "panicked" => BAD,
        "stopped" | "held" | "absent" | "ejected" | "unknown" | "ignored" | "superseded" => QUIET,
        _ => NONE,
    }
}
