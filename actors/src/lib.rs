//! What happens: messages, state machines, the actors that host them, and effects.

pub mod effect;
pub mod view;
