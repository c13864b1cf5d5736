//! Why devices cannot be leased, and what helps.

use mainstay_config::counted;
use std::fmt;

use humantime::format_duration;
use mainstay_config::model::Device;
use mainstay_config::names::DeviceName;
use mainstay_hardware::advice::match_words;
use mainstay_hardware::bus::Supply;
use mainstay_hardware::matching::identity;
use mainstay_hardware::sighting::{HardwareEvent, Key, ScanReason, Sort, Source, Witness};

use crate::cause::{
    Absence, DeviceCure, DeviceFault, DeviceReason, OwnWord, Piece, Quarantine, Replaced, Rivals, Unusable, Withheld,
};

/// How something left, in words: `USB 1-1 unplugged`.
#[must_use]
pub fn departure(key: &Key) -> String {
    match key.0.split_once('/') {
        Some(("usb", path)) => format!("USB {path} unplugged"),
        Some(("tty", name)) => format!("/dev/{name} disappeared"),
        Some(("wifi", name)) => format!("radio {name} disappeared"),
        _ => format!("{key} disappeared"),
    }
}

in_words! {
    Absence, f:
    Self::Left(key) => ("{}", departure(key)),
    Self::NotIt(key) => "{key} is no longer it",
    Self::NotFound => "not found in a scan",
    Self::NotPluggedIn => "not plugged in",
    Self::Replugged => "replugged",
    Self::Undecided(rivals) => "{rivals}",
    Self::NothingFits => "nothing that fits it is there any more",
    Self::Vanished => "it vanished while it was made ready",
}

in_words! {
    DeviceFault, f:
    Self::Unusable(error) => "{error}",
    Self::Undecided(rivals) => "{rivals}",
    Self::DriverHung(error) => "driver hung: {error}",
    Self::NotPutBack { error, tries: 1 } => "it could not be put back as it was: {error}",
    Self::NotPutBack { error, tries } => "it could not be put back as it was: {error} (tried {tries} times)",
}

/// What the board says of its supply voltage, in words.
#[must_use]
pub fn supply(supply: Supply) -> &'static str {
    match supply {
        Supply::Low => "the board reports that its supply voltage is too low",
        Supply::Enough => "the board reports that its own supply voltage is high enough",
        Supply::Unknown => "the board has no sensor for its supply voltage",
    }
}

in_words! {
    Quarantine, f:
    Self::Flapping { departures, within, length } => {
        let (within, length) = (format_duration(*within), format_duration(*length));
        let left = counted(*departures, "time", "times");
        write!(f, "it left {left} in {within}; out for {length}")
    },
    Self::Power { length, supply: said } => {
        let reason =
            "three times in a row it dropped out within 10 s of being used: check power supply and cable";
        write!(f, "{reason}; out for {}", format_duration(*length))?;
        said.map_or(Ok(()), |said| write!(f, "; {}", supply(said)))
    },
}

in_words! {
    Withheld, f:
    Self::PuttingBack => "being put back as it was",
    Self::TryingAgain { attempt, of, error } => "being put back as it was; try {attempt} of {of}, since {error}",
    Self::EarlierHolder(holder) => "{holder}, which had it before it was replugged, must stop first",
}

in_words! {
    /// In words that follow "hackrf is" or "hackrf:".
    Unusable, f:
    Self::NotHeardOf => "not heard of yet",
    Self::Absent(Absence::NotPluggedIn) => ("{}", Absence::NotPluggedIn),
    Self::Absent(how) => "gone ({how})",
    Self::Unwatched => "not seen, since hardware cannot be watched",
    Self::Settling => "there, and settling",
    Self::LookedAt => "there, and being looked at",
    Self::NotOpen(error) => "there, and tried again since it cannot be opened: {error}",
    Self::Ejected => "ejected by the operator",
    Self::Faulted(fault) => "faulted: {fault}",
    Self::Quarantined(quarantine) => "quarantined: {quarantine}",
    Self::NotTried(error) => "{error}",
}

in_words! {
    DeviceReason, f:
    Self::Nothing => "",
    // What it is called besides is its status.
    Self::Unusable(Unusable::Faulted(fault)) => "{fault}",
    Self::Unusable(Unusable::Quarantined(quarantine)) => "{quarantine}",
    Self::Unusable(Unusable::Ejected) => "taken out of use by the operator",
    Self::Unusable(why) => "{why}",
    Self::Withheld(withheld) => "{withheld}",
    Self::Unrecognised(why) => "unrecognised: {why}",
    Self::Noted { device, rivals, replaced } => {
        let rivals = rivals.as_ref().map(|rivals| format!("{rivals}. {}", rivals_cure(rivals, device)));
        let notes: Vec<String> = rivals.into_iter().chain(replacements(device, replaced)).collect();
        f.write_str(&notes.join(". "))
    },
}

/// Pieces that are named in a sentence; more are counted.
const NAMED_MAX: usize = 3;

/// What is the matter.
impl fmt::Display for Rivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces = listed(&self.others, |piece| identity(&piece.what, None));
        match (&self.taken, self.others.len()) {
            (Some(_), _) => write!(f, "this fits it as well, and is left alone: {pieces}"),
            (None, 1) => write!(f, "not taken unasked, since another that fits it was there as well: {pieces}"),
            (None, count) => write!(f, "{count} pieces of hardware fit it, and none is taken: {pieces}"),
        }
    }
}

/// What to do about rivals, in one sentence without its full stop.
pub(super) fn rivals_cure(rivals: &Rivals, name: &DeviceName) -> String {
    let give = format!("give [hardware.{name}] its own `match` and start mainstay again");
    let matches = listed(&rivals.others, |piece| match_words(&piece.matching));
    match (&rivals.taken, rivals.others.len()) {
        (Some(taken), _) => format!("To tell them apart {give}: {}", match_words(&taken.matching)),
        (None, 1) => format!("Say `mainstay admit {name}` if it is meant; for good, {give}: {matches}"),
        (None, _) => format!("Unplug what is not meant and say `mainstay admit {name}`; for good, {give}: {matches}"),
    }
}

fn listed(pieces: &[Piece], words: impl Fn(&Piece) -> String) -> String {
    let mut named: Vec<String> = pieces.iter().take(NAMED_MAX).map(words).collect();
    let more = pieces.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join("; or ")
}

/// What commands are given instead of what the device says of itself.
fn replacements(device: &DeviceName, replaced: &[Replaced]) -> Option<String> {
    let words = |Replaced { what, given }: &Replaced| {
        let key = match what {
            OwnWord::Serial => "serial",
            OwnWord::Interface => "interface",
            OwnWord::Path => "path",
        };
        format!(
            "commands get {{device.{device}.{key}}} as {given}, since not every program could take what it really is"
        )
    };
    replaced.iter().map(words).reduce(|all, next| format!("{all}; {next}"))
}

/// What would make a device usable, a sentence.
#[must_use]
pub fn device_cure(cure: &DeviceCure, name: &DeviceName, spec: Option<&Device>) -> String {
    match cure {
        DeviceCure::PlugIn => match spec {
            Some(spec) => format!("Plug in {name} ({}).", describe_match(spec)),
            None => format!("Plug in {name}."),
        },
        DeviceCure::Watch(why) => {
            format!("Wait, or mend this: {} (it is tried again by itself).", why.words(Source::All))
        }
        DeviceCure::Wait => "It is tried again by itself; `mainstay devices` shows which others hang.".to_owned(),
        DeviceCure::Choose(rivals) => format!("{}.", rivals_cure(rivals, name)),
        DeviceCure::Mend => format!("Mend the cause, then replug it or say `mainstay admit {name}`."),
        DeviceCure::WaitOrAdmit => format!("Wait, or check its cable and power and say `mainstay admit {name}`."),
        DeviceCure::Admit => format!("Say `mainstay admit {name}`."),
    }
}

/// How a device is recognised, in words: `hackrf, serial 88c8…`.
fn describe_match(spec: &Device) -> String {
    let matching = &spec.matching;
    let parts = [
        Some(spec.kind.as_str().to_owned()),
        matching.serial.as_ref().map(|serial| format!("serial {serial}")),
        matching.usb.map(|id| format!("USB id {id}")),
        matching.path.as_ref().map(|path| format!("USB port {path}")),
        matching.interface.map(|interface| format!("interface {interface}")),
        matching.mac.map(|mac| format!("MAC {mac}")),
        matching.driver.as_ref().map(|driver| format!("driver {driver}")),
        matching.name.as_ref().map(|name| format!("name {name}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What sort of thing something attached is, in a word.
#[must_use]
pub fn sort(sort: &Sort) -> &'static str {
    match sort {
        Sort::Usb { .. } => "usb",
        Sort::Tty { .. } => "serial",
        Sort::Wifi(_) => "wifi",
    }
}

/// What happened to the hardware, in words.
pub(super) fn event_words(event: &HardwareEvent) -> String {
    match event {
        HardwareEvent::Seen(sighting) => {
            format!("{} seen", identity(sighting, None))
        }
        HardwareEvent::Gone { key, witness, .. } => format!("{} ({})", departure(key), witness_words(*witness)),
        HardwareEvent::Scanned { present, why, .. } => scan_words(present.len(), *why),
        HardwareEvent::Trouble(source, why) => why.words(*source),
        HardwareEvent::Works(source) => format!("{source} can be had again"),
    }
}

pub(super) fn scan_words(count: usize, why: ScanReason) -> String {
    let why = match why {
        ScanReason::Start => "at start",
        ScanReason::LostMessages => "after lost messages",
        ScanReason::Asked => "as asked",
    };
    format!("scanned {why}: {}", counted(count, "piece of hardware", "pieces of hardware"))
}

fn witness_words(witness: Witness) -> &'static str {
    match witness {
        Witness::Uevent => "kernel uevent",
        Witness::Libusb => "libusb",
        Witness::Netlink => "netlink",
        Witness::Rescan => "missing in a rescan",
        Witness::Simulation => "simulation",
    }
}
