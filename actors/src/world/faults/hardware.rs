//! Somebody plugs and unplugs.

use mainstay_config::names::DeviceName;

use super::super::World;
use super::super::environment::Consequences;

impl World {
    /// At the beginning everything is plugged in; then one thing at a time comes or goes, and now and then one does so quickly.
    pub(super) fn move_hardware(&mut self) {
        let names: Vec<DeviceName> = self.environment.plugs().map(|(name, _)| name.clone()).collect();
        if self.now == super::super::Moment::default() {
            names.iter().for_each(|name| self.plug(name));
            return;
        }
        if self.random.happens(self.weather.unwatched) {
            let mut so = Consequences::default();
            self.environment.cannot_be_watched(&mut so);
            return self.follow(so);
        }
        let weak = names.iter().find(|name| self.environment.is_just_taken_into_use(name));
        let weak = weak.filter(|_| self.random.happens(self.weather.weak));
        let Some(name) = weak.or_else(|| self.random.choose(&names)).cloned() else { return };
        if !self.environment.is_plugged(&name) {
            self.plug(&name);
            return;
        }
        if self.environment.is_used(&name) && self.random.happens(self.weather.radio_made_anew) {
            let mut so = Consequences::default();
            self.environment.make_anew_by_user(&name, &mut so);
            self.follow(so);
            return;
        }
        if self.is_called_or_shown_otherwise(&name) {
            return;
        }
        self.unplug(&name);
        if self.random.happens(300) {
            // A bad cable: it is back at once, before the kernel's first word of it has been heard.
            self.plug(&name);
            if self.random.happens(300) {
                self.unplug(&name);
            }
        }
    }

    /// Instead of being unplugged it may be renamed, or get a twin, or lose it.
    fn is_called_or_shown_otherwise(&mut self, name: &DeviceName) -> bool {
        let mut so = Consequences::default();
        if self.random.happens(self.weather.renamed) && self.environment.is_radio(name) {
            self.environment.rename(name, &mut so);
        } else if self.random.happens(self.weather.twins) {
            self.environment.toggle_twin(name, &mut so);
        } else {
            return false;
        }
        self.follow(so);
        true
    }
}
