//! Devices that call themselves strange things.

use mainstay_config::model::Unit;
use mainstay_config::template::Template;

use super::*;

#[test]
fn a_command_is_given_a_harmless_word_whatever_a_device_calls_itself() {
    let mut draft = leasing();
    if let Unit::Process(command) = &mut draft.0.unit {
        let templates = ["listen", "--serial={device.x.serial}", "{device.x.interface}", "{device.x.path}"];
        command.argv = templates.map(|text| Template::parse(text).unwrap()).into();
        command.environment = [("SERIAL".to_owned(), Template::parse("{device.x.serial}").unwrap())].into();
    }
    let mut held = grant(1);
    let offer = &mut held.devices.get_mut(&x()).unwrap().offer;
    offer.serial = Some("../$(reboot) `x`\n".to_owned());
    offer.interface = Some("-wlan;0".to_owned());
    offer.node = Some("/dev/tty ACM0".into());
    let mut bench = Bench::new(draft);
    bench.tell(ServiceMessage::Granted(held)).tell(SLOT);
    let order = bench.acts.iter().find_map(|act| match act {
        Action::Spawn(order) => Some(order.clone()),
        _ => None,
    });
    let order = order.unwrap();
    assert_eq!(order.program.argv, ["listen", "--serial=_.___reboot___x__", "_wlan_0", "/dev/tty_ACM0"]);
    assert_eq!(order.program.environment.values().next().unwrap(), "_.___reboot___x__");
}
