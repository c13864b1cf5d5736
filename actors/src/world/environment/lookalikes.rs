//! Hardware that is not what its name says: radios that somebody renames, and a second piece that fits the name of a device for a while.

use mainstay_config::names::DeviceName;
use mainstay_hardware::sighting::{Access, HardwareEvent, Sighting, Sort, Witness};

use super::hardware::Plug;
use super::{Consequences, Environment, Happening};

impl Plug {
    /// Whether what is plugged in is called otherwise than the configuration says.
    fn is_called_otherwise(&self) -> bool {
        let Some(Sort::Wifi(facts)) = self.sighted().map(|sighting| &sighting.sort) else { return false };
        self.spec.matching.name.as_ref().is_some_and(|name| *name != facts.interface)
    }
}

impl Environment {
    /// Whether a device is there, under a name by which it can be known.
    #[must_use]
    pub fn is_there(&self, device: &DeviceName) -> bool {
        self.is_plugged(device) && !self.is_called_otherwise(device)
    }

    /// Whether what is plugged in is called otherwise than the configuration says: it is another one then, unless it is leased.
    #[must_use]
    pub fn is_called_otherwise(&self, device: &DeviceName) -> bool {
        self.plugs.get(device).is_some_and(Plug::is_called_otherwise)
    }

    /// Whether a radio is plugged in there.
    pub(in crate::world) fn is_radio(&self, device: &DeviceName) -> bool {
        let arrival = self.plugs.get(device).and_then(|plug| plug.arrival.as_ref());
        arrival.is_some_and(|arrival| arrival.radio.is_some())
    }

    /// Somebody renames a radio that nobody has changed, or gives it its name back.
    pub(in crate::world) fn rename(&mut self, device: &DeviceName, so: &mut Consequences) {
        let Some(plug) = self.plugs.get_mut(device).filter(|plug| plug.set.is_none()) else { return };
        let (own, other) = (plug.own_name(), format!("wlx{}", plug.place));
        let Some(arrival) = &mut plug.arrival else { return };
        let (Some(radio), Sort::Wifi(facts)) = (&mut arrival.radio, &mut arrival.sighting.sort) else { return };
        let name = if facts.interface == own { other } else { own };
        (radio.interface, facts.interface) = (name.clone(), name);
        let seen = arrival.sighting.clone();
        so.happened.push(Happening::Renamed(device.clone()));
        self.kernel_says(HardwareEvent::Seen(seen), so);
    }

    /// Somebody plugs in, beside a device, another piece that fits its name, as cheap ones do that all have one serial number; or takes
    /// that one away.
    pub(in crate::world) fn toggle_twin(&mut self, device: &DeviceName, so: &mut Consequences) {
        self.arrivals += 1;
        let number = self.arrivals;
        let Some(plug) = self.plugs.get_mut(device) else { return };
        if plug.twin.is_some() {
            return self.remove_twin(device, so);
        }
        // No two interfaces of one kernel have the same name.
        if plug.arrival.is_none() || plug.spec.matching.name.is_some() {
            return;
        }
        let twin = plug.twin_sighting(number);
        plug.twin = Some(twin.clone());
        self.kernel_says(HardwareEvent::Seen(twin), so);
    }

    /// The second piece is taken away.
    pub(super) fn remove_twin(&mut self, device: &DeviceName, so: &mut Consequences) {
        let Some(twin) = self.plugs.get_mut(device).and_then(|plug| plug.twin.take()) else { return };
        let Sighting { key, generation, .. } = twin;
        self.kernel_says(HardwareEvent::Gone { key, generation: Some(generation), witness: Witness::Uevent }, so);
    }

    /// Everything that is there, as the kernel shows it.
    pub(super) fn present(&self) -> Vec<Sighting> {
        self.plugs.values().flat_map(|plug| plug.sighted().into_iter().chain(&plug.twin)).cloned().collect()
    }

    /// Every radio has its name back, and nothing is there twice.
    pub(in crate::world) fn clear_up_names(&mut self, so: &mut Consequences) {
        for device in self.plugs.keys().cloned().collect::<Vec<_>>() {
            self.remove_twin(&device, so);
            if self.is_called_otherwise(&device) {
                self.rename(&device, so);
            }
        }
    }
}

impl Plug {
    /// What the interface of a radio is called at first.
    pub(super) fn own_name(&self) -> String {
        format!("wlan{}", self.place)
    }

    /// A piece like what is plugged in, in another socket.
    fn twin_sighting(&self, number: u32) -> Sighting {
        let mut twin = self.sighting(number);
        twin.access = Access::Unknown;
        if let Some(usb) = &mut twin.usb {
            usb.bus = 2;
            usb.path = format!("2-{}", self.place + 1).parse().unwrap_or_else(|_| unreachable!("a path of digits"));
            if matches!(twin.sort, Sort::Usb { .. }) {
                twin.key.0 = format!("usb/2-{}", self.place + 1);
            }
        }
        if let Sort::Wifi(facts) = &mut twin.sort {
            facts.interface = format!("wlanb{}", self.place);
        }
        twin
    }
}
