//! What the user wrote: the configuration's schema, its validation with exact places, and the dependency graph.
//!
//! ```text
//! text ──toml──▶ document ──read──▶ schema ──lower──▶ model
//!                    │                 │                │
//!                    └──── problems, all of them, each with its place and its cure
//! ```
//!
//! [`load`] reads a file, [`parse`] a text. Neither stops at the first problem.

#[macro_use]
mod words;

mod counted;
pub mod diagnostics;
pub mod graph;
mod load;
mod lower;
pub mod model;
pub mod names;
pub mod paths;
pub mod port_choice;
mod read;
mod schema;
mod suggest;
mod syntax;
pub mod template;

pub use counted::counted;
pub use diagnostics::{Code, Colour, Note, Problem, Problems};
pub use load::{LoadError, Loaded, MAX_BYTES, check_kind, load, parse};
pub use lower::could_be_one;

/// A shipped configuration: a field station with gpsd, Kismet, OpenWebRX and WigleToTAK, explained line by line.
pub const FIELD_STATION: &str = include_str!("../profiles/field-station.toml");

/// The shipped configuration of `mainstay run --demo`: simulated hardware and stand-ins for the real programs.
pub const DEMO: &str = include_str!("../profiles/demo.toml");

/// The JSON Schema of the configuration file, for editors: `mainstay check --schema`.
#[must_use]
pub fn schema_json() -> serde_json::Value {
    let mut schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<schema::File>();
    schema::add_excludes(&mut schema);
    schema.insert("title".to_owned(), "mainstay configuration".into());
    schema.to_value()
}
