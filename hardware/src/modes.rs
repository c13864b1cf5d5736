//! What a radio can do, in words, and what it is not even asked for.

use mainstay_config::model::WifiMode;

use crate::error::Error;

/// Refuses a mode that a radio says it cannot do. A radio that says nothing of its modes is tried.
///
/// # Errors
/// `NotSupported`, with what it can do instead.
pub(crate) fn check(interface: &str, supported: &[WifiMode], mode: WifiMode) -> Result<(), Error> {
    if supported.is_empty() || supported.contains(&mode) {
        return Ok(());
    }
    Err(Error::NoMode { interface: interface.to_owned(), supported: supported.to_vec(), wanted: mode })
}

/// A mode, and what else the radio can do: `managed (can be monitor or ap)`.
pub(crate) fn words(mode: WifiMode, supported: &[WifiMode]) -> String {
    let others: Vec<WifiMode> = supported.iter().copied().filter(|other| *other != mode).collect();
    let word = mode.as_str();
    match (supported.is_empty(), others.is_empty()) {
        (true, _) => word.to_owned(),
        (false, true) => format!("{word} (can be nothing else)"),
        (false, false) => format!("{word} (can be {})", listed(&others, "or")),
    }
}

pub(crate) fn listed(modes: &[WifiMode], last: &str) -> String {
    let words: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
    match words.split_last() {
        Some((end, before)) if !before.is_empty() => format!("{} {last} {end}", before.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PI: [WifiMode; 3] = [WifiMode::Managed, WifiMode::Ap, WifiMode::Ibss];

    #[test]
    fn a_radio_is_not_asked_for_what_it_says_it_cannot_do() {
        let refused = check("wlan0", &PI, WifiMode::Monitor).unwrap_err();
        assert_eq!(refused.to_string(), "wlan0 can do managed, ap and ibss, not monitor");
        assert_eq!(check("wlan0", &PI, WifiMode::Ap), Ok(()));
    }

    #[test]
    fn a_radio_that_says_nothing_of_its_modes_is_tried() {
        assert_eq!(check("wlan0", &[], WifiMode::Monitor), Ok(()));
    }

    #[test]
    fn people_read_what_else_a_radio_can_do() {
        assert_eq!(words(WifiMode::Managed, &PI), "managed (can be ap or ibss)");
        assert_eq!(words(WifiMode::Managed, &[WifiMode::Managed]), "managed (can be nothing else)");
        assert_eq!(words(WifiMode::Other, &[WifiMode::Managed]), "another mode (can be managed)");
        assert_eq!(words(WifiMode::Managed, &[]), "managed");
    }
}
