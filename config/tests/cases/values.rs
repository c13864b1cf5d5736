//! Values that are not what they should be: durations, sizes, numbers, words, names, paths.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const VALUES: &[Case] = &[
    Case {
        about: "a bad duration",
        text: r#"[defaults]
ready_within = ⟦"5 parsecs"
"#,
        problems: &[(BadDuration, "30s")],
    },
    Case {
        about: "a duration without unit",
        text: r#"[defaults]
lost_after = ⟦"5"
"#,
        problems: &[(BadDuration, "unit")],
    },
    Case {
        about: "a zero that makes no sense",
        text: r#"[defaults]
ready_within = ⟦"0s"
"#,
        problems: &[(BadDuration, "above zero")],
    },
    Case {
        about: "a duration beyond all clocks",
        text: r#"[defaults]
lost_after = ⟦"500d"
"#,
        problems: &[(BadDuration, "366d")],
    },
    Case {
        about: "a duration as a number",
        text: r#"[defaults]
stop_grace = ⟦30
"#,
        problems: &[(WrongType, "30s")],
    },
    Case {
        about: "a month, which a minute was meant to be, and other units that are none",
        text: r#"[defaults]
ready_within = ⟦"1M"
stop_grace = ⟦"1h 5 Minutes"
lost_after = ⟦"1 week"
"#,
        problems: &[
            (BadDuration, "`M` is not a unit; write \"1m\""),
            (BadDuration, "`Minutes` is not a unit; write \"1h 5 m\""),
            (BadDuration, "write a number and a unit"),
        ],
    },
    Case {
        about: "a duration where no line is better than another",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = { port = 80 }, within = ⟦"5 parsecs" }
"#,
        problems: &[(BadDuration, "write a number and a unit")],
    },
    Case {
        about: "a size in small letters",
        text: r#"[logs]
max_size = ⟦"10mb"
"#,
        problems: &[(BadSize, "write \"10MB\"")],
    },
    Case {
        about: "a size without the B",
        text: r#"[logs]
max_size = ⟦"512 Ki"
"#,
        problems: &[(BadSize, "write \"512 KiB\"")],
    },
    Case {
        about: "a bad size",
        text: r#"[logs]
max_size = ⟦"10 elephants"
"#,
        problems: &[(BadSize, "10MB")],
    },
    Case {
        about: "a size of nothing",
        text: r#"[logs]
max_size = ⟦0
"#,
        problems: &[(BadSize, "above 0")],
    },
    Case {
        about: "a size beyond counting",
        text: r#"[logs]
max_size = ⟦"99999999999GB"
"#,
        problems: &[(BadSize, "10MB")],
    },
    Case {
        about: "a number above its range",
        text: r#"[logs]
keep = ⟦101
"#,
        problems: &[(OutOfRange, "from 0 to 100")],
    },
    Case {
        about: "too many attempts",
        text: r#"[services.s]
command = ["s"]
restart = { attempts = ⟦1001 }
"#,
        problems: &[(OutOfRange, "from 0 to 1000")],
    },
    Case {
        about: "a factor below one",
        text: r#"[services.s]
command = ["s"]
restart = { factor = ⟦0.5 }
"#,
        problems: &[(OutOfRange, "1.0")],
    },
    Case {
        about: "a factor without end",
        text: r#"[services.s]
command = ["s"]
restart = { factor = ⟦inf }
"#,
        problems: &[(OutOfRange, "2.0")],
    },
    Case {
        about: "an unknown word for when",
        text: r#"[services.s]
command = ["s"]
restart = { when = ⟦"allways" }
"#,
        problems: &[(BadValue, "did you mean `always`?")],
    },
    Case {
        about: "an unknown signal",
        text: r#"[services.s]
command = ["s"]
stop = { signal = ⟦"SIGTERM" }
"#,
        problems: &[(BadValue, "did you mean `TERM`?")],
    },
    Case {
        about: "a signal like no other",
        text: r#"[services.s]
command = ["s"]
stop = { signal = ⟦"9" }
"#,
        problems: &[(BadValue, "`KILL`")],
    },
    Case {
        about: "processes to stop that are none",
        text: r#"[services.s]
command = ["s"]
stop = { to = ⟦"mian" }
"#,
        problems: &[(BadValue, "did you mean `main`?")],
    },
    Case {
        about: "a relative state directory",
        text: r#"[runtime]
state_dir = ⟦"state"
"#,
        problems: &[(RelativePath, "absolute")],
    },
    Case {
        about: "a relative run directory",
        text: r#"[runtime]
run_dir = ⟦"./run"
"#,
        problems: &[(RelativePath, "absolute")],
    },
    Case {
        about: "a run directory without room for sockets",
        text: r#"[runtime]
run_dir = ⟦"/a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i123"
"#,
        problems: &[(OutOfRange, "at most 83 bytes")],
    },
    Case {
        about: "a relative working directory",
        text: r#"[services.s]
command = ["s"]
directory = ⟦"here"
"#,
        problems: &[(RelativePath, "absolute")],
    },
    Case {
        about: "a relative file to lease",
        text: r#"[services.s]
command = ["s"]
files = ["/a", ⟦"b"]
"#,
        problems: &[(RelativePath, "absolute")],
    },
    Case {
        about: "an empty user and group",
        text: r#"[services.s]
command = ["s"]
user = ⟦""
group = ⟦" "
"#,
        problems: &[(BadValue, "between the quotes"), (BadValue, "between the quotes")],
    },
    Case {
        about: "a bad address",
        text: r#"[api]
listen = ⟦"8092"
"#,
        problems: &[(BadValue, "127.0.0.1:8092")],
    },
    Case {
        about: "a bad name of a service",
        text: r#"[services.⟦"my service"]
command = ["s"]
"#,
        problems: &[(BadName, "choose")],
    },
    Case {
        about: "a bad name of a service, and what else is wrong with it",
        text: r#"[services.⟦"a b"]
command = ["s", ⟦"{port.q}"]
requires = [⟦"zzz"]
[services.t]
command = ["t"]
requires = ["a b"]
"#,
        problems: &[(BadName, "choose"), (UnknownPort, "ports = { q"), (UnknownService, "`t`")],
    },
    Case {
        about: "a bad name of a device, and what else is wrong with it",
        text: r#"[hardware.⟦"a b"]
kind = "hackrf"
match = { mac = ⟦"02:00:00:00:00:01" }
"#,
        problems: &[(BadName, "choose"), (KindMismatch, "`serial`")],
    },
    Case {
        about: "a bad name of a thing to lease",
        text: r#"[services.s]
command = ["s"]
custom = [⟦"mast/1"]
"#,
        problems: &[(BadName, "antenna")],
    },
    Case {
        about: "a bad name of a variable",
        text: r#"[services.s]
command = ["s"]
environment = { ⟦"A=B" = "x" }
"#,
        problems: &[(BadName, "")],
    },
    Case {
        about: "variables that mainstay sets",
        text: r#"[services.s]
command = ["s"]
[services.s.environment]
⟦MAINSTAY_RUN = "x"
⟦MAINSTAY_SERVICE = "x"
⟦NOTIFY_SOCKET = "x"
MAINSTAY_SOCKET = "x"
"#,
        problems: &[
            (Contradiction, "the mark by which its processes are found"),
            (Contradiction, "its name"),
            (Contradiction, "`ready` is `notify`"),
        ],
    },
    Case {
        about: "variables that cannot be taken over",
        text: r#"[services.s]
command = ["s"]
environment = { TZ = "UTC" }
environment_from = ["LANG", ⟦"", ⟦"A=B", ⟦"TZ", ⟦"MAINSTAY_RUN", ⟦"LISTEN_FDS", ⟦3, "XDG_RUNTIME_DIR"]
"#,
        problems: &[
            (BadName, "such as \"LANG\""),
            (BadName, "such as \"LANG\""),
            (Contradiction, "keep it in `environment` or in `environment_from`"),
            (Contradiction, "the mark by which its processes are found"),
            (Contradiction, "leave it out"),
            (WrongType, "in quotes"),
        ],
    },
    Case {
        about: "variables of whoever starts mainstay, for somebody else",
        text: r#"[services.s]
command = ["s"]
user = "pi"
environment_from = ["LANG", ⟦"HOME", ⟦"XDG_RUNTIME_DIR", ⟦"DBUS_SESSION_BUS_ADDRESS", ⟦"MAIL"]
"#,
        problems: &[
            (Contradiction, "`environment = { HOME = \"…\" }` with the right value"),
            (Contradiction, ""),
            (Contradiction, ""),
            (Contradiction, ""),
        ],
    },
    Case {
        about: "a name under which something else is kept",
        text: r#"[services.⟦readiness-probes]
command = ["s"]
"#,
        problems: &[(BadName, "another name")],
    },
    Case {
        about: "a zero byte",
        text: r#"[services.s]
command = ["s", ⟦"a\u0000b"]
"#,
        problems: &[(BadValue, "u0000")],
    },
];
