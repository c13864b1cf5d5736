//! Hardware events on their way from the bus's threads to the actors.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mainstay_actors::runtime::System;
use mainstay_hardware::bus::{Bus, Sink};
use mainstay_hardware::kernel::Kernel;
use mainstay_hardware::sighting::{HardwareEvent, Source};
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::{Notify, mpsc, oneshot};

pub(super) use mainstay_actors::effect::SharedWatch;

/// Events that wait for the actor thread at most. One more is dropped, and everything is looked at anew.
const EVENTS_MAX: usize = 1024;

/// How long the watch may take to end. One that takes longer hangs in the kernel and is left behind: what a USB device says of
/// itself cannot be read while its driver hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// The kernel's hardware, or the demo's.
pub(super) fn bus(simulated: Option<SimulatedBus>) -> Arc<dyn Bus> {
    match simulated {
        Some(simulated) => Arc::new(simulated),
        None => Arc::new(Kernel::new()),
    }
}

/// Begins to watch, beside everything else: the first scan takes a while, and services without hardware need not wait for it.
pub(super) fn begin(bus: &Arc<dyn Bus>, watch: &SharedWatch, system: &Rc<System>) {
    let (events, seen) = mpsc::channel::<HardwareEvent>(EVENTS_MAX);
    let lost = Arc::new(Notify::new());
    start_watching(Arc::clone(bus), Arc::clone(watch), events, Arc::clone(&lost));
    let (system, watch) = (Rc::downgrade(system), Arc::clone(watch));
    let tell = move |event| match system.upgrade() {
        Some(system) => {
            system.hardware(event);
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    let rescan = move || {
        if let Some(watch) = watch.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            watch.rescan();
        }
    };
    tokio::task::spawn_local(pass_on(seen, lost, tell, rescan));
}

/// Passes events on, and has everything looked at anew when some were lost: when the rest are passed on, so that there is room for
/// what is seen then.
async fn pass_on(
    mut seen: mpsc::Receiver<HardwareEvent>,
    lost: Arc<Notify>,
    tell: impl Fn(HardwareEvent) -> ControlFlow<()>,
    rescan: impl Fn(),
) {
    loop {
        let event = tokio::select! {
            biased;
            event = seen.recv() => event,
            () = lost.notified() => {
                rescan();
                continue;
            }
        };
        if event.is_none_or(|event| tell(event).is_break()) {
            return;
        }
    }
}

fn start_watching(bus: Arc<dyn Bus>, watch: SharedWatch, events: mpsc::Sender<HardwareEvent>, lost: Arc<Notify>) {
    let trouble = events.clone();
    let sink: Sink = Box::new(move |event| {
        if events.try_send(event).is_err() {
            lost.notify_one();
        }
    });
    let work = move || match bus.watch(sink) {
        Ok(begun) => *watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun),
        Err(error) => {
            tracing::error!(%error, "hardware cannot be watched");
            // If nobody listens any more, the daemon is ending.
            let _ = trouble
                .blocking_send(HardwareEvent::Trouble(Source::All, format!("hardware cannot be watched: {error}")));
        }
    };
    if let Err(error) = std::thread::Builder::new().name("hardware-start".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for watching hardware");
    }
}

/// Ends the watch, beside the actor thread: that its threads have ended is waited for as long as a driver hangs.
pub(super) async fn end(watch: &SharedWatch) {
    let (ended, heard) = oneshot::channel::<()>();
    let of_thread = Arc::clone(watch);
    let work = move || {
        let watch = of_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(watch);
        drop(ended);
    };
    if let Err(error) = std::thread::Builder::new().name("hardware-end".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for ending the watch on hardware");
        std::mem::forget(watch.lock().unwrap_or_else(PoisonError::into_inner).take());
        return;
    }
    // Nothing is ever sent: the thread lets go of it when it is done.
    if tokio::time::timeout(PATIENCE, heard).await.is_err() {
        tracing::warn!("the watch on hardware hangs in the kernel and is left behind");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use mainstay_hardware::bus::Watch;

    use super::*;

    /// Says that it is being ended, and hangs until the test is over.
    struct Hangs(Sender<()>, Receiver<()>);

    impl Watch for Hangs {
        fn rescan(&self) {}
    }

    impl Drop for Hangs {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
            let _ = self.1.recv();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_after_the_last_event_was_passed_on_is_looked_for_at_once() {
        let (events, seen) = mpsc::channel(EVENTS_MAX);
        let (lost, rescanned) = (Arc::new(Notify::new()), Notify::new());
        let told = Notify::new();
        let tell = |_| {
            told.notify_one();
            ControlFlow::Continue(())
        };
        let passing_on = pass_on(seen, Arc::clone(&lost), tell, || rescanned.notify_one());
        let story = async {
            events.send(HardwareEvent::Trouble(Source::All, "the last event".to_owned())).await.unwrap();
            told.notified().await;
            lost.notify_one();
            tokio::time::timeout(Duration::from_secs(1), rescanned.notified()).await
        };
        tokio::select! {
            biased;
            looked = story => looked.unwrap(),
            () = passing_on => unreachable!("there may be more events"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_hangs_while_it_ends_is_left_behind() {
        let ((begun, is_begun), (release, released)) = (channel(), channel());
        let watch: SharedWatch = Arc::new(Mutex::new(Some(Box::new(Hangs(begun, released)))));
        end(&watch).await;
        is_begun.recv().unwrap();
        assert!(watch.lock().unwrap().is_none(), "nobody else ends it");
        drop(release);
    }
}
