//! What outlives mainstay: what machines have written down, and what the next mainstay is told of it.

use std::collections::BTreeMap;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::WifiBaseline;

use super::lease::Token;
use super::service::Wanted;

/// One thing that outlives mainstay. The newest word on it counts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Lasting {
    /// What the operator wants of a service. It outlives the machine's reboot as well.
    Wanted(ServiceName, Wanted),
    /// Tokens up to this one may be given out from now on: the next mainstay begins above it, after a reboot too.
    TokensUpTo(Token),
    /// How a radio was before it was changed: written down before it is. Until the next boot only: the kernel makes radios anew then.
    Radio(DeviceName, WifiBaseline),
    /// A radio is as it was, or gone.
    RadioIsBack(DeviceName),
}

/// Tokens that are set aside at a time.
const TOKENS: u64 = 1000;

/// What an earlier mainstay has written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Remembered {
    /// What the operator wants of services.
    pub wanted: BTreeMap<ServiceName, Wanted>,
    /// Tokens up to this one may have been given out.
    pub tokens: Token,
    /// How radios were before they were changed, of those that were not put back.
    pub radios: BTreeMap<DeviceName, WifiBaseline>,
}

impl Remembered {
    /// All of it, as it was written down.
    pub fn words(&self) -> impl Iterator<Item = Lasting> {
        let wanted = self.wanted.iter().map(|(service, wanted)| Lasting::Wanted(service.clone(), *wanted));
        let radios = self.radios.iter().map(|(device, before)| Lasting::Radio(device.clone(), before.clone()));
        wanted.chain(radios).chain([Lasting::TokensUpTo(self.tokens)])
    }

    /// Takes in what was written down last.
    pub fn take(&mut self, lasting: Lasting) {
        match lasting {
            Lasting::Wanted(service, wanted) => drop(self.wanted.insert(service, wanted)),
            Lasting::TokensUpTo(token) => self.tokens = self.tokens.max(token),
            Lasting::Radio(device, before) => drop(self.radios.insert(device, before)),
            Lasting::RadioIsBack(device) => drop(self.radios.remove(&device)),
        }
    }
}

/// The tokens that a registry gives out: each once, also when mainstay is killed and begins anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tokens {
    last: u64,
    /// Up to here they are set aside.
    up_to: u64,
}

impl Tokens {
    /// Those above what an earlier mainstay may have given out.
    #[must_use]
    pub fn above(last: Token) -> Self {
        Self { last: last.0, up_to: last.0 }
    }

    /// The next one.
    pub fn advance(&mut self) -> Token {
        self.last = self.last.saturating_add(1);
        Token(self.last)
    }

    /// Sets more aside when half of them are given out: long before the last one is, that is written down.
    pub fn set_aside(&mut self) -> Option<Lasting> {
        if self.up_to.saturating_sub(self.last) > TOKENS / 2 {
            return None;
        }
        self.up_to = self.last.saturating_add(TOKENS);
        Some(self.are_set_aside())
    }

    /// What is written down of them.
    #[must_use]
    pub fn are_set_aside(&self) -> Lasting {
        Lasting::TokensUpTo(Token(self.up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whenever_mainstay_is_killed_the_next_one_gives_out_no_token_again() {
        let mut remembered = Remembered::default();
        let mut given = std::collections::BTreeSet::new();
        for life in 0..20 {
            let mut tokens = Tokens::above(remembered.tokens);
            tokens.set_aside().into_iter().for_each(|lasting| remembered.take(lasting));
            for _ in 0..life * 77 {
                assert!(given.insert(tokens.advance()));
                tokens.set_aside().into_iter().for_each(|lasting| remembered.take(lasting));
            }
        }
    }
}
