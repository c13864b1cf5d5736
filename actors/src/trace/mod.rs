//! Traces: every message, what caused it, and the external event at the root.

mod recorder;
mod show;

pub use recorder::{
    Cause, ExternalCause, ExternalKind, Keeping, MessageId, Recorder, Sending, Step, TraceFilter, TraceId,
};
