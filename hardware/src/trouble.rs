//! What keeps hardware from being heard of.

use crate::error::{Error, SystemError};
use crate::sighting::Source;

/// Why a source cannot be heard or read. Everything else goes on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Trouble {
    /// There is no Wi-Fi in this kernel yet.
    NoWifi,
    /// It cannot be heard.
    Unheard(SystemError),
    /// It was heard, and no longer can be.
    NoLongerHeard(SystemError),
    /// nl80211 has stopped telling of radios.
    RadiosSilent,
    /// A driver does not answer.
    DriverHangs,
    /// libusb cannot watch: what it says.
    NoLibusb(SystemError),
    /// libusb no longer watches: what it says.
    LibusbStopped(SystemError),
    /// It was asked, and this came of it.
    Failed(Error),
}

impl Trouble {
    /// Whether a source may be heard again when it is opened anew. Without /dev/bus/usb, say, it is not.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unheard(_) | Self::NoLongerHeard(_) | Self::RadiosSilent | Self::LibusbStopped(_) => true,
            Self::NoWifi | Self::DriverHangs | Self::NoLibusb(_) | Self::Failed(_) => false,
        }
    }

    /// In words, of this source.
    #[must_use]
    pub fn words(&self, source: Source) -> String {
        match self {
            Self::NoWifi => {
                "no Wi-Fi in this kernel yet (cfg80211 is not loaded); radios are seen as soon as it is".to_owned()
            }
            Self::Unheard(error) => format!("{source} cannot be heard: {error}"),
            Self::NoLongerHeard(error) => format!("{source} can no longer be heard: {error}"),
            Self::RadiosSilent => "nl80211 stopped telling of radios; uevents still do".to_owned(),
            Self::DriverHangs => {
                "a Wi-Fi driver does not answer; radios are shown as they were until it does".to_owned()
            }
            // What libusb says when it finds no usbfs (`LIBUSB_ERROR_OTHER`).
            Self::NoLibusb(SystemError::Words(said)) if **said == rusb::Error::Other.to_string() => {
                "libusb cannot watch USB, most likely because there is no /dev/bus/usb (in a container, say: `ls /dev/bus/usb`); USB is seen \
                 by kernel events alone"
                    .to_owned()
            }
            Self::NoLibusb(said) => {
                format!("libusb cannot watch USB, perhaps for want of /dev/bus/usb: {said}; USB is seen by kernel events alone")
            }
            Self::LibusbStopped(said) => format!("libusb stopped watching USB: {said}; USB is seen by kernel events alone"),
            Self::Failed(error) if source == Source::All => format!("hardware cannot be watched: {error}"),
            Self::Failed(error) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libusb_has_no_words_for_is_told_in_words_that_help() {
        let words = Trouble::NoLibusb(rusb::Error::Other.into()).words(Source::Libusb);
        assert!(words.contains("/dev/bus/usb") && !words.contains("Other error"), "{words}");
    }
}
