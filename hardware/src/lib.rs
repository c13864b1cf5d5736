//! What the kernel says: hotplug events, USB, serial ports, Wi-Fi, and a simulated bus behind the same interface.
//!
//! - [`bus`]: the interface between mainstay and hardware
//! - [`sighting`]: what is seen, and the events that say so
//! - [`advice`]: what to write into a configuration for what is there
//! - [`harmless`]: what a device says of itself, fit for commands
//! - [`matching`]: which configured device a sighting is, and how to speak of it to people
//! - [`kernel`]: the real thing, from sysfs, uevents, libusb, nl80211 and rtnetlink
//! - [`simulated`]: hardware that is only imagined, for the demo and for tests
//! - [`watched`]: who owns which thread and task, here and above

pub mod advice;
pub mod bus;
pub mod error;
mod harmless;
pub mod kernel;

pub mod matching;
mod modes;
mod node_group;
pub mod sighting;
pub mod simulated;
pub mod trouble;
pub mod watched;

pub use harmless::{harmless, harmless_path};
