//! Values that are written as text and mean something: durations, paths, words out of a list.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;
use toml::de::DeValue;

use super::{Item, Read};
use crate::diagnostics::{Code, Report};
use crate::suggest;

/// Why a text is not what belongs there: the message without the place, and the cure.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// A value written as text.
pub(crate) trait TextValue: Sized {
    /// What belongs here, as it stands in a sentence.
    fn expected_text() -> String;

    /// Reads it. The text holds no zero byte.
    fn from_text(text: &str) -> Result<Self, Refusal>;

    /// Its JSON Schema; `type` is `string`.
    fn text_schema() -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl<T: TextValue> Read for T {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_str()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let text = item.value.as_str()?;
        let value = if text.contains('\0') {
            Err(refused(Code::BadValue, "holds a zero byte, which no program can be given", "leave out \\u0000"))
        } else {
            T::from_text(text)
        };
        value
            .map_err(|refusal| {
                let message = format!("`{}` {}", item.path, refusal.message);
                let help = suggest::shown(refusal.help, item.path, Some(text));
                report.problem(refusal.code, &item.span, message, help);
            })
            .ok()
    }

    fn expected() -> String {
        T::expected_text()
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        match wrong {
            DeValue::Integer(number) => {
                let in_quotes = [number.to_string(), format!("{number}s")];
                let right = in_quotes.iter().find(|text| T::from_text(text).is_ok());
                right.map_or_else(
                    || format!("write {}", T::expected_text()),
                    |text| format!("write it in quotes: \"{text}\""),
                )
            }
            _ => format!("write {}", T::expected_text()),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        T::text_schema()
    }
}

pub(crate) fn refused(code: Code, message: impl Into<String>, help: impl Into<String>) -> Refusal {
    Refusal { code, message: message.into(), help: help.into() }
}

/// Any text.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(crate) String);

impl TextValue for Text {
    fn expected_text() -> String {
        "text in quotes".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        Ok(Self(text.to_owned()))
    }
}

/// Text that is not empty.
#[derive(Debug, Clone)]
pub(crate) struct Filled(pub(crate) String);

impl TextValue for Filled {
    fn expected_text() -> String {
        "text in quotes, not empty".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        if text.trim().is_empty() {
            return Err(refused(
                Code::BadValue,
                "is empty",
                "write something between the quotes, or leave the key out",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"\S" })
    }
}

/// A device's name in the kernel: no path, since a name holds no slash.
#[derive(Debug, Clone)]
pub(crate) struct KernelName(pub(crate) String);

impl TextValue for KernelName {
    fn expected_text() -> String {
        "the kernel's name, such as \"ttyACM0\" or \"wlan2\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let Filled(name) = Filled::from_text(text)?;
        if !name.contains('/') {
            return Ok(Self(name));
        }
        let help = match name.strip_prefix("/dev/") {
            Some(node) if !node.is_empty() && !node.contains('/') => format!("write \"{node}\""),
            _ => format!("write {}, or recognise it by `serial`, `usb` or `path`", Self::expected_text()),
        };
        Err(refused(Code::BadValue, format!("is a path, not the kernel's name: \"{name}\""), help))
    }

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[^/]*[^/\s][^/]*$" })
    }
}

/// The longest duration: a year. It keeps every deadline within what clocks can count.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The units of durations, of those that humantime takes, and their names. Its `M` is a month, and easily written for a minute.
const UNITS: [(&str, &str); 5] =
    [("ms", "milliseconds"), ("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("d", "days")];

/// The first word in a duration that is no unit.
fn no_unit(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace());
    words.find(|word| !word.is_empty() && !UNITS.iter().any(|(short, _)| short == word))
}

/// The unit that somebody meant who wrote it large, or its name, or the beginning of that.
fn unit_meant(written: &str) -> Option<&'static str> {
    let lower = written.to_lowercase();
    let begins = |name: &str| name.starts_with(lower.strip_suffix('s').unwrap_or(&lower));
    let same = UNITS.iter().find(|(short, _)| *short == lower);
    same.or_else(|| UNITS.iter().find(|(_, name)| begins(name))).map(|(short, _)| *short)
}

/// A duration; zero is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Duration);

impl TextValue for Time {
    fn expected_text() -> String {
        "a duration such as \"30s\", \"2m\" or \"500ms\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let help = "write a number and a unit: \"500ms\", \"30s\", \"2m\", \"1h 30m\"";
        if let Some(unit) = no_unit(text) {
            let right = unit_meant(unit).map(|short| text.replace(unit, short));
            let right = right.filter(|text| no_unit(text).is_none() && humantime::parse_duration(text).is_ok());
            let help =
                right.map_or_else(|| help.to_owned(), |text| format!("`{unit}` is not a unit; write \"{text}\""));
            return Err(refused(Code::BadDuration, format!("is not a duration: \"{text}\""), help));
        }
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= LONGEST => Ok(Self(duration)),
            Ok(_) => Err(refused(Code::BadDuration, format!("is too long: \"{text}\""), "write at most \"366d\"")),
            Err(_) => Err(refused(Code::BadDuration, format!("is not a duration: \"{text}\""), help)),
        }
    }

    fn text_schema() -> Schema {
        const PATTERN: &str = r"^\s*(0|([0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)\s*)+)$";
        json_schema!({ "type": "string", "pattern": PATTERN, "examples": ["500ms", "30s", "2m", "1h 30m"] })
    }
}

/// A duration above zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeSpan(pub(crate) Duration);

impl TextValue for TimeSpan {
    fn expected_text() -> String {
        Time::expected_text()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let Time(duration) = Time::from_text(text)?;
        if duration.is_zero() {
            let help = "write a duration above zero, such as \"10s\", or leave the key out";
            return Err(refused(Code::BadDuration, "must not be zero", help));
        }
        Ok(Self(duration))
    }

    fn text_schema() -> Schema {
        let mut schema = Time::text_schema();
        // Not zero: somewhere there is another digit.
        schema.insert("allOf".to_owned(), json!([{ "pattern": "[1-9]" }]));
        schema
    }
}

/// A path from the root.
#[derive(Debug, Clone)]
pub(crate) struct AbsolutePath(pub(crate) PathBuf);

impl TextValue for AbsolutePath {
    fn expected_text() -> String {
        "an absolute path such as \"/var/lib/mainstay\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        if Path::new(text).is_absolute() {
            return Ok(Self(PathBuf::from(text)));
        }
        let help = format!(
            "write {}; the path is absolute, since where mainstay is started from must not matter",
            Self::expected_text()
        );
        Err(refused(Code::RelativePath, format!("is not an absolute path: \"{text}\""), help))
    }

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "pattern": "^/" })
    }
}

/// A word out of a list.
pub(crate) trait Word: Copy + 'static {
    /// What the words are, as it stands in a sentence: `a signal`.
    const WHAT: &'static str;
    /// The words and what they mean.
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Word> TextValue for T {
    fn expected_text() -> String {
        format!("{}: {}", T::WHAT, crate::suggest::list(words::<T>()))
    }

    fn from_text(text: &str) -> Result<Self, Refusal> {
        let found = T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let choices = words::<T>().collect::<Vec<_>>();
            let help = crate::suggest::did_you_mean(text, choices, "the words are");
            refused(Code::BadValue, format!("is \"{text}\", which is not {}", T::WHAT), help)
        })
    }

    fn text_schema() -> Schema {
        let words: Vec<&str> = words::<T>().collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

fn words<T: Word>() -> impl Iterator<Item = &'static str> {
    T::WORDS.iter().map(|(word, _)| *word)
}
