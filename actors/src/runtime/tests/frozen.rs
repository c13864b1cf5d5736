//! Who does not return is said, whatever he was at.

use std::sync::mpsc::{RecvTimeoutError, channel};

use super::*;
use crate::runtime::Frozen;

/// Longer than anybody is patient.
const LONG: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "local", start_paused = true)]
async fn an_actor_that_does_not_return_from_being_restarted_is_told_of() {
    let (tell, told) = channel();
    let watchdog = Watchdog::begin(&Watched::new().0, Duration::from_millis(20), move |frozen| {
        // The test may have ended.
        let _ = tell.send(frozen);
    });
    let rig = begin_under(watchdog, STATION);
    a_while().await;
    rig.panic("service/openwebrx");
    // It tells what it does again, and so waits for as long as somebody has the recorder: until the watchdog has spoken.
    let recorder = Arc::clone(&rig.recorder);
    let (lock, locked) = channel();
    let waiting = watched::call("holder", move || -> Result<Frozen, RecvTimeoutError> {
        let _held = recorder.lock();
        lock.send(()).unwrap();
        told.recv_timeout(LONG)
    });
    locked.recv().unwrap();
    a_while().await;
    let frozen = waiting.unwrap().await.unwrap().unwrap();
    assert_eq!((frozen.actor.to_string().as_str(), frozen.kind), ("service/openwebrx", "RestartActor"));
}
