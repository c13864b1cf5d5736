//! What services are told.

use mainstay_config::counted;
use std::time::Duration;

use humantime::format_duration;

use crate::action::probe::ProbeEvent;
use crate::action::process::ProcessEvent;
use crate::cause::Resource;
use crate::message::kind::kind;
use crate::message::lease::{Grant, Renewed};
use crate::message::service::{Attempts, NeedsPolicy, ServiceMessage, ServiceTimer};
use crate::message::{Described, Words};
use crate::view::words::{self, process::LOADS_SLOWLY};
use mainstay_hardware::error::Errno;

impl Described for ServiceMessage {
    fn kind(&self) -> &'static str {
        kind!(
            self,
            ServiceMessage {
                Begin, Dependency, DependentStopped, DependentStuck, Granted, Queued, Refused, Renewed, Revoked, NothingHeld,
                DeviceArrived, Corrected, DeviceLeft, SlotGranted, Start, StartForDependent, Stop, Restart, Close, Hurry, Timer,
            },
            Self::Process(_, event) => kind!(event, ProcessEvent {
                Spawned, LoadsSlowly, SpawnFailed, MainExited, TreeGone, Notified,
            }),
            Self::Probe(_, ProbeEvent::Ready(_)) => "ProbeReady",
            Self::Probe(_, ProbeEvent::NotYet(_)) => "ProbeNotYet",
        )
    }

    fn detail(&self) -> Words {
        match self {
            Self::Begin => "begin".into(),
            Self::Dependency(name, standing) => format!("{name} is {standing}").into(),
            Self::DependentStopped(name, _) => Words::Service(name.clone(), "need not be waited for"),
            Self::DependentStuck(name, _, pid) => {
                let pid = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
                format!("{name}{pid} outlives SIGKILL, and is not waited for").into()
            }
            Self::Granted(grant) => describe_grant(grant).into(),
            Self::Queued(blockers) if blockers.is_empty() => "nothing is waited for any more".into(),
            Self::Queued(blockers) => format!("wait for {}", words::blockers(blockers)).into(),
            Self::Refused(refusal) | Self::Renewed(_, Renewed::Refused(refusal)) => refusal.to_string().into(),
            Self::Renewed(token, Renewed::With(_)) => {
                Words::Number("it can use again what it holds with token", token.0)
            }
            Self::Renewed(_, Renewed::MustWait) => {
                "what it held is not its own any more: it gives back the rest, and asks anew".into()
            }
            Self::Revoked(_, withdrawal) => withdrawal.to_string().into(),
            Self::NothingHeld => "it holds nothing".into(),
            Self::DeviceArrived(device, generation) => format!("{device} is there ({generation})").into(),
            Self::Corrected(device, offer) => match &offer.interface {
                Some(interface) => format!("{device} is called {interface} now").into(),
                None => Words::Device(device.clone(), "has changed"),
            },
            Self::DeviceLeft(device) => Words::Device(device.clone(), "has left"),
            Self::SlotGranted(Duration::ZERO) => "it may start now".into(),
            Self::SlotGranted(waited) => {
                // More exact than anybody reads.
                let waited = Duration::from_millis(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX).max(1));
                format!("it has waited {} for a start slot, and may start now", format_duration(waited)).into()
            }
            Self::Process(_, event) => describe_process(event),
            Self::Probe(_, ProbeEvent::Ready(sight)) => sight.to_string().into(),
            Self::Probe(_, ProbeEvent::NotYet(why)) => format!("not ready: {why}").into(),
            Self::Start(_, NeedsPolicy::Respect) => "start it".into(),
            Self::Start(_, NeedsPolicy::StartThem) => "start it with what it needs".into(),
            Self::Start(_, NeedsPolicy::Ignore) => "start it without what it needs".into(),
            Self::StartForDependent(name, _) => format!("start it for {name}").into(),
            Self::Stop(_) => "stop it".into(),
            Self::Restart(_, Attempts::Keep) => "restart it".into(),
            Self::Restart(_, Attempts::Reset) => "restart it and forget its failures".into(),
            Self::Close => "mainstay is stopping".into(),
            Self::Hurry => "no more grace".into(),
            Self::Timer(timer) => timer.words().into(),
        }
    }
}

fn describe_grant(grant: &Grant) -> String {
    let devices = grant.devices.keys().map(ToString::to_string);
    let ports = grant.ports.values().map(|port| format!("port {port}"));
    let all: Vec<String> = devices.chain(ports).chain(grant.named.iter().map(Resource::spoken)).collect();
    format!("it holds {} with token {}", all.join(", "), grant.token.0)
}

pub(super) fn describe_process(event: &ProcessEvent) -> Words {
    match event {
        ProcessEvent::Spawned { pid } => Words::Number("it runs as pid", u64::from(*pid)),
        ProcessEvent::LoadsSlowly => LOADS_SLOWLY.into(),
        ProcessEvent::SpawnFailed(failure) => failure.to_string().into(),
        ProcessEvent::MainExited { exit, remaining } if remaining.is_empty() => format!("it ended: {exit}").into(),
        ProcessEvent::MainExited { exit, remaining } => {
            let left = counted(remaining.len(), "of its processes is left", "of its processes are left");
            format!("its main process ended ({exit}), {left}").into()
        }
        ProcessEvent::TreeGone => "no process of it is left".into(),
        ProcessEvent::Notified(said) => {
            let ready = said.ready.then(|| "READY=1".to_owned());
            let stopping = said.stopping.then(|| "STOPPING=1".to_owned());
            let status = said.status.words.as_ref().map(|status| format!("STATUS={status}"));
            let extend = said.extend.map(|more| format!("EXTEND_TIMEOUT_USEC={}", more.as_micros()));
            let errno = said.status.errno.map(|Errno(number)| format!("ERRNO={number}"));
            let exit = said.status.exit.map(|code| format!("EXIT_STATUS={code}"));
            let main = said.main_pid.map(|pid| format!("MAINPID={pid}"));
            [ready, stopping, extend, errno, exit, main, status]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
                .into()
        }
    }
}

impl ServiceTimer {
    /// What its going off means, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::ReadyWithin => "the time to become ready is over".to_owned(),
            Self::Backoff => "the wait before the restart is over".to_owned(),
            Self::ResetAfter => "it has run long enough to forget its failures".to_owned(),
            Self::Grace => "the grace period is over".to_owned(),
            Self::Unkillable => "it is still there after SIGKILL".to_owned(),
            Self::Lost(name) => format!("{name} has been down too long"),
            Self::Optional(name) => format!("{name} is no longer waited for"),
        }
    }
}
