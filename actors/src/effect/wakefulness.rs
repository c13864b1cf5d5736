//! Which devices are kept from being suspended, and which of them may be again. Pure: the shell and the world drive it.

use std::collections::{BTreeMap, VecDeque};

use mainstay_config::names::DeviceName;
use mainstay_hardware::bus::Wakefulness;
use mainstay_hardware::sighting::{Sighting, UsbFacts};

use super::call::{Asked, Call};
use crate::message::{Action, ActorId};
use crate::trace::Cause;

/// What a device's actor wants.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[allow(clippy::large_enum_variant, reason = "wishes are few, and soon carried out")]
pub(crate) enum Wish {
    /// It is not to be suspended.
    Keep(DeviceName, Sighting),
    /// It may be, if it could be before.
    LetSleep(DeviceName),
}

impl Wish {
    /// What an actor wants done, when it is a wish.
    pub(crate) fn of(from: &ActorId, action: &Action) -> Option<Self> {
        match (from, action) {
            (ActorId::Device(name), Action::KeepAwake(sighting)) => Some(Self::Keep(name.clone(), sighting.clone())),
            (ActorId::Device(name), Action::LetSleep) => Some(Self::LetSleep(name.clone())),
            _ => None,
        }
    }
}

/// What is kept awake, and how it was before. One call is made after the other, in the order in which they were wanted: a service that
/// is restarted lets go and takes again at once.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Kept {
    devices: BTreeMap<DeviceName, (Sighting, Wakefulness)>,
    wishes: VecDeque<(Wish, Cause)>,
    under_way: Option<Call>,
}

impl Kept {
    /// Something is wanted. The call that is made for it now; [`Kept::done`] follows.
    pub(crate) fn want(&mut self, wish: Wish, cause: Cause) -> Option<Asked> {
        self.wishes.push_back((wish, cause));
        if self.under_way.is_some() { None } else { self.next() }
    }

    /// The call has ended; how the device was before, if that was asked and is known. The next call.
    pub(crate) fn done(&mut self, before: Option<Wakefulness>) -> Option<Asked> {
        if let (Some(Call::KeepAwake(device, sighting)), Some(before)) = (self.under_way.take(), before) {
            self.note(device, sighting, before);
        }
        self.next()
    }

    /// The call that is under way, or about to be.
    pub(crate) fn under_way(&self) -> Option<&Call> {
        self.under_way.as_ref()
    }

    /// What is kept awake, and how it was before.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn before(&self) -> impl Iterator<Item = (&DeviceName, Wakefulness)> {
        self.devices.iter().map(|(device, (_, before))| (device, *before))
    }

    fn next(&mut self) -> Option<Asked> {
        while let Some((wish, cause)) = self.wishes.pop_front() {
            self.under_way = match wish {
                Wish::Keep(device, sighting) => Some(Call::KeepAwake(device, sighting)),
                Wish::LetSleep(device) => self.forget(&device).map(|sighting| Call::LetSleep(device, sighting)),
            };
            if let Some(call) = self.under_way.clone() {
                return Some(Asked { call, cause });
            }
        }
        None
    }

    /// A device that is kept awake already was so by mainstay's own doing: how it was before that counts.
    fn note(&mut self, device: DeviceName, sighting: Sighting, before: Wakefulness) {
        let known = self.devices.get(&device).filter(|(known, _)| is_same(known.usb.as_ref(), sighting.usb.as_ref()));
        let before = known.map_or(before, |(_, first)| *first);
        self.devices.insert(device, (sighting, before));
    }

    /// What may sleep now that this device is let go; of those on one piece of hardware, the last one's end counts.
    fn forget(&mut self, device: &DeviceName) -> Option<Sighting> {
        let (sighting, before) = self.devices.remove(device)?;
        if before == Wakefulness::WasAwake {
            return None;
        }
        let on_same = |other: &&mut (Sighting, Wakefulness)| is_same(other.0.usb.as_ref(), sighting.usb.as_ref());
        match self.devices.values_mut().find(on_same) {
            Some((_, inherited)) => {
                *inherited = before;
                None
            }
            None => Some(sighting),
        }
    }
}

/// Whether both sit on one arrival of one piece of hardware.
fn is_same(one: Option<&UsbFacts>, other: Option<&UsbFacts>) -> bool {
    let place = |usb: &UsbFacts| (usb.path.clone(), usb.bus, usb.address);
    one.map(place) == other.map(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mainstay_hardware::simulated::SimulatedBus;

    use super::Wakefulness::{CouldSleep, WasAwake};
    use super::*;
    use crate::trace::TraceId;

    const CAUSE: Cause = Cause { trace: TraceId(1), message: None };

    fn named(name: &str) -> DeviceName {
        DeviceName::new(name).unwrap()
    }

    /// What the kernel shows of a device of the demo.
    fn sighting(name: &str) -> Sighting {
        let listed = SimulatedBus::demo().list().into_iter().find(|listed| listed.name == name).unwrap();
        listed.sightings.into_iter().next().unwrap()
    }

    /// Each wish with what is known of how the device was, and whether it is let sleep in the end.
    #[test]
    fn only_what_could_sleep_before_its_first_lease_may_sleep_after_its_last() {
        let keep = |name: &str, before: Wakefulness| (Wish::Keep(named(name), sighting("gps")), Some(before));
        let gone = |name: &str, before: Wakefulness| (Wish::Keep(named(name), sighting("hackrf")), Some(before));
        let unknown = |name: &str| (Wish::Keep(named(name), sighting("gps")), None);
        let let_go = |name: &str| (Wish::LetSleep(named(name)), None);
        let table = [
            ("it could", vec![keep("gps", CouldSleep), let_go("gps")], 1),
            ("it was kept twice", vec![keep("gps", CouldSleep), keep("gps", WasAwake), let_go("gps")], 1),
            ("it never slept", vec![keep("gps", WasAwake), let_go("gps")], 0),
            ("its driver did not say", vec![unknown("gps"), let_go("gps")], 0),
            ("it was not kept", vec![let_go("gps")], 0),
            ("it is let go twice", vec![keep("gps", CouldSleep), let_go("gps"), let_go("gps")], 1),
            ("another is on it", vec![keep("gps", CouldSleep), keep("tty", WasAwake), let_go("gps")], 0),
            (
                "the other is let go as well",
                vec![keep("gps", CouldSleep), keep("tty", WasAwake), let_go("gps"), let_go("tty")],
                1,
            ),
            ("it is another arrival", vec![keep("gps", CouldSleep), gone("gps", WasAwake), let_go("gps")], 0),
        ];
        for (case, wishes, expected) in table {
            let (mut kept, mut let_sleep) = (Kept::default(), 0);
            for (wish, before) in wishes {
                let mut call = kept.want(wish, CAUSE);
                while let Some(made) = call {
                    let_sleep += usize::from(matches!(made.call, Call::LetSleep(..)));
                    call = kept.done(before);
                }
            }
            assert_eq!(let_sleep, expected, "{case}");
        }
    }

    #[test]
    fn one_call_is_made_after_the_other() {
        let mut kept = Kept::default();
        let keep = Wish::Keep(named("gps"), sighting("gps"));
        let call = |asked: Option<Asked>| asked.map(|asked| asked.call);
        assert!(matches!(call(kept.want(keep.clone(), CAUSE)), Some(Call::KeepAwake(..))));
        assert_eq!(call(kept.want(Wish::LetSleep(named("gps")), CAUSE)), None);
        assert_eq!(call(kept.want(keep, CAUSE)), None);
        assert!(matches!(call(kept.done(Some(CouldSleep))), Some(Call::LetSleep(..))));
        assert!(matches!(call(kept.done(None)), Some(Call::KeepAwake(..))));
        assert!(kept.under_way().is_some());
        assert_eq!(call(kept.done(Some(CouldSleep))), None);
        assert!(kept.under_way().is_none());
    }
}
