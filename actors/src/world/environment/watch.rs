//! The simulated watch on hardware: its thread hears what the kernel says, and a bounded queue leads to the actor thread, which passes
//! on what is in it when it has time. What does not fit is looked for when there is room again. A watch that panics is begun anew when
//! all is passed on that it has said: it knows nothing, says what cannot be watched, and looks at everything.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mainstay_hardware::sighting::{HardwareEvent, ScanReason, Source};
use mainstay_hardware::trouble::Trouble;
use mainstay_hardware::watched::PAUSE;

use super::table::{MILLISECOND, SECOND};
use super::{Cause, Consequences, Environment, Event};
use crate::message::inventory::InventoryMessage;
use crate::message::{Message, Moment, Outside};

/// Events that wait for the actor thread at most. In production there is room for 1024.
const EVENTS_MAX: usize = 2;
/// How often one that ends early is begun anew. Once more, and mainstay gives up: that is simulated as the death of a thread.
const RESTARTS: u32 = 3;
/// What lived this long did not end early.
const GOOD_LIFE: Duration = Duration::from_secs(60);

/// What happens to the watch on hardware, and by it.
#[derive(Debug)]
pub(in crate::world) enum WatchEvent {
    /// A watch with this number hears something.
    Hears(u64, Box<HardwareEvent>),
    /// It looks at everything.
    Scans(u64, ScanReason),
    /// The actor thread passes on what it has said.
    PassedOn,
    /// The next watch begins.
    Begins,
    /// A source works again.
    Works(Source),
}

/// The watch, and the queue behind it.
#[derive(Debug, Default)]
pub(super) struct HardwareWatch {
    /// Which one it is.
    number: u64,
    since: Moment,
    has_panicked: bool,
    early_ends: u32,
    queue: VecDeque<(HardwareEvent, Option<Cause>)>,
    /// Whether something did not fit into the queue.
    has_lost: bool,
    /// What cannot be watched, as long as that is so: also by the next watch.
    troubles: BTreeMap<Source, Trouble>,
}

impl HardwareWatch {
    /// That of the next mainstay.
    pub(super) fn next_life(&self) -> Self {
        Self { number: self.number + 1, troubles: self.troubles.clone(), ..Self::default() }
    }
}

impl Environment {
    /// What cannot be watched.
    #[must_use]
    pub fn troubles(&self) -> &BTreeMap<Source, Trouble> {
        &self.watch.troubles
    }

    /// The watch hears something at some moment, unless it has panicked by then.
    pub(super) fn watch_hears(&self, at: Moment, event: HardwareEvent, so: &mut Consequences) {
        if !self.watch.has_panicked {
            let heard = WatchEvent::Hears(self.watch.number, Box::new(event));
            so.later.push((at, Event::Watch(heard), None));
        }
    }

    pub(in crate::world) fn scan_later(&mut self, why: ScanReason, cause: Option<Cause>, so: &mut Consequences) {
        if !self.watch.has_panicked {
            let at = self.in_order(SECOND);
            so.later.push((at, Event::Watch(WatchEvent::Scans(self.watch.number, why)), cause));
        }
    }

    pub(super) fn happens_to_watch(&mut self, event: WatchEvent, cause: Option<Cause>, so: &mut Consequences) {
        let is_there = |watch: &HardwareWatch, number| watch.number == number && !watch.has_panicked;
        match event {
            WatchEvent::Hears(number, event) if is_there(&self.watch, number) => self.watch_says(*event, cause, so),
            WatchEvent::Scans(number, why) if is_there(&self.watch, number) => {
                let present = self.present();
                let troubles = self.watch.troubles.clone();
                self.watch_says(HardwareEvent::Scanned { present, why, troubles }, cause, so);
            }
            WatchEvent::Hears(..) | WatchEvent::Scans(..) => {}
            WatchEvent::PassedOn => self.pass_on(so),
            WatchEvent::Begins => self.watch_begins(so),
            WatchEvent::Works(source) => {
                self.watch.troubles.remove(&source);
                self.watch_hears(self.now, HardwareEvent::Works(source), so);
            }
        }
    }

    fn watch_says(&mut self, event: HardwareEvent, cause: Option<Cause>, so: &mut Consequences) {
        if self.watch.queue.len() >= EVENTS_MAX {
            self.watch.has_lost = true;
            return;
        }
        let is_busy = !self.watch.queue.is_empty();
        self.watch.queue.push_back((event, cause));
        if is_busy {
            return;
        }
        if self.random.happens(self.weather.passes_late) {
            let at = self.now + self.random.between(MILLISECOND, MILLISECOND * 500);
            so.later.push((at, Event::Watch(WatchEvent::PassedOn), None));
        } else {
            self.pass_on(so);
        }
    }

    fn pass_on(&mut self, so: &mut Consequences) {
        for (event, cause) in self.watch.queue.drain(..) {
            so.told.push((Outside::Kernel, Message::Hardware(InventoryMessage::Event(event)), cause));
        }
        if self.watch.has_panicked {
            so.later.push((self.now + PAUSE, Event::Watch(WatchEvent::Begins), None));
        } else if std::mem::take(&mut self.watch.has_lost) {
            self.scan_later(ScanReason::Asked, None, so);
        }
    }

    /// The watch panics. What the kernel says until the next one has begun nobody hears.
    pub(in crate::world) fn watch_panics(&mut self, so: &mut Consequences) {
        let is_early = self.now.since(self.watch.since) < GOOD_LIFE;
        let early_ends = if is_early { self.watch.early_ends + 1 } else { 1 };
        if self.watch.has_panicked || early_ends > RESTARTS {
            return;
        }
        (self.watch.has_panicked, self.watch.early_ends) = (true, early_ends);
        if self.watch.queue.is_empty() {
            self.pass_on(so);
        }
    }

    fn watch_begins(&mut self, so: &mut Consequences) {
        (self.watch.number, self.watch.since) = (self.watch.number + 1, self.now);
        (self.watch.has_panicked, self.watch.has_lost) = (false, false);
        for (source, why) in self.watch.troubles.clone() {
            self.watch_hears(self.now, HardwareEvent::Trouble(source, why), so);
        }
        self.scan_later(ScanReason::Start, None, so);
    }

    /// A source cannot be watched for a while.
    pub(in crate::world) fn cannot_be_watched(&mut self, so: &mut Consequences) {
        let troubles = [(Source::RadioNews, Trouble::RadiosSilent), (Source::RadioFacts, Trouble::DriverHangs)];
        let Some((source, why)) = self.random.choose(&troubles).cloned() else { return };
        if self.watch.troubles.insert(source, why.clone()).is_some() {
            return;
        }
        self.watch_hears(self.now, HardwareEvent::Trouble(source, why), so);
        let at = self.now + self.random.wait(SECOND * 10);
        so.later.push((at, Event::Watch(WatchEvent::Works(source)), None));
    }
}
