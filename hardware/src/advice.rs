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
    /// Its `match`; `None` when it is not there, or is the same piece: what is suggested takes its place.
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
    let mut lines: Vec<Line> = pieces.iter().map(|piece| Line::new(suggested_kind(piece), piece, present)).collect();
    let written: Vec<Line> = configured.iter().map(|other| Line::written(*other, &lines, present)).collect();
    lines.extend(written);
    tell_apart(&mut lines);
    let (new, written) = lines.split_at(pieces.len());
    let mut names: BTreeSet<String> = configured.iter().map(|other| other.device.name.to_string()).collect();
    let suggest = |(piece, line): (&&Sighting, &Line)| Suggestion {
        name: free_name(piece, &mut names),
        kind: line.kind,
        matching: line.matching.clone(),
        first: configured.iter().zip(written).filter_map(|(other, now)| mend(line, other.device, now)).collect(),
    };
    pieces.iter().zip(new).map(suggest).collect()
}

/// What a configured device must say for this line to pass, which cannot while the device may mean the same.
fn mend(line: &Line, device: &Device, now: &Line) -> Option<Mend> {
    let matching = || (!line.may_be(now)).then(|| now.matching.clone());
    could_be_one(line.what(), (device.kind, &device.matching))
        .then(|| Mend { device: device.name.clone(), matching: matching() })
}

/// The `match` by which a device of this kind is this piece of hardware and none of the others.
#[must_use]
pub fn telling_match(kind: DeviceKind, piece: &Sighting, present: &[&Sighting]) -> Match {
    Line::new(kind, piece, present).matching
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

/// A device of the configuration as it is to be.
struct Line {
    kind: DeviceKind,
    matching: Match,
    /// What else could be said of it, the next last.
    more: Vec<Match>,
    /// It stands there already, and need not change.
    is_written: bool,
}

impl Line {
    /// For a piece of hardware: no more than is needed for it to mean this one only.
    fn new(kind: DeviceKind, piece: &Sighting, present: &[&Sighting]) -> Self {
        let mut more = ways_to_say(piece);
        more.reverse();
        let mut line = Self { kind, matching: more.pop().unwrap_or_default(), more, is_written: false };
        let means_others =
            |said: &Match| present.iter().any(|other| other.key != piece.key && is_meant(kind, said, other));
        while means_others(&line.matching) && line.say_more() {}
        // The names of radios move at each boot: one that needs none has none.
        line.more.retain(|said| said.mac.is_none() || said.name.is_none());
        line
    }

    /// For a configured device: as it is, or, when one of the `new` could be it, what it is known by.
    fn written(Configured { device, is }: Configured<'_>, new: &[Self], present: &[&Sighting]) -> Self {
        let Device { kind, matching, .. } = device;
        let mut line = Self { kind: *kind, matching: matching.clone(), more: Vec::new(), is_written: true };
        if let Some(piece) = is.filter(|_| new.iter().any(|other| line.may_be(other))) {
            let telling = Self::new(*kind, piece, present);
            let all = both(matching, telling.fullest());
            line.more = std::iter::once(all).chain(telling.more).chain([telling.matching]).collect();
        }
        line
    }

    /// False when everything is said already.
    fn say_more(&mut self) -> bool {
        match self.more.pop() {
            Some(matching) => {
                self.matching = matching;
                self.is_written = false;
                true
            }
            None => false,
        }
    }

    /// Says so much that it cannot be the other; nothing if that is not to be had.
    fn say_enough(&mut self, other: &Self) -> bool {
        let Some(at) = self.more.iter().rposition(|said| !could_be_one((self.kind, said), other.what())) else {
            return false;
        };
        self.more.truncate(at + 1);
        self.say_more()
    }

    fn what(&self) -> (DeviceKind, &Match) {
        (self.kind, &self.matching)
    }

    fn may_be(&self, other: &Self) -> bool {
        could_be_one(self.what(), other.what())
    }

    /// Whether it may be, whatever both say: they are the same, or the other is not there and says too little.
    fn must_be(&self, other: &Self) -> bool {
        could_be_one((self.kind, self.fullest()), (other.kind, other.fullest()))
    }

    fn fullest(&self) -> &Match {
        self.more.first().unwrap_or(&self.matching)
    }
}

/// What cannot be told apart is said more of, as long as that helps; what is written already is changed last.
fn tell_apart(lines: &mut [Line]) {
    let mut said_more = true;
    while said_more {
        said_more = false;
        for at in 1..lines.len() {
            let (before, after) = lines.split_at_mut(at);
            let Some(other) = after.first_mut() else { continue };
            for one in before {
                said_more |= if one.is_written { part(other, one) } else { part(one, other) };
            }
        }
    }
}

/// False when nothing is to be said, or it would not help.
fn part(one: &mut Line, other: &mut Line) -> bool {
    if one.is_written || !one.may_be(other) || one.must_be(other) {
        return false;
    }
    one.say_enough(other) || other.say_enough(one) || {
        let more = one.say_more();
        other.say_more() || more
    }
}

/// What either says.
fn both(one: &Match, other: &Match) -> Match {
    Match {
        serial: other.serial.clone().or_else(|| one.serial.clone()),
        usb: other.usb.or(one.usb),
        path: other.path.clone().or_else(|| one.path.clone()),
        interface: other.interface.or(one.interface),
        mac: other.mac.or(one.mac),
        driver: other.driver.clone().or_else(|| one.driver.clone()),
        name: other.name.clone().or_else(|| one.name.clone()),
    }
}

/// A name for it that nothing has; it has it now.
fn free_name(piece: &Sighting, names: &mut BTreeSet<String>) -> String {
    let base = suggested_name(piece);
    let numbered = (2u32..).map(|number| format!("{base}-{number}"));
    let mut all = std::iter::once(base.clone()).chain(numbered);
    let name = all.find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(name.clone());
    name
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
