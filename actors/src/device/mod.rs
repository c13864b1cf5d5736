//! A configured device: one life cycle for all kinds.

mod flap;
mod machine;
mod messages;
mod showing;

pub use machine::{DeviceMachine, DeviceTimer};
pub use messages::{Awaited, DeviceMessage, DeviceSnapshot, DeviceStatus, Offer};
