//! What happens: messages, state machines, the actors that host them, and effects.

pub mod cause;
pub mod device;
pub mod effect;
pub mod engine;
pub mod inventory;
pub mod lease;
pub mod machine;
pub mod runtime;
pub mod service;
pub mod supervision;
pub mod trace;
pub mod view;
pub mod world;
