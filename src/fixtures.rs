//! A station as the tests show it: the HackRF has just been unplugged.

use mainstay_actors::view::{
    CauseView, DeviceView, DevicesView, ExternalCauseView, LeaseView, LeasesView, MessageView, OtherDeviceView,
    ServiceView, StatusView, TraceView, WaiterView, WhyView,
};

/// The present of the tests.
pub(crate) const NOW: &str = "2026-11-20T22:59:45.500Z";

fn service(name: &str, status: &str, reason: &str, waiting_for: &[&str]) -> ServiceView {
    let runs = status == "running";
    ServiceView {
        name: name.to_owned(),
        status: status.to_owned(),
        health: if runs { "healthy" } else { "unknown" }.to_owned(),
        wanted: "auto".to_owned(),
        reason: reason.to_owned(),
        pid: runs.then_some(812),
        since: if runs { "2026-11-20T20:54:00.000Z" } else { "2026-11-20T22:56:33.121Z" }.to_owned(),
        waiting_for: waiting_for.iter().map(ToString::to_string).collect(),
    }
}

fn device(name: &str, kind: &str, status: &str, holder: Option<&str>, identity: Option<&str>) -> DeviceView {
    DeviceView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: if status == "absent" { "gone (USB 1-1 unplugged)" } else { "" }.to_owned(),
        holder: holder.map(str::to_owned),
        identity: identity.map(str::to_owned),
    }
}

fn lease(resource: &str, holder: &str, token: u64) -> LeaseView {
    LeaseView {
        resource: resource.to_owned(),
        holder: holder.to_owned(),
        mode: "exclusive".to_owned(),
        token,
        since: "2026-11-20T20:53:58.000Z".to_owned(),
    }
}

/// `status`.
pub(crate) fn status() -> StatusView {
    let monitor = "USB 1-3, Realtek RTL8812AU, driver rtw88_8812au, phy2, MAC 02:00:00:00:02:00, monitor mode";
    StatusView {
        services: vec![
            service("gpsd", "running", "", &[]),
            service("kismet", "running", "", &[]),
            service("mavgps", "stopped", "not started by itself (autostart = false)", &[]),
            service(
                "openwebrx",
                "waiting",
                "hackrf is gone (USB 1-1 unplugged)",
                &["hackrf: gone (USB 1-1 unplugged)"],
            ),
            service("wigletotak", "running", "", &[]),
        ],
        devices: vec![
            device("gps", "gps", "in use", Some("gpsd"), Some("u-blox 7 (1546:01a7), USB 1-2, /dev/ttyACM0")),
            device("hackrf", "hackrf", "absent", None, None),
            device("wlan2", "wifi", "in use", Some("kismet"), Some(monitor)),
        ],
        leases: vec![lease("device/gps", "gpsd", 1), lease("device/wlan2", "kismet", 3), lease("port/2947", "gpsd", 2)],
        troubles: vec![
            "what gpsd prints cannot be written and is lost: No space left on device (os error 28)".to_owned(),
        ],
    }
}

/// `devices`.
pub(crate) fn devices() -> DevicesView {
    DevicesView {
        devices: status().devices,
        others: vec![OtherDeviceView {
            kind: "usb".to_owned(),
            identity: "\u{1b}[31mRTL2838 (0bda:2838), USB 1-4".to_owned(),
            suggestion: "[hardware.rtl]\nkind = \"usb\"\nmatch = { usb = \"0bda:2838\" }".to_owned(),
        }],
        troubles: vec!["Wi-Fi: this kernel has no nl80211 (load the module cfg80211)".to_owned()],
    }
}

/// `leases`.
pub(crate) fn leases() -> LeasesView {
    LeasesView {
        leases: status().leases,
        queue: vec![WaiterView {
            service: "openwebrx".to_owned(),
            wants: vec!["device/hackrf".to_owned(), "port/8073".to_owned()],
            priority: 10,
            waiting_for: vec!["hackrf: gone (USB 1-1 unplugged)".to_owned()],
            since: "2026-11-20T22:56:33.200Z".to_owned(),
        }],
    }
}

/// `why openwebrx`.
pub(crate) fn why() -> WhyView {
    let cause = |at: &str, what: &str| CauseView { at: at.to_owned(), what: what.to_owned() };
    WhyView {
        name: "openwebrx".to_owned(),
        subject: "service".to_owned(),
        now: "openwebrx waits for the device hackrf".to_owned(),
        because: vec![
            cause("2026-11-20T22:56:33.120Z", "the kernel reported that USB 1-1 was unplugged"),
            cause(
                "2026-11-20T22:56:33.121Z",
                "hackrf is gone, and openwebrx held it with an exclusive lease (token 4)",
            ),
            cause("2026-11-20T22:56:33.410Z", "openwebrx stopped within its grace period of 30 s"),
            cause("2026-11-20T22:56:33.411Z", "openwebrx waits for the device hackrf"),
        ],
        unblock: vec!["plug the HackRF with serial 88c869dc2b5c8d1b in again, on any port".to_owned()],
        trace: Some(42),
    }
}

fn message(id: u64, parent: Option<u64>, way: (&str, &str), said: (&str, &str), at: &str) -> MessageView {
    MessageView {
        id,
        parent,
        from: way.0.to_owned(),
        to: way.1.to_owned(),
        kind: said.0.to_owned(),
        detail: said.1.to_owned(),
        sent: format!("2026-11-20T22:56:33.{at}Z"),
        handled: Some(format!("2026-11-20T22:56:33.{at}Z")),
        outcome: "handled".to_owned(),
    }
}

/// `trace 42`.
pub(crate) fn trace() -> TraceView {
    let lost = "generation 3 of hackrf, held by openwebrx with token 4, which must stop within 30 s";
    let mut late = message(6, Some(1), ("hardware", "device/hackrf"), ("Gone", "the same, from libusb"), "121300");
    late.outcome = "ignored".to_owned();
    TraceView {
        trace: 42,
        cause: ExternalCauseView {
            kind: "hardware".to_owned(),
            detail: "USB 1-1 unplugged".to_owned(),
            at: Some("2026-11-20T22:56:33.120000Z".to_owned()),
        },
        messages: vec![
            message(1, None, ("kernel", "hardware"), ("Uevent", "remove 1-1"), "120000"),
            message(2, Some(1), ("hardware", "device/hackrf"), ("Gone", "USB 1-1"), "120100"),
            message(3, Some(2), ("device/hackrf", "leases"), ("Lost", lost), "120240"),
            message(4, Some(3), ("leases", "service/openwebrx"), ("Revoked", "device/hackrf"), "120310"),
            message(5, Some(4), ("service/openwebrx", "leases"), ("Released", "token 4"), "410900"),
            late,
        ],
        forgotten: 0,
    }
}
