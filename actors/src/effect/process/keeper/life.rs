//! The life of the log-keeper: whether there is one, and when the next is started.

use std::time::Duration;

/// A keeper that lived this long was a good one: the next starts at once.
pub(crate) const GOOD_LIFE: Duration = Duration::from_secs(10);
/// The wait before a second keeper that dies early is followed by a third; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait. A program that prints more than its pipe holds (64 KiB) waits as long.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What is known of the keeper.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct KeeperLife {
    state: State,
    early_deaths: u32,
}

#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
enum State {
    /// There is none, and none is being started.
    #[default]
    Down,
    /// It is being started.
    Coming,
    /// This process runs.
    Up(u32, Life),
    /// mainstay ends: no further keeper is started. The last one may still have work to do.
    Closing(Last),
}

/// How long a keeper has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Life {
    Short,
    Good,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Last {
    Coming,
    Up(u32),
    Gone,
}

impl KeeperLife {
    /// Whether this is the keeper's process id.
    pub(crate) fn is(&self, pid: u32) -> bool {
        self.pid() == Some(pid)
    }

    /// The keeper's process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self.state {
            State::Up(pid, _) | State::Closing(Last::Up(pid)) => Some(pid),
            State::Down | State::Coming | State::Closing(Last::Coming | Last::Gone) => None,
        }
    }

    /// Whether it may have been started without our knowing its process id yet.
    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.state, State::Coming | State::Closing(Last::Coming))
    }

    /// Whether mainstay ends.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing(_))
    }

    /// One is being started. Whether it may be: not beside another, and not when mainstay ends.
    pub(crate) fn begin(&mut self) -> bool {
        let may = matches!(self.state, State::Down);
        if may {
            self.state = State::Coming;
        }
        may
    }

    /// A keeper runs.
    pub(crate) fn up(&mut self, pid: u32) {
        self.state = match self.state {
            // It was started when mainstay was about to end, and ends with it.
            State::Closing(_) => State::Closing(Last::Up(pid)),
            State::Up(..) | State::Down | State::Coming => State::Up(pid, Life::Short),
        };
    }

    /// The keeper has run for [`GOOD_LIFE`], if it is still this one.
    pub(crate) fn lasts(&mut self, pid: u32) {
        if let State::Up(known, life) = &mut self.state
            && *known == pid
        {
            *life = Life::Good;
        }
    }

    /// The keeper has died, or could not be started. How long to wait before the next; `None`: there is none.
    pub(crate) fn died(&mut self) -> Option<Duration> {
        match self.state {
            State::Closing(_) => {
                self.state = State::Closing(Last::Gone);
                return None;
            }
            State::Up(_, Life::Good) => self.early_deaths = 0,
            State::Up(_, Life::Short) | State::Down | State::Coming => {}
        }
        self.state = State::Down;
        let wait = wait_after(self.early_deaths);
        self.early_deaths = self.early_deaths.saturating_add(1);
        Some(wait)
    }

    /// mainstay ends. The keeper goes on until every program has closed its output.
    pub(crate) fn close(&mut self) {
        self.state = State::Closing(match self.state {
            State::Up(pid, _) => Last::Up(pid),
            State::Coming => Last::Coming,
            State::Down => Last::Gone,
            State::Closing(last) => last,
        });
    }
}

fn wait_after(early_deaths: u32) -> Duration {
    match early_deaths.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_that_keeps_dying_is_started_less_and_less_often() {
        let waits: Vec<u64> =
            [0, 1, 2, 3, 7, 40].map(|n| u64::try_from(wait_after(n).as_millis()).unwrap_or(0)).to_vec();
        assert_eq!(waits, [0, 100, 200, 400, 5000, 5000]);
    }

    #[test]
    fn a_keeper_that_has_lived_long_is_followed_at_once_by_the_next() {
        let mut life = KeeperLife::default();
        for pid in 1..5 {
            life.begin();
            life.up(pid);
            life.died();
        }
        life.begin();
        life.up(7);
        life.lasts(4);
        assert_ne!(life.died(), Some(Duration::ZERO), "it was another one that lived long");
        life.begin();
        life.up(8);
        life.lasts(8);
        assert_eq!(life.died(), Some(Duration::ZERO));
    }

    #[test]
    fn a_keeper_that_comes_when_mainstay_ends_is_waited_for_and_not_followed_by_another() {
        let mut life = KeeperLife::default();
        assert!(life.begin() && !life.begin());
        life.close();
        assert!(life.is_coming() && !life.begin());
        life.up(7);
        assert_eq!((life.pid(), life.died(), life.pid()), (Some(7), None, None));
        assert!(!life.is_coming());
    }
}
