//! What to write into a configuration for hardware that is there: lines that `mainstay check` takes, that mean one piece of
//! hardware and no other, and that still do when it is replugged.

use std::collections::BTreeSet;
use std::fmt;

use mainstay_config::could_be_one;
use mainstay_config::model::{Device, DeviceKind, Match, short_serial};
use mainstay_config::names::DeviceName;

use crate::matching::{is_hackrf, is_likely_gps, is_meant, kernel_name};
use crate::sighting::{Sighting, Sort, UsbFacts};

/// A configured device, and what it is at present.
#[derive(Debug, Clone, Copy)]
pub struct Configured<'a> {
    /// The device.
    pub device: &'a Device,
    /// What it was found to be.
    pub is: Option<&'a Sighting>,
}

impl Configured<'_> {
    fn what(&self) -> (DeviceKind, &Match) {
        (self.device.kind, &self.device.matching)
    }
}

/// What would put a piece of hardware into the configuration.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Suggestion {
    /// What it could be called.
    pub name: String,
    /// What sort of device it is.
    pub kind: DeviceKind,
    /// The `match` that means it alone.
    pub matching: Match,
    /// Configured devices that could be the same piece of hardware, and must say more first.
    pub first: Vec<Mend>,
}

/// What a configured device must say, to be no other piece of hardware.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mend {
    /// Which device.
    pub device: DeviceName,
    /// Its `match`; `None` when it is not there: what is suggested takes its place.
    pub matching: Option<Match>,
}

/// Lines of a configuration.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Mend { device, matching } in &self.first {
            write!(f, "# {device} could be this as well: ")?;
            match matching {
                Some(matching) => writeln!(f, "first give [hardware.{device}] match = {}", match_words(matching))?,
                None => writeln!(f, "put these lines in the place of [hardware.{device}]")?,
            }
        }
        let (kind, matching) = (self.kind.as_str(), match_words(&self.matching));
        writeln!(f, "[hardware.{}]\nkind = \"{kind}\"\nmatch = {matching}", self.name)
    }
}

/// What to write for each of these pieces of hardware, which are in nobody's configuration. `present` is all that there is.
#[must_use]
pub fn advise(pieces: &[&Sighting], present: &[&Sighting], configured: &[Configured<'_>]) -> Vec<Suggestion> {
    let mut advice: Vec<Advice<'_>> =
        pieces.iter().map(|piece| Advice::new(suggested_kind(piece), piece, present)).collect();
    for one in &mut advice {
        while configured.iter().any(|other| could_be_one(one.what(), other.what())) && one.say_more() {}
    }
    tell_apart(&mut advice);
    let mut names: BTreeSet<String> = configured.iter().map(|other| other.device.name.to_string()).collect();
    advice.into_iter().map(|one| one.suggestion(&mut names, present, configured)).collect()
}

/// The `match` by which a device of this kind is this piece of hardware and none of the others.
#[must_use]
pub fn telling_match(kind: DeviceKind, piece: &Sighting, present: &[&Sighting]) -> Match {
    Advice::new(kind, piece, present).matching
}

/// A `match` as it is written: `{ usb = "0bda:2838", path = "1-1" }`.
#[must_use]
pub fn match_words(matching: &Match) -> String {
    let Match { serial, usb, path, interface, mac, driver, name } = matching;
    let parts = [
        mac.map(|mac| format!("mac = \"{mac}\"")),
        usb.map(|id| format!("usb = \"{id}\"")),
        serial.as_ref().map(|serial| format!("serial = {}", quoted(serial))),
        path.as_ref().map(|path| format!("path = \"{path}\"")),
        interface.map(|interface| format!("interface = \"{interface}\"")),
        driver.as_ref().map(|driver| format!("driver = {}", quoted(driver))),
        name.as_ref().map(|name| format!("name = {}", quoted(name))),
    ];
    format!("{{ {} }}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// What is advised for one piece of hardware.
struct Advice<'a> {
    piece: &'a Sighting,
    kind: DeviceKind,
    matching: Match,
    /// What else could be said of it, the next last.
    more: Vec<Match>,
}

impl<'a> Advice<'a> {
    /// Says no more than is needed for it to mean this piece only.
    fn new(kind: DeviceKind, piece: &'a Sighting, present: &[&Sighting]) -> Self {
        let mut more = ways_to_say(piece);
        more.reverse();
        let mut advice = Self { piece, kind, matching: more.pop().unwrap_or_default(), more };
        let means_others =
            |said: &Match| present.iter().any(|other| other.key != piece.key && is_meant(kind, said, other));
        while means_others(&advice.matching) && advice.say_more() {}
        advice
    }

    /// False when everything is said already.
    fn say_more(&mut self) -> bool {
        match self.more.pop() {
            Some(matching) => {
                self.matching = matching;
                true
            }
            None => false,
        }
    }

    fn what(&self) -> (DeviceKind, &Match) {
        (self.kind, &self.matching)
    }

    fn suggestion(
        self,
        names: &mut BTreeSet<String>,
        present: &[&Sighting],
        configured: &[Configured<'_>],
    ) -> Suggestion {
        let base = suggested_name(self.piece);
        let numbered = (2u32..).map(|number| format!("{base}-{number}"));
        let mut all = std::iter::once(base.clone()).chain(numbered);
        let name = all.find(|name| !names.contains(name)).unwrap_or_default();
        names.insert(name.clone());
        // The lines for a new piece cannot pass while a configured device may mean the same.
        let first = configured.iter().filter(|other| could_be_one(self.what(), other.what()));
        let mend = |Configured { device, is }: &Configured<'_>| Mend {
            device: device.name.clone(),
            matching: is.map(|piece| telling_match(device.kind, piece, present)),
        };
        Suggestion { name, kind: self.kind, first: first.map(mend).collect(), matching: self.matching }
    }
}

/// What cannot be told apart is said more of, until nothing more can be said.
fn tell_apart(advice: &mut [Advice<'_>]) {
    loop {
        let mut alike = BTreeSet::new();
        for (at, one) in advice.iter().enumerate() {
            for (after, other) in advice.iter().enumerate().skip(at + 1) {
                if could_be_one(one.what(), other.what()) {
                    alike.extend([at, after]);
                }
            }
        }
        let mut said_more = false;
        for (_, one) in advice.iter_mut().enumerate().filter(|(at, _)| alike.contains(at)) {
            said_more |= one.say_more();
        }
        if !said_more {
            return;
        }
    }
}

/// Ways to recognise it, each saying more than the last. All of them outlast a replug into the same socket.
fn ways_to_say(piece: &Sighting) -> Vec<Match> {
    let name = kernel_name(piece).map(str::to_owned);
    let Some(usb) = &piece.usb else {
        return match &piece.sort {
            Sort::Wifi(wifi) => {
                let mac = Match { mac: Some(wifi.mac), ..Match::default() };
                vec![mac.clone(), Match { name, ..mac }]
            }
            Sort::Usb { .. } | Sort::Tty { .. } => vec![Match { name, ..Match::default() }],
        };
    };
    let in_socket = |said: Match| Match { path: Some(usb.path.clone()), ..said };
    let first = match &piece.sort {
        Sort::Wifi(wifi) => vec![Match { mac: Some(wifi.mac), ..Match::default() }],
        Sort::Usb { .. } | Sort::Tty { .. } => by_serial(piece, usb).into_iter().collect(),
    };
    let unnamed = Match { usb: Some(usb.id), ..Match::default() };
    let socket = in_socket(first.first().cloned().unwrap_or(unnamed));
    let mut ways = Vec::new();
    for said in first.into_iter().chain([socket]) {
        ways.push(said.clone());
        if let Some(interface) = usb.interface {
            ways.push(Match { interface: Some(interface), ..said });
        }
    }
    ways
}

/// Cheap devices share serial numbers such as "0001": with the id it is at least one product's.
fn by_serial(piece: &Sighting, usb: &UsbFacts) -> Option<Match> {
    // What begins as a path does is not taken for a serial number in a configuration.
    let serial = usb.serial.as_deref().filter(|serial| !short_serial(serial).is_empty() && !serial.starts_with('/'))?;
    Some(if is_hackrf(piece) {
        Match { serial: Some(short_serial(serial).to_owned()), ..Match::default() }
    } else {
        Match { usb: Some(usb.id), serial: Some(serial.to_owned()), ..Match::default() }
    })
}

fn suggested_kind(piece: &Sighting) -> DeviceKind {
    match &piece.sort {
        Sort::Usb { .. } if is_hackrf(piece) => DeviceKind::Hackrf,
        Sort::Usb { .. } => DeviceKind::Usb,
        Sort::Tty { .. } if is_likely_gps(piece) => DeviceKind::Gps,
        Sort::Tty { .. } => DeviceKind::Serial,
        Sort::Wifi(_) => DeviceKind::Wifi,
    }
}

fn suggested_name(piece: &Sighting) -> String {
    match suggested_kind(piece) {
        kind @ (DeviceKind::Hackrf | DeviceKind::Gps) => kind.as_str().to_owned(),
        kind @ DeviceKind::Usb => {
            let path = piece.usb.as_ref().map(|usb| usb.path.as_str()).unwrap_or_default();
            format!("{}{}", kind.as_str(), as_name(path))
        }
        kind @ (DeviceKind::Serial | DeviceKind::Wifi) => as_name(kernel_name(piece).unwrap_or(kind.as_str())),
    }
}

/// A device name may hold letters, digits, `-` and `_`, and begins with a letter or digit. It leaves room for a number.
fn as_name(text: &str) -> String {
    let safe: String =
        text.chars().take(56).map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    match safe.trim_start_matches(['-', '_']) {
        "" => "device".to_owned(),
        name => name.to_owned(),
    }
}

/// A TOML basic string: what a device calls itself may hold anything.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
