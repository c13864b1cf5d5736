//! Programs: started, followed, stopped with everything they started.

pub mod order;
