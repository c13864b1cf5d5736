//! What happens outside of the actors and begins a trace: facts, of which the words are made when somebody asks why.

use mainstay_config::names::ServiceName;
use mainstay_hardware::sighting::{HardwareEvent, ScanReason};

use crate::action::process::ProcessEvent;
use crate::message::{ActorId, Message};

/// An external event.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum ExternalCause {
    /// The daemon has started.
    Started,
    /// Hardware came, went or changed.
    Hardware(Box<HardwareEvent>),
    /// All hardware was looked at: so many pieces, and why. Which they are is left to the messages: causes are kept long.
    Scanned(usize, ScanReason),
    /// A person or program asked this.
    Operator(Box<Message>),
    /// The daemon got the signal of this name.
    Signal(String),
    /// It got one more.
    SignalAgain(String),
    /// A process of a service ended or spoke by itself.
    Process {
        /// The service.
        service: ServiceName,
        /// Its main process, where one is known.
        pid: Option<u32>,
        /// What became of it.
        event: ProcessEvent,
    },
    /// An actor panicked, and said this.
    ActorPanicked(ActorId, String),
}

impl ExternalCause {
    /// What happened to the hardware.
    #[must_use]
    pub fn hardware(event: &HardwareEvent) -> Self {
        match event {
            HardwareEvent::Scanned { present, why, .. } => Self::Scanned(present.len(), *why),
            event => Self::Hardware(Box::new(event.clone())),
        }
    }

    /// What sort of event, the word shown.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started => "start",
            Self::Hardware(_) | Self::Scanned(..) => "hardware",
            Self::Operator(_) => "operator",
            Self::Signal(_) | Self::SignalAgain(_) => "signal",
            Self::Process { .. } => "process",
            Self::ActorPanicked(..) => "panic",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use mainstay_config::model::WifiMode;
    use mainstay_hardware::error::{Attempt, Errno, Error, NetworkAttempt, SystemError, Tenancy};
    use mainstay_hardware::sighting::Source;
    use mainstay_hardware::trouble::Trouble;

    use super::*;
    use crate::action::process::Exit;
    use crate::message::device::DeviceMessage;
    use crate::message::{RequestId, round_trip};

    fn trouble(error: Error) -> ExternalCause {
        ExternalCause::hardware(&HardwareEvent::Trouble(Source::RadioFacts, Trouble::Failed(error)))
    }

    #[test]
    fn what_happens_outside_is_facts_that_can_be_read_back_and_reads_as_a_sentence() {
        let said = |number| SystemError::Number(Errno(number));
        let mode = Attempt::Network(NetworkAttempt::SetMode("wlan2".to_owned(), WifiMode::Monitor));
        let eject = Message::Device("hackrf".parse().unwrap(), DeviceMessage::Eject(RequestId(1)));
        let unheard = (Source::Libusb, Trouble::NoLibusb(said(5)));
        let service = "gpsd".parse().unwrap();
        let event = ProcessEvent::MainExited { exit: Exit::Code(1), remaining: Vec::new() };
        for (cause, words) in [
            (ExternalCause::Operator(Box::new(eject)), "mainstay eject hackrf"),
            (ExternalCause::SignalAgain("SIGINT".to_owned()), "SIGINT again to mainstay"),
            (ExternalCause::Process { service, pid: Some(7), event }, "gpsd (pid 7): it ended: exit code 1"),
            (
                trouble(Error::Failed { tried: mode, said: said(1) }),
                "putting wlan2 into monitor mode: Operation not permitted (os error 1); mainstay needs CAP_NET_ADMIN for \
                 this: run it as root or by its systemd unit",
            ),
            (
                trouble(Error::MayNotOpen { node: "/dev/ttyACM0".into(), said: said(13), group: None }),
                "/dev/ttyACM0: Permission denied (os error 13); only root may: give it a group that may by a udev rule, or \
                 run mainstay as root",
            ),
            (
                trouble(Error::LivedOn(Tenancy::Login("wlan0".to_owned(), [192, 168, 1, 2].into()))),
                "wlan0 carries a login (ssh to 192.168.1.2); `takeover = true` in the service's need takes it all the same",
            ),
            (
                trouble(Error::NothingWatched(vec![unheard])),
                "libusb cannot watch USB, perhaps for want of /dev/bus/usb: Input/output \
                 error (os error 5); USB is seen by kernel events alone",
            ),
        ] {
            assert_eq!(cause.to_string(), words);
            round_trip::survives(&cause);
        }
    }
}
