//! Keys that are unknown, missing or twice; values of the wrong type.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const KEYS: &[Case] = &[
    Case {
        about: "a key that must be there, misspelled: one mistake is told once",
        text: r#"[services.s]
⟦comand = ["s"]
ready = { ⟦htpp = {} }
live = { ⟦tpc = { port = 1 } }
[services.t]
⟦exec = ["t"]
ready = { tcp = { ⟦prot = 1 } }
"#,
        problems: &[
            (UnknownKey, "did you mean `command`?"),
            (UnknownKey, "did you mean `http`?"),
            (UnknownKey, "did you mean `tcp`?"),
            (UnknownKey, "did you mean `command`?"),
            (UnknownKey, "did you mean `port`?"),
        ],
    },
    Case {
        about: "a key that must be there, and another one misspelled",
        text: r#"⟦[services.s]
⟦reqiures = []
ready = ⟦{ ⟦colour = 1 }
"#,
        problems: &[
            (MissingKey, "add what it runs"),
            (UnknownKey, "did you mean `requires`?"),
            (MissingKey, "name one of"),
            (UnknownKey, "the keys here are"),
        ],
    },
    Case {
        about: "a duplicate key beside another problem",
        text: r#"[logs]
keep = 1
⟦keep = 2
max_size = ⟦"big"
"#,
        problems: &[(DuplicateKey, "keep one"), (BadSize, "10MB")],
    },
    Case {
        about: "a duplicate section",
        text: r#"[services.s]
command = ["s"]
[services.⟦s]
autostart = true
"#,
        problems: &[(DuplicateKey, "keep one")],
    },
    Case {
        about: "an unknown section",
        text: r#"[⟦service.gpsd]
"#,
        problems: &[(UnknownKey, "did you mean `services`?")],
    },
    Case {
        about: "an unknown key that is like nothing",
        text: r#"[logs]
⟦colour = 1
"#,
        problems: &[(UnknownKey, "`max_size`, `keep`")],
    },
    Case {
        about: "an unknown key of a service",
        text: r#"[services.s]
command = ["s"]
⟦autostrat = false
"#,
        problems: &[(UnknownKey, "did you mean `autostart`?")],
    },
    Case {
        about: "an unknown key within an inline table",
        text: r#"[services.s]
command = ["s"]
restart = { ⟦atempts = 3 }
"#,
        problems: &[(UnknownKey, "did you mean `attempts`?")],
    },
    Case {
        about: "an unknown key of a probe",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = { port = 1, ⟦hots = "x" } }
"#,
        problems: &[(UnknownKey, "did you mean `host`?")],
    },
    Case {
        about: "a missing kind",
        text: r#"⟦[hardware.gps]
"#,
        problems: &[(MissingKey, "`hackrf`, `usb`, `gps`, `serial`, `wifi`")],
    },
    Case {
        about: "sections by the names of others",
        text: r#"[⟦devices.gps]
[⟦programs.gpsd]
[⟦global]
"#,
        problems: &[
            (UnknownKey, "did you mean `hardware`?"),
            (UnknownKey, "did you mean `services`?"),
            (UnknownKey, "did you mean `runtime`?"),
        ],
    },
    Case {
        about: "keys by the names of other supervisors",
        text: r#"[services.s]
command = ["s"]
⟦cmd = ["s"]
⟦ExecStart = "s"
⟦env = {}
⟦working_dir = "/"
⟦depends_on = []
⟦readiness = "notify"
⟦healthcheck = {}
⟦restart_policy = "always"
⟦stdout = "null"
⟦hardware = {}
⟦port = 80
restart = { ⟦max-retries = 3 }
[hardware.h]
kind = "gps"
⟦serial = "x"
"#,
        problems: &[
            (UnknownKey, "did you mean `command`?"),
            (UnknownKey, "did you mean `command`?"),
            (UnknownKey, "did you mean `environment`?"),
            (UnknownKey, "did you mean `directory`?"),
            (UnknownKey, "did you mean `requires`?"),
            (UnknownKey, "did you mean `ready`?"),
            (UnknownKey, "did you mean `ready` or `live`?"),
            (UnknownKey, "did you mean `restart`?"),
            (UnknownKey, "`[logs]`"),
            (UnknownKey, "did you mean `devices`?"),
            (UnknownKey, "did you mean `ports`?"),
            (UnknownKey, "did you mean `attempts`?"),
            (UnknownKey, "did you mean `match`?"),
        ],
    },
    Case {
        about: "a key that is like nothing, where there are many",
        text: r#"[services.s]
command = ["s"]
⟦colour = 1
"#,
        problems: &[(UnknownKey, "`conflicts`, `ready`, `restart`, `stop`")],
    },
    Case {
        about: "a probe without its port",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = ⟦{ host = "::1" } }
"#,
        problems: &[(MissingKey, "port")],
    },
    Case {
        about: "a list where a table belongs",
        text: r#"⟦[[services]]
"#,
        problems: &[(WrongType, "table")],
    },
    Case {
        about: "text where a number belongs",
        text: r#"[logs]
keep = ⟦"5"
"#,
        problems: &[(WrongType, "write 5 without quotes")],
    },
    Case {
        about: "a number where text belongs",
        text: r#"[services.s]
command = ["s"]
environment = { PORT = ⟦8000 }
"#,
        problems: &[(WrongType, "quotes")],
    },
    Case {
        about: "text where truth belongs",
        text: r#"[services.s]
command = ["s"]
critical = ⟦"true"
"#,
        problems: &[(WrongType, "without quotes")],
    },
    Case {
        about: "one name where a list belongs",
        text: r#"[services.s]
command = ["s"]
requires = ⟦"s"
"#,
        problems: &[(WrongType, "[\"s\"]")],
    },
    Case {
        about: "a table where a duration belongs",
        text: r#"[services.s]
command = ["s"]
stop = { grace = ⟦{} }
"#,
        problems: &[(WrongType, "30s")],
    },
    Case {
        about: "a service that is text",
        text: r#"[services]
s = ⟦"gpsd"
"#,
        problems: &[(WrongType, "a table with keys")],
    },
];
