//! What messages say, in traces and in chains of causes.

mod action;
mod device;
mod external;
mod hardware;
mod lease;
mod service;
mod supervision;
