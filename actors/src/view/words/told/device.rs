//! What devices are told.

use crate::message::device::{Awaited, DeviceMessage, DeviceTimer};
use crate::message::kind::kind;
use crate::message::{Described, Words};
use crate::view::words;

impl Described for DeviceMessage {
    fn kind(&self) -> &'static str {
        kind! { self, DeviceMessage {
            Seen, Gone, Rivals, NoRivals, Accessible, Probed, Supply, Leased, Unleased, Withheld, PutBack, Awaited,
            Lent, Fault, Eject, Admit, Timer,
        } }
    }

    fn detail(&self) -> Words {
        match self {
            Self::Seen(sighting) => {
                format!("{} is there", mainstay_hardware::matching::identity(sighting, None)).into()
            }
            Self::Gone { how, .. } => how.to_string().into(),
            Self::Rivals(rivals) => rivals.to_string().into(),
            Self::NoRivals => "nothing else fits it any more".into(),
            Self::Accessible(_, Ok(())) => "its node can be opened".into(),
            Self::Accessible(_, Err(error)) => format!("its node cannot be opened: {error}").into(),
            Self::Probed(_, Ok(findings)) => {
                format!("looked at it: {}", mainstay_hardware::matching::findings_words(findings)).into()
            }
            Self::Probed(_, Err(error)) => format!("looking at it failed: {error}").into(),
            Self::Supply(_, supply) => words::supply(*supply).into(),
            Self::Leased { holder, .. } => format!("leased by {holder}").into(),
            Self::Unleased => "nobody leases it".into(),
            Self::Withheld(why) => format!("nobody leases it; {why}").into(),
            Self::PutBack(Some(_)) => "it is as it was before".into(),
            Self::PutBack(None) => "nothing is left to put back".into(),
            Self::Awaited(Awaited::Somebody) => "somebody waits for it".into(),
            Self::Awaited(Awaited::Nobody) => "nobody waits for it".into(),
            Self::Lent(_) => "nobody has it or wants it: it can be asked what it is".into(),
            Self::Fault(fault, _) => fault.to_string().into(),
            Self::Eject(_) => "take it out of use".into(),
            Self::Admit(_) => "take it back".into(),
            Self::Timer(timer) => timer.words().into(),
        }
    }
}

impl DeviceTimer {
    /// What has happened when it rings.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Settling => "it has settled",
            Self::AccessRetry => "time to see again whether it can be opened",
            Self::LookAfterAll => "time to look at it after all",
            Self::Quarantine => "its quarantine is over",
            Self::Mistaken => "it is still called otherwise",
        }
    }
}
