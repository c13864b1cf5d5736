//! Hardware events on their way from the bus's threads to the actors.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mainstay_actors::effect::watched::{self, Lives, Lost, Panicked, Pauses, Watched};
use mainstay_actors::runtime::System;
use mainstay_hardware::bus::{Bus, Sink};
use mainstay_hardware::error::{Error, NoAnswer};
use mainstay_hardware::kernel::Kernel;
use mainstay_hardware::sighting::{HardwareEvent, Source};
use mainstay_hardware::simulated::SimulatedBus;
use mainstay_hardware::trouble::Trouble;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::sleep;

pub(super) use mainstay_actors::effect::SharedWatch;

/// Events that wait for the actor thread at most. One more is dropped, and everything is looked at anew.
const EVENTS_MAX: usize = 1024;

/// What watches is called so when it is given up.
const PART: &str = "hardware-events";

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
pub(super) fn begin(bus: &Arc<dyn Bus>, watch: &SharedWatch, system: &Rc<System>, watched: &Watched) -> AbortHandle {
    let (bus, watch, system) = (Arc::clone(bus), Arc::clone(watch), Rc::downgrade(system));
    let tell = move |event| match system.upgrade() {
        Some(system) => {
            system.hardware(event);
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    let of_start = Arc::clone(&watch);
    let start = move |events, lost| start_watching(Arc::clone(&bus), Arc::clone(&of_start), events, lost);
    watched.task("hardware-watch", keep_watching(start, watch, tell, watched.clone())).abort_handle()
}

/// Watches, and begins anew when the watch has panicked, or could not begin: its first scan finds what is there.
async fn keep_watching(
    start: impl Fn(mpsc::Sender<HardwareEvent>, Arc<Notify>) -> oneshot::Receiver<Begun>,
    watch: SharedWatch,
    tell: impl Fn(HardwareEvent) -> ControlFlow<()>,
    watched: Watched,
) {
    let (mut lives, mut pauses) = (Lives::begin(), Pauses::default());
    let why_not = RefCell::new(None::<Error>);
    let tell = |event| {
        if matches!(event, HardwareEvent::Scanned { .. }) && why_not.take().is_some() {
            tracing::info!("hardware is watched again");
        }
        tell(event)
    };
    loop {
        let (events, seen) = mpsc::channel::<HardwareEvent>(EVENTS_MAX);
        let lost = Arc::new(Notify::new());
        let begun = start(events, Arc::clone(&lost));
        let rescan = || {
            if let Some(watch) = watch.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                watch.rescan();
            }
        };
        if pass_on(seen, lost, &tell, rescan).await == Over::NobodyListens {
            return;
        }
        // What begins it has an answer, or has panicked itself.
        if let Ok(Err(error)) = begun.await {
            if why_not.borrow().as_ref() != Some(&error) {
                tracing::error!(%error, "hardware cannot be watched; it is tried again and again");
                if tell(HardwareEvent::Trouble(Source::All, Trouble::Failed(error.clone()))).is_break() {
                    return;
                }
                why_not.replace(Some(error));
            }
            sleep(pauses.next()).await;
            continue;
        }
        if lives.next().is_none() {
            watched.tell(Lost { part: PART.to_owned(), how: Panicked::Often(lives.early_ends()) });
            return;
        }
        tracing::error!("the watch on hardware panicked, and begins anew");
        sleep(watched::PAUSE).await;
    }
}

/// Whether a watch could be begun, else why not.
type Begun = Result<(), Error>;

/// Why events are not passed on any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// There are no more.
    NoMore,
    /// Nobody wants them: mainstay ends.
    NobodyListens,
}

/// Passes events on, and has everything looked at anew when some were lost: when the rest are passed on, so that there is room for
/// what is seen then.
async fn pass_on(
    mut seen: mpsc::Receiver<HardwareEvent>,
    lost: Arc<Notify>,
    tell: impl Fn(HardwareEvent) -> ControlFlow<()>,
    rescan: impl Fn(),
) -> Over {
    loop {
        let event = tokio::select! {
            biased;
            event = seen.recv() => event,
            () = lost.notified() => {
                rescan();
                continue;
            }
        };
        match event.map(&tell) {
            None => return Over::NoMore,
            Some(ControlFlow::Break(())) => return Over::NobodyListens,
            Some(ControlFlow::Continue(())) => {}
        }
    }
}

fn start_watching(
    bus: Arc<dyn Bus>,
    watch: SharedWatch,
    events: mpsc::Sender<HardwareEvent>,
    lost: Arc<Notify>,
) -> oneshot::Receiver<Begun> {
    let sink: Sink = Box::new(move |event| {
        if events.try_send(event).is_err() {
            lost.notify_one();
        }
    });
    let work = move || {
        let started = bus.watch(sink)?;
        // Its end is waited for, which is not done with the lock.
        let former = watch.lock().unwrap_or_else(PoisonError::into_inner).replace(started);
        drop(former);
        Ok(())
    };
    watched::call("hardware-start", work).unwrap_or_else(|error| {
        let (answer, begun) = oneshot::channel();
        // The other end is just below.
        let _ = answer.send(Err(NoAnswer::NoThread(error.into()).into()));
        begun
    })
}

/// Ends the watch, beside the actor thread: that its threads have ended is waited for as long as a driver hangs.
pub(super) async fn end(watch: &SharedWatch) {
    let of_thread = Arc::clone(watch);
    let work = move || {
        let watch = of_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(watch);
    };
    let ended = match watched::call("hardware-end", work) {
        Ok(ended) => tokio::time::timeout(PATIENCE, ended).await,
        Err(error) => {
            tracing::error!(%error, "no thread for ending the watch on hardware");
            std::mem::forget(watch.lock().unwrap_or_else(PoisonError::into_inner).take());
            return;
        }
    };
    // One that panics has ended as well.
    if ended.is_err() {
        tracing::warn!("the watch on hardware hangs in the kernel and is left behind");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use mainstay_hardware::bus::Watch;
    use mainstay_hardware::sighting::ScanReason;
    use tokio::time::Instant;

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
            events.send(HardwareEvent::Trouble(Source::All, Trouble::RadiosSilent)).await.unwrap();
            told.notified().await;
            lost.notify_one();
            tokio::time::timeout(Duration::from_secs(1), rescanned.notified()).await
        };
        tokio::select! {
            biased;
            looked = story => looked.unwrap(),
            _ = passing_on => unreachable!("there may be more events"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_panics_begins_anew_and_is_given_up_when_it_does_so_again_and_again() {
        let (watched, mut heard) = Watched::new();
        let told = std::cell::Cell::new(0);
        let tell = |_| {
            told.set(told.get() + 1);
            ControlFlow::Continue(())
        };
        // Its thread says one thing; that it is gone shows by its end of the channel.
        let start = |events: mpsc::Sender<HardwareEvent>, _| {
            let (outcome, begun) = oneshot::channel();
            events.try_send(HardwareEvent::Trouble(Source::All, Trouble::RadiosSilent)).unwrap();
            outcome.send(Ok(())).unwrap();
            begun
        };
        keep_watching(start, SharedWatch::default(), tell, watched).await;
        assert_eq!(told.get(), 4, "it was begun anew three times");
        assert_eq!(heard.recv().await.map(|lost| lost.part).as_deref(), Some(PART));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_of_which_the_beginning_panics_begins_anew() {
        let (watched, mut heard) = Watched::new();
        let begun = std::cell::Cell::new(0);
        // The way to the answer is dropped, as by a panic.
        let start = |_, _| {
            begun.set(begun.get() + 1);
            oneshot::channel().1
        };
        keep_watching(start, SharedWatch::default(), |_| ControlFlow::Continue(()), watched).await;
        assert_eq!(begun.get(), 4, "it was begun anew three times");
        assert_eq!(heard.recv().await.map(|lost| lost.part).as_deref(), Some(PART));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_cannot_begin_is_tried_again_ever_more_seldom_and_what_keeps_it_is_said_once() {
        let (watched, mut heard) = Watched::new();
        let no_buffer_space = || Error::NothingWatched(Vec::new());
        let scanned =
            || HardwareEvent::Scanned { present: Vec::new(), why: ScanReason::Start, troubles: BTreeMap::new() };
        let (begun, told) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let origin = Instant::now();
        let start = |events: mpsc::Sender<HardwareEvent>, _| {
            begun.borrow_mut().push(origin.elapsed().as_secs());
            let begins = begun.borrow().len() == 10;
            let (answer, outcome) = oneshot::channel();
            answer.send(if begins { Ok(()) } else { Err(no_buffer_space()) }).unwrap();
            if begins {
                events.try_send(scanned()).unwrap();
            }
            outcome
        };
        let tell = |event| {
            let ends = matches!(event, HardwareEvent::Scanned { .. });
            told.borrow_mut().push(event);
            if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        keep_watching(start, SharedWatch::default(), tell, watched).await;
        assert!(heard.recv().await.is_none(), "it is not given up");
        assert_eq!(begun.into_inner(), [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        let unwatched = HardwareEvent::Trouble(Source::All, Trouble::Failed(no_buffer_space()));
        assert_eq!(told.into_inner(), [unwatched, scanned()]);
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
