//! Values that are more than text: numbers, truth, sizes, commands.

use std::num::{NonZeroU16, NonZeroU32};

use schemars::{Schema, SchemaGenerator, json_schema};
use toml::de::{DeInteger, DeValue};

use super::{At, Field, Item, Read, Text};
use crate::diagnostics::{Code, Report};

impl Read for bool {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_bool()
    }

    fn read(item: Item<'_, '_>, _: &mut Report) -> Option<Self> {
        item.value.as_bool()
    }

    fn expected() -> String {
        "`true` or `false`".to_owned()
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        match wrong.as_str() {
            Some(word @ ("true" | "false")) => format!("write {word} without quotes"),
            _ => "write true or false".to_owned(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// The number in a type that holds the range; the range decides that this never falls back on `default`.
    pub(crate) fn to<T: TryFrom<i64>>(self, default: T) -> T {
        T::try_from(self.0).unwrap_or(default)
    }

    fn within(item: &Item<'_, '_>) -> Option<Self> {
        item.value.as_integer().and_then(integer).filter(|n| (MIN..=MAX).contains(n)).map(Self)
    }
}

/// Reports a whole number outside the range of `T`.
fn outside<T: Read>(item: &Item<'_, '_>, report: &mut Report) {
    let number = item.value.as_integer().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{}` is {number}, outside its range", item.path);
    report.problem(Code::OutOfRange, &item.span, message, T::cure(item.value));
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

impl<const MIN: i64, const MAX: i64> Read for Int<MIN, MAX> {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_integer()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let good = Self::within(&item);
        if good.is_none() {
            outside::<Self>(&item, report);
        }
        good
    }

    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        match wrong.as_str() {
            Some(text) if text.parse::<i64>().is_ok() => format!("write {text} without quotes"),
            // Ports are the only ones with a range like this.
            _ => format!("write {}, such as {}", Self::expected(), if MAX == 65535 { 8080 } else { 3.clamp(MIN, MAX) }),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// So many departures are too many. Not more than a device's history holds: a larger number would never be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Departures(Int<1, 64>);

impl Departures {
    pub(crate) fn number(self) -> NonZeroU32 {
        NonZeroU32::new(self.0.to(1)).unwrap_or(NonZeroU32::MIN)
    }
}

impl Read for Departures {
    fn fits(value: &DeValue<'_>) -> bool {
        Int::<1, 64>::fits(value)
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let good = Int::within(&item);
        if good.is_none() {
            outside::<Self>(&item, report);
        }
        good.map(Self)
    }

    fn expected() -> String {
        format!("{}, since the last 64 departures of a device are remembered", Int::<1, 64>::expected())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Int::<1, 64>::schema(generator)
    }
}

/// A port number.
pub(crate) type Port = Int<1, 65535>;

impl Port {
    pub(crate) fn number(self) -> NonZeroU16 {
        NonZeroU16::new(self.to(1)).unwrap_or(NonZeroU16::MIN)
    }
}

/// A factor of growth: a finite number, at least 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factor(pub(crate) f64);

impl Read for Factor {
    fn fits(value: &DeValue<'_>) -> bool {
        matches!(value, DeValue::Integer(_) | DeValue::Float(_))
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let number: Option<f64> = match item.value {
            DeValue::Integer(n) => integer(n).and_then(|n| i32::try_from(n).ok()).map(f64::from),
            DeValue::Float(n) => n.as_str().parse().ok(),
            _ => None,
        };
        let good = number.filter(|n| n.is_finite() && *n >= 1.0);
        if good.is_none() {
            let message = format!("`{}` must be at least 1, and finite", item.path);
            report.problem(
                Code::OutOfRange,
                &item.span,
                message,
                "write 1.0 for waits of equal length, 2.0 to double them",
            );
        }
        good.map(Self)
    }

    fn expected() -> String {
        "a number of at least 1, such as 2.0".to_owned()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 1 })
    }
}

/// A size in bytes, at least 1: a number, or text such as `10MB` or `512KiB`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl Size {
    fn parse(text: &str) -> Option<u64> {
        let text = text.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(unit_at)?;
        let factor: u64 = match unit.trim_start() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }
}

impl Read for Size {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_integer() || value.is_str()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let bytes = match item.value {
            DeValue::Integer(number) => integer(number).and_then(|n| u64::try_from(n).ok()),
            value => Self::parse(value.as_str()?),
        };
        let good = bytes.filter(|bytes| *bytes > 0);
        if good.is_none() {
            let upper = item.value.as_str().map(|text| text.trim().to_uppercase()).unwrap_or_default();
            let mut units = [upper.clone(), format!("{upper}B")].map(|text| text.replace("IB", "iB")).into_iter();
            let help = match units.find(|text| Self::parse(text).is_some_and(|bytes| bytes > 0)) {
                Some(text) => format!("write \"{text}\""),
                None => format!("write {}", Self::expected()),
            };
            let number = item.value.as_integer().map(ToString::to_string);
            let shown = number.or(item.value.as_str().map(|text| format!("\"{text}\""))).unwrap_or_default();
            report.problem(Code::BadSize, &item.span, format!("`{}` is not a size: {shown}", item.path), help);
        }
        good.map(Self)
    }

    fn expected() -> String {
        "a size above 0 such as \"10MB\", \"512KiB\" or a number of bytes".to_owned()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$" },
        ] })
    }
}

/// A program and its arguments, as a list: no shell takes it apart.
#[derive(Debug, Clone)]
pub(crate) struct Argv(pub(crate) Vec<At<Text>>);

impl Read for Argv {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_array()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        const HELP: &str = "write the program, then its arguments: [\"gpsd\", \"-N\"]";
        let path = item.path;
        let array = item.value.as_array()?;
        if array.is_empty() {
            report.problem(Code::EmptyCommand, &item.span, format!("`{path}` is empty: there is nothing to run"), HELP);
            return None;
        }
        let first_span = array.first().map_or(item.span.clone(), serde_spanned::Spanned::span);
        let Field::Said(items) = item.read::<Vec<At<Text>>>(report) else { return None };
        if items.value.first().is_some_and(|first| first.span == first_span && first.value.0.trim().is_empty()) {
            let message = format!("the first item of `{path}` is empty: there is no program to run");
            report.problem(Code::EmptyCommand, &first_span, message, HELP);
            return None;
        }
        (items.value.len() == array.len()).then_some(Self(items.value))
    }

    fn expected() -> String {
        "a list: the program, then its arguments".to_owned()
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        match wrong.as_str() {
            Some(text) if !text.trim().is_empty() && text.len() <= 200 => {
                let words: Vec<&str> = text.split_whitespace().collect();
                format!("write it as a list, since no shell reads it: {words:?}")
            }
            _ => "write it as a list: the program, then its arguments, such as [\"gpsd\", \"-N\"]".to_owned(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "minItems": 1,
            "prefixItems": [{ "type": "string", "pattern": r"\S" }],
            "items": { "type": "string" },
        })
    }
}
