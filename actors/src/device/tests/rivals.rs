//! Several pieces of hardware that fit one device.

use std::sync::Arc;

use mainstay_config::model::Match;

use super::table::row;
use super::*;
use crate::cause::{Piece, Rivals, Unusable};
use crate::view::words;

fn piece(socket: u8) -> Piece {
    let path = format!("1-{socket}").parse().ok();
    let mut what = sighting(1);
    let usb = what.usb.as_mut().unwrap();
    (usb.serial, usb.product, usb.path) = (None, Some("stick".to_owned()), path.clone().unwrap());
    Piece { what: Arc::new(what), matching: Arc::new(Match { path, ..Match::default() }) }
}

fn among(taken: Option<u8>, others: &[u8]) -> DeviceMessage {
    DeviceMessage::Rivals(Rivals { taken: taken.map(piece), others: others.iter().copied().map(piece).collect() })
}

fn shown(bench: &Bench) -> (String, String) {
    let shown = bench.shown.clone().unwrap();
    let unblock = shown.unblock.map(|cure| words::device_cure(&cure, &shown.name, None));
    (shown.reason.to_string(), unblock.unwrap_or_default())
}

#[test]
fn a_device_that_several_fit_is_faulted_with_each_of_them_and_what_to_write() {
    let mut bench = Bench::new();
    bench.tell(among(None, &[1, 2]));
    assert_eq!(bench.status, DeviceStatus::Faulted);
    let LeaseMessage::DeviceUnavailable { reason, .. } = &bench.told[0] else { panic!("{:?}", bench.told) };
    let words = "2 pieces of hardware fit it, and none is taken: stick, USB 1-1; or stick, USB 1-2";
    assert_eq!(reason.to_string(), format!("faulted: {words}"));
    let (reason, unblock) = shown(&bench);
    assert_eq!(reason, words);
    assert!(unblock.contains("{ path = \"1-1\" }; or { path = \"1-2\" }"), "{unblock}");
    bench.tell(among(None, &[2]));
    assert_eq!(shown(&bench).0, "not taken unasked, since another that fits it was there as well: stick, USB 1-2");
    bench.tell(DeviceMessage::NoRivals);
    assert_eq!(bench.status, DeviceStatus::Absent);
}

#[test]
fn the_operator_may_take_the_only_one_that_is_left_and_not_one_of_two() {
    let mut bench = Bench::new();
    bench.tell(among(None, &[1, 2])).tell(DeviceMessage::Admit(RequestId(1)));
    assert!(!bench.asked_inventory);
    bench.tell(among(None, &[2])).tell(DeviceMessage::Admit(RequestId(2)));
    assert!(bench.asked_inventory);
    bench.ready().tell(DeviceMessage::NoRivals);
    assert_eq!((bench.status, shown(&bench).0), (DeviceStatus::Ready, String::new()));
}

#[test]
fn a_device_that_several_fitted_when_it_was_first_looked_for_is_absent_when_they_are_gone_and_not_unheard_of() {
    let mut bench = Bench::new();
    bench.tell(among(None, &[1, 2])).tell(DeviceMessage::NoRivals);
    let Some(LeaseMessage::DeviceUnavailable { reason, .. }) = bench.told.last() else { panic!("{:?}", bench.told) };
    assert!(matches!(reason, Unusable::Absent(_)), "{reason:?}");
}

#[test]
fn a_device_that_the_operator_has_chosen_counts_anew_how_often_it_leaves() {
    let mut bench = Bench::new();
    for arrival in 1..=4 {
        bench.tell(DeviceMessage::Seen(sighting(arrival))).tell(gone(arrival));
    }
    bench.tell(among(None, &[2])).tell(DeviceMessage::Admit(RequestId(1)));
    bench.tell(DeviceMessage::Seen(sighting(5))).tell(gone(5));
    assert_eq!(bench.status, DeviceStatus::Absent, "it has left once since");
}

#[test]
fn a_device_in_use_goes_on_and_shows_what_else_fits_it() {
    let mut bench = Bench::new();
    bench.ready().tell(leased()).tell(among(Some(1), &[2]));
    assert!(bench.told.is_empty(), "its holder is not concerned: {:?}", bench.told);
    let (reason, _) = shown(&bench);
    assert!(reason.starts_with("this fits it as well, and is left alone: stick, USB 1-2. To tell"), "{reason}");
    assert!(reason.contains("{ path = \"1-1\" }"), "{reason}");
    bench.tell(DeviceMessage::NoRivals);
    assert_eq!((bench.status, shown(&bench).0), (DeviceStatus::InUse, String::new()));
}

#[test]
fn a_device_says_what_commands_are_given_instead_of_its_serial_number() {
    let mut bench = Bench::new();
    let mut strange = sighting(1);
    strange.usb.as_mut().unwrap().serial = Some("serial of hackrf".to_owned());
    bench.tell(DeviceMessage::Seen(strange)).accessible();
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Opened)));
    let words =
        "commands get {device.hackrf.serial} as serial_of_hackrf, since not every program could take what it really is";
    assert_eq!(shown(&bench).0, words);
}

#[test]
fn so_it_does_for_the_path_of_its_node() {
    let mut bench = Bench::new();
    let mut strange = sighting(1);
    strange.sort = Sort::Usb { node: "/dev/bus/usb/001/its name".into() };
    bench.tell(DeviceMessage::Seen(strange)).accessible();
    bench.tell(DeviceMessage::Probed(bench.operation, Ok(Findings::Opened)));
    let words = shown(&bench).0;
    assert!(words.starts_with("commands get {device.hackrf.path} as /dev/bus/usb/001/its_name, since"), "{words}");
}

#[test]
fn a_device_that_is_given_up_for_another_function_of_the_same_stick_does_not_count_as_one_that_comes_and_goes() {
    let mut bench = Bench::new();
    bench.ready().tell(leased()).tell(among(None, &[1, 2]));
    assert_eq!(bench.status, DeviceStatus::Faulted);
    let [LeaseMessage::DeviceUnavailable { reason, .. }] = &bench.told[..] else { panic!("{:?}", bench.told) };
    assert!(reason.to_string().starts_with("faulted: 2 pieces of hardware fit it"), "{reason}");
    bench.tell(DeviceMessage::Seen(sighting(2)));
    assert!(matches!(bench.acts[..], [Action::CheckAccess(..)]), "it need not settle: {:?}", bench.acts);
}

#[test]
fn what_the_operator_took_out_of_use_stays_so_and_is_undecided_when_it_is_taken_back() {
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Eject(RequestId(1))).tell(among(None, &[1, 2]));
    assert_eq!(bench.status, DeviceStatus::Ejected);
    bench.tell(DeviceMessage::Admit(RequestId(2)));
    assert_eq!(bench.status, DeviceStatus::Faulted);
}

#[test]
fn a_restarted_device_hears_of_others_and_its_holder_of_the_loss() {
    let mut bench = Bench::new();
    bench.ready().tell(leased());
    bench.begin_again().tell(among(None, &[1, 2]));
    assert_eq!(bench.status, DeviceStatus::Faulted);
    assert!(matches!(bench.told.last(), Some(LeaseMessage::DeviceUnavailable { .. })), "{:?}", bench.told);
}

/// What becomes of every state by news of others, and of an undecided device by everything; as in the table of all states.
#[test]
fn every_state_hears_of_others_and_an_undecided_device_of_everything() {
    let news = || vec![("", among(None, &[1, 2])), ("", among(Some(1), &[2])), ("", DeviceMessage::NoRivals)];
    let rows: Vec<String> = Bench::states().iter().map(|(state, bench)| row(state, bench, news())).collect();
    let expected = "
absent       fault *     *
settling     fault *     *
checking     fault *     *
probing      fault *     *
ready        fault *     *
in use       fault *     *
not opened   *     *     *
not tried    *     *     *
faulted      *     *     *
quarantined  *     *     *
restoring    fault *     *
ejected      *     *     *
";
    let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
    assert_eq!(rows.join("\n"), expected.trim(), "{}", rows.join("\n"));
    let mut undecided = Bench::new();
    undecided.tell(among(None, &[1, 2]));
    let row = row("undecided", &undecided, undecided.events().into_iter().chain(news()).collect());
    let expected = "undecided    settl settl settl absen absen -     -     -     -     -     -     -     -     *     -     eject \
                    *     -     -     -     -     *     *     absen";
    assert_eq!(row.trim_end(), expected, "{row}");
}
