//! Reading a parsed TOML document into the types of `schema`, without stopping at the first mistake.
//!
//! serde's derive ends at the first unknown key or wrong type. Here every value is read by its own [`Read`], which says
//! what is wrong with it and where, and the reading goes on beside it.

mod collections;
mod recognising;
mod section;
mod shapes;
mod text;
mod values;

use std::ops::Range;

use schemars::{Schema, SchemaGenerator};
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Code, Report};
use crate::suggest;

pub(crate) use collections::{Anything, Boxed, Either, Entry, Key, Map, Wholly};
pub(crate) use recognising::{SerialNumber, instead_of};
pub(crate) use section::{LATER, key, missing, one_of, section, section_schema, unknown_keys};
pub(crate) use shapes::{EnvironmentName, HttpUrl, PortRange};
pub(crate) use text::{AbsolutePath, Filled, KernelName, Text, Time, TimeSpan, Word};
pub(crate) use values::{Argv, Departures, Factor, Int, Port, Size};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A key of a section: whether it is there, whether it could be read.
#[derive(Debug, Clone, Default)]
pub(crate) enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// It is there, but wrong; that has been reported.
    Bad(Range<usize>),
    /// It is there.
    Said(At<T>),
}

impl<T> Field<T> {
    pub(crate) fn said(&self) -> Option<&At<T>> {
        match self {
            Self::Said(at) => Some(at),
            Self::Absent | Self::Bad(_) => None,
        }
    }

    pub(crate) fn value(&self) -> Option<&T> {
        self.said().map(|at| &at.value)
    }

    /// Where it stands, right or wrong.
    pub(crate) fn span(&self) -> Option<&Range<usize>> {
        match self {
            Self::Absent => None,
            Self::Bad(span) => Some(span),
            Self::Said(at) => Some(&at.span),
        }
    }
}

impl Field<bool> {
    /// Where it stands, when it is `true`.
    pub(crate) fn if_true(&self) -> Option<&Range<usize>> {
        self.said().filter(|at| at.value).map(|at| &at.span)
    }
}

/// A value to be read: the value, its place in the file, and its place in words (`services.gpsd.ready`).
#[derive(Debug, Clone)]
pub(crate) struct Item<'a, 'i> {
    pub(crate) value: &'a DeValue<'i>,
    pub(crate) span: Range<usize>,
    pub(crate) path: &'a str,
}

impl<'a, 'i> Item<'a, 'i> {
    pub(crate) fn new(value: &'a Spanned<DeValue<'i>>, path: &'a str) -> Self {
        Self { value: value.get_ref(), span: value.span(), path }
    }

    /// Reports that a `T` belongs here.
    pub(crate) fn wrong_type<T: Read>(&self, report: &mut Report) {
        let found = type_words(self.value);
        let message = format!("`{}` is {found}, and must be {}", self.path, T::expected());
        let cure = match suggest::example(self.path, self.value.as_str()) {
            Some(line) => format!("write `{line}`"),
            None => T::cure(self.value),
        };
        report.problem(Code::WrongType, &self.span, message, cure);
    }

    /// Reads a `T` here.
    pub(crate) fn read<T: Read>(self, report: &mut Report) -> Field<T> {
        let span = self.span.clone();
        let value = if T::fits(self.value) {
            T::read(self, report)
        } else {
            self.wrong_type::<T>(report);
            None
        };
        match value {
            Some(value) => Field::Said(At { value, span }),
            None => Field::Bad(span),
        }
    }
}

/// Something that can be read from a TOML value.
pub(crate) trait Read: Sized {
    /// Whether the TOML type is right.
    fn fits(value: &DeValue<'_>) -> bool;

    /// Reads a value whose TOML type is right. `None`: it is wrong, and that has been reported.
    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self>;

    /// What belongs here, as it stands in a sentence: `a duration such as "30s"`.
    fn expected() -> String;

    /// What to write instead of a value of the wrong type.
    fn cure(_wrong: &DeValue<'_>) -> String {
        format!("write {}", Self::expected())
    }

    /// Its JSON Schema.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// The value of `key` in `table`.
pub(crate) fn field<T: Read>(table: &DeTable<'_>, key: &str, path: &str, report: &mut Report) -> Field<T> {
    match table.get(key) {
        Some(value) => Item::new(value, &joined(path, key)).read(report),
        None => Field::Absent,
    }
}

/// The place in words of a key under a place in words.
pub(crate) fn joined(path: &str, key: &str) -> String {
    // Longer keys are refused as names; cutting them keeps the work and the messages small whatever the file holds.
    let end = key.char_indices().nth(64).map_or(key.len(), |(at, _)| at);
    let key = key.get(..end).unwrap_or(key);
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
