//! What the user wrote: the configuration's schema, its validation with exact places, and the dependency graph.

pub mod model;
pub mod names;
pub mod template;
