//! Lists, tables with free keys, and values that may be written in a short and a long form.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::{Deref, Range};
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

/// What is read, said and described as a `T` is.
macro_rules! as_a {
    ($type:ident) => {
        fn fits(value: &DeValue<'_>) -> bool {
            $type::fits(value)
        }

        fn expected() -> String {
            $type::expected()
        }

        fn cure(wrong: &DeValue<'_>) -> String {
            $type::cure(wrong)
        }

        fn schema(generator: &mut SchemaGenerator) -> Schema {
            $type::schema(generator)
        }
    };
}

/// A large value on the heap: a section has a field for every key it may have, and most stations use few.
#[derive(Debug, Clone)]
pub(crate) struct Boxed<T>(Box<T>);

impl<T> Deref for Boxed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Read> Read for Boxed<T> {
    as_a!(T);

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        T::read(item, report).map(|value| Self(Box::new(value)))
    }
}

/// A value, and whether all of it could be read: in what could not, a key that decides may have been meant.
#[derive(Debug, Clone)]
pub(crate) enum Wholly<T> {
    /// Nothing is wrong with it.
    Read(T),
    /// Something in it is unknown or wrong; that has been reported.
    InPart(T),
}

impl<T> Deref for Wholly<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Read(value) | Self::InPart(value) => value,
        }
    }
}

impl<T: Read> Read for Wholly<T> {
    as_a!(T);

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let before = report.count();
        let value = T::read(item, report)?;
        Some(if report.count() == before { Self::Read(value) } else { Self::InPart(value) })
    }
}

/// A table whose keys are names that the user chooses.
#[derive(Debug, Clone)]
pub(crate) struct Map<K, V> {
    pub(crate) entries: BTreeMap<K, Entry<V>>,
    /// Entries whose key is no name: what else is wrong in them is wrong as well.
    pub(crate) misnamed: Vec<(String, Entry<V>)>,
}

/// A name that a user chooses, as a key of a [`Map`].
pub(crate) trait Key: Ord + FromStr<Err: Display> {
    /// What is a name, for the JSON Schema.
    fn key_schema() -> Schema;
}

/// An entry of a [`Map`].
#[derive(Debug, Clone)]
pub(crate) struct Entry<V> {
    /// Where the key stands.
    pub(crate) key: Range<usize>,
    pub(crate) value: Field<V>,
}

impl<K: Key, V: Read> Read for Map<K, V> {
    fn fits(value: &DeValue<'_>) -> bool {
        value.is_table()
    }

    fn read(item: Item<'_, '_>, report: &mut Report) -> Option<Self> {
        let mut entries = BTreeMap::new();
        let mut misnamed = Vec::new();
        for (key, value) in item.value.as_table()?.iter() {
            let value = Item::new(value, &joined(item.path, key.get_ref())).read(report);
            let entry = Entry { key: key.span(), value };
            match key.get_ref().parse::<K>() {
                Ok(name) => {
                    entries.insert(name, entry);
                }
                Err(error) => {
                    let help = "choose a name of that shape; it appears in commands, file names and addresses";
                    report.problem(Code::BadName, &key.span(), error.to_string(), help);
                    misnamed.push((key.get_ref().to_string(), entry));
                }
            }
        }
        Some(Self { entries, misnamed })
    }

    fn expected() -> String {
        format!("a table of names, each with {}", V::expected())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let values = V::schema(generator);
        json_schema!({ "type": "object", "propertyNames": K::key_schema(), "additionalProperties": values })
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
