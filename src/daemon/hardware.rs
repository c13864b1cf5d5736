//! Hardware events on their way from the bus's threads to the actors.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mainstay_actors::runtime::System;
use mainstay_hardware::bus::{Bus, Sink};
use mainstay_hardware::kernel::Kernel;
use mainstay_hardware::sighting::HardwareEvent;
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::{mpsc, oneshot};

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
    let (events, mut seen) = mpsc::channel::<HardwareEvent>(EVENTS_MAX);
    let lost = Arc::new(AtomicBool::new(false));
    start_watching(Arc::clone(bus), Arc::clone(watch), events, Arc::clone(&lost));
    let (system, watch) = (Rc::downgrade(system), Arc::clone(watch));
    tokio::task::spawn_local(async move {
        while let Some(event) = seen.recv().await {
            let Some(system) = system.upgrade() else { break };
            system.hardware(event);
            if lost.swap(false, Ordering::Relaxed)
                && let Some(watch) = watch.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            {
                watch.rescan();
            }
        }
    });
}

fn start_watching(bus: Arc<dyn Bus>, watch: SharedWatch, events: mpsc::Sender<HardwareEvent>, lost: Arc<AtomicBool>) {
    let trouble = events.clone();
    let sink: Sink = Box::new(move |event| {
        if events.try_send(event).is_err() {
            lost.store(true, Ordering::Relaxed);
        }
    });
    let work = move || match bus.watch(sink) {
        Ok(begun) => *watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun),
        Err(error) => {
            tracing::error!(%error, "hardware cannot be watched");
            // If nobody listens any more, the daemon is ending.
            let _ = trouble.blocking_send(HardwareEvent::Trouble(format!("hardware cannot be watched: {error}")));
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
    async fn a_watch_that_hangs_while_it_ends_is_left_behind() {
        let ((begun, is_begun), (release, released)) = (channel(), channel());
        let watch: SharedWatch = Arc::new(Mutex::new(Some(Box::new(Hangs(begun, released)))));
        end(&watch).await;
        is_begun.recv().unwrap();
        assert!(watch.lock().unwrap().is_none(), "nobody else ends it");
        drop(release);
    }
}
