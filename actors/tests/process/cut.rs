//! Everything that a running station is, written down.

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_actors::action::process::RunId;
use mainstay_actors::board::Board;
use mainstay_actors::clock::Clock;
use mainstay_actors::effect::watched::Watched;
use mainstay_actors::effect::{Carrier, SharedWatch};
use mainstay_actors::message::lasting::Remembered;
use mainstay_actors::message::service::ServiceStatus;
use mainstay_actors::runtime::{Cut, Parts, System, Watchdog};
use mainstay_actors::store::Store;
use mainstay_actors::trace::{Keeping, Recorder};
use mainstay_config::model::Station;
use mainstay_hardware::simulated::SimulatedBus;

use crate::harness::{alone, settings};

const STATION: &str = r#"
[hardware.hackrf]
kind = "hackrf"
[services.runs]
command = ["sleep", "1000"]
[services.is-looked-at]
command = ["sleep", "1000"]
ready = { file = { path = "/nowhere/at/all" } }
[services.waits]
command = ["sleep", "1000"]
devices = { hackrf = "exclusive" }
"#;

/// A station with real actors and processes; what was shown of it is on the board.
fn begin(station: &Arc<Station>, folder: &std::path::Path, board: &Arc<Board>) -> (System, Rc<Carrier>) {
    let watched = Watched::new().0;
    let parts = Parts {
        clock: Clock::Boot,
        recorder: Arc::new(Mutex::new(Recorder::new(Keeping::Off))),
        board: Arc::clone(board),
        first_run: RunId(1),
        remembered: Remembered::default(),
        watchdog: Watchdog::begin(&watched, Duration::from_secs(60), |_| {}),
        watched: watched.clone(),
    };
    let mut carrier = None;
    let (system, _ended) = System::start(station, parts, |deliver| {
        let bus = Arc::new(SimulatedBus::demo());
        let started =
            Carrier::start(settings(folder), bus, SharedWatch::default(), watched, Store::default(), deliver).unwrap();
        let started = Rc::new(started);
        carrier = Some(Rc::clone(&started));
        started
    });
    (system, carrier.unwrap())
}

#[test]
fn everything_that_a_running_station_is_can_be_written_down_and_read_back() {
    alone(async || {
        let folder = tempfile::tempdir().unwrap();
        let station = Arc::new(mainstay_config::parse("test", STATION).unwrap().station);
        let board = Arc::new(Board::default());
        let (system, _carrier) = begin(&station, folder.path(), &board);
        let shown = |name| board.service(&system.service(name).unwrap()).map(|entry| entry.snapshot.clone());
        let is = |name, status| shown(name).is_some_and(|snapshot| snapshot.status == status);
        while !is("runs", ServiceStatus::Running)
            || shown("is-looked-at").is_none_or(|snapshot| snapshot.pid.is_none())
            || !is("waits", ServiceStatus::Waiting)
        {
            tokio::task::yield_now().await;
        }
        let written = serde_json::to_value(system.cut()).unwrap();
        let read: Cut = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        let runs = written["executor"]["processes"]["runs"].as_object().unwrap();
        let pids: Vec<_> = runs.values().map(|run| run["phase"]["Living"]["main"]["pid"].as_u64()).collect();
        let expected = ["runs", "is-looked-at"].map(|name| shown(name).unwrap().pid.map(u64::from));
        assert!(expected.iter().all(|pid| pid.is_some() && pids.contains(pid)), "{expected:?} in {runs:?}");
        assert_eq!(written["executor"]["watched"].as_object().unwrap().len(), 1);
        pids.into_iter().flatten().for_each(|pid| {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
    });
}
