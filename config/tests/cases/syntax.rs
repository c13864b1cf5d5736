//! What is no TOML, and what is wrong beside it.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const SYNTAX: &[Case] = &[
    Case {
        about: "no TOML",
        text: r#"[logs]
keep = ⟦@
"#,
        problems: &[(Syntax, "quotes")],
    },
    Case {
        about: "a string without end",
        text: r#"[logs]
max_size = "10MB⟦
keep = 3
"#,
        problems: &[(Syntax, "close the text")],
    },
    Case {
        about: "a missing value, and mistakes in other sections",
        text: r#"[runtime]
max_parallel_starts = ⟦
[logs]
keep = ⟦101
⟦[services.s]
"#,
        problems: &[(Syntax, "write a value"), (OutOfRange, "100"), (MissingKey, "command")],
    },
    Case {
        about: "a list that is not closed, and what follows from it",
        text: r#"[services.s]
command = ["s", "t"
⟦requires = ["x"]
autostart = false
[services.t]
command = ["t"]
⟦prots = {}
"#,
        problems: &[(Syntax, "close the list"), (UnknownKey, "did you mean `ports`?")],
    },
    Case {
        about: "a list that is not closed behind its first bracket",
        text: r#"[services.s]
command = [
⟦requires = ["x"]
autostart = yes
"#,
        problems: &[(Syntax, "close the list with `]`")],
    },
    Case {
        about: "a list that is not closed before a section",
        text: r#"[services.s]
command = ["s", "t"⟦
[services.t]
⟦comand = ["t"]
command = ["t"]
"#,
        problems: &[(Syntax, "`]`"), (UnknownKey, "did you mean `command`?")],
    },
    Case {
        about: "a text that is not closed within a list, and what follows from it",
        text: r#"[services.s]
command = ["s]⟦
requires = []
"#,
        problems: &[(Syntax, "close the text")],
    },
    Case {
        about: "several words without quotes",
        text: r#"[services.s]
command = [⟦s, ⟦t]
autostart = ⟦yes
"#,
        problems: &[(Syntax, "quotes"), (Syntax, "quotes"), (Syntax, "write true")],
    },
    Case {
        about: "broken sections, and references to what they define",
        text: r#"[hardware.h⟦
kind = "hackrf"
[services.s]
command = ["s" ⟦"t"]
[services.s.stop]
grace = "30 parsecs"
[services.t]
command = ["t", "{device.h.serial}"]
devices = { h = "exclusive", ⟦g = "exclusive" }
requires = ["s", ⟦"u"]
"#,
        problems: &[(Syntax, "`]`"), (Syntax, "comma"), (UnknownDevice, "the devices are"), (UnknownService, "`t`")],
    },
    Case {
        about: "something broken before all sections",
        text: r#"services.s = { command = ["s" ⟦}
[services.t]
command = ["t"]
requires = ["s"]
⟦fallbck = "s"
"#,
        problems: &[(Syntax, "comma"), (UnknownKey, "did you mean `fallback`?")],
    },
    Case {
        about: "a text over several lines that may hold anything",
        text: r#"[services.s]
command = ["s"]
environment = { A = """
[logs]
keep = 101⟦
"#,
        problems: &[(Syntax, "other mistakes in the file are looked at once this is right")],
    },
    Case {
        about: "a key twice beside a broken section",
        text: r#"[runtime]
run_dir = ⟦/run
[logs]
keep = 1
⟦keep = 2
"#,
        problems: &[(Syntax, "quotes"), (DuplicateKey, "keep one")],
    },
    Case {
        about: "a file of quite another kind: one problem is enough",
        text: "root⟦:*:20228:0:99999:7:::\ndaemon:*:20228:0:99999:7:::\nbin:*:20228:0:99999:7:::\n",
        problems: &[(Syntax, "is this the right file?")],
    },
];
