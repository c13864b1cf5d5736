//! What people are shown is the same before and after a panic that has changed nothing.

use super::*;
use crate::message::service::{Attempts, Waiting};
use crate::message::{GaveUp, Moment, Outcome};
use crate::view::words;

impl Rig {
    /// Everything that is shown: of each service and device its state, since when, and the trace that led to it.
    fn shown(&self) -> Vec<String> {
        let services = ["openwebrx", "logger", "sweep"].map(|name| {
            let mut entry = self.board.service(&name.parse().unwrap()).unwrap();
            let waits = words::waiting(&entry.snapshot.waiting_for, Moment::default(), |_| None);
            entry.snapshot.waiting_for = Waiting::Nothing;
            format!("{:?}, waiting for {waits:?} since {:?}, trace {:?}", entry.snapshot, entry.since, entry.trace)
        });
        let device = self.board.device(&"hackrf".parse().unwrap()).unwrap();
        let device = format!("{:?} since {:?}, trace {:?}", device.snapshot, device.since, device.trace);
        services.into_iter().chain([device]).collect()
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_panic_does_not_change_what_is_shown_nor_since_when_nor_what_led_to_it() {
    for actor in ["service/openwebrx", "service/logger", "service/sweep", "device/hackrf", "leases", "services"] {
        let rig = begin(STATION);
        a_while().await;
        let before = rig.shown();
        rig.panic(actor);
        a_while().await;
        assert_eq!(rig.shown(), before, "{actor}, while everything runs");
        rig.bus.unplug("hackrf").unwrap();
        a_while().await;
        let before = rig.shown();
        rig.panic(actor);
        a_while().await;
        assert_eq!(rig.shown(), before, "{actor}, while the device is gone");
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn after_an_escalation_what_is_waited_for_is_still_known_to_follow_from_the_unplugging() {
    for actor in ["service/openwebrx", "device/hackrf"] {
        let rig = begin(STATION);
        a_while().await;
        rig.bus.unplug("hackrf").unwrap();
        a_while().await;
        let before = rig.shown();
        for _ in 0..8 {
            rig.panic(actor);
            sleep(Duration::from_millis(100)).await;
        }
        a_while().await;
        assert_eq!(rig.shown(), before, "{actor}");
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn an_executor_that_panics_over_an_act_is_lost_with_what_it_alone_knows_and_whoever_asked_is_answered() {
    let mut rig = begin(STATION);
    a_while().await;
    rig.programs.borrow_mut().fatal = Some("Signal");
    let restart = |id| ServiceMessage::Restart(id, Attempts::Keep);
    let name = rig.system.service("logger").unwrap();
    let asked = rig.system.operator(|id| Message::Service(name, restart(id)));
    let (answer, _) = tokio::time::timeout(Duration::from_millis(1), asked).await.unwrap().unwrap();
    assert_eq!(answer.outcome, Outcome::Handled);
    assert!(rig.system.stage.answers.borrow().is_empty(), "nobody waits any more");
    let Ok(DaemonExit::GaveUp(GaveUp::PartLost(lost))) = rig.ended.try_recv() else { panic!("it goes on") };
    assert_eq!(lost.part, "executor");
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_panic_is_traced_as_what_became_of_its_message() {
    let rig = begin(STATION);
    a_while().await;
    rig.panic("service/openwebrx");
    a_while().await;
    let recorder = rig.recorder.lock().unwrap();
    let filter = TraceFilter { device: None, service: Some("openwebrx".parse().unwrap()) };
    let trace = recorder.excerpt(recorder.latest(&filter).unwrap()).unwrap().show(&rig.clock);
    assert_eq!(trace.cause.kind, "panic");
    let kinds: Vec<&str> = trace.messages.iter().map(|message| message.kind.as_str()).collect();
    assert!(kinds.starts_with(&["Died", "RestartActor"]), "{kinds:?}");
}
