//! `mainstay why NAME`.

use mainstay_actors::view::WhyView;

use crate::render::text::{columns, plain, wrap};
use crate::render::time::clock;
use crate::render::{Look, style};

/// The present state, the chain of causes, what would unblock it.
pub(crate) fn why(view: &WhyView, look: &Look) -> String {
    let head = style::HEAD;
    let mut out = format!("{head}{}{head:#}\n", wrap(&sentence(&view.now), "", "", look.width));
    if !view.because.is_empty() {
        out.push_str(&format!("\n{head}How it came to this (times in UTC):{head:#}\n"));
        push_steps(&mut out, view, look);
    }
    if !view.unblock.is_empty() {
        out.push_str(&format!("\n{head}What would unblock it:{head:#}\n"));
        for cure in &view.unblock {
            out.push_str(&wrap(&sentence(cure), "  - ", "    ", look.width));
            out.push('\n');
        }
    }
    if let Some(trace) = view.trace {
        let quiet = style::QUIET;
        out.push_str(&format!("\n{quiet}Every message of it: mainstay trace {trace}{quiet:#}\n"));
    }
    out
}

fn push_steps(out: &mut String, view: &WhyView, look: &Look) {
    let digits = view.because.len().to_string().len();
    let times: Vec<String> = view.because.iter().map(|cause| plain(&clock(&cause.at, look.now)).into_owned()).collect();
    let widest = times.iter().map(|time| columns(time)).max().unwrap_or(0);
    let quiet = style::QUIET;
    for (nth, (cause, time)) in view.because.iter().zip(&times).enumerate() {
        let number = nth.saturating_add(1);
        let gap = " ".repeat(widest.saturating_sub(columns(time)));
        let indent = " ".repeat(digits + widest + 6);
        let said = wrap(&sentence(&cause.what), &indent, &indent, look.width);
        let said = said.strip_prefix(&indent).unwrap_or(&said);
        out.push_str(&format!("  {number:>digits$}. {quiet}{time}{quiet:#}{gap}  {said}\n"));
    }
}

/// The text with a full stop, unless it ends like a sentence already.
fn sentence(text: &str) -> String {
    let text = plain(text.trim_end());
    if text.is_empty() || text.ends_with(['.', '!', '?', ':', '`']) { text.into_owned() } else { format!("{text}.") }
}
