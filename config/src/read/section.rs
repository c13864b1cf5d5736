//! Sections: tables with fixed keys, declared once for the reader, the suggestions and the JSON Schema.

use schemars::Schema;
use serde_json::{Map, Value, json};
use toml::de::DeTable;

use super::{Item, Read, joined};
use crate::diagnostics::{Code, Report};
use crate::suggest::{self, Keys};

/// What stands in the description of a key that this version takes and does not act on.
pub(crate) const LATER: &str = "acted on by a later version";

/// Declares a section: a struct whose fields are the keys it may have, each a [`Field`](super::Field).
///
/// The doc comments become the descriptions of the JSON Schema. Keys in `requires` must be there. Of those in `one_of`
/// there must be exactly one, or none where the key in `or_only` stands alone; that is for the JSON Schema, since what is
/// said about it depends on the section.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        struct $name:ident requires [$($required:literal),*]
            $(one_of [$($kind:literal),*] $(or_only $alone:literal)?)?
        {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $name {
            $( $(#[doc = $doc])+ pub(crate) $field: crate::read::Field<$type>, )*
        }

        impl $name {
            // `match` is a keyword of Rust, so that its field is spelled `r#match`.
            pub(crate) const KEYS: &'static [&'static str] = &[$( stringify!($field) ),*];
            const REQUIRED: &'static [&'static str] = &[$( $required ),*];

            /// The keys that this version acts on: no other is offered to anybody.
            fn offered() -> Vec<&'static str> {
                let all = [$( (stringify!($field), concat!($($doc, "\n"),+)) ),*];
                let now = all.into_iter().filter(|(_, doc)| !doc.contains(crate::read::LATER));
                now.map(|(field, _)| crate::read::key(field)).collect()
            }
        }

        impl crate::read::Read for $name {
            fn fits(value: &toml::de::DeValue<'_>) -> bool {
                value.is_table()
            }

            fn read(item: crate::read::Item<'_, '_>, report: &mut crate::diagnostics::Report) -> Option<Self> {
                let table = item.value.as_table()?;
                crate::read::unknown_keys(table, item.path, (Self::KEYS, &Self::offered()), report);
                $( crate::read::missing::<$type>(&item, table, stringify!($field), Self::REQUIRED, report); )*
                Some(Self {
                    $( $field: crate::read::field(table, crate::read::key(stringify!($field)), item.path, report), )*
                })
            }

            fn expected() -> String {
                format!("a table with keys out of {}", crate::suggest::all(Self::offered()))
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let properties = vec![
                    $( (
                        crate::read::key(stringify!($field)),
                        <$type as crate::read::Read>::schema(generator),
                        concat!($($doc, "\n"),+),
                    ), )*
                ];
                #[allow(unused_mut, reason = "most sections have no `one_of`")]
                let mut schema =
                    crate::read::section_schema(concat!($($about, "\n"),+), properties, Self::REQUIRED);
                $(
                    let alone: &[&str] = &[$($alone)?];
                    schema.insert("oneOf".to_owned(), crate::read::one_of(&[$($kind),*], alone));
                )?
                schema
            }
        }
    };
}
pub(crate) use section;

/// The key as it is written in the file, from the name of the field in Rust.
pub(crate) fn key(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Reports a key that must be there and is not, and says what belongs there.
pub(crate) fn missing<T: Read>(
    item: &Item<'_, '_>,
    table: &DeTable<'_>,
    field: &str,
    required: &[&str],
    report: &mut Report,
) {
    let key = key(field);
    if required.contains(&key) && !table.contains_key(key) && !report.is_meant(item.path, &[key]) {
        let message = format!("`{}` has no `{key}`", item.path);
        let help = match suggest::example(&joined(item.path, key), None).or_else(|| suggest::example(item.path, None)) {
            Some(line) => format!("add `{key} = …`, as in `{line}`"),
            None => format!("add `{key} = …`: {}", T::expected()),
        };
        report.problem(Code::MissingKey, &item.span, message, help);
    }
}

/// Reports every key of the table that is not among `known`.
pub(crate) fn unknown_keys(table: &DeTable<'_>, path: &str, (known, offered): (&[&str], &[&str]), report: &mut Report) {
    let known: Vec<&str> = known.iter().map(|name| key(name)).collect();
    for (written, _) in table.iter() {
        let name: &str = written.get_ref();
        if known.contains(&name) {
            continue;
        }
        let place = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
        let message = format!("{place} has no key `{name}`");
        report.unknown_key(&written.span(), message, name, Keys { path, known: &known, offered });
    }
}

/// The JSON Schema of a section.
pub(crate) fn section_schema(about: &str, properties: Vec<(&str, Schema, &str)>, required: &[&str]) -> Schema {
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(key, mut schema, doc)| {
            schema.insert("description".to_owned(), prose(doc).into());
            (key.to_owned(), schema.to_value())
        })
        .collect();
    let mut schema = Schema::default();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("description".to_owned(), prose(about).into());
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), false.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// For the JSON Schema: exactly one of the keys, or one of those that may stand alone.
pub(crate) fn one_of(keys: &[&str], alone: &[&str]) -> Value {
    let keys = keys.iter().map(|key| json!({ "required": [key] }));
    let alone = alone.iter().map(|key| json!({ "required": [key], "maxProperties": 1 }));
    keys.chain(alone).collect()
}

/// A doc comment as flowing text.
fn prose(doc: &str) -> String {
    doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
