//! The two clocks: boot time for decisions, wall time for display. The only place that reads either.

use std::time::{Duration, SystemTime};

use crate::message::Moment;

/// Where time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The kernel's boot-time clock: it goes on while the machine sleeps, and nobody sets it. What may take how long is no decision, and
    /// waits by tokio's (decision 0046 names all of it).
    Boot,
    /// tokio's clock, which tests can pause: time since this instant.
    Tokio(tokio::time::Instant),
}

impl Clock {
    /// A clock that follows tokio's, for tests on paused time.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn tokio() -> Self {
        Self::Tokio(tokio::time::Instant::now())
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        match self {
            Self::Boot => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
                let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
                Moment::after_boot(Duration::new(seconds, nanos))
            }
            Self::Tokio(start) => Moment::after_boot(start.elapsed()),
        }
    }

    /// A moment on the wall clock, in RFC 3339 with milliseconds.
    #[must_use]
    pub fn wall(&self, moment: Moment) -> String {
        humantime::format_rfc3339_millis(self.wall_time(moment)).to_string()
    }

    /// The same with microseconds, for telling messages apart.
    #[must_use]
    pub fn wall_micros(&self, moment: Moment) -> String {
        humantime::format_rfc3339_micros(self.wall_time(moment)).to_string()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall_time(&self, moment: Moment) -> SystemTime {
        let ago = self.now().since(moment);
        let ahead = moment.since(self.now());
        let now = SystemTime::now();
        now.checked_sub(ago).and_then(|then| then.checked_add(ahead)).unwrap_or(now)
    }
}
