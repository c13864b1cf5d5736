//! Devices, what recognises them, and what services want of them.

use mainstay_config::Code::*;

use crate::Case;

pub(crate) const DEVICES: &[Case] = &[
    Case {
        about: "an unknown kind",
        text: r#"[hardware.h]
kind = ⟦"hackfr"
"#,
        problems: &[(BadValue, "did you mean `hackrf`?")],
    },
    Case {
        about: "a bad USB id",
        text: r#"[hardware.h]
kind = "usb"
match = { usb = ⟦"1d50-6089" }
"#,
        problems: &[(BadValue, "1d50:6089")],
    },
    Case {
        about: "a path where the kernel's name belongs",
        text: r#"[hardware.gps]
kind = "gps"
match = { name = ⟦"/dev/ttyACM0" }
[hardware.stick]
kind = "serial"
match = { name = ⟦"/dev/bus/usb/001/002", usb = "1546:01a7" }
"#,
        problems: &[(BadValue, "write \"ttyACM0\""), (BadValue, "kernel's name, such as \"ttyACM0\"")],
    },
    Case {
        about: "a node where the USB port belongs",
        text: r#"[hardware.gps]
kind = "gps"
match = { path = ⟦"/dev/ttyACM0" }
"#,
        problems: &[(BadValue, "write name = \"ttyACM0\"")],
    },
    Case {
        about: "a node, a MAC address and a function of what has only a USB port",
        text: r#"[hardware.h]
kind = "hackrf"
match = { path = ⟦"/dev/ttyACM0" }
[hardware.u]
kind = "usb"
match = { path = ⟦"/dev/ttyACM0" }
[hardware.v]
match = { usb = ⟦"02:00:00:00:02:00" }
kind = "usb"
[hardware.w]
kind = "usb"
match = { path = ⟦"1-1.4:1.10" }
"#,
        problems: &[
            (BadValue, "write the USB port, path = \"1-1.4\"; `mainstay devices` shows"),
            (BadValue, "write the USB port, path = \"1-1.4\"; `mainstay devices` shows"),
            (BadValue, "write the USB port, path = \"1-1.4\"; `mainstay devices` shows"),
            (BadValue, "write path = \"1-1.4\""),
        ],
    },
    Case {
        about: "a radio's name where the number of an interface belongs, and a function of a HackRF, which has one",
        text: r#"[hardware.w]
kind = "wifi"
match = { interface = ⟦"wlan1" }
[hardware.h]
kind = "hackrf"
match = { interface = ⟦"if00" }
"#,
        problems: &[(BadValue, "write name = \"wlan1\""), (KindMismatch, "`serial`")],
    },
    Case {
        about: "one function of a stick within the other",
        text: r#"[hardware.a]
kind = "gps"
match = { serial = "x", interface = "if00-port0" }
[hardware.b]
kind = "serial"
match = { serial = "x", interface = "if00-port1" }
[hardware.c]
kind = "serial"
match = ⟦{ serial = "x", interface = "if00" }
[hardware.d]
kind = "serial"
match = { serial = "x", interface = "if01" }
"#,
        problems: &[(Twins, "interface")],
    },
    Case {
        about: "a bad MAC address",
        text: r#"[hardware.h]
kind = "wifi"
match = { mac = ⟦"02:00" }
"#,
        problems: &[(BadValue, "six groups")],
    },
    Case {
        about: "a bad USB port",
        text: r#"[hardware.h]
kind = "usb"
match = { path = ⟦"usb1" }
"#,
        problems: &[(BadValue, "1-1.4")],
    },
    Case {
        about: "an empty serial number",
        text: r#"[hardware.h]
kind = "hackrf"
match = { serial = ⟦"" }
"#,
        problems: &[(BadValue, "leave")],
    },
    Case {
        about: "a MAC address of a HackRF",
        text: r#"[hardware.h]
kind = "hackrf"
match = { mac = ⟦"02:00:00:00:00:01" }
"#,
        problems: &[(KindMismatch, "`serial`")],
    },
    Case {
        about: "a HackRF with the id of something else",
        text: r#"[hardware.h]
kind = "hackrf"
match = { usb = ⟦"1546:01a7" }
"#,
        problems: &[(KindMismatch, "1d50:6089")],
    },
    Case {
        about: "flapping in no time",
        text: r#"[hardware.h]
kind = "hackrf"
flap = { within = ⟦"0s" }
"#,
        problems: &[(BadDuration, "above zero")],
    },
    Case {
        about: "more departures than are remembered",
        text: r#"[hardware.h]
kind = "hackrf"
flap = { departures = ⟦65 }
"#,
        problems: &[(OutOfRange, "from 1 to 64, since the last 64 departures of a device are remembered")],
    },
    Case {
        about: "two HackRFs without a match",
        text: r#"[hardware.h]
kind = "hackrf"
[hardware.⟦i]
kind = "hackrf"
"#,
        problems: &[(Twins, "serial")],
    },
    Case {
        about: "keys that could not be read are no reason to see twins",
        text: r#"[hardware.a]
kind = "wifi"
match = { mac = "02:00:00:00:00:01" }
[hardware.b]
kind = "wifi"
match = { ⟦macc = "02:00:00:00:00:02" }
[hardware.c]
kind = "wifi"
match = { mac = ⟦"02" }
[hardware.d]
kind = "wifi"
⟦mathc = { mac = "02:00:00:00:00:04" }
"#,
        problems: &[
            (UnknownKey, "did you mean `mac`?"),
            (BadValue, "six groups"),
            (UnknownKey, "did you mean `match`?"),
        ],
    },
    Case {
        about: "the same serial number twice",
        text: r#"[hardware.h]
kind = "hackrf"
match = { serial = "0088AB" }
[hardware.i]
kind = "hackrf"
match = ⟦{ serial = "88ab" }
"#,
        problems: &[(Twins, "serial")],
    },
    Case {
        about: "one match within the other",
        text: r#"[hardware.g]
kind = "gps"
match = { usb = "1546:01a7" }
[hardware.i]
kind = "gps"
match = ⟦{ usb = "1546:01a7", serial = "x" }
"#,
        problems: &[(Twins, "match")],
    },
    Case {
        about: "two matches about different things",
        text: r#"[hardware.w]
kind = "wifi"
match = { name = "wlan0" }
[hardware.x]
kind = "wifi"
match = ⟦{ driver = "mt76" }
"#,
        problems: &[(Twins, "mac")],
    },
    Case {
        about: "a HackRF that is a USB device as well",
        text: r#"[hardware.h]
kind = "hackrf"
[hardware.u]
kind = "usb"
match = ⟦{ usb = "1d50:6089" }
"#,
        problems: &[(Twins, "serial")],
    },
    Case {
        about: "a receiver that is a serial port as well",
        text: r#"[hardware.g]
kind = "gps"
[hardware.⟦p]
kind = "serial"
"#,
        problems: &[(Twins, "path")],
    },
    Case {
        about: "a stick by the same id as two kinds",
        text: r#"[hardware.g]
kind = "gps"
match = { usb = "1546:01a7" }
[hardware.u]
kind = "usb"
match = ⟦{ usb = "1546:01a7" }
"#,
        problems: &[(Twins, "path")],
    },
    Case {
        about: "an unknown device",
        text: r#"[hardware.gps]
kind = "gps"
[services.s]
command = ["s"]
devices = { ⟦gsp = "exclusive" }
"#,
        problems: &[(UnknownDevice, "did you mean `gps`?")],
    },
    Case {
        about: "an unknown device, like none",
        text: r#"[hardware.h]
kind = "hackrf"
[services.s]
command = ["s"]
devices = { ⟦thermometer = "shared" }
"#,
        problems: &[(UnknownDevice, "`h`")],
    },
    Case {
        about: "an unknown lease",
        text: r#"[hardware.h]
kind = "hackrf"
[services.s]
command = ["s"]
devices = { h = ⟦"exlusive" }
"#,
        problems: &[(BadValue, "did you mean `exclusive`?")],
    },
    Case {
        about: "an unknown mode",
        text: r#"[hardware.w]
kind = "wifi"
[services.s]
command = ["s"]
devices = { w = { mode = ⟦"monitr" } }
"#,
        problems: &[(BadValue, "did you mean `monitor`?")],
    },
    Case {
        about: "a mode for a HackRF",
        text: r#"[hardware.h]
kind = "hackrf"
[services.s]
command = ["s"]
devices = { h = { mode = ⟦"monitor" } }
"#,
        problems: &[(KindMismatch, "leave `mode` out")],
    },
    Case {
        about: "a mode for a shared radio",
        text: r#"[hardware.w]
kind = "wifi"
[services.s]
command = ["s"]
devices = { w = { lease = "shared", mode = ⟦"monitor" } }
"#,
        problems: &[(Contradiction, "exclusive")],
    },
];
