//! The daemon as the command line sees it: what is shown comes from the board, what is asked goes to the actor thread.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use mainstay_actors::clock::Clock;
use mainstay_actors::effect::process::is_below_us;
use mainstay_actors::effect::process::keeper::{LogTroubles, log_path};
use mainstay_actors::effect::watched;
use mainstay_actors::message::Moment;
use mainstay_actors::runtime::{Lookout, Parts};
use mainstay_actors::store::Troubles;
use mainstay_actors::trace::{TraceFilter, TraceId};
use mainstay_actors::view::{Show, StatusView};
use mainstay_config::names::{READINESS_PROBES, ServiceName};
use tokio::sync::{Notify, mpsc, oneshot};

use super::wishes::Seen;
use super::{SharedBoard, SharedRecorder, SharedStation};
use crate::protocol::{Answer, ErrorAnswer, ErrorCode, Request, TraceRequest};
use crate::server::{Peer, Station};

/// A follower is told of a trace when it has been quiet this long.
const QUIET: Duration = Duration::from_millis(300);
/// How often a follower is told, while there is one.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);
/// Traces that are shown ahead of a slow follower at most.
const FOLLOW_QUEUE: usize = 64;

/// Services of which it is said what they wait for, when mainstay has begun; `mainstay status` has them all.
const NAMED: usize = 8;

/// What to do about an actor that does not return.
const FROZEN: &str = "this is a bug: please report it. Services run on; if it lasts, end mainstay with SIGTERM: after 10 seconds \
     it ends without stopping them, and says which are left";

/// An operator's request on its way to the actor thread.
#[derive(Debug)]
pub(crate) struct Command {
    /// What is asked.
    pub(super) request: Request,
    /// Where the answer goes.
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What can be shown without asking the actors.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) station: SharedStation,
    board: SharedBoard,
    recorder: SharedRecorder,
    clock: Clock,
    lookout: Lookout,
    log_dir: PathBuf,
    pub(super) log_troubles: LogTroubles,
    store_troubles: Troubles,
}

impl Shown {
    pub(super) fn new(station: SharedStation, parts: &Parts, log_dir: PathBuf, store_troubles: Troubles) -> Self {
        Self {
            station,
            board: Arc::clone(&parts.board),
            recorder: Arc::clone(&parts.recorder),
            clock: parts.clock,
            lookout: parts.watchdog.lookout(),
            log_dir,
            log_troubles: LogTroubles::default(),
            store_troubles,
        }
    }

    /// Serves it, with a way to the actor thread.
    pub(super) fn serve(self, commands: mpsc::Sender<Command>) -> Served {
        Served { shown: self, commands, used: Arc::default() }
    }

    fn show(&self) -> Show<'_> {
        Show { station: &self.station, board: &self.board, clock: &self.clock, is_ours: is_below_us }
    }

    /// What waits, and for what, in words; `None` when nothing does.
    pub(super) fn waits(&self) -> Option<String> {
        let services = self.show().status().services;
        let mut waits = services.iter().filter(|service| !service.waiting_for.is_empty());
        let named = waits.by_ref().take(NAMED);
        let mut words: Vec<_> =
            named.map(|service| format!("{} waits for {}", service.name, service.waiting_for.join(", "))).collect();
        let more = waits.count();
        words.extend((more > 0).then(|| format!("{more} more wait")));
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// What tells whether the actors take in that the daemon should end.
    pub(super) fn seen(&self) -> Seen {
        Seen { closing: self.board.closing(), frozen: self.lookout.frozen() }
    }

    /// The services that have a process, with it.
    pub(super) fn what_runs(&self) -> Vec<String> {
        let pid = |name: &ServiceName| self.board.service(name)?.snapshot.pid;
        self.station.services.keys().filter_map(|name| Some(format!("{name} (pid {})", pid(name)?))).collect()
    }

    fn status(&self) -> StatusView {
        let lost = |(service, why)| format!("what {service} prints cannot be written and is lost: {why}");
        let frozen = self.lookout.frozen().map(|frozen| frozen.to_string());
        let nobody_reads = self.log_troubles.keeper();
        let logs = nobody_reads.into_iter().chain(self.log_troubles.list().into_iter().map(lost));
        let mut view = self.show().status();
        view.troubles.extend(frozen.into_iter().chain(logs).chain(self.store_troubles.list()));
        view
    }

    fn why(&self, name: &str) -> Answer {
        self.show().why(name).map_or_else(|| Answer::Error(self.unknown(name, Meant::Both)), Answer::Why)
    }

    fn logs(&self, service: &str) -> Answer {
        let name = ServiceName::new(service).ok();
        // Under that name, which no service has, the output of readiness checks is kept.
        let is_known = |name: &ServiceName| self.station.services.contains_key(name) || service == READINESS_PROBES;
        match name.filter(is_known) {
            Some(name) => Answer::Logs {
                path: log_path(&self.log_dir, &name),
                never_started: self.never_started(&name),
                lost: self.log_troubles.of(service),
            },
            None => Answer::Error(self.unknown(service, Meant::Services)),
        }
    }

    /// How a service stands that has never been started, in a sentence.
    fn never_started(&self, name: &ServiceName) -> Option<String> {
        let entry = self.board.service(name)?;
        entry.snapshot.last_start.is_none().then(|| self.show().why(name.as_str()))?.map(|why| why.now)
    }

    fn trace(&self, request: &TraceRequest) -> Answer {
        let filter = match self.filter(request) {
            Ok(filter) => filter,
            Err(wrong) => return Answer::Error(wrong),
        };
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        let trace = request.id.map(TraceId).or_else(|| recorder.latest(&filter));
        let excerpt = trace.and_then(|trace| recorder.excerpt(trace));
        drop(recorder);
        match (excerpt, request.id) {
            (Some(excerpt), _) => Answer::Trace(excerpt.show(&self.clock)),
            (None, Some(id)) => nothing(format!("trace {id} is not kept, or never was")),
            (None, None) => nothing("no trace of that is kept".to_owned()),
        }
    }

    fn filter(&self, request: &TraceRequest) -> Result<TraceFilter, ErrorAnswer> {
        let device = request.device.as_ref().map(|name| {
            let found = self.station.devices.get(name.as_str()).map(|device| device.name.clone());
            found.ok_or_else(|| self.unknown(name, Meant::Devices))
        });
        let service = request.service.as_ref().map(|name| {
            let found = self.station.services.get(name.as_str()).map(|service| service.name.clone());
            found.ok_or_else(|| self.unknown(name, Meant::Services))
        });
        Ok(TraceFilter { device: device.transpose()?, service: service.transpose()? })
    }

    /// Traces that have become quiet since `after`.
    fn quiet_since(&self, after: &mut Moment, filter: &TraceFilter) -> Vec<Answer> {
        let before = self.clock.now() - QUIET;
        let recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        let traces = recorder.quiet_between(*after, before, filter);
        *after = before.max(*after);
        let excerpts = recorder.excerpts(&traces);
        drop(recorder);
        excerpts.iter().map(|excerpt| Answer::Trace(excerpt.show(&self.clock))).collect()
    }

    fn unknown(&self, name: &str, meant: Meant) -> ErrorAnswer {
        unknown_name(&self.station, name, meant)
    }
}

/// What a name is meant to be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    Services,
    Devices,
    Both,
}

/// The answer to a name that nobody has: these are the ones there are.
pub(super) fn unknown_name(station: &mainstay_config::model::Station, name: &str, meant: Meant) -> ErrorAnswer {
    let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let services = || list(station.services.keys().map(|name| name.as_str()).collect());
    let devices = || list(station.devices.keys().map(|name| name.as_str()).collect());
    let (message, help) = match meant {
        Meant::Services if station.devices.contains_key(name) => (
            format!("`{name}` is a device, and no service"),
            format!("for a device: `mainstay why {name}`, `eject {name}`, `admit {name}`, `trace --device {name}`"),
        ),
        Meant::Devices if station.services.contains_key(name) => (
            format!("`{name}` is a service, and no device"),
            format!(
                "for a service: `mainstay why {name}`, `stop {name}`, `start {name}`, `restart {name}`, `logs {name}`, `trace --service {name}`"
            ),
        ),
        Meant::Services => (format!("there is no service `{name}`"), format!("services: {}", services())),
        Meant::Devices => (format!("there is no device `{name}`"), format!("devices: {}", devices())),
        Meant::Both => (
            format!("there is no service or device `{name}`"),
            format!("services: {}; devices: {}", services(), devices()),
        ),
    };
    ErrorAnswer::new(ErrorCode::UnknownName, message, &*help)
}

fn nothing(message: String) -> Answer {
    Answer::error(ErrorCode::Nothing, message, "`mainstay trace` shows the latest one")
}

/// What the server asks.
pub(super) struct Served {
    shown: Shown,
    commands: mpsc::Sender<Command>,
    /// Told whenever somebody asks for something.
    pub(super) used: Arc<Notify>,
}

impl Served {
    fn command(&self, request: Request) -> BoxFuture<'static, Answer> {
        if let Some(frozen) = self.shown.lookout.frozen() {
            return ready(Answer::error(ErrorCode::Busy, frozen.to_string(), FROZEN)).boxed();
        }
        let (answer, answered) = oneshot::channel();
        if self.commands.try_send(Command { request, answer }).is_err() {
            let message = "mainstay has too much to do, or is ending";
            return ready(Answer::error(ErrorCode::Busy, message, "try again in a moment")).boxed();
        }
        async move {
            let ended = |_| Answer::error(ErrorCode::Busy, "mainstay ended before it could answer", None);
            answered.await.unwrap_or_else(ended)
        }
        .boxed()
    }
}

impl Station for Served {
    fn answer(&self, request: Request, _peer: Peer) -> BoxFuture<'static, Answer> {
        self.used.notify_one();
        let shown = &self.shown;
        let answer = match request {
            Request::Status => Answer::Status(shown.status()),
            Request::Devices => Answer::Devices(shown.show().devices()),
            Request::Leases => Answer::Leases(shown.show().leases()),
            Request::Why { name } => shown.why(&name),
            Request::Trace(request) => shown.trace(&request),
            Request::Logs { service } => shown.logs(&service),
            command => return self.command(command),
        };
        ready(answer).boxed()
    }

    fn follow(&self, request: TraceRequest) -> mpsc::Receiver<Answer> {
        let (traces, followed) = mpsc::channel(FOLLOW_QUEUE);
        let shown = self.shown.clone();
        watched::serve("follower", async move {
            let filter = match shown.filter(&request) {
                Ok(filter) => filter,
                Err(wrong) => {
                    // Whoever asked may have gone already.
                    let _ = traces.send(Answer::Error(wrong)).await;
                    return;
                }
            };
            let mut after = shown.clock.now();
            while !traces.is_closed() {
                for answer in shown.quiet_since(&mut after, &filter) {
                    // A slow follower is waited for; what is forgotten meanwhile, he misses.
                    if traces.send(answer).await.is_err() {
                        return;
                    }
                }
                tokio::time::sleep(FOLLOW_EVERY).await;
            }
        });
        followed
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mainstay_actors::action::process::RunId;
    use mainstay_actors::effect::watched::Watched;
    use mainstay_actors::message::lasting::Remembered;
    use mainstay_actors::message::{ActorId, Outside};
    use mainstay_actors::runtime::Watchdog;
    use mainstay_actors::trace::{ExternalCause, Keeping, Recorder, Sending};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_follower_is_shown_a_burst_whole() {
        let recorder = Arc::new(std::sync::Mutex::new(Recorder::new(Keeping::On)));
        let parts = Parts {
            clock: Clock::tokio(),
            recorder: Arc::clone(&recorder),
            board: Arc::default(),
            watched: Watched::new().0,
            watchdog: Watchdog::begin(&Watched::new().0, QUIET, |_| {}),
            first_run: RunId(1),
            remembered: Remembered::default(),
        };
        let station = Arc::new(mainstay_config::parse("test", "").unwrap().station);
        let (commands, _) = mpsc::channel(1);
        let mut followed = Shown::new(station, &parts, PathBuf::new(), Troubles::default())
            .serve(commands)
            .follow(TraceRequest::default());
        tokio::time::sleep(QUIET * 2).await;
        for number in 0..FOLLOW_QUEUE * 4 {
            let mut recorder = recorder.lock().unwrap();
            let cause = recorder.begin(parts.clock.now(), ExternalCause::Signal(number.to_string()));
            let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
            let detail = &|| "gone".to_owned().into();
            recorder.sent(parts.clock.now(), Sending { cause, from, to, kind: "Gone", detail });
        }
        for number in 0..FOLLOW_QUEUE * 4 {
            let told = tokio::time::timeout(QUIET * 10, followed.recv()).await.unwrap();
            assert!(matches!(told, Some(Answer::Trace(view)) if view.cause.detail == format!("{number} to mainstay")));
        }
    }
}
