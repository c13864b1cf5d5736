//! Waits until something is due. One task for all timers, on the clock that decisions are made by: the kernel's boot-time clock goes
//! on while the machine sleeps, which tokio's does not, and after a suspend a timer that is over must ring at once.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;

use super::stage::Stage;
use crate::clock::Clock;
use crate::message::Moment;

/// Calls the timekeeper when something is due earlier than it waits for.
#[derive(Default)]
pub(super) struct Alarm {
    changed: Notify,
    waits_for: Cell<Option<Moment>>,
}

impl Alarm {
    /// This is due next.
    pub(super) fn set(&self, next: Option<Moment>) {
        let is_earlier = |next: Moment| self.waits_for.get().is_none_or(|known| next < known);
        if next.is_some_and(is_earlier) {
            self.changed.notify_one();
        }
    }
}

/// Lets everything happen on the stage when it is due, for as long as there is a stage.
pub(super) async fn keep_time(stage: Rc<Stage>) {
    let alarm = Rc::clone(stage.alarm());
    let clock = stage.clock();
    let stage = {
        let weak = Rc::downgrade(&stage);
        drop(stage);
        weak
    };
    let mut timer = Timer::new(clock);
    loop {
        let Some(next) = stage.upgrade().map(|stage| stage.next_due()) else { return };
        alarm.waits_for.set(next);
        tokio::select! {
            biased;
            () = alarm.changed.notified() => {}
            () = timer.wait(next) => {}
        }
        let Some(stage) = stage.upgrade() else { return };
        stage.let_due_happen();
    }
}

/// Waits on the clock of decisions.
struct Timer {
    clock: Clock,
    boot: Option<Receiver>,
}

impl Timer {
    fn new(clock: Clock) -> Self {
        let boot = match clock {
            Clock::Boot => boot_timer()
                .inspect_err(|error| tracing::warn!("timers do not count the time that the machine sleeps: {error}"))
                .ok(),
            Clock::Tokio(_) => None,
        };
        Self { clock, boot }
    }

    /// Waits until then; without end when there is nothing to wait for.
    async fn wait(&mut self, until: Option<Moment>) {
        let Some(until) = until else { return std::future::pending().await };
        let left = until.since(self.clock.now());
        match &self.boot {
            _ if left.is_zero() => {}
            None => tokio::time::sleep(left).await,
            Some(boot) => {
                if set(boot, until.since_boot()).is_ok() {
                    // Whoever waits looks at the clock again.
                    let _ = boot.readable().await;
                } else {
                    tokio::time::sleep(left).await;
                }
            }
        }
    }
}

/// A timer on `CLOCK_BOOTTIME` (timerfd_create(2)). It is no pipe, but is waited for and read like one, and this is tokio's safe way to
/// take over a descriptor.
fn boot_timer() -> io::Result<Receiver> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
    Receiver::from_file_unchecked(File::from(timer))
}

/// Sets it anew, and takes in that it has rung before.
fn set(timer: &Receiver, at: Duration) -> rustix::io::Result<()> {
    // How often it has rung is of no interest; when it has not, there is nothing to read.
    let _ = timer.try_read(&mut [0; 8]);
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let at =
        Timespec { tv_sec: i64::try_from(at.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(at.subsec_nanos()) };
    let once = Itimerspec { it_interval: never, it_value: at };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &once)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::os::fd::AsRawFd;
    use std::process::Command;

    use super::*;

    /// What the kernel calls `CLOCK_BOOTTIME` (time.h).
    const BOOT_TIME: &str = "clockid: 7";
    /// Set where this test runs on a boot-time clock that is ahead of the others.
    const AHEAD: &str = "MAINSTAY_TEST_BOOT_TIME_IS_AHEAD";
    const NAME: &str =
        "runtime::timekeeper::tests::what_is_due_after_a_suspend_rings_at_once_and_not_when_the_other_clocks_say_so";

    /// As after a suspend of a day the boot-time clock is ahead of the monotonic one: in a time namespace
    /// (time_namespaces(7)), where the system lets us make one.
    fn run_ahead() {
        let ahead = ["--user", "--map-root-user", "--time", "--boottime", "86400"];
        let allowed =
            Command::new("unshare").args(ahead).arg("true").output().is_ok_and(|tried| tried.status.success());
        if !allowed {
            return;
        }
        let this = std::env::current_exe().unwrap();
        let run =
            Command::new("unshare").args(ahead).arg(this).args([NAME, "--exact"]).env(AHEAD, "").output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
    }

    #[tokio::test(flavor = "local")]
    async fn what_is_due_after_a_suspend_rings_at_once_and_not_when_the_other_clocks_say_so() {
        let mut timer = Timer::new(Clock::Boot);
        let now = || Clock::Boot.now().since_boot();
        let of = |clock| Duration::try_from(rustix::time::clock_gettime(clock)).unwrap();
        let boot = of(rustix::time::ClockId::Boottime);
        assert!(boot <= now() && now() <= of(rustix::time::ClockId::Boottime), "decisions are made by another clock");
        let info = |timer: &Timer| {
            let number = timer.boot.as_ref().unwrap().as_raw_fd();
            std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap()
        };
        assert!(info(&timer).contains(BOOT_TIME), "timers run on another clock: {}", info(&timer));
        // Were it set by another clock, it would ring a day later, or at once.
        let due = Clock::Boot.now() + Duration::from_millis(20);
        tokio::time::timeout(Duration::from_secs(60), timer.wait(Some(due))).await.unwrap();
        assert!(Clock::Boot.now() >= due, "too early");
        match std::env::var_os(AHEAD) {
            Some(_) => assert!(boot - of(rustix::time::ClockId::Monotonic) > Duration::from_secs(80_000)),
            None => run_ahead(),
        }
    }
}
