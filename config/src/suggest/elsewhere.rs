//! What people write instead of our keys: the words of other supervisors, and those that come to mind first.

/// A word without its `_` and `-`, in small letters, and the keys it may stand for; those of the section in question
/// count, or else that of a whole section.
const WORDS: &[(&str, &[&str])] = &[
    // Sections.
    ("device", &["hardware", "devices", "match"]),
    ("devices", &["hardware", "match"]),
    ("hardware", &["devices"]),
    ("programs", &["services"]),
    ("program", &["services", "command"]),
    ("process", &["services"]),
    ("processes", &["services"]),
    ("units", &["services"]),
    ("unit", &["services", "systemd"]),
    ("job", &["services"]),
    ("jobs", &["services"]),
    ("global", &["runtime"]),
    ("general", &["runtime"]),
    ("daemon", &["runtime"]),
    ("settings", &["runtime"]),
    ("mainstay", &["runtime"]),
    ("server", &["api"]),
    ("web", &["api"]),
    // What is run.
    ("cmd", &["command"]),
    ("exec", &["command"]),
    ("execstart", &["command"]),
    ("execstop", &["stop"]),
    ("run", &["command"]),
    ("start", &["command"]),
    ("entrypoint", &["command"]),
    ("argv", &["command"]),
    ("args", &["command"]),
    ("arguments", &["command"]),
    ("image", &["container"]),
    ("docker", &["container"]),
    ("env", &["environment"]),
    ("environ", &["environment"]),
    ("vars", &["environment"]),
    ("passenvironment", &["environment_from"]),
    ("passenv", &["environment_from"]),
    ("envfrom", &["environment_from"]),
    ("inherit", &["environment_from"]),
    ("cwd", &["directory"]),
    ("chdir", &["directory"]),
    ("dir", &["directory"]),
    ("workdir", &["directory"]),
    ("workingdir", &["directory"]),
    ("workingdirectory", &["directory"]),
    ("username", &["user"]),
    ("uid", &["user"]),
    ("runas", &["user"]),
    ("gid", &["group"]),
    ("enable", &["autostart"]),
    ("enabled", &["autostart"]),
    ("port", &["ports"]),
    ("listen", &["ports"]),
    ("expose", &["ports"]),
    // What it depends on.
    ("dependson", &["requires"]),
    ("depends", &["requires"]),
    ("dependencies", &["requires"]),
    ("needs", &["requires"]),
    ("bindsto", &["requires"]),
    ("requisite", &["requires"]),
    ("partof", &["requires"]),
    ("uses", &["wants"]),
    ("startafter", &["after"]),
    // When it works.
    ("readiness", &["ready"]),
    ("readinessprobe", &["ready"]),
    ("readywhen", &["ready"]),
    ("startupprobe", &["ready"]),
    ("startup", &["ready"]),
    ("notify", &["ready"]),
    ("healthcheck", &["ready", "live"]),
    ("health", &["ready", "live"]),
    ("probe", &["ready", "live"]),
    ("check", &["ready", "live"]),
    ("liveness", &["live"]),
    ("livenessprobe", &["live"]),
    ("watchdog", &["live"]),
    ("timeout", &["within", "grace"]),
    // What happens when it ends.
    ("restartpolicy", &["restart"]),
    ("autorestart", &["restart"]),
    ("respawn", &["restart"]),
    ("onfailure", &["restart"]),
    ("policy", &["when"]),
    ("condition", &["when"]),
    ("retries", &["attempts", "failures", "restart"]),
    ("maxretries", &["attempts", "restart"]),
    ("maxrestarts", &["attempts", "restart"]),
    ("startretries", &["attempts", "restart"]),
    ("restartsec", &["backoff", "restart"]),
    ("delay", &["backoff", "restart"]),
    ("when", &["restart"]),
    ("attempts", &["restart"]),
    ("backoff", &["restart"]),
    ("within", &["ready"]),
    ("tcp", &["ready"]),
    ("http", &["ready"]),
    ("signal", &["stop"]),
    ("grace", &["stop"]),
    ("kill", &["stop"]),
    ("killsignal", &["signal", "stop"]),
    ("stopsignal", &["signal", "stop"]),
    ("stopgraceperiod", &["grace", "stop"]),
    ("stoptimeout", &["grace", "stop"]),
    ("timeoutstopsec", &["grace", "stop"]),
    // Its output.
    ("log", &["logs"]),
    ("logfile", &["logs"]),
    ("logging", &["logs"]),
    ("output", &["logs"]),
    ("stdout", &["logs"]),
    ("stderr", &["logs"]),
    ("size", &["max_size"]),
    ("rotate", &["keep"]),
    // Devices.
    ("type", &["kind"]),
    ("class", &["kind"]),
    ("name", &["match"]),
    ("path", &["match"]),
    ("mac", &["match"]),
    ("driver", &["match"]),
    ("serial", &["match"]),
    ("usb", &["match"]),
    ("id", &["usb", "match"]),
    ("usbid", &["usb", "match"]),
    ("vidpid", &["usb", "match"]),
    ("interface", &["match"]),
    ("iface", &["name", "match"]),
    ("tty", &["name", "match"]),
    ("node", &["name", "match"]),
    ("address", &["mac", "host", "listen"]),
];

/// The whole sections that a key of a service may stand for.
const SECTIONS: &[&str] = &["logs"];

/// Where what was written belongs.
pub(super) enum Meant {
    /// One of these keys of the same section.
    Keys(Vec<&'static str>),
    /// A section of its own.
    Section(&'static str),
}

/// What was meant by a word that is no key here, when it is one that others use.
pub(super) fn meant(written: &str, known: &[&str]) -> Option<Meant> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let word = plain(written.get(..written.len().min(32))?);
    let (_, ours) = WORDS.iter().find(|(other, _)| *other == word)?;
    let here: Vec<&str> = ours.iter().copied().filter(|key| known.contains(key)).collect();
    if !here.is_empty() {
        return Some(Meant::Keys(here));
    }
    // Elsewhere the same word may mean anything.
    let is_service = known.contains(&"command") && known.contains(&"environment");
    ours.iter().find(|key| is_service && SECTIONS.contains(*key)).map(|key| Meant::Section(key))
}
