//! The JSON Schema says what `check` says, as far as it can: shapes of text, and what excludes what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use mainstay_config::{parse, schema_json};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// What the schema says at a path such as `MatchTable/properties/mac`.
fn at(path: &str) -> Value {
    let schema = schema_json();
    schema.pointer(&format!("/$defs/{path}")).unwrap_or_else(|| panic!("nothing at {path}")).clone()
}

/// Texts of the shape that the schema has at a path.
fn texts(path: &str) -> Vec<String> {
    let pattern = at(path)["pattern"].as_str().expect(path).to_owned();
    // The generator writes whole texts, and knows no anchors.
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).expect(path);
    let strategy = proptest::string::string_regex(inner).unwrap();
    let mut runner = TestRunner::deterministic();
    (0..50).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn what_has_the_shape_of_the_schema_is_right_for_check() {
    for (path, station) in [
        ("MatchTable/properties/mac", "hardware.h = { kind = 'wifi', match = { mac = '@' } }"),
        ("MatchTable/properties/usb", "hardware.h = { kind = 'usb', match = { usb = '@' } }"),
        ("MatchTable/properties/path", "hardware.h = { kind = 'usb', match = { path = '@' } }"),
        ("ServiceTable/properties/devices/propertyNames", "hardware.'@' = { kind = 'usb' }"),
        ("ServiceTable/properties/ports/propertyNames", "services.s = { command = ['s'], ports = { '@' = 80 } }"),
    ] {
        for text in texts(path) {
            assert!(parse("station.toml", &station.replace('@', &text)).is_ok(), "{path}: {text:?}");
        }
    }
}

#[test]
fn text_that_means_something_has_a_shape() {
    for path in [
        "MatchTable/properties/name",
        "DefaultsTable/properties/lost_after",
        "DefaultsTable/properties/ready_within",
        "ApiTable/properties/listen",
        "PortTable/properties/range",
        "HttpProbe/properties/url",
        "RuntimeTable/properties/run_dir",
        "ServiceTable/properties/user",
        "ServiceTable/properties/command/prefixItems/0",
        "ServiceTable/properties/environment/propertyNames",
        "ServiceTable/properties/environment_from/items",
    ] {
        assert!(at(path)["pattern"].is_string(), "{path}");
    }
    assert_eq!(at("DefaultsTable/properties/ready_within/allOf"), json!([{ "pattern": "[1-9]" }]), "never zero");
    assert_eq!(at("ServiceTable/properties/command/minItems"), json!(1));
    let services = &schema_json()["properties"]["services"]["propertyNames"];
    assert_eq!(services["not"], json!({ "const": "readiness-probes" }));
    for names in ["environment/propertyNames", "environment_from/items"] {
        assert_eq!(at(&format!("ServiceTable/properties/{names}/not/enum/2")), json!("NOTIFY_SOCKET"));
    }
}

#[test]
fn what_excludes_each_other_is_one_of_them() {
    let one_of = |keys: &str| keys.split(' ').map(|key| json!({ "required": [key] })).collect::<Vec<_>>();
    assert_eq!(at("ServiceTable/oneOf"), json!(one_of("command oneshot systemd container external")));
    assert_eq!(at("PortTable/oneOf"), json!(one_of("fixed range")));
    assert_eq!(at("LiveTable/oneOf"), json!(one_of("tcp http exec file gpsd kismet watchdog fresh")));
    let mut ready = one_of("process notify tcp http exec file log gpsd kismet");
    // A time alone is one for the ordinary check.
    ready.push(json!({ "required": ["within"], "maxProperties": 1 }));
    assert_eq!(at("ReadyTable/oneOf"), json!(ready));
}

#[test]
fn what_excludes_each_other_across_keys_is_said_as_well() {
    let hardware = at("HardwareTable/allOf");
    let denied = |kind: &str| -> Vec<String> {
        let rules = hardware.as_array().unwrap().iter();
        let mut rule = rules.filter(|rule| rule["if"]["properties"]["kind"]["const"] == kind);
        let keys = rule.next().map(|rule| rule["then"]["properties"]["match"]["properties"].clone());
        keys.into_iter().flat_map(|keys| keys.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect()
    };
    // What the schema denies, `check` refuses, and nothing else.
    for kind in ["hackrf", "usb", "gps", "serial", "wifi"] {
        let values = [("mac", "02:00:00:00:00:01"), ("usb", "1d50:6089"), ("path", "1-1")];
        for key in ["serial", "usb", "path", "mac", "driver", "name"] {
            let value = values.iter().find(|(other, _)| *other == key).map_or("x", |(_, value)| value);
            let text = format!("hardware.h = {{ kind = '{kind}', match = {{ {key} = '{value}' }} }}");
            assert_eq!(parse("f.toml", &text).is_err(), denied(kind).contains(&key.to_owned()), "{text}");
        }
    }
    let never = |key: &str| json!({ "properties": { key: false } });
    assert_eq!(at("DeviceTable/allOf/0/then"), never("mode"));
    assert_eq!(at("ReadyTable/allOf/0/properties/gpsd"), never("max_age"));
    for check in ["tcp", "http", "exec", "file", "gpsd", "kismet"] {
        assert_eq!(at(&format!("LiveTable/allOf/0/properties/{check}")), never("within"));
    }
}
