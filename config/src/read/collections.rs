//! Lists, tables with free keys, and values that may be written in a short and a long form.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use schemars::{Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::{At, Field, Item, Read, joined};
use crate::diagnostics::{Code, Report};

impl<T: Read> Read for Vec<At<T>> {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_array()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let items = item.value.as_array()?.iter();
        let read = items.map(|value| Item::new(value, item.path).read(report));
        // What could not be read has been reported; the rest is kept, so that it is checked as well.
        Some(read.filter_map(|field| if let Field::Said(at) = field { Some(at) } else { None }).collect())
    }

    fn expected() -> String {
        format!("a list, each item {}", T::expected())
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        match wrong.as_str() {
            Some(text) if T::fits(wrong) => format!("write it as a list: [{text:?}]"),
            _ => format!("write {}", Self::expected()),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let items = T::schema(generator);
        json_schema!({ "type": "array", "items": items })
    }
}

/// A table whose keys are names that the user chooses.
#[derive(Debug, Clone)]
pub(crate) struct Map<K, V> {
    pub(crate) entries: BTreeMap<K, Entry<V>>,
}

/// An entry of a [`Map`].
#[derive(Debug, Clone)]
pub(crate) struct Entry<V> {
    /// Where the key stands.
    pub(crate) key: Range<usize>,
    pub(crate) value: Field<V>,
}

impl<K, V> Read for Map<K, V>
where
    K: Ord + FromStr,
    K::Err: Display,
    V: Read,
{
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_table()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for (key, value) in item.value.as_table()?.iter() {
            let value = Item::new(value, &joined(item.path, key.get_ref())).read(report);
            match key.get_ref().parse::<K>() {
                Ok(name) => {
                    entries.insert(name, Entry { key: key.span(), value });
                }
                Err(error) => {
                    let help = "choose a name of that shape; it appears in commands, file names and addresses";
                    report.problem(Code::BadName, &key.span(), error.to_string(), help);
                }
            }
        }
        Some(Self { entries })
    }

    fn expected() -> String {
        format!("a table of names, each with {}", V::expected())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let values = V::schema(generator);
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

/// A value with a short form `A` and a long form `B`, told apart by their TOML types.
#[derive(Debug, Clone)]
pub(crate) enum Either<A, B> {
    Short(A),
    Long(B),
}

impl<A: Read, B: Read> Read for Either<A, B> {
    fn fits(value: &DeValue<'_>) -> bool {
        A::fits(value) || B::fits(value)
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        if A::fits(item.value) { A::read(item, report).map(Self::Short) } else { B::read(item, report).map(Self::Long) }
    }

    fn expected() -> String {
        format!("{}, or {}", A::expected(), B::expected())
    }

    fn cure(wrong: &DeValue<'_>) -> String {
        A::cure(wrong)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let (short, long) = (A::schema(generator), B::schema(generator));
        json_schema!({ "anyOf": [short, long] })
    }
}

/// A table that a later version gives a meaning; what is in it is not looked at.
#[derive(Debug, Clone)]
pub(crate) struct Anything;

impl Read for Anything {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_table()
    }

    fn read(_: Item<'_, '_>, _: &mut Report) -> Option<Self> {
        Some(Self)
    }

    fn expected() -> String {
        "a table".to_owned()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
