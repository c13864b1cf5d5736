//! External events, in words.

use std::fmt;

use super::service::describe_process;
use crate::message::ActorId;
use crate::trace::ExternalCause;
use crate::view::words::device::{event_words, scan_words};

impl fmt::Display for ExternalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("mainstay started"),
            Self::Hardware(event) => f.write_str(&event_words(event)),
            Self::Scanned(count, why) => f.write_str(&scan_words(*count, *why)),
            Self::Operator(message) => {
                let asked = message.described().kind().to_lowercase();
                match message.receiver() {
                    ActorId::Service(name) => write!(f, "mainstay {asked} {name}"),
                    ActorId::Device(name) => write!(f, "mainstay {asked} {name}"),
                    other => write!(f, "mainstay {asked} {other}"),
                }
            }
            Self::Signal(name) => write!(f, "{name} to mainstay"),
            Self::SignalAgain(name) => write!(f, "{name} again to mainstay"),
            Self::Process { service, pid: None, event } => write!(f, "{service}: {}", describe_process(event)),
            Self::Process { service, pid: Some(pid), event } => {
                write!(f, "{service} (pid {pid}): {}", describe_process(event))
            }
            Self::ActorPanicked(actor, said) => write!(f, "{actor} panicked: {said}"),
            Self::PartLost(lost) => lost.fmt(f),
        }
    }
}
