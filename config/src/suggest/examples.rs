//! Lines that are right, shown where a value of another shape was written. `check` takes each of them, where what they name is there.

use crate::names::{MacAddress, UsbId, UsbPath};

/// The words for when a service is restarted.
const WHEN: [&str; 3] = ["always", "failure", "never"];
/// The words for signals.
const SIGNALS: [&str; 7] = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"];

/// What the whole key could look like at this place in words (`services.gpsd.restart`), near what was `written` as text.
pub(crate) fn example(path: &str, written: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = path.split('.').take(5).collect();
    Some(match parts[..] {
        ["runtime", "run_dir"] => "run_dir = \"/run/mainstay\"".to_owned(),
        ["runtime", "state_dir"] => "state_dir = \"/var/lib/mainstay\"".to_owned(),
        ["hardware", _, "match"] => recognised(written.unwrap_or_default()),
        ["hardware", _, "flap"] => "flap = { departures = 5, within = \"60s\" }".to_owned(),
        ["services", _, "ready"] => ready(written.unwrap_or_default()),
        ["services", _, "ready", kind] if kind != "within" => ready(kind),
        ["services", _, "restart"] => format!("restart = {{ when = \"{}\" }}", among(&WHEN, written)),
        ["services", _, "stop"] => format!("stop = {{ signal = \"{}\", grace = \"30s\" }}", among(&SIGNALS, written)),
        ["services", _, "directory"] => "directory = \"/srv\"".to_owned(),
        ["services", _, "devices"] => "devices = { gps = \"exclusive\" }".to_owned(),
        ["services", _, "devices", name] if is_bare(name) => format!("devices = {{ {name} = \"exclusive\" }}"),
        ["services", _, "ports"] => "ports = { web = 8000 }".to_owned(),
        ["services", _, "environment"] => "environment = { LANG = \"C.UTF-8\" }".to_owned(),
        ["services", _, key @ "requires"] if written.is_none() => format!("{key} = [\"gpsd\"]"),
        ["services", _, key @ "wants"] if written.is_none() => format!("{key} = [\"gpsd\"]"),
        ["services", _, key @ ("requires" | "wants"), name] if is_bare(name) => {
            format!("{key} = {{ {name} = {{ timeout = \"30s\" }} }}")
        }
        _ => return None,
    })
}

/// The same cure with the line that is right, if there is one for this place.
pub(crate) fn shown(help: String, path: &str, written: Option<&str>) -> String {
    match example(path, written) {
        Some(line) if !help.starts_with("did you mean") => {
            let why = help.split_once("; ").map_or(help.as_str(), |(_, why)| why);
            format!("write `{line}`; {why}")
        }
        _ => help,
    }
}

fn among<'a>(words: &[&'a str], written: Option<&str>) -> &'a str {
    let meant = |word: &&&str| written.is_some_and(|written| written == **word);
    words.iter().find(meant).or(words.first()).copied().unwrap_or_default()
}

fn ready(kind: &str) -> String {
    let check = match kind {
        "http" => "http = { url = \"http://127.0.0.1:8000/\" }",
        "exec" => "exec = { command = [\"test\", \"-e\", \"/run/ready\"] }",
        "file" => "file = { path = \"/run/ready\" }",
        "log" => "log = { contains = \"started\" }",
        "gpsd" => "gpsd = { port = 2947 }",
        "kismet" => "kismet = { port = 2501 }",
        "process" | "notify" => return format!("ready = \"{kind}\""),
        _ => "tcp = { port = 8000 }",
    };
    format!("ready = {{ {check} }}")
}

fn recognised(written: &str) -> String {
    if written.parse::<MacAddress>().is_ok() {
        return format!("match = {{ mac = \"{written}\" }}");
    }
    if written.parse::<UsbPath>().is_ok() {
        return format!("match = {{ path = \"{written}\" }}");
    }
    let usb = if written.parse::<UsbId>().is_ok() { written } else { "1546:01a7" };
    format!("match = {{ usb = \"{usb}\" }}")
}

/// Whether it can stand in a table without quotes.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
