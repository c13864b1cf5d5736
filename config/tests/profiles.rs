//! What ships with mainstay is right, and means what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_config::model::*;
use mainstay_config::names::{DeviceName, PortName, ServiceName};
use mainstay_config::{DEMO, FIELD_STATION, Loaded, parse};

/// The example of the design, word for word.
const EXAMPLE: &str = include_str!("example.toml");

fn good(text: &str) -> Loaded {
    parse("station.toml", text)
        .unwrap_or_else(|problems| panic!("{}", problems.render(mainstay_config::Colour::Never, 80)))
}

/// The keys that this version does not act on.
fn keys(service: &Service) -> Vec<String> {
    service.not_in_this_version.iter().map(ToString::to_string).collect()
}

fn service<'a>(loaded: &'a Loaded, name: &str) -> &'a Service {
    &loaded.station.services[&ServiceName::new(name).unwrap()]
}

fn layers(loaded: &Loaded) -> Vec<String> {
    let words = |layer: &Vec<ServiceName>| layer.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(" ");
    loaded.station.layers.iter().map(words).collect()
}

#[test]
fn the_example_says_what_it_means() {
    let loaded = good(EXAMPLE);
    let wigletotak = service(&loaded, "wigletotak");
    let after = Duration::from_secs(15);
    let required = Dependency::Required { timeout: Duration::from_secs(60), lost_after: after };
    assert_eq!(wigletotak.dependencies[&ServiceName::new("kismet").unwrap()], required);
    assert_eq!(wigletotak.stop, Stop { signal: StopSignal::Term, to: StopTo::All, grace: Duration::from_secs(30) });
    assert_eq!(wigletotak.restart.factor, 2.0);
    assert!(wigletotak.critical && wigletotak.not_in_this_version.is_empty());
    let web = wigletotak.ports[&PortName::new("web").unwrap()];
    assert!(
        matches!(web, PortNeed::Range { prefer, first, last } if (prefer.get(), first.get(), last.get()) == (8000, 8000, 8010))
    );

    let kismet = service(&loaded, "kismet");
    let wlan2 = &kismet.devices[&DeviceName::new("wlan2").unwrap()];
    assert_eq!((wlan2.sharing, wlan2.mode), (Sharing::Exclusive, Some(WifiMode::Monitor)));
    let thirty = Duration::from_secs(30);
    let required = Dependency::Required { timeout: thirty, lost_after: after };
    assert_eq!(kismet.dependencies[&ServiceName::new("gpsd").unwrap()], required);
    assert_eq!(kismet.ready.within, thirty);

    assert_eq!(service(&loaded, "mavgps").autostart, Autostart::No);
    assert_eq!(layers(&loaded), ["gpsd mavgps openwebrx", "kismet", "wigletotak"]);
    assert_eq!(loaded.station.logs, Logs { max_size: 10_000_000, keep: 5 });
}

#[test]
fn what_the_example_asks_of_a_later_version_is_said_once_each() {
    let loaded = good(EXAMPLE);
    let notes: Vec<&str> = loaded.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "`[api]` is accepted but not acted on in this version",
            "`live` checks are accepted but not acted on in this version (services.gpsd)",
            "`container` services are accepted but not acted on in this version, and what uses it is not started \
             (services.openwebrx)",
            "`preempt` and `preemptible` are accepted but not acted on in this version \
             (services.openwebrx.devices.hackrf)",
            "`on_return` of a device is accepted but not acted on in this version (services.openwebrx.devices.hackrf)",
            "`critical` is accepted but not acted on in this version (services.wigletotak)",
        ]
    );
    let openwebrx = service(&loaded, "openwebrx");
    assert_eq!(openwebrx.unit, Unit::Later);
    assert_eq!(openwebrx.not_in_this_version, [Unsupported::Container]);
    assert!(loaded.station.services.values().filter(|s| s.not_in_this_version.is_empty()).count() == 4);
}

#[test]
fn a_service_is_only_refused_for_what_its_running_depends_on() {
    let text = "hardware.h = { kind = 'hackrf' }\n[services.s]\ncommand = ['s']\nfallback = 't'\nlive = { fresh = {} }\n\
                recovery = {}\nbreaker = {}\ndevices.h = { preempt = true, preemptible = true, optional = true }\n\
                stop = { command = ['stop'] }\n[services.t]\nexternal = {}\n";
    let loaded = good(text);
    assert_eq!(keys(service(&loaded, "s")), ["devices.h.optional", "stop.command"]);
    assert_eq!(keys(service(&loaded, "t")), ["external"]);
}

#[test]
fn a_service_that_needs_a_channel_is_refused_rather_than_run_on_another() {
    let text = "hardware.w = { kind = 'wifi' }\n[services.s]\ncommand = ['s']\n\
                devices.w = { mode = 'monitor', channel = 6 }\n";
    let loaded = good(text);
    assert_eq!(keys(service(&loaded, "s")), ["devices.w.channel"]);
    assert!(
        loaded.notes.iter().any(|note| note.message.contains("`channel` is") && note.message.contains("not started"))
    );
}

#[test]
fn a_service_names_each_variable_that_it_takes_over_once() {
    let loaded = good("[services.s]\ncommand = ['s']\nenvironment_from = ['TZ', 'LANG', 'TZ']\n");
    let Unit::Process(command) = &service(&loaded, "s").unit else { panic!("it is a process") };
    assert_eq!(command.environment_from.iter().collect::<Vec<_>>(), ["LANG", "TZ"]);
}

#[test]
fn an_empty_file_is_a_station_with_nothing_in_it() {
    let Loaded { station, notes } = good("");
    assert!(station.services.is_empty() && station.devices.is_empty() && notes.is_empty());
    assert_eq!(station.runtime.max_parallel_starts.get(), 3);
    assert_eq!(station.api.listen.to_string(), "127.0.0.1:8092");
}

#[test]
fn the_shortest_service_has_the_documented_defaults() {
    let loaded = good("services.s.command = ['s']");
    let s = service(&loaded, "s");
    assert_eq!(s.ready, Ready { probe: Probe::Process, within: Duration::from_secs(90) });
    assert_eq!(s.stop.grace, Duration::from_secs(30));
    assert_eq!((s.restart.when, s.restart.attempts), (RestartWhen::Always, 3));
    assert_eq!((s.restart.backoff, s.restart.reset_after), (Duration::from_secs(2), Duration::from_secs(60)));
}

#[test]
fn the_field_station_is_the_example_with_more_words() {
    let (profile, example) = (good(FIELD_STATION), good(EXAMPLE));
    assert_eq!(profile.station.devices, example.station.devices);
    assert_eq!(profile.station.layers, example.station.layers);
    assert_eq!(profile.notes.len(), example.notes.len());
    for (name, service) in &profile.station.services {
        let other = &example.station.services[name];
        assert_eq!(service.dependencies, other.dependencies);
        assert_eq!((&service.ports, &service.ready), (&other.ports, &other.ready));
    }
}

#[test]
fn the_demo_uses_nothing_of_a_later_version_and_only_ports_it_can_choose() {
    let loaded = good(DEMO);
    assert_eq!(loaded.notes, []);
    let names: BTreeSet<&str> = loaded.station.services.keys().map(ServiceName::as_str).collect();
    assert_eq!(names, BTreeSet::from(["gpsd", "kismet", "openwebrx", "sweep", "wigletotak"]));
    assert_eq!(layers(&loaded), ["gpsd openwebrx sweep", "kismet", "wigletotak"]);
    for service in loaded.station.services.values() {
        let Unit::Process(command) = &service.unit else { panic!("{} is no process", service.name) };
        assert_eq!(command.argv[0].to_string(), "mainstay");
        assert_eq!(command.argv[2].to_string(), service.name.as_str());
        assert!(service.ports.values().all(|port| matches!(port, PortNeed::Range { .. })));
    }
    let leased = loaded.station.services.values().any(|s| s.devices.keys().any(|d| d.as_str() == "uplink"));
    assert!(!leased, "nobody takes the radio that carries the network");
}

#[test]
fn devices_that_can_be_told_apart_are_no_twins() {
    for text in [
        "hardware.a = { kind = 'hackrf', match = { serial = '1' } }\nhardware.b = { kind = 'hackrf', match = { serial = '2' } }",
        "hardware.a = { kind = 'hackrf', match = { path = '1-1' } }\nhardware.b = { kind = 'hackrf', match = { path = '1-2' } }",
        "hardware.a = { kind = 'hackrf' }\nhardware.b = { kind = 'usb', match = { usb = '1546:01a7' } }",
        "hardware.a = { kind = 'gps', match = { usb = '1546:01a7' } }\nhardware.b = { kind = 'serial', match = { name = 'ttyAMA0' } }",
        "hardware.a = { kind = 'gps' }\nhardware.b = { kind = 'wifi' }\nhardware.c = { kind = 'hackrf' }",
    ] {
        assert_eq!(good(text).station.devices.len(), text.lines().count());
    }
}

#[test]
fn services_that_never_run_together_may_share_a_port() {
    for relation in ["conflicts = ['b']", "fallback = 'b'"] {
        let text = format!(
            "[services.a]\ncommand = ['a']\nports = {{ x = 80 }}\n{relation}\n[services.b]\ncommand = ['b']\nports = {{ x = 80 }}\n"
        );
        assert_eq!(good(&text).station.services.len(), 2);
    }
}

#[test]
fn a_conflict_holds_for_both_whichever_names_it() {
    let loaded = good("services.a = { command = ['a'], conflicts = ['b'] }\nservices.b = { command = ['b'] }");
    for (name, other) in [("a", "b"), ("b", "a")] {
        let conflicts: Vec<&str> = service(&loaded, name).conflicts.iter().map(|known| known.as_str()).collect();
        assert_eq!(conflicts, [other], "{name}");
    }
}

#[test]
fn every_kind_of_check_can_be_written() {
    let ready = [
        ("'process'", Probe::Process),
        ("{ notify = true }", Probe::Notify),
        ("{ notify = { within = '7s' } }", Probe::Notify),
        ("{ file = { path = '/run/x' } }", Probe::File { path: template("/run/x") }),
        ("{ log = { contains = 'up' } }", Probe::Log { contains: "up".to_owned() }),
        ("{ exec = { command = ['true'] } }", Probe::Exec { command: vec![template("true")] }),
        ("{ tcp = { port = '{port.w}' } }", Probe::Tcp { host: "127.0.0.1".to_owned(), port: template("{port.w}") }),
        ("{ kismet = { port = 2501 }, within = '7s' }", Probe::Kismet { port: template("2501"), credentials: None }),
    ];
    for (text, probe) in ready {
        let loaded = good(&format!("services.s = {{ command = ['s'], ports = {{ w = 80 }}, ready = {text} }}"));
        let ready = &service(&loaded, "s").ready;
        assert_eq!(ready.probe, probe, "{text}");
        assert_eq!(ready.within, Duration::from_secs(if text.contains("7s") { 7 } else { 90 }), "{text}");
    }
}

fn template(text: &str) -> mainstay_config::template::Template {
    mainstay_config::template::Template::parse(text).unwrap()
}
