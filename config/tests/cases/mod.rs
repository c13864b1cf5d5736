//! The wrong texts.

mod commands;
mod dependencies;
mod devices;
mod keys;
mod ports_and_probes;
mod syntax;
mod values;

pub(crate) use commands::COMMANDS;
pub(crate) use dependencies::DEPENDENCIES;
pub(crate) use devices::DEVICES;
pub(crate) use keys::KEYS;
pub(crate) use ports_and_probes::PORTS_AND_PROBES;
pub(crate) use syntax::SYNTAX;
pub(crate) use values::VALUES;
