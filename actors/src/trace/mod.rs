//! Traces: every message, what caused it, and the external event at the root.

mod chain;
mod recorder;
mod show;

pub use chain::{Chain, Step};
pub use recorder::{Cause, ExternalCause, ExternalKind, Keeping, MessageId, Recorder, Sending, TraceFilter, TraceId};
pub use show::Excerpt;
