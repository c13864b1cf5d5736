//! Somebody else's programs listen on ports that services want.

use mainstay_config::model::PortNeed;

use super::super::World;

impl World {
    pub(super) fn listen_elsewhere(&mut self) {
        let services = self.environment.station().services.values();
        let needs = services.flat_map(|service| service.ports.values());
        let ports: Vec<u16> = needs
            .flat_map(|need| match need {
                PortNeed::Fixed(port) => port.get()..=port.get(),
                PortNeed::Range { first, last, .. } => first.get()..=last.get(),
            })
            .collect();
        if let Some(port) = self.random.choose(&ports) {
            self.environment.toggle_foreign(*port);
        }
    }
}
