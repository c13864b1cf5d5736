//! What runs, and the templates in it.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const COMMANDS: &[Case] = &[
    Case {
        about: "an empty command",
        text: r#"[services.s]
command = ⟦[]
"#,
        problems: &[(EmptyCommand, "program")],
    },
    Case {
        about: "a command whose first item is empty",
        text: r#"[services.s]
command = [⟦"", "-x"]
"#,
        problems: &[(EmptyCommand, "program")],
    },
    Case {
        about: "a command as text",
        text: r#"[services.s]
command = ⟦"gpsd -N"
"#,
        problems: &[(WrongType, "[\"gpsd\", \"-N\"]")],
    },
    Case {
        about: "a number in a command",
        text: r#"[services.s]
command = ["s", ⟦8000]
"#,
        problems: &[(WrongType, "quotes")],
    },
    Case {
        about: "nothing to run",
        text: r#"⟦[services.s]
autostart = false
"#,
        problems: &[(MissingKey, "command")],
    },
    Case {
        about: "two things to run",
        text: r#"[services.s]
command = ["s"]
container = ⟦{ image = "x" }
"#,
        problems: &[(Contradiction, "keep `command` or `container`")],
    },
    Case {
        about: "a container without image",
        text: r#"[services.s]
container = ⟦{ name = "x" }
"#,
        problems: &[(MissingKey, "image")],
    },
    Case {
        about: "a user for a container",
        text: r#"[services.s]
container = { image = "x" }
user = ⟦"nobody"
"#,
        problems: &[(Contradiction, "leave it out")],
    },
    Case {
        about: "an empty stop command",
        text: r#"[services.s]
command = ["s"]
stop = { command = ⟦[] }
"#,
        problems: &[(EmptyCommand, "program")],
    },
    Case {
        about: "an unknown variable",
        text: r#"[services.s]
command = ["s", ⟦"{port.wbe}"]
ports = { web = 80 }
"#,
        problems: &[(UnknownPort, "did you mean `web`?")],
    },
    Case {
        about: "a variable that is none",
        text: r#"[services.s]
command = ["s", ⟦"{prot.web}"]
ports = { web = 80 }
"#,
        problems: &[(BadTemplate, "did you mean `port.web`?")],
    },
    Case {
        about: "a variable where there is none",
        text: r#"[services.s]
command = ["s", ⟦"{web}"]
"#,
        problems: &[(BadTemplate, "{{")],
    },
    Case {
        about: "a port of another service",
        text: r#"[services.s]
command = ["s", ⟦"{port.web}", ⟦"{port.api}"]
[services.t]
command = ["t"]
ports = { web = 8000, api = { range = "9000-9001" } }
"#,
        problems: &[(UnknownPort, "write 8000"), (UnknownPort, "give it a `fixed` number there")],
    },
    Case {
        about: "a port where the number that comes to mind is taken",
        text: r#"[services.s]
command = ["s", ⟦"{port.q}", ⟦"{port.zz}"]
ports = { metrics = { range = "8001-8009" } }
[services.t]
command = ["t", ⟦"{port.q}"]
[services.u]
command = ["u"]
ports = { web = 8000 }
"#,
        problems: &[
            (UnknownPort, "add `q = 8010` to its `ports`"),
            (UnknownPort, "or name one of them: `metrics`"),
            (UnknownPort, "add `ports = { q = 8012 }`"),
        ],
    },
    Case {
        about: "a port of a service without ports",
        text: r#"[services.s]
command = ["s", ⟦"{port.web}"]
"#,
        problems: &[(UnknownPort, "ports = { web")],
    },
    Case {
        about: "a brace that is not closed",
        text: r#"[services.s]
command = ["s", ⟦"{port"]
"#,
        problems: &[(BadTemplate, "close it")],
    },
    Case {
        about: "a brace that closes nothing",
        text: r#"[services.s]
command = ["s", ⟦"a}"]
"#,
        problems: &[(BadTemplate, "}}")],
    },
    Case {
        about: "a device that is not leased",
        text: r#"[hardware.gps]
kind = "gps"
[services.s]
command = ["s", ⟦"{device.gps.path}"]
"#,
        problems: &[(BadTemplate, "devices = { gps")],
    },
    Case {
        about: "the path of a radio",
        text: r#"[hardware.w]
kind = "wifi"
[services.s]
command = ["s", ⟦"{device.w.path}"]
devices = { w = "shared" }
"#,
        problems: &[(KindMismatch, "{device.w.interface}")],
    },
    Case {
        about: "the interface of a serial port",
        text: r#"[hardware.g]
kind = "serial"
[services.s]
command = ["s"]
environment = { A = ⟦"{device.g.interface}" }
devices = { g = "shared" }
"#,
        problems: &[(KindMismatch, "{device.g.path}")],
    },
    Case {
        about: "unknown variables in what a later version runs",
        text: r#"[services.c]
container = { image = "x", command = ["c", ⟦"{port.c}"], options = [⟦"{x}"] }
[services.o]
oneshot = ["o", ⟦"{port.o}"]
stop = { command = ["o", ⟦"{port.o}"] }
"#,
        problems: &[
            (UnknownPort, "ports = { c"),
            (BadTemplate, "{port.NAME}"),
            (UnknownPort, "ports = { o"),
            (UnknownPort, "ports = { o"),
        ],
    },
];
