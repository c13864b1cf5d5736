//! Actors on paused time: real hosts, real supervision, a scripted executor. No test sleeps.

mod cut;
mod frozen;
mod panics;
mod quarantine;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_config::model::Station;
use mainstay_hardware::bus::{Findings, Watch};
use mainstay_hardware::sighting::HardwareEvent;
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{Parts, System, Watchdog};
use crate::action::process::{Exit as ProcessExit, ProcessEvent, RunId};
use crate::board::Board;
use crate::clock::Clock;
use crate::effect::executor::{Deliver, Delivery, Executor};
use crate::effect::known::Known;
use crate::effect::watched::{self, Watched};
use crate::message::device::{DeviceMessage, DeviceStatus};
use crate::message::lasting::Remembered;
use crate::message::lease::LeaseMessage;
use crate::message::service::{ServiceMessage, ServiceStatus, Wanted};
use crate::message::{Action, ActorId, DaemonExit, Message, Outside};
use crate::trace::{Cause, ExternalCause, Keeping, Recorder, TraceFilter};
use crate::view::TraceView;

const STATION: &str = r#"
[hardware.hackrf]
kind = "hackrf"
[services.openwebrx]
command = ["openwebrx"]
devices = { hackrf = "exclusive" }
restart = { backoff = "2s", attempts = 2 }
[services.logger]
command = ["logger"]
requires = ["openwebrx"]
[services.sweep]
command = ["sweep"]
devices = { hackrf = "exclusive" }
autostart = false
"#;

/// Programs that always start, and end when they are told to.
#[derive(Default)]
struct Programs {
    running: BTreeMap<RunId, mainstay_config::names::ServiceName>,
    started: Vec<String>,
    ended: Vec<String>,
    /// The kind of action over which whoever asks for it next panics.
    fatal: Option<&'static str>,
}

struct Script {
    deliver: Deliver,
    programs: Rc<RefCell<Programs>>,
    watch: RefCell<Option<Box<dyn Watch>>>,
}

impl Script {
    fn later(&self, cause: Cause, from: Outside, message: Message) {
        let deliver = Rc::clone(&self.deliver);
        watched::serve_here("script", async move {
            sleep(Duration::from_millis(1)).await;
            deliver(Delivery::Answer(cause), from, message);
        });
    }

    fn process(&self, cause: Cause, run: RunId, event: ProcessEvent) {
        let service = self.programs.borrow().running.get(&run).cloned();
        if let Some(service) = service {
            self.later(cause, Outside::Processes, Message::Service(service, ServiceMessage::Process(run, event)));
        }
    }
}

impl Executor for Script {
    fn known(&self) -> Known {
        Known::default()
    }

    fn act(&self, from: &ActorId, action: Action, cause: Cause) {
        let fatal = self.programs.borrow_mut().fatal.take_if(|kind| *kind == action.kind());
        assert_eq!(fatal, None, "asked to panic");
        match (action, from) {
            (Action::Spawn(order), _) => {
                self.programs.borrow_mut().running.insert(order.run, order.service.clone());
                self.programs.borrow_mut().started.push(order.service.to_string());
                self.process(cause, order.run, ProcessEvent::Spawned { pid: 100 });
            }
            (Action::Signal(order), _) => {
                let exit = ProcessExit::Signal(15);
                self.process(cause, order.run, ProcessEvent::MainExited { exit, remaining: Vec::new() });
                self.process(cause, order.run, ProcessEvent::TreeGone);
                let mut programs = self.programs.borrow_mut();
                if let Some(service) = programs.running.remove(&order.run) {
                    programs.ended.push(service.to_string());
                }
            }
            (Action::CheckAccess(operation, _), ActorId::Device(name)) => {
                let message = DeviceMessage::Accessible(operation, Ok(()));
                self.later(cause, Outside::Drivers, Message::Device(name.clone(), message));
            }
            (Action::ProbeDevice(operation, ..), ActorId::Device(name)) => {
                let message = DeviceMessage::Probed(operation, Ok(Findings::Opened));
                self.later(cause, Outside::Drivers, Message::Device(name.clone(), message));
            }
            (Action::LookAtPorts(operation, _), _) => {
                let message = LeaseMessage::PortsSeen(operation, Ok(BTreeMap::new()));
                self.later(cause, Outside::Drivers, Message::Leases(message));
            }
            (Action::Rescan, _) => {
                if let Some(watch) = self.watch.borrow().as_ref() {
                    watch.rescan();
                }
            }
            _ => {}
        }
    }
}

/// A running station on paused time.
struct Rig {
    system: Rc<System>,
    bus: SimulatedBus,
    board: Arc<Board>,
    recorder: Arc<Mutex<Recorder>>,
    clock: Clock,
    programs: Rc<RefCell<Programs>>,
    ended: oneshot::Receiver<DaemonExit>,
}

fn begin(text: &str) -> Rig {
    begin_under(Watchdog::begin(&Watched::new().0, Duration::from_secs(60), |_| {}), text)
}

fn begin_under(watchdog: Watchdog, text: &str) -> Rig {
    let station: Arc<Station> = Arc::new(mainstay_config::parse("test.toml", text).unwrap().station);
    let clock = Clock::tokio();
    let recorder = Arc::new(Mutex::new(Recorder::new(Keeping::On)));
    let board = Arc::new(Board::default());
    let parts = Parts {
        clock,
        recorder: Arc::clone(&recorder),
        board: Arc::clone(&board),
        watched: Watched::new().0,
        watchdog,
        first_run: RunId(1),
        remembered: Remembered::default(),
    };
    let programs = Rc::new(RefCell::new(Programs::default()));
    let bus = SimulatedBus::demo();
    let mut script = None;
    let (system, ended) = System::start(&station, parts, |deliver| {
        let started = Rc::new(Script { deliver, programs: Rc::clone(&programs), watch: RefCell::new(None) });
        script = Some(Rc::clone(&started));
        started
    });
    let system = Rc::new(system);
    let (events, mut seen) = tokio::sync::mpsc::unbounded_channel::<HardwareEvent>();
    let sink = move |event| {
        // The test may have ended.
        let _ = events.send(event);
    };
    let watch = mainstay_hardware::bus::Bus::watch(&bus, Box::new(sink)).unwrap();
    *script.unwrap().watch.borrow_mut() = Some(watch);
    let for_events = Rc::downgrade(&system);
    watched::serve_here("script", async move {
        while let (Some(event), Some(system)) = (seen.recv().await, for_events.upgrade()) {
            system.hardware(event);
        }
    });
    Rig { system, bus, board, recorder, clock, programs, ended }
}

impl Rig {
    fn status(&self, service: &str) -> ServiceStatus {
        self.board.service(&service.parse().unwrap()).unwrap().snapshot.status
    }

    fn token(&self, service: &str) -> Option<u64> {
        let leases = self.board.leases();
        leases.held.iter().find(|held| held.holder.to_string() == service).map(|held| held.token.0)
    }

    fn latest(&self, service: &str) -> TraceView {
        let recorder = self.recorder.lock().unwrap();
        let filter = TraceFilter { device: None, service: Some(service.parse().unwrap()) };
        recorder.excerpt(recorder.latest(&filter).unwrap()).unwrap().show(&self.clock)
    }

    fn panic(&self, actor: &str) {
        assert!(self.system.poison(&actor.parse().unwrap()));
    }

    fn started(&self) -> Vec<String> {
        self.programs.borrow().started.clone()
    }
}

async fn a_while() {
    sleep(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn unplugging_stops_dependents_first_and_replugging_brings_back_what_was_stopped() {
    let rig = begin(STATION);
    a_while().await;
    assert_eq!((rig.status("openwebrx"), rig.status("logger")), (ServiceStatus::Running, ServiceStatus::Running));
    rig.bus.unplug("hackrf").unwrap();
    a_while().await;
    assert_eq!(rig.programs.borrow().ended, ["logger", "openwebrx"]);
    assert_eq!(rig.status("openwebrx"), ServiceStatus::Waiting);
    let trace = rig.latest("openwebrx");
    assert_eq!(trace.cause.kind, "hardware");
    let ids: BTreeSet<u64> = trace.messages.iter().map(|message| message.id).collect();
    let roots = trace.messages.iter().filter(|message| message.parent.is_none()).count();
    assert_eq!(roots, 1, "one external event, one tree");
    assert!(trace.messages.iter().filter_map(|message| message.parent).all(|parent| ids.contains(&parent)));
    rig.bus.plug("hackrf", Some("1-3".parse().unwrap())).unwrap();
    a_while().await;
    assert_eq!(rig.started(), ["openwebrx", "logger", "openwebrx", "logger"]);
    assert_eq!(rig.status("sweep"), ServiceStatus::Stopped);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_panic_of_a_service_actor_leaves_its_process_and_its_lease_alone() {
    let rig = begin(STATION);
    a_while().await;
    let token = rig.token("openwebrx");
    rig.panic("service/openwebrx");
    // This stands in its mailbox behind the panic, and is answered by the restarted actor.
    let name = rig.system.service("openwebrx").unwrap();
    let answer = rig.system.operator(|id| Message::Service(name, ServiceMessage::Stop(id)));
    a_while().await;
    assert!(rig.system.words(&answer.await.unwrap().0.said).contains("openwebrx"));
    assert_eq!(rig.started(), ["openwebrx", "logger"], "nothing was started anew");
    assert_eq!(rig.programs.borrow().ended, ["logger", "openwebrx"], "and the stop was carried out in order");
    assert!(token.is_some() && rig.token("openwebrx").is_none());
    let wanted = rig.board.service(&"openwebrx".parse().unwrap()).unwrap().snapshot.wanted;
    assert_eq!(wanted, Wanted::Down);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn what_the_operator_wanted_outlives_a_panic() {
    let rig = begin(STATION);
    a_while().await;
    let name = rig.system.service("logger").unwrap();
    let held = rig.system.operator(|id| Message::Service(name, ServiceMessage::Stop(id)));
    held.await.unwrap();
    a_while().await;
    rig.panic("service/logger");
    a_while().await;
    assert_eq!(rig.status("logger"), ServiceStatus::Held);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_panic_of_the_registry_keeps_every_lease_with_its_token_and_the_queue() {
    let rig = begin(STATION);
    a_while().await;
    let sweep = rig.system.service("sweep").unwrap();
    let policy = crate::message::service::NeedsPolicy::Respect;
    let wanted = rig.system.operator(|id| Message::Service(sweep, ServiceMessage::Start(id, policy)));
    wanted.await.unwrap();
    a_while().await;
    let token = rig.token("openwebrx");
    rig.panic("leases");
    a_while().await;
    assert_eq!(rig.token("openwebrx"), token);
    let queue = rig.board.leases().queue;
    let waiting: Vec<String> = queue.iter().map(|waiter| waiter.request.holder.to_string()).collect();
    assert_eq!(waiting, ["sweep"]);
    assert_eq!(rig.started(), ["openwebrx", "logger"]);
    // The next token is still larger than every one before.
    let openwebrx = rig.system.service("openwebrx").unwrap();
    rig.system.operator(|id| Message::Service(openwebrx, ServiceMessage::Stop(id))).await.unwrap();
    a_while().await;
    assert!(rig.token("sweep") > token);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_panic_of_a_device_or_its_supervisor_disturbs_nobody_and_the_next_unplug_is_still_seen() {
    for actor in ["device/hackrf", "hardware", "services"] {
        let rig = begin(STATION);
        a_while().await;
        rig.panic(actor);
        a_while().await;
        let device = rig.board.device(&"hackrf".parse().unwrap()).unwrap().snapshot;
        assert_eq!(device.status, DeviceStatus::InUse, "{actor}");
        assert_eq!(rig.started(), ["openwebrx", "logger"], "{actor}");
        rig.bus.unplug("hackrf").unwrap();
        a_while().await;
        assert_eq!(rig.programs.borrow().ended, ["logger", "openwebrx"], "{actor}");
        rig.bus.plug("hackrf", None).unwrap();
        a_while().await;
        assert_eq!(rig.status("logger"), ServiceStatus::Running, "{actor}");
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_child_that_dies_while_its_supervisor_is_dead_is_restarted_by_the_next() {
    let rig = begin(STATION);
    a_while().await;
    rig.panic("services");
    rig.panic("service/openwebrx");
    rig.panic("hardware");
    rig.panic("device/hackrf");
    a_while().await;
    rig.bus.unplug("hackrf").unwrap();
    a_while().await;
    assert_eq!(rig.programs.borrow().ended, ["logger", "openwebrx"]);
    assert_eq!(rig.status("openwebrx"), ServiceStatus::Waiting);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn panics_beyond_the_limit_escalate_until_the_daemon_gives_up_and_services_are_left_running() {
    let mut rig = begin(STATION);
    a_while().await;
    for _ in 0..40 {
        rig.panic("service/openwebrx");
        sleep(Duration::from_millis(100)).await;
        if let Ok(exit) = rig.ended.try_recv() {
            assert!(matches!(exit, DaemonExit::GaveUp(_)), "{exit:?}");
            assert!(rig.programs.borrow().ended.is_empty());
            return;
        }
    }
    panic!("the daemon bears everything");
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn closing_stops_dependents_first_and_then_ends() {
    let rig = begin(STATION);
    a_while().await;
    rig.system.close("SIGTERM");
    assert_eq!(rig.ended.await.unwrap(), DaemonExit::Stopped);
    assert_eq!(rig.programs.borrow().ended, ["logger", "openwebrx"]);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_crash_is_a_trace_of_its_own_and_the_restart_waits_out_its_backoff() {
    let rig = begin(STATION);
    a_while().await;
    let found =
        rig.programs.borrow().running.iter().find(|(_, name)| name.as_str() == "openwebrx").map(|(run, _)| *run);
    let run = found.unwrap();
    rig.programs.borrow_mut().running.remove(&run);
    let name = rig.system.service("openwebrx").unwrap();
    let crashed = ProcessEvent::MainExited { exit: ProcessExit::Code(1), remaining: Vec::new() };
    let cause = ExternalCause::Process { service: name.clone(), pid: None, event: crashed.clone() };
    let to = |event| Message::Service(name.clone(), ServiceMessage::Process(run, event));
    let stage = &rig.system.stage;
    let cause = stage.deliver(Delivery::External(cause), Outside::Processes, to(crashed));
    stage.deliver(Delivery::Answer(cause), Outside::Processes, to(ProcessEvent::TreeGone));
    a_while().await;
    assert_eq!(rig.status("openwebrx"), ServiceStatus::Backoff);
    assert_eq!(rig.latest("openwebrx").cause.kind, "process");
    assert_eq!(rig.status("logger"), ServiceStatus::Running, "a quick restart is forgiven");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.status("openwebrx"), ServiceStatus::Running);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn the_same_events_leave_the_same_traces() {
    async fn run() -> Vec<(String, String, String, u64)> {
        let rig = begin(STATION);
        a_while().await;
        rig.bus.unplug("hackrf").unwrap();
        a_while().await;
        rig.bus.plug("hackrf", None).unwrap();
        a_while().await;
        let recorder = rig.recorder.lock().unwrap();
        let all = (1..1000).filter_map(|trace| recorder.excerpt(crate::trace::TraceId(trace)));
        all.flat_map(|trace| trace.show(&rig.clock).messages)
            .map(|message| (message.from, message.to, message.kind, message.id))
            .collect()
    }
    let first = run().await;
    assert!(first.len() > 50);
    assert_eq!(first, run().await);
}
