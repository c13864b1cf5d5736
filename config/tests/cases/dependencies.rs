//! Services that name services.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const DEPENDENCIES: &[Case] = &[
    Case {
        about: "an unknown service",
        text: r#"[services.gpsd]
command = ["g"]
[services.s]
command = ["s"]
requires = [⟦"gspd"]
"#,
        problems: &[(UnknownService, "did you mean `gpsd`?")],
    },
    Case {
        about: "an unknown service in a table",
        text: r#"[services.s]
command = ["s"]
wants = { ⟦gpsd = { timeout = "1s" } }
"#,
        problems: &[(UnknownService, "`s`")],
    },
    Case {
        about: "unknown services everywhere",
        text: r#"[services.s]
command = ["s"]
after = [⟦"a1"]
conflicts = [⟦"b1"]
fallback = ⟦"c1"
"#,
        problems: &[(UnknownService, "`s`"), (UnknownService, "`s`"), (UnknownService, "`s`")],
    },
    Case {
        about: "a service that requires itself",
        text: r#"[services.s]
command = ["s"]
requires = [⟦"s"]
"#,
        problems: &[(Contradiction, "its own name")],
    },
    Case {
        about: "a service in conflict with itself",
        text: r#"[services.s]
command = ["s"]
conflicts = [⟦"s"]
"#,
        problems: &[(Contradiction, "its own name")],
    },
    Case {
        about: "a service that is its own fallback",
        text: r#"[services.s]
command = ["s"]
fallback = ⟦"s"
"#,
        problems: &[(Contradiction, "another")],
    },
    Case {
        about: "a service required and wanted",
        text: r#"[services.s]
command = ["s"]
requires = ["g"]
wants = [⟦"g"]
[services.g]
command = ["g"]
"#,
        problems: &[(Contradiction, "cannot be both")],
    },
    Case {
        about: "a service required twice",
        text: r#"[services.s]
command = ["s"]
requires = ["g", ⟦"g"]
[services.g]
command = ["g"]
"#,
        problems: &[(Contradiction, "once")],
    },
    Case {
        about: "a conflict with what it requires",
        text: r#"[services.s]
command = ["s"]
requires = ["g"]
conflicts = [⟦"g"]
[services.g]
command = ["g"]
"#,
        problems: &[(Contradiction, "not both")],
    },
    Case {
        about: "a conflict said by what it requires",
        text: r#"[services.s]
command = ["s"]
requires = [⟦"g"]
[services.g]
command = ["g"]
conflicts = ["s"]
"#,
        problems: &[(Contradiction, "not both")],
    },
    Case {
        about: "a conflict with what that requires",
        text: r#"[services.s]
command = ["s"]
requires = ["g"]
conflicts = [⟦"h"]
[services.g]
command = ["g"]
requires = ["h"]
[services.h]
command = ["h"]
"#,
        problems: &[(Contradiction, "not both")],
    },
    Case {
        about: "a device that both have to themselves",
        text: r#"[hardware.h]
kind = "hackrf"
[services.s]
command = ["s"]
requires = [⟦"g"]
devices = { h = "exclusive" }
[services.g]
command = ["g"]
devices = { h = "exclusive" }
"#,
        problems: &[(Contradiction, "shared")],
    },
    Case {
        about: "a file that both have to themselves",
        text: r#"[services.s]
command = ["s"]
requires = [⟦"g"]
files = ["/var/lib/db"]
[services.g]
command = ["g"]
files = ["/var/lib//./db"]
"#,
        problems: &[(Contradiction, "leave it out of one of them")],
    },
    Case {
        about: "a custom resource that two of what it requires have to themselves",
        text: r#"[services.s]
command = ["s"]
requires = ["g", ⟦"h"]
[services.t]
command = ["t"]
requires = ["s"]
[services.g]
command = ["g"]
custom = ["mast"]
[services.h]
command = ["h"]
custom = ["mast"]
"#,
        problems: &[(Contradiction, "leave it out of one of them")],
    },
    Case {
        about: "a required service and its required fallback that want one port",
        text: r#"[services.s]
command = ["s"]
requires = ["g", ⟦"h"]
[services.g]
command = ["g"]
ports = { http = 8080 }
fallback = "h"
[services.h]
command = ["h"]
ports = { web = 8080, other = 8081 }
"#,
        problems: &[(Contradiction, "give one of them another number or a range")],
    },
    Case {
        about: "a conflict of what it requires with what that requires",
        text: r#"[services.s]
command = ["s"]
requires = [⟦"g", "i"]
[services.g]
command = ["g"]
requires = ["h"]
conflicts = ["i"]
[services.h]
command = ["h"]
[services.i]
command = ["i"]
"#,
        problems: &[(Contradiction, "not both")],
    },
    Case {
        about: "a device that one of two shares and the other has to itself",
        text: r#"[hardware.h]
kind = "hackrf"
[services.s]
command = ["s"]
requires = ["g", ⟦"i"]
[services.g]
command = ["g"]
devices = { h = "exclusive" }
[services.i]
command = ["i"]
devices = { h = "shared" }
"#,
        problems: &[(Contradiction, "\"shared\" in both")],
    },
    Case {
        about: "a cycle",
        text: r#"[services.s]
command = ["s"]
requires = ["b"]
[services.b]
command = ["b"]
wants = [⟦"c"]
[services.c]
command = ["c"]
after = ["s"]
"#,
        problems: &[(DependencyCycle, "could ever start")],
    },
    Case {
        about: "a cycle, and beside it a file that two have to themselves",
        text: r#"[services.a]
command = ["a"]
requires = [⟦"b"]
[services.b]
command = ["b"]
requires = ["a"]
[services.s]
command = ["s"]
requires = [⟦"g", "a"]
files = ["/db"]
[services.g]
command = ["g"]
files = ["/db"]
"#,
        problems: &[(DependencyCycle, "could ever start"), (Contradiction, "leave it out")],
    },
    Case {
        about: "two cycles",
        text: r#"[services.s]
command = ["s"]
requires = ["b"]
[services.b]
command = ["b"]
wants = [⟦"s"]
[services.c]
command = ["c"]
after = [⟦"d"]
[services.d]
command = ["d"]
after = ["c"]
"#,
        problems: &[(DependencyCycle, "could ever start"), (DependencyCycle, "could ever start")],
    },
];
