//! How a service ends: by itself, or because it is stopped.

use std::time::Duration;

/// What happens when a service ends by itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Restart {
    /// After which endings it is started again.
    pub when: RestartWhen,
    /// How many restarts before it is `failed`.
    pub attempts: u32,
    /// Wait before the first restart.
    pub backoff: Duration,
    /// Each further wait is this many times longer. At least 1.
    pub factor: f64,
    /// Running this long after ready makes it start counting anew.
    pub reset_after: Duration,
}

impl Restart {
    /// The wait before restart number `attempt` (1 is the first), at most one hour.
    #[must_use]
    pub fn delay(&self, attempt: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        let power = self.factor.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = self.backoff.as_secs_f64() * power;
        if seconds.is_finite() && seconds < LONGEST.as_secs_f64() { Duration::from_secs_f64(seconds) } else { LONGEST }
    }
}

crate::words! {
    /// After which endings a service is started again.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum RestartWhen {
        /// Whatever the exit was.
        Always = "always",
        /// After a non-zero exit code or a signal.
        Failure = "failure",
        /// Never.
        Never = "never",
    }
}

/// How a service is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stop {
    /// The first signal.
    pub signal: StopSignal,
    /// To whom it goes.
    pub to: StopTo,
    /// Then SIGKILL to the whole tree after this long.
    pub grace: Duration,
}

crate::words! {
    /// To whom the stop signal goes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum StopTo {
        /// Every process of the service.
        All = "all",
        /// The main process; the others when it has ended or the grace is over.
        Main = "main",
    }
}

crate::words! {
    /// A signal a service can be stopped with.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub enum StopSignal {
        /// SIGTERM.
        Term = "TERM",
        /// SIGINT.
        Int = "INT",
        /// SIGHUP.
        Hup = "HUP",
        /// SIGQUIT.
        Quit = "QUIT",
        /// SIGUSR1.
        Usr1 = "USR1",
        /// SIGUSR2.
        Usr2 = "USR2",
        /// SIGKILL at once.
        Kill = "KILL",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Restart, RestartWhen};

    fn restart(backoff: Duration, factor: f64) -> Restart {
        let reset_after = Duration::from_secs(60);
        Restart { when: RestartWhen::Always, attempts: 3, backoff, factor, reset_after }
    }

    #[test]
    fn each_wait_is_longer_by_the_factor() {
        let restart = restart(Duration::from_secs(2), 2.0);
        let waits: Vec<u64> = (1..=3).map(|attempt| restart.delay(attempt).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8]);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_an_hour(backoff in 0u64..40_000_000, factor in 1.0f64..1e300, attempt: u32) {
            let restart = restart(Duration::from_secs(backoff), factor);
            prop_assert!(restart.delay(attempt) <= Duration::from_secs(3600));
            prop_assert!(restart.delay(attempt) >= restart.delay(1));
        }
    }
}
