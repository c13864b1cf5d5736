//! What the kernel says: hotplug events, USB, serial ports, Wi-Fi, and a simulated bus behind the same interface.

pub mod bus;
pub mod error;
pub mod sighting;
