//! Ready means this service's listener: on a leased port, nobody but a process of the run that is looked at is believed
//! (docs/decisions/0039-ready-means-its-own-listener.md).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::blocking::{Blocking, Threads};
use super::look::Look;
use super::progress::Progress;
use crate::action::not_ready::{Awaited, NotReady};
use crate::action::probe::{Own, Sight};
use crate::action::process::RunId;
use crate::effect::ports::{Whose, whose};
use crate::effect::proc::here;
use crate::effect::process::{MainState, Root};
use mainstay_hardware::error::SystemError;

/// A look, and another at who has answered.
pub(super) struct OwnLook {
    look: Look,
    own: Own,
    run: Root,
    owner: Blocking<io::Result<Whose>>,
}

impl OwnLook {
    pub(super) fn new(look: Look, run: RunId, own: Own, threads: &Threads) -> Self {
        let (mark, main) = (format!("{}.{}", own.service, run.0).into(), own.pid);
        let run = Root { run, mark, output: None, main, leader: main, main_state: MainState::There, user: None };
        Self { look, own, run, owner: Blocking::new(threads) }
    }

    /// Takes one look; see [`Look::look`].
    pub(super) async fn look(&mut self, progress: &Progress, timeout: Duration) -> Result<Sight, NotReady> {
        let sight = self.look.look(progress, timeout).await?;
        match progress.place().filter(|place| self.own.ports.contains(&place.port())) {
            Some(place) => self.check_owner(place, sight, progress).await,
            None => Ok(sight),
        }
    }

    async fn check_owner(&mut self, place: SocketAddr, sight: Sight, progress: &Progress) -> Result<Sight, NotReady> {
        progress.to(Awaited::Owner(place));
        let run = self.run.clone();
        let look = move || whose(place, &Root { user: here().user(run.main), ..run });
        let whose = self.owner.run(look).await?;
        judged(place, sight, whose.map_err(SystemError::from))
    }
}

/// What was seen, when it was this one who answered there.
pub(crate) fn judged(place: SocketAddr, sight: Sight, whose: Result<Whose, SystemError>) -> Result<Sight, NotReady> {
    match whose {
        Ok(Whose::Own) => Ok(sight),
        Ok(Whose::Foreign(listener)) => Err(NotReady::Foreign { place, listener }),
        Ok(Whose::Nobody) => Err(NotReady::NoListener(place)),
        Ok(Whose::Unknown) => Ok(Sight::OfUnknownOwner(Box::new(sight), None)),
        Err(error) => Ok(Sight::OfUnknownOwner(Box::new(sight), Some(error))),
    }
}
