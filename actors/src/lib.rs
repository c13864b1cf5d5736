//! What happens: messages, state machines, the actors that host them, and effects.

pub mod action;
pub mod board;
pub mod cause;
pub mod clock;
pub mod device;
pub mod effect;
pub mod engine;
pub mod inventory;
pub mod lease;
pub mod machine;
pub mod message;
pub mod runtime;
pub mod service;
pub mod store;
pub mod supervision;
pub mod trace;
pub mod view;
#[cfg(any(test, feature = "world"))]
pub mod world;
