//! Ports, and the checks for being ready and alive.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const PORTS_AND_PROBES: &[Case] = &[
    Case {
        about: "one port twice",
        text: r#"[services.s]
command = ["s"]
ports = { a = 80 }
[services.t]
command = ["t"]
ports = { b = ⟦80 }
"#,
        problems: &[(PortClash, "conflicts = [\"s\"]")],
    },
    Case {
        about: "one port twice, in the long form",
        text: r#"[services.s]
command = ["s"]
ports = { a = 80 }
[services.t]
command = ["t"]
ports = { b = ⟦{ fixed = 80 } }
"#,
        problems: &[(PortClash, "range")],
    },
    Case {
        about: "one port twice in one service",
        text: r#"[services.s]
command = ["s"]
ports = { a = 80, b = ⟦80 }
"#,
        problems: &[(PortClash, "another number")],
    },
    Case {
        about: "two ranges of one and the same port in one service",
        text: r#"[services.s]
command = ["s"]
ports = { a = { range = "21091-21091" }, b = ⟦{ range = "21091-21091" } }
"#,
        problems: &[(PortClash, "longer range")],
    },
    Case {
        about: "three ports out of two",
        text: r#"[services.s]
command = ["s"]
ports = { a = { prefer = 81, range = "80-80" }, b = { range = "80-81" }, c = ⟦81, d = { range = "80-90" } }
"#,
        problems: &[(PortClash, "another number")],
    },
    Case {
        about: "a range of one port that another service has",
        text: r#"[services.s]
command = ["s"]
ports = { a = { prefer = 80, range = "80-80" } }
[services.t]
command = ["t"]
ports = { b = ⟦80 }
"#,
        problems: &[(PortClash, "conflicts = [\"s\"]")],
    },
    Case {
        about: "a range of one port that is mainstay's own",
        text: r#"[api]
listen = "127.0.0.1:8092"
[services.s]
command = ["s"]
ports = { a = ⟦{ range = "8092-8092" } }
"#,
        problems: &[(PortClash, "another port")],
    },
    Case {
        about: "the port of mainstay itself",
        text: r#"[api]
listen = "127.0.0.1:8092"
[services.s]
command = ["s"]
ports = { a = ⟦8092 }
"#,
        problems: &[(PortClash, "another port")],
    },
    Case {
        about: "port zero",
        text: r#"[services.s]
command = ["s"]
ports = { a = ⟦0 }
"#,
        problems: &[(OutOfRange, "from 1 to 65535")],
    },
    Case {
        about: "a port above all",
        text: r#"[services.s]
command = ["s"]
ports = { a = ⟦65536 }
"#,
        problems: &[(OutOfRange, "from 1 to 65535, such as 8080")],
    },
    Case {
        about: "a range backwards",
        text: r#"[services.s]
command = ["s"]
ports = { a = { range = ⟦"8010-8000" } }
"#,
        problems: &[(BadValue, "smaller port first")],
    },
    Case {
        about: "a range that is none",
        text: r#"[services.s]
command = ["s"]
ports = { a = { range = ⟦"8000" } }
"#,
        problems: &[(BadValue, "8000-8010")],
    },
    Case {
        about: "a preferred port and no range",
        text: r#"[services.s]
command = ["s"]
ports = { a = ⟦{ prefer = 80 } }
"#,
        problems: &[(MissingKey, "range")],
    },
    Case {
        about: "an address that is none",
        text: r#"[services.s]
command = ["s"]
ports = { a = { fixed = 80, address = ⟦"localhost" } }
"#,
        problems: &[(BadValue, "127.0.0.1")],
    },
    Case {
        about: "fixed and to be chosen",
        text: r#"[services.s]
command = ["s"]
ports = { a = { fixed = 80, range = ⟦"80-90" } }
"#,
        problems: &[(Contradiction, "keep")],
    },
    Case {
        about: "two kinds of check",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = { port = 80 }, log = ⟦{ contains = "x" } }
"#,
        problems: &[(Contradiction, "exactly one")],
    },
    Case {
        about: "no kind of check",
        text: r#"[services.s]
command = ["s"]
ready = ⟦{}
"#,
        problems: &[(MissingKey, "`notify`")],
    },
    Case {
        about: "a word that is no check",
        text: r#"[services.s]
command = ["s"]
ready = ⟦"notfy"
"#,
        problems: &[(BadValue, "did you mean `notify`?")],
    },
    Case {
        about: "a check that is false",
        text: r#"[services.s]
command = ["s"]
ready = { notify = ⟦false }
"#,
        problems: &[(BadValue, "leave")],
    },
    Case {
        about: "within twice",
        text: r#"[services.s]
command = ["s"]
ready = { within = "1s", tcp = { port = 80, within = ⟦"2s" } }
"#,
        problems: &[(Contradiction, "keep one")],
    },
    Case {
        about: "within no time",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = { port = 80, within = ⟦"0s" } }
"#,
        problems: &[(BadDuration, "above zero")],
    },
    Case {
        about: "a port in quotes",
        text: r#"[services.s]
command = ["s"]
ready = { tcp = { port = ⟦"80" } }
"#,
        problems: &[(BadValue, "80 without quotes")],
    },
    Case {
        about: "a port with something around it",
        text: r#"[services.s]
command = ["s"]
ports = { web = 80 }
ready = { tcp = { port = ⟦"x{port.web}" } }
"#,
        problems: &[(BadValue, "{port.NAME}")],
    },
    Case {
        about: "a port it does not have",
        text: r#"[services.s]
command = ["s"]
ports = { web = 80 }
ready = { tcp = { port = ⟦"{port.wbe}" } }
"#,
        problems: &[(UnknownPort, "did you mean `web`?")],
    },
    Case {
        about: "https",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"https://127.0.0.1/" } }
"#,
        problems: &[(BadValue, "only http://")],
    },
    Case {
        about: "an address without http",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"127.0.0.1/" } }
"#,
        problems: &[(BadValue, "http://127")],
    },
    Case {
        about: "an address without host",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"http:///x" } }
"#,
        problems: &[(BadValue, "host")],
    },
    Case {
        about: "an address with a user name",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"http://user:pw@h/" } }
"#,
        problems: &[(BadValue, "leave out the user name")],
    },
    Case {
        about: "an address with a port that is none",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"http://h:99999/" } }
"#,
        problems: &[(BadValue, "from 1 to 65535")],
    },
    Case {
        about: "an address with a host that is none",
        text: r#"[services.s]
command = ["s"]
ready = { http = { url = ⟦"http://[::x]:80/" } }
"#,
        problems: &[(BadValue, "a host")],
    },
    Case {
        about: "a check with an empty command",
        text: r#"[services.s]
command = ["s"]
ready = { exec = { command = ⟦[] } }
"#,
        problems: &[(EmptyCommand, "program")],
    },
    Case {
        about: "a check for a relative file",
        text: r#"[services.s]
command = ["s"]
ready = { file = { path = ⟦"run/x" } }
"#,
        problems: &[(RelativePath, "/run")],
    },
    Case {
        about: "relative credentials",
        text: r#"[services.s]
command = ["s"]
ready = { kismet = { port = 1, credentials = ⟦"x" } }
"#,
        problems: &[(RelativePath, "absolute")],
    },
    Case {
        about: "an age of readiness",
        text: r#"[services.s]
command = ["s"]
ready = { gpsd = { port = 1, max_age = ⟦"3s" } }
"#,
        problems: &[(Contradiction, "live")],
    },
    Case {
        about: "a live check of nothing",
        text: r#"[services.s]
command = ["s"]
live = ⟦{ interval = "3s" }
"#,
        problems: &[(MissingKey, "watchdog")],
    },
    Case {
        about: "two live checks",
        text: r#"[services.s]
command = ["s"]
live = { tcp = { port = 1 }, fresh = ⟦{} }
"#,
        problems: &[(Contradiction, "exactly one")],
    },
    Case {
        about: "within a live check",
        text: r#"[services.s]
command = ["s"]
live = { tcp = { port = 1, within = ⟦"1s" } }
"#,
        problems: &[(Contradiction, "timeout")],
    },
];
