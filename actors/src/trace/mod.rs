//! Traces: every message, what caused it, and the external event at the root.

mod chain;
mod excerpt;
mod external;
mod recorder;

pub use chain::{Chain, Step};
pub use excerpt::Excerpt;
pub use external::ExternalCause;
pub(crate) use recorder::Record;
pub use recorder::{Cause, Keeping, MessageId, Recorder, Sending, TraceFilter, TraceId};
