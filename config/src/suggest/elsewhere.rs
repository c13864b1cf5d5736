//! What people write instead of our keys: the words of other supervisors, and those that come to mind first.

/// Words without their `_` and `-`, in small letters, and the keys they may stand for; those of the section in question
/// count, or else that of a whole section.
const WORDS: &[(&str, &[&str])] = &[
    // Sections.
    ("device", &["hardware", "devices", "match"]),
    ("devices", &["hardware", "match"]),
    ("hardware", &["devices"]),
    ("programs process processes units job jobs", &["services"]),
    ("program", &["services", "command"]),
    ("unit", &["services", "systemd"]),
    ("global general daemon settings mainstay", &["runtime"]),
    ("server web", &["api"]),
    // What is run.
    ("cmd exec execstart run start entrypoint argv args arguments", &["command"]),
    ("execstop", &["stop"]),
    ("image docker", &["container"]),
    ("env environ vars", &["environment"]),
    ("passenvironment passenv envfrom inherit", &["environment_from"]),
    ("cwd chdir dir workdir workingdir workingdirectory", &["directory"]),
    ("username uid runas", &["user"]),
    ("gid", &["group"]),
    ("enable enabled", &["autostart"]),
    ("port listen expose", &["ports"]),
    // What it depends on.
    ("dependson depends dependencies needs bindsto requisite partof", &["requires"]),
    ("uses", &["wants"]),
    ("startafter", &["after"]),
    // When it works.
    ("readiness readinessprobe readywhen startupprobe startup notify", &["ready"]),
    ("healthcheck health probe check", &["ready", "live"]),
    ("liveness livenessprobe watchdog", &["live"]),
    ("timeout", &["within", "grace"]),
    // What happens when it ends.
    ("restartpolicy autorestart respawn onfailure when attempts backoff", &["restart"]),
    ("policy condition", &["when"]),
    ("retries", &["attempts", "failures", "restart"]),
    ("maxretries maxrestarts startretries", &["attempts", "restart"]),
    ("restartsec delay", &["backoff", "restart"]),
    ("within tcp http", &["ready"]),
    ("signal grace kill", &["stop"]),
    ("killsignal stopsignal", &["signal", "stop"]),
    ("stopgraceperiod stoptimeout timeoutstopsec", &["grace", "stop"]),
    // Its output.
    ("log logfile logging output stdout stderr", &["logs"]),
    ("size", &["max_size"]),
    ("rotate", &["keep"]),
    // Devices.
    ("type class", &["kind"]),
    ("name path mac driver serial usb interface", &["match"]),
    ("id usbid vidpid", &["usb", "match"]),
    ("iface tty node", &["name", "match"]),
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
    let (_, ours) = WORDS.iter().find(|(others, _)| others.split(' ').any(|other| other == word))?;
    let here: Vec<&str> = ours.iter().copied().filter(|key| known.contains(key)).collect();
    if !here.is_empty() {
        return Some(Meant::Keys(here));
    }
    // Elsewhere the same word may mean anything.
    let is_service = known.contains(&"command") && known.contains(&"environment");
    ours.iter().find(|key| is_service && SECTIONS.contains(*key)).map(|key| Meant::Section(key))
}
