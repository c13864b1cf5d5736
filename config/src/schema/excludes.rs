//! For the JSON Schema: what excludes each other across the keys of a section, as `lower` checks it.

use serde_json::{Value, json};

use crate::lower::match_keys;
use crate::model::DeviceKind;
use crate::read::key;
use crate::schema::MatchTable;

/// Adds it to the definitions of the schema.
pub(crate) fn add_to(schema: &mut schemars::Schema) {
    let Some(definitions) = schema.get_mut("$defs") else { return };
    for (section, rules) in [
        ("HardwareTable", DeviceKind::WORDS.iter().filter_map(|(word, kind)| of_kind(word, *kind)).collect()),
        (
            "DeviceTable",
            vec![json!({
                "if": { "properties": { "lease": { "const": "shared" } }, "required": ["lease"] },
                "then": { "properties": { "mode": false } },
            })],
        ),
        ("ReadyTable", vec![json!({ "properties": { "gpsd": without(&["max_age"]) } })]),
        ("LiveTable", vec![Value::from_iter([("properties", live())])]),
    ] {
        if let Some(section) = definitions.get_mut(section).and_then(Value::as_object_mut) {
            section.insert("allOf".to_owned(), Value::Array(rules));
        }
    }
}

/// A kind of device is not recognised by every key.
fn of_kind(word: &str, kind: DeviceKind) -> Option<Value> {
    let others = MatchTable::KEYS.iter().map(|field| key(field)).filter(|key| !match_keys(kind).contains(key));
    let others: Vec<&str> = others.collect();
    (!others.is_empty()).then(|| {
        json!({
            "if": { "properties": { "kind": { "const": word } }, "required": ["kind"] },
            "then": { "properties": { "match": without(&others) } },
        })
    })
}

/// A check of `live` has its time beside it.
fn live() -> Value {
    ["tcp", "http", "exec", "file", "gpsd", "kismet"].into_iter().map(|check| (check, without(&["within"]))).collect()
}

/// A table without these keys.
fn without(keys: &[&str]) -> Value {
    Value::from_iter([("properties", keys.iter().map(|key| (*key, Value::Bool(false))).collect::<Value>())])
}
