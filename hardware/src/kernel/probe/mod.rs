//! Looking closer at a device that nobody uses.

pub(crate) mod gps;
pub(crate) mod hackrf;
mod listener;
