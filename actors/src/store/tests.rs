//! The store with real files.

#![allow(clippy::unwrap_used)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mainstay_config::model::WifiMode;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;
use mainstay_hardware::sighting::{Link, Rfkill};
use mainstay_hardware::watched::Watched;

use super::{Files, Places, Store, Troubles};
use crate::message::lasting::{Lasting, Remembered};
use crate::message::lease::Token;
use crate::message::service::Wanted;

struct Station {
    run: tempfile::TempDir,
    state: tempfile::TempDir,
}

impl Station {
    fn new() -> Self {
        Self { run: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() }
    }

    /// One life of mainstay: what it knows of the last one, and what is wrong when it has said this.
    fn life(&self, says: impl IntoIterator<Item = Lasting>) -> (Remembered, Vec<String>) {
        let places = self.places();
        let troubles = Troubles::default();
        let (files, remembered) = Files::open(places, troubles.clone());
        let store = Store::begin(files, &Watched::new().0).unwrap();
        says.into_iter().for_each(|lasting| store.remember(lasting));
        store.finish();
        (remembered, troubles.list())
    }

    fn places(&self) -> Places {
        Places { run_dir: self.run.path().to_owned(), state_dir: self.state.path().to_owned() }
    }

    fn lasting(&self) -> std::path::PathBuf {
        self.state.path().join("mainstay.db")
    }
}

fn name(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

fn radio() -> DeviceName {
    DeviceName::new("survey").unwrap()
}

fn baseline(ifindex: u32) -> WifiBaseline {
    WifiBaseline {
        wiphy: ifindex,
        ifindex,
        interface: "wlan1".to_owned(),
        mode: WifiMode::Managed,
        link: Link::Up,
        mac: "02:00:00:00:00:01".parse().unwrap(),
        frequency_mhz: None,
        interfaces: vec![ifindex],
        rfkill: Rfkill::Unblocked,
    }
}

fn held() -> Lasting {
    Lasting::Wanted(name("gpsd"), Wanted::Down)
}

#[test]
fn the_next_mainstay_knows_what_was_written_down_last() {
    let first = Station::new();
    let up = Lasting::Wanted(name("gpsd"), Wanted::Up);
    let (before, troubles) =
        first.life([up, held(), Lasting::TokensUpTo(Token(1000)), Lasting::TokensUpTo(Token(2000))]);
    assert_eq!((before, troubles), (Remembered::default(), Vec::new()));
    let (after, troubles) = first.life([]);
    assert_eq!(troubles, Vec::<String>::new());
    assert_eq!(after.wanted.get(&name("gpsd")), Some(&Wanted::Down));
    assert_eq!(after.tokens, Token(2000));
}

#[test]
fn a_damaged_database_is_set_aside_and_said_and_no_token_is_given_out_again() {
    let of_a_page = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[100..200].fill(0xff);
        std::fs::write(path, bytes).unwrap();
    };
    for damage in [|path: &Path| std::fs::write(path, "no database at all").unwrap(), of_a_page] {
        let first = Station::new();
        first.life([held(), Lasting::TokensUpTo(Token(2000))]);
        damage(&first.lasting());
        let (after, troubles) = first.life([held()]);
        assert!(after.wanted.is_empty());
        assert!(after.tokens > Token(2000), "{:?}", after.tokens);
        assert!(troubles.concat().contains("mainstay.db.damaged"), "{troubles:?}");
        assert!(first.state.path().join("mainstay.db.damaged").exists());
        let (third, _) = first.life([]);
        assert_eq!(third.wanted.get(&name("gpsd")), Some(&Wanted::Down), "what is said afterwards is written down");
    }
}

#[test]
fn another_mainstay_with_the_same_state_directory_is_named() {
    let station = Station::new();
    let (files, _) = Files::open(station.places(), Troubles::default());
    let (_, troubles) = station.life([held()]);
    assert!(troubles.concat().contains("another mainstay uses it"), "{troubles:?}");
    drop(files);
    assert_eq!(station.life([held()]).1, Vec::<String>::new());
}

#[test]
fn what_is_removed_under_a_living_mainstay_is_made_anew() {
    let station = Station::new();
    let (files, _) = Files::open(station.places(), Troubles::default());
    let store = Store::begin(files, &Watched::new().0).unwrap();
    std::fs::remove_dir_all(station.run.path()).unwrap();
    std::fs::create_dir(station.run.path()).unwrap();
    store.remember(Lasting::Radio(radio(), baseline(3)));
    store.finish();
    assert_eq!(station.life([]).0.radios.get(&radio()), Some(&baseline(3)));
    station.life([Lasting::RadioIsBack(radio())]);
    assert!(station.life([]).0.radios.is_empty());
}

#[test]
fn what_was_true_before_the_machine_was_booted_is_forgotten() {
    let station = Station::new();
    station.life([held(), Lasting::Radio(radio(), baseline(3))]);
    let file = rusqlite::Connection::open(station.run.path().join("state.db")).unwrap();
    file.execute("UPDATE boot SET id = 'another'", []).unwrap();
    drop(file);
    let (after, _) = station.life([]);
    assert!(after.radios.is_empty());
    assert_eq!(after.wanted.get(&name("gpsd")), Some(&Wanted::Down));
}

#[test]
fn what_cannot_be_written_is_said_and_what_was_written_is_read_all_the_same() {
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere.
        return;
    }
    let first = Station::new();
    first.life([held()]);
    std::fs::set_permissions(first.lasting(), Permissions::from_mode(0o400)).unwrap();
    std::fs::set_permissions(first.state.path(), Permissions::from_mode(0o500)).unwrap();
    let (_, troubles) = first.life([held()]);
    std::fs::set_permissions(first.state.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(troubles.concat().contains("cannot be written"), "{troubles:?}");
}
