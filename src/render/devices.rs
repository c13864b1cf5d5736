//! `mainstay devices`.

use mainstay_actors::view::{DevicesView, OtherDeviceView};

use crate::render::text::{plain, plain_lines, wrap};
use crate::render::{Look, parts, style};

/// Configured devices, what else is attached, and watchers that cannot work here.
pub(crate) fn devices(view: &DevicesView, look: &Look) -> String {
    let mut out = String::new();
    if view.devices.is_empty() {
        out.push_str("no devices are configured\n");
    } else {
        parts::devices(&mut out, &view.devices, look);
    }
    if !view.others.is_empty() {
        let head = style::HEAD;
        out.push_str(&format!("\n{head}Not in the configuration:{head:#}\n"));
        for other in &view.others {
            push_other(&mut out, other, look);
        }
    }
    if !view.troubles.is_empty() {
        let bad = style::BAD;
        out.push_str(&format!("\n{bad}What cannot be watched here:{bad:#}\n"));
        for trouble in &view.troubles {
            out.push_str(&wrap(&plain(trouble), "  ", "  ", look.width));
            out.push('\n');
        }
    }
    out
}

/// The device, and below it the lines for the configuration as they are: they are made to be copied.
fn push_other(out: &mut String, other: &OtherDeviceView, look: &Look) {
    let said = format!("{} ({})", plain(&other.identity), plain(&other.kind));
    out.push_str(&wrap(&said, "  ", "    ", look.width));
    out.push('\n');
    let quiet = style::QUIET;
    for line in plain_lines(&other.suggestion) {
        out.push_str(&format!("      {quiet}{line}{quiet:#}\n"));
    }
}
