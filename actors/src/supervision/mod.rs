//! Supervisors: how many deaths one bears, the start slots of services, closing down in order. Who restarts whom: `engine`.

#[cfg(test)]
pub(crate) mod chart;
mod intensity;
mod root;
mod services;
#[cfg(test)]
mod tests;

pub use intensity::{DEATHS_MAX, Intensity, PERIOD};
pub use root::RootMachine;
pub use services::ServicesMachine;
