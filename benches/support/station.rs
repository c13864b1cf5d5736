//! A station in this process: real actors, real processes, simulated hardware.

use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_actors::action::process::RunId;
use mainstay_actors::board::Board;
use mainstay_actors::clock::Clock;
use mainstay_actors::effect::process::settings::ProcessSettings;
use mainstay_actors::effect::watched::Watched;
use mainstay_actors::effect::{Carrier, SharedWatch};
use mainstay_actors::message::lasting::Remembered;
use mainstay_actors::message::service::ServiceStatus;
use mainstay_actors::runtime::{Parts, System, Watchdog};
use mainstay_actors::store::Store;
use mainstay_actors::trace::{Keeping, Recorder};
use mainstay_config::names::ServiceName;
use mainstay_hardware::bus::Bus;
use mainstay_hardware::sighting::HardwareEvent;
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use super::kernel::thread_time;

/// A station that runs on a thread of its own.
pub(crate) struct Station {
    /// Its hardware.
    pub bus: SimulatedBus,
    board: Arc<Board>,
    services: Vec<ServiceName>,
    close: Option<oneshot::Sender<()>>,
    thread: std::thread::JoinHandle<Duration>,
}

impl Station {
    /// Starts it.
    pub(crate) fn start(configuration: &str, folder: &Path, keeping: Keeping, bus: SimulatedBus) -> Self {
        let loaded = mainstay_config::parse("bench", configuration).expect("a right configuration");
        let services = loaded.station.services.keys().cloned().collect();
        let board = Arc::new(Board::default());
        let (close, closed) = oneshot::channel();
        let begin = Begin {
            station: Arc::new(loaded.station),
            bus: Arc::new(bus.clone()),
            board: Arc::clone(&board),
            keeping,
            settings: settings(folder),
        };
        #[allow(clippy::disallowed_methods, reason = "the bench waits for its end")]
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            LocalSet::new().block_on(&runtime, live(begin, closed))
        });
        Self { bus, board, services, close: Some(close), thread }
    }

    /// Waits until every service is so; their processes, where they have any.
    pub(crate) fn wait_until(&self, status: ServiceStatus) -> Vec<u32> {
        loop {
            let entries = self.services.iter().filter_map(|name| self.board.service(name));
            let there: Vec<_> = entries.filter(|entry| entry.snapshot.status == status).collect();
            if there.len() == self.services.len() {
                return there.into_iter().filter_map(|entry| entry.snapshot.pid).collect();
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Stops everything. What the actor thread has used of a processor.
    pub(crate) fn stop(mut self) -> Duration {
        drop(self.close.take());
        self.thread.join().expect("a station that ends")
    }
}

struct Begin {
    station: Arc<mainstay_config::model::Station>,
    bus: Arc<dyn Bus>,
    board: Arc<Board>,
    keeping: Keeping,
    settings: ProcessSettings,
}

fn settings(folder: &Path) -> ProcessSettings {
    ProcessSettings {
        run_dir: folder.join("run"),
        log_dir: folder.join("logs"),
        logs: mainstay_config::model::Logs { max_size: 1 << 20, keep: 1 },
        log_troubles: Default::default(),
        services: 0,
        keeper_program: env!("CARGO_BIN_EXE_mainstay").into(),
        sweep_interval: Duration::from_millis(20),
    }
}

async fn live(begin: Begin, closed: oneshot::Receiver<()>) -> Duration {
    let Begin { station, bus, board, keeping, settings } = begin;
    let recorder = Arc::new(Mutex::new(Recorder::new(keeping)));
    let watched = Watched::new().0;
    let parts = Parts {
        clock: Clock::Boot,
        recorder,
        board,
        first_run: RunId(1),
        remembered: Remembered::default(),
        watchdog: Watchdog::begin(&watched, Duration::from_secs(60), |_| {}),
        watched: watched.clone(),
    };
    let watch = SharedWatch::default();
    let mut carrier = None;
    let (system, ended) = System::start(&station, parts, |deliver| {
        let started =
            Carrier::start(settings, Arc::clone(&bus), Arc::clone(&watch), watched, Store::default(), deliver);
        let started = Rc::new(started.expect("an executor"));
        carrier = Some(Rc::clone(&started));
        started
    });
    let (events, mut seen) = mpsc::unbounded_channel::<HardwareEvent>();
    let sink = Box::new(move |event| events.send(event).unwrap_or_default());
    let _watching = bus.watch(sink).expect("a bus that can be watched");
    let attend = async {
        while let Some(event) = seen.recv().await {
            system.hardware(event);
        }
    };
    tokio::select! {
        biased;
        () = attend => {}
        _ = closed => {}
    }
    system.close("SIGTERM");
    ended.await.expect("an orderly end");
    drop(system);
    if let Some(carrier) = carrier {
        carrier.shutdown().await;
    }
    thread_time()
}
