//! From the board to what is shown.

use mainstay_config::model::{Device, Station};
use mainstay_config::names::ServiceName;
use mainstay_hardware::matching::identity;
use mainstay_hardware::sighting::Source;

use super::roots::Roots;
use super::{
    CauseView, DeviceView, DevicesView, LeaseView, LeasesView, OtherDeviceView, ServiceView, StatusView, WaiterView,
    WhyView, words,
};
use crate::board::{Board, Entry};
use crate::cause::{Holder, Resource};
use crate::clock::Clock;
use crate::message::Moment;
use crate::message::device::{DeviceSnapshot, DeviceStatus};
use crate::message::lease_table::{HeldLease, LeaseSnapshot, Waiter};
use crate::message::service::{Health, ServiceSnapshot, ServiceStatus, Waiting, Wanted};

/// Shows a station as its board has it.
#[derive(Clone, Copy)]
pub struct Show<'a> {
    /// What is configured.
    pub station: &'a Station,
    /// What is.
    pub board: &'a Board,
    /// For wall time.
    pub clock: &'a Clock,
    /// Whether a process is of one of the services: a number that was heard of may be somebody else's by now.
    pub is_ours: fn(u32) -> bool,
}

impl Show<'_> {
    /// `status`.
    #[must_use]
    pub fn status(&self) -> StatusView {
        StatusView {
            services: self.services(),
            devices: self.configured(),
            leases: self.leases().leases,
            troubles: self.board.inventory().unwatched().iter().map(|why| why.words(Source::All)).collect(),
        }
    }

    /// `devices`.
    #[must_use]
    pub fn devices(&self) -> DevicesView {
        let inventory = self.board.inventory();
        let other = |other: crate::message::inventory::OtherDevice| OtherDeviceView {
            kind: words::sort(&other.what.sort).to_owned(),
            identity: identity(&other.what, None),
            suggestion: other.suggestion.to_string(),
        };
        DevicesView {
            devices: self.configured(),
            others: inventory.others.into_iter().map(other).collect(),
            troubles: inventory.troubles.iter().map(|(source, why)| why.words(*source)).collect(),
        }
    }

    /// `leases`.
    #[must_use]
    pub fn leases(&self) -> LeasesView {
        let snapshot = self.board.leases();
        let lease = |held: HeldLease| LeaseView {
            resource: held.resource.to_string(),
            holder: held.holder.to_string(),
            mode: held.sharing.as_str().to_owned(),
            token: held.token.0,
            since: self.clock.wall(held.since),
        };
        let waiter = |waiter: Waiter| WaiterView {
            service: waiter.request.holder.to_string(),
            wants: waiter.request.wants.iter().map(ToString::to_string).collect(),
            priority: waiter.request.priority,
            waiting_for: waiter.blockers.iter().map(ToString::to_string).collect(),
            since: self.clock.wall(waiter.since),
        };
        LeasesView {
            leases: snapshot.held.into_iter().map(lease).collect(),
            queue: snapshot.queue.into_iter().map(waiter).collect(),
        }
    }

    /// `why NAME`: services first, then devices. `None`: nothing has that name.
    #[must_use]
    pub fn why(&self, name: &str) -> Option<WhyView> {
        if let Some(service) = self.station.services.get(name) {
            let entry = self.board.service(&service.name);
            return Some(entry.map_or_else(|| why_not_begun(name, "service"), |entry| self.why_service(&entry)));
        }
        let device = self.station.devices.get(name)?;
        let entry = self.board.device_seen(&device.name);
        Some(entry.map_or_else(|| why_not_begun(name, "device"), |entry| self.why_device(&entry)))
    }

    /// The main process, or who is left of a program that has gone on without it. Of one that ends nothing is heard for a moment.
    fn living(&self, snapshot: &ServiceSnapshot) -> Option<u32> {
        snapshot.pid.filter(|pid| (self.is_ours)(*pid))
    }

    fn services(&self) -> Vec<ServiceView> {
        let (roots, now) = (Roots::new(self.board), self.clock.now());
        let waiting = |snapshot: &ServiceSnapshot| words::waiting(&snapshot.waiting_for, now, |need| roots.of(need));
        let view = |name: &ServiceName| {
            let Some(Entry { snapshot, since, .. }) = self.board.service(name) else {
                return service_not_begun(name, self.clock);
            };
            let waiting_for = waiting(&snapshot);
            ServiceView {
                name: name.to_string(),
                status: snapshot.status.as_str().to_owned(),
                health: snapshot.health.as_str().to_owned(),
                wanted: snapshot.wanted.as_str().to_owned(),
                reason: words::service_reason(&snapshot, |need| roots.of(need)),
                pid: self.living(&snapshot),
                since: self.clock.wall(since),
                waiting_for,
            }
        };
        self.station.services.keys().map(view).collect()
    }

    fn configured(&self) -> Vec<DeviceView> {
        let leases = self.board.leases();
        let view = |device: &Device| {
            let Some(Entry { snapshot, .. }) = self.board.device_seen(&device.name) else {
                return device_not_begun(device);
            };
            DeviceView {
                name: device.name.to_string(),
                kind: snapshot.kind.as_str().to_owned(),
                status: snapshot.status.as_str().to_owned(),
                reason: device_reason(&snapshot, self.clock),
                holder: holder(&snapshot, &leases).map(ToString::to_string),
                identity: snapshot.identity.as_ref().map(ToString::to_string),
            }
        };
        self.station.devices.values().map(view).collect()
    }

    fn why_service(&self, entry: &Entry<ServiceSnapshot>) -> WhyView {
        let snapshot = &entry.snapshot;
        let roots = Roots::new(self.board);
        let waiting = words::waiting(&snapshot.waiting_for, self.clock.now(), |need| roots.of(need));
        let reason = words::service_reason(snapshot, |need| roots.of(need));
        let mut unblock = words::service_cures(snapshot);
        unblock.extend(self.unblock_devices(snapshot));
        unblock.extend(self.unblock_start(snapshot));
        WhyView {
            name: snapshot.name.to_string(),
            subject: "service".to_owned(),
            now: service_sentence(snapshot, self.living(snapshot), &reason, &waiting, self.clock),
            because: self.chain(entry),
            unblock,
            trace: Some(entry.trace.0),
        }
    }

    fn why_device(&self, entry: &Entry<DeviceSnapshot>) -> WhyView {
        let snapshot = &entry.snapshot;
        WhyView {
            name: snapshot.name.to_string(),
            subject: "device".to_owned(),
            now: device_sentence(snapshot, holder(snapshot, &self.board.leases()), self.clock),
            because: self.chain(entry),
            unblock: self.device_cure(snapshot).into_iter().collect(),
            trace: Some(entry.trace.0),
        }
    }

    fn device_cure(&self, shown: &DeviceSnapshot) -> Option<String> {
        let spec = self.station.devices.get(&shown.name);
        shown.unblock.as_ref().map(|cure| words::device_cure(cure, &shown.name, spec))
    }

    /// What the devices that a waiting service needs say would help.
    fn unblock_devices(&self, snapshot: &ServiceSnapshot) -> Vec<String> {
        if snapshot.status != ServiceStatus::Waiting {
            return Vec::new();
        }
        let Some(service) = self.station.services.get(&snapshot.name) else { return Vec::new() };
        let devices = service.devices.keys().filter_map(|name| self.board.device_seen(name));
        devices.filter_map(|entry| self.device_cure(&entry.snapshot)).collect()
    }

    /// Who has the start slots that a service waits for.
    fn unblock_start(&self, snapshot: &ServiceSnapshot) -> Vec<String> {
        if snapshot.waiting_for != Waiting::Slot {
            return Vec::new();
        }
        let starting = |name: &&ServiceName| {
            self.board.service(name).is_some_and(|entry| entry.snapshot.status == ServiceStatus::Starting)
        };
        let starting = self.station.services.keys().filter(starting);
        let mut sentences: Vec<String> = starting
            .map(|name| format!("Wait until {name}, which is starting, is ready: `mainstay why {name}`."))
            .collect();
        sentences.push("Raise `max_parallel_starts`, if this machine can start more at once.".to_owned());
        sentences
    }

    fn chain<S>(&self, entry: &Entry<S>) -> Vec<CauseView> {
        let view = |step: &crate::trace::Step| CauseView { at: self.clock.wall(step.at), what: step.what.clone() };
        entry.because.steps().iter().map(view).collect()
    }
}

/// Why nothing is known yet: the actors have not said anything.
const NOT_BEGUN: &str = "mainstay has only just started";

fn service_not_begun(name: &ServiceName, clock: &Clock) -> ServiceView {
    ServiceView {
        name: name.to_string(),
        status: ServiceStatus::Stopped.as_str().to_owned(),
        health: Health::Unknown.as_str().to_owned(),
        wanted: Wanted::Auto.as_str().to_owned(),
        reason: NOT_BEGUN.to_owned(),
        pid: None,
        since: clock.wall(clock.now()),
        waiting_for: Vec::new(),
    }
}

fn device_not_begun(device: &Device) -> DeviceView {
    DeviceView {
        name: device.name.to_string(),
        kind: device.kind.as_str().to_owned(),
        status: DeviceStatus::Absent.as_str().to_owned(),
        reason: NOT_BEGUN.to_owned(),
        holder: None,
        identity: None,
    }
}

fn why_not_begun(name: &str, subject: &str) -> WhyView {
    WhyView {
        name: name.to_owned(),
        subject: subject.to_owned(),
        now: format!("nothing is known of {name} yet: {NOT_BEGUN}"),
        because: Vec::new(),
        unblock: vec!["Ask again in a moment.".to_owned()],
        trace: None,
    }
}

fn service_sentence(
    snapshot: &ServiceSnapshot,
    pid: Option<u32>,
    reason: &str,
    waiting: &[String],
    clock: &Clock,
) -> String {
    let name = &snapshot.name;
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    match snapshot.status {
        ServiceStatus::Waiting => format!("{name} is waiting for {}.", waiting.join("; ")),
        ServiceStatus::Running => {
            let pid = pid.map_or_else(String::new, |pid| format!(" as pid {pid}"));
            format!("{name} is running{pid}{because}.")
        }
        ServiceStatus::Starting => format!("{name} is starting{because}."),
        ServiceStatus::Stopping => format!("{name} is stopping{because}."),
        ServiceStatus::Stopped => format!("{name} does not run{because}."),
        ServiceStatus::Backoff => {
            let left = snapshot.retry_at.map_or_else(String::new, |at| format!(" in {}", time_left(at, clock)));
            format!("{name} will be started again{left}{because}.")
        }
        ServiceStatus::Failed => format!("{name} has failed{because}."),
        ServiceStatus::Held => format!("{name} is held{because}."),
    }
}

fn time_left(at: Moment, clock: &Clock) -> String {
    let seconds = at.since(clock.now()).as_secs_f64().ceil();
    format!("{seconds:.0} s")
}

/// Why a device is as it is, with the end of a quarantine.
fn device_reason(snapshot: &DeviceSnapshot, clock: &Clock) -> String {
    let reason = snapshot.reason.to_string();
    let until = snapshot.until.map(|until| clock.wall(until));
    // `2026-11-21T10:22:03.123Z`
    match until.as_ref().and_then(|until| until.get(11..19)) {
        Some(time) => format!("{reason} (until {time} UTC)"),
        None => reason,
    }
}

/// Who leases a device, as the registry shows it.
fn holder<'a>(shown: &DeviceSnapshot, leases: &'a LeaseSnapshot) -> Option<&'a Holder> {
    let is_of_it = |held: &&HeldLease| matches!(&held.resource, Resource::Device(name) if *name == shown.name);
    let is_that = |held: &&HeldLease| Some(held.since) == shown.leased_since;
    leases.held.iter().filter(is_of_it).find(is_that).map(|held| &held.holder)
}

fn device_sentence(snapshot: &DeviceSnapshot, holder: Option<&Holder>, clock: &Clock) -> String {
    let name = &snapshot.name;
    let reason = device_reason(snapshot, clock);
    let identity = snapshot.identity.as_ref().map_or_else(String::new, |identity| format!(" ({identity})"));
    match (snapshot.status, holder) {
        (DeviceStatus::Absent, _) => format!("{name} is {reason}."),
        (DeviceStatus::InUse, Some(holder)) => format!("{name} is in use by {holder}{identity}."),
        (status, _) if reason.is_empty() => format!("{name} is {}{identity}.", status.as_str()),
        (status, _) => format!("{name} is {}: {reason}{identity}.", status.as_str()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mainstay_config::model::DeviceKind;
    use mainstay_hardware::error::{Error, ErrorKind};
    use mainstay_hardware::trouble::Trouble;

    use super::*;
    use crate::cause::Absence;
    use crate::device::DeviceMachine;
    use crate::machine::{Beginning, Machine};
    use crate::message::device::DeviceMessage;
    use crate::message::inventory::InventorySnapshot;
    use crate::message::{Effect, Publication};
    use crate::trace::{ExternalCause, Keeping, Recorder};
    use crate::world::stations::assemble;

    #[tokio::test(start_paused = true)]
    async fn whether_a_device_is_plugged_in_is_not_claimed_while_it_was_not_looked_for_or_nothing_can_be_seen() {
        let station = assemble(&[("h", DeviceKind::Hackrf)], Vec::new());
        let (board, clock, mut recorder) = (Board::default(), Clock::tokio(), Recorder::new(Keeping::On));
        let cause = recorder.begin(Moment::default(), ExternalCause::Started);
        let publish = |publication| board.publish(Moment::default(), cause, publication, &recorder);
        let show = Show { station: &station, board: &board, clock: &clock, is_ours: |_| true };
        let shown = || (show.status().devices.remove(0).reason, show.why("h").unwrap().unblock);
        let mut device = DeviceMachine::new(station.devices.values().next().unwrap().clone());
        let publish_all = |out: Vec<Effect<_>>| {
            let shown = |effect| if let Effect::Publish(publication) = effect { publish(publication) } else { None };
            out.into_iter().filter_map(shown).count()
        };
        publish_all(device.begin(Moment::default(), Beginning::First));
        assert_eq!(shown(), ("not heard of yet".to_owned(), Vec::new()));
        let why = Trouble::Failed(Error::Simulated(ErrorKind::Other));
        let unwatched = |troubles| publish(Publication::Inventory(InventorySnapshot { others: Vec::new(), troubles }));
        unwatched([(Source::All, why)].into());
        let said = "hardware cannot be watched: it fails (simulated)";
        let unseen = || "not seen, since hardware cannot be watched".to_owned();
        let cure = format!("Wait, or mend this: {said} (it is tried again by itself).");
        assert_eq!((shown(), show.status().troubles), ((unseen(), vec![cure]), vec![said.to_owned()]));
        publish_all(device.handle(Moment::default(), DeviceMessage::Gone { generation: None, how: Absence::NotFound }));
        assert_eq!(shown().0, unseen());
        unwatched([(Source::Libusb, Trouble::RadiosSilent), (Source::Uevents, Trouble::RadiosSilent)].into());
        assert_eq!(shown().0, unseen(), "neither witness of hardware is heard");
        unwatched([(Source::Libusb, Trouble::RadiosSilent)].into());
        assert_eq!((shown().0.as_str(), show.status().troubles), ("not plugged in", Vec::new()));
    }
}
