//! External events, in words.

use super::service::describe_process;
use crate::message::service::{Attempts, NeedsPolicy, ServiceMessage};
use crate::message::{ActorId, Message};
use crate::trace::ExternalCause;
use crate::view::words::device::{event_words, scan_words};

in_words! {
    ExternalCause, f:
    Self::Started => "mainstay started",
    Self::Hardware(event) => ("{}", event_words(event)),
    Self::Scanned(count, why) => ("{}", scan_words(*count, *why)),
    Self::Operator(message) => {
        let asked = message.described().kind().to_lowercase();
        match message.receiver() {
            ActorId::Service(name) => write!(f, "mainstay {asked} {name}{}", option(message)),
            ActorId::Device(name) => write!(f, "mainstay {asked} {name}"),
            other => write!(f, "mainstay {asked} {other}"),
        }
    },
    Self::Signal(name) => "{name} to mainstay",
    Self::SignalAgain(name) => "{name} again to mainstay",
    Self::Process { service, pid: None, event } => ("{service}: {}", describe_process(event)),
    Self::Process { service, pid: Some(pid), event } => ("{service} (pid {pid}): {}", describe_process(event)),
    Self::ActorPanicked(actor, said) => "{actor} panicked: {said}",
}

/// The option that was given with a command to a service.
fn option(message: &Message) -> &'static str {
    match message {
        Message::Service(_, ServiceMessage::Start(_, NeedsPolicy::StartThem)) => " --with-needs",
        Message::Service(_, ServiceMessage::Start(_, NeedsPolicy::Ignore)) => " --ignore-needs",
        Message::Service(_, ServiceMessage::Restart(_, Attempts::Reset)) => " --force",
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::message::RequestId;

    #[test]
    fn a_command_is_told_with_its_option() {
        let said =
            |message| ExternalCause::Operator(Box::new(Message::Service("gpsd".parse().unwrap(), message))).to_string();
        let id = RequestId(1);
        assert_eq!(said(ServiceMessage::Restart(id, Attempts::Reset)), "mainstay restart gpsd --force");
        assert_eq!(said(ServiceMessage::Start(id, NeedsPolicy::Ignore)), "mainstay start gpsd --ignore-needs");
        assert_eq!(said(ServiceMessage::Start(id, NeedsPolicy::Respect)), "mainstay start gpsd");
    }
}
