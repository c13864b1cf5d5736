//! What is known to be there, and the events by which that changes. Pure.
//!
//! The kernel's messages are hints: each leads to a look at the present state, and what differs from what is known
//! becomes an event. So the several witnesses of one departure lead to one event, by whoever came first.

use std::collections::BTreeMap;

use crate::sighting::{Generation, HardwareEvent, Key, Sighting, Sort, Witness};

/// Everything that was last told.
#[derive(Debug, Default)]
pub(crate) struct LastTold {
    there: BTreeMap<Key, Sighting>,
}

impl LastTold {
    /// After a whole scan.
    pub(crate) fn scanned(&mut self, present: &[Sighting]) {
        self.there = present.iter().map(|s| (s.key.clone(), s.clone())).collect();
    }

    /// A thing was looked at and is there. Nothing to say when it was known just so; another arrival in the same
    /// place means that the former one left.
    pub(crate) fn present(&mut self, sighting: Sighting, witness: Witness) -> Vec<HardwareEvent> {
        let former = self.there.insert(sighting.key.clone(), sighting.clone());
        match former {
            Some(former) if former == sighting => Vec::new(),
            Some(former) if former.generation != sighting.generation => {
                vec![gone(former, witness), HardwareEvent::Seen(sighting)]
            }
            _ => vec![HardwareEvent::Seen(sighting)],
        }
    }

    /// Says a known thing once more, for who waits for its node.
    pub(crate) fn again(&self, key: &Key) -> Option<HardwareEvent> {
        self.there.get(key).cloned().map(HardwareEvent::Seen)
    }

    /// A thing left. `which`: the arrival that left, where the witness can tell; an older one left long ago.
    pub(crate) fn left(&mut self, key: &Key, which: Option<&Generation>, witness: Witness) -> Option<HardwareEvent> {
        let known = self.there.get(key)?;
        if which.is_some_and(|which| *which != known.generation) {
            return None;
        }
        self.there.remove(key).map(|former| gone(former, witness))
    }

    /// Whether this arrival of a USB device was told.
    pub(crate) fn has_usb(&self, which: &Generation) -> bool {
        self.usb(which).is_some()
    }

    fn usb(&self, which: &Generation) -> Option<&Sighting> {
        self.there.values().find(|s| s.generation == *which && matches!(s.sort, Sort::Usb { .. }))
    }

    /// A USB device left, by its number.
    pub(crate) fn usb_left(&mut self, which: &Generation, witness: Witness) -> Option<HardwareEvent> {
        let key = self.usb(which)?.key.clone();
        self.left(&key, Some(which), witness)
    }

    /// All radios were looked at.
    pub(crate) fn radios(&mut self, present: Vec<Sighting>) -> Vec<HardwareEvent> {
        let missing = |s: &&Sighting| !present.iter().any(|p| p.key == s.key);
        let left: Vec<Key> = self.known_radios().filter(missing).map(|s| s.key.clone()).collect();
        let mut events: Vec<HardwareEvent> =
            left.iter().filter_map(|key| self.left(key, None, Witness::Netlink)).collect();
        for sighting in present {
            events.extend(self.present(sighting, Witness::Netlink));
        }
        events
    }

    /// Everything that was last told.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Sighting> {
        self.there.values()
    }

    /// The radios that were last told.
    pub(crate) fn known_radios(&self) -> impl Iterator<Item = &Sighting> {
        self.all().filter(|s| matches!(s.sort, Sort::Wifi(_)))
    }

    /// Whether this network interface is one of a known radio, by index.
    pub(crate) fn is_radio_interface(&self, ifindex: u32) -> bool {
        self.known_radios().any(|s| matches!(&s.sort, Sort::Wifi(wifi) if wifi.ifindex == ifindex))
    }
}

fn gone(former: Sighting, witness: Witness) -> HardwareEvent {
    HardwareEvent::Gone { key: former.key, generation: Some(former.generation), witness }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::usb;
    use crate::sighting::Access;

    fn device(port: u8, address: u8) -> Sighting {
        Sighting {
            key: usb::key(&format!("1-{port}")),
            generation: usb::generation(1, address),
            usb: None,
            sort: Sort::Usb { node: PathBuf::from("/dev/null") },
            access: Access::Unknown,
        }
    }

    #[test]
    fn what_is_known_just_so_is_not_said_again() {
        let mut known = LastTold::default();
        assert_eq!(known.present(device(1, 5), Witness::Uevent).len(), 1);
        assert!(known.present(device(1, 5), Witness::Libusb).is_empty());
    }

    #[test]
    fn another_arrival_in_the_same_socket_ends_the_former_one() {
        let mut known = LastTold::default();
        known.present(device(1, 5), Witness::Uevent);
        let events = known.present(device(1, 6), Witness::Uevent);
        let HardwareEvent::Gone { generation, .. } = &events[0] else { panic!("{events:?}") };
        assert_eq!(*generation, Some(usb::generation(1, 5)));
        assert_eq!(events[1], HardwareEvent::Seen(device(1, 6)));
    }

    #[test]
    fn two_witnesses_of_one_departure_are_one_event() {
        let mut known = LastTold::default();
        known.present(device(1, 5), Witness::Uevent);
        let which = usb::generation(1, 5);
        assert!(known.usb_left(&which, Witness::Libusb).is_some());
        assert!(known.left(&usb::key("1-1"), Some(&which), Witness::Uevent).is_none());
    }

    #[test]
    fn a_late_word_about_an_earlier_arrival_does_no_harm() {
        let mut known = LastTold::default();
        known.present(device(1, 6), Witness::Uevent);
        assert!(known.left(&usb::key("1-1"), Some(&usb::generation(1, 5)), Witness::Uevent).is_none());
        assert!(known.usb_left(&usb::generation(1, 5), Witness::Libusb).is_none());
    }

    proptest! {
        /// Whoever follows the events knows what is there.
        #[test]
        fn the_events_tell_the_whole_story(steps in proptest::collection::vec((1u8..4, 1u8..6, 0u8..3), 0..60)) {
            let mut known = LastTold::default();
            let mut told: BTreeMap<Key, Sighting> = BTreeMap::new();
            for (port, address, what) in steps {
                let which = usb::generation(1, address);
                let events = match what {
                    0 => known.present(device(port, address), Witness::Uevent),
                    1 => {
                        let key = usb::key(&format!("1-{port}"));
                        known.left(&key, Some(&which), Witness::Uevent).into_iter().collect()
                    }
                    _ => known.usb_left(&which, Witness::Libusb).into_iter().collect(),
                };
                for event in events {
                    match event {
                        HardwareEvent::Seen(sighting) => { told.insert(sighting.key.clone(), sighting); }
                        HardwareEvent::Gone { key, generation, .. } => {
                            let former = told.remove(&key).expect("gone of something told");
                            prop_assert_eq!(Some(former.generation), generation);
                        }
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
                prop_assert_eq!(&told, &known.there);
            }
        }
    }
}
