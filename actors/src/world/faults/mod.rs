//! What goes wrong, and what people do: how often, and how.

mod death;
mod hardware;
mod lost;
mod operator;
mod panics;
mod parts;
mod ports;
mod sabotage;
mod sabotaged;
mod starving;

use std::time::Duration;

pub(super) use self::lost::Part;
pub(super) use self::panics::{Doom, Loss, Strikes};
pub use self::sabotage::Sabotage;
pub(super) use self::sabotaged::Sabotaged;
use super::{Daemon, Due, World};

/// How often things go wrong: mean times between, and how many in a thousand. `None` and 0: never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weather {
    /// Somebody plugs or unplugs something.
    pub hardware: Option<Duration>,
    /// Of what is unplugged, what was just taken into use: its supply is weak.
    pub weak: u16,
    /// The operator says something.
    pub operator: Option<Duration>,
    /// Many ask something at once, more than are let in.
    pub clients: Option<Duration>,
    /// Somebody else's program begins or ends to listen on a port.
    pub ports: Option<Duration>,
    /// An actor panics.
    pub panics: Option<Duration>,
    /// A thread or a task panics that begins anew.
    pub parts: Option<Duration>,
    /// mainstay is killed with SIGKILL.
    pub death: Option<Duration>,
    /// Mail that has to wait although something else is due.
    pub overload: u16,
    /// An actor has its turn only when nobody else has anything to do, for a while.
    pub starves: Option<Duration>,
    /// Not even then, for so long at most.
    pub lag: Option<Duration>,
    /// How long a process lives before it crashes.
    pub crash: Option<Duration>,
    /// Programs that end when the device is pulled that they use.
    pub die_of_loss: u16,
    /// Programs that cannot be started.
    pub spawn_fails: u16,
    /// Programs that never become ready.
    pub never_ready: u16,
    /// Programs that ignore the stop signal.
    pub stubborn: u16,
    /// Programs that outlive SIGKILL for a while.
    pub unkillable: u16,
    /// Programs that end as soon as they have begun.
    pub ends_early: u16,
    /// Programs that go into the background.
    pub backgrounds: u16,
    /// Starts that are refused, since too many wait.
    pub busy: u16,
    /// Programs that take very long to be loaded.
    pub loads_hang: u16,
    /// Starts of which the executor hears late.
    pub births_late: u16,
    /// Looks at process trees that take long.
    pub looks_late: u16,
    /// Processes that such a look misses.
    pub looks_miss: u16,
    /// Helpers of programs that fork away again and again.
    pub forks_away: u16,
    /// Helpers of programs that leave the control group of their service.
    pub astray: u16,
    /// Helpers of programs that do not show whose they are, or show that they are another service's.
    pub unmarked: u16,
    /// Programs that say something of themselves all the time.
    pub talks: u16,
    /// Calls to drivers that hang, and come back long after nobody waits any more.
    pub calls_hang: u16,
    /// Calls that are answered just before they are given up.
    pub calls_late: u16,
    /// Calls whose thread dies, before they have done anything or afterwards.
    pub calls_die: u16,
    /// How long the log-keeper lives before it dies, or does not read any more.
    pub keeper_dies: Option<Duration>,
    /// Messages of the kernel that are lost.
    pub lost_events: u16,
    /// What is heard of hardware and waits until the actor thread has time; there is not room for much of it.
    pub passes_late: u16,
    /// Instead of something being plugged in or unplugged, a source of news cannot be watched for a while.
    pub unwatched: u16,
    /// Instead of being unplugged, a radio is renamed, or has its name back.
    pub renamed: u16,
    /// Instead of being unplugged, something has another piece beside it that fits its name as well, or has it no more.
    pub twins: u16,
    /// Devices whose node cannot be opened for long.
    pub access_refused: u16,
    /// Probes of devices that hang.
    pub probe_fails: u16,
    /// Looks at whether a service is ready that get no answer.
    pub probes_hang: u16,
    /// Radios that refuse a mode.
    pub radio_fails: u16,
    /// Radios whose user makes their interface anew instead of being unplugged.
    pub radio_made_anew: u16,
    /// Changes of radios in which the driver hangs, and goes on long after nobody waits any more.
    pub radio_hangs: u16,
}

impl Weather {
    /// Nothing goes wrong, and nobody says anything.
    #[must_use]
    pub fn still() -> Self {
        Self::default()
    }

    /// An ordinary month: something is unplugged or plugged in twice a day, programs crash once a week.
    #[must_use]
    pub fn calm() -> Self {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        Self {
            hardware: hours(6),
            operator: hours(24),
            ports: hours(48),
            crash: hours(7 * 24),
            die_of_loss: 300,
            never_ready: 2,
            stubborn: 20,
            backgrounds: 50,
            talks: 20,
            lost_events: 5,
            access_refused: 5,
            ..Self::still()
        }
    }

    /// Everything goes wrong all the time, but actors do not panic.
    #[must_use]
    pub fn rough() -> Self {
        let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
        Self {
            hardware: seconds(7),
            weak: 200,
            operator: seconds(20),
            clients: seconds(120),
            ports: seconds(60),
            panics: None,
            parts: seconds(15),
            death: None,
            overload: 100,
            starves: seconds(5),
            lag: None,
            crash: seconds(60),
            die_of_loss: 300,
            spawn_fails: 20,
            never_ready: 50,
            stubborn: 100,
            unkillable: 20,
            backgrounds: 100,
            busy: 10,
            ends_early: 50,
            loads_hang: 30,
            births_late: 100,
            looks_late: 5,
            looks_miss: 200,
            forks_away: 200,
            astray: 100,
            unmarked: 50,
            talks: 100,
            calls_hang: 5,
            calls_late: 10,
            calls_die: 5,
            keeper_dies: seconds(30),
            lost_events: 50,
            passes_late: 100,
            unwatched: 50,
            renamed: 100,
            twins: 50,
            access_refused: 100,
            probe_fails: 30,
            probes_hang: 20,
            radio_fails: 50,
            radio_made_anew: 400,
            radio_hangs: 20,
        }
    }

    /// So much goes wrong, and so much is said, that nothing has settled before the next thing happens.
    #[must_use]
    pub fn frantic() -> Self {
        let seconds = |seconds: u64| Some(Duration::from_secs(seconds));
        Self {
            hardware: seconds(2),
            operator: Some(Duration::from_millis(500)),
            ports: seconds(20),
            overload: 400,
            crash: seconds(15),
            spawn_fails: 100,
            loads_hang: 200,
            never_ready: 200,
            stubborn: 400,
            unkillable: 200,
            probe_fails: 100,
            radio_fails: 150,
            ..Self::rough()
        }
    }

    /// Frantic, and actors panic.
    #[must_use]
    pub fn hopeless() -> Self {
        Self { panics: Some(Duration::from_secs(12)), ..Self::frantic() }
    }

    /// The executor is held up: programs hang while they are loaded, what has started is heard of late, and looks take their time.
    #[must_use]
    pub fn clogged() -> Self {
        Self {
            loads_hang: 400,
            births_late: 500,
            looks_late: 200,
            forks_away: 500,
            ends_early: 150,
            crash: Some(Duration::from_secs(40)),
            ..Self::rough()
        }
    }

    /// Everything takes its time: mail waits, drivers answer late, and the next thing happens before any of it is heard.
    #[must_use]
    pub fn sluggish() -> Self {
        Self {
            overload: 850,
            operator: Some(Duration::from_millis(200)),
            clients: Some(Duration::from_secs(20)),
            calls_late: 300,
            calls_hang: 30,
            panics: Some(Duration::from_secs(6)),
            ports: Some(Duration::from_secs(2)),
            weak: 600,
            radio_made_anew: 900,
            starves: Some(Duration::from_millis(500)),
            ..Self::frantic()
        }
    }

    /// Sluggish; supplies are weak, starts are heard of late, and drivers hardly ever answer in good time.
    #[must_use]
    pub fn feeble() -> Self {
        Self {
            hardware: Some(Duration::from_secs(1)),
            weak: 900,
            births_late: 500,
            calls_late: 700,
            starves: Some(Duration::from_millis(300)),
            panics: Some(Duration::from_secs(3)),
            ..Self::sluggish()
        }
    }

    /// Sluggish, and parts of mainstay die all the time.
    #[must_use]
    pub fn fatal() -> Self {
        Self { death: Some(Duration::from_secs(10)), ..Self::sluggish() }
    }

    /// What is to be stopped does not obey, and outlives SIGKILL; radios are made anew by whoever uses them.
    #[must_use]
    pub fn stuck() -> Self {
        Self { stubborn: 800, unkillable: 700, radio_made_anew: 900, overload: 850, ..Self::hopeless() }
    }

    /// The drivers of radios hang when they are asked how those are, which changes nothing.
    #[must_use]
    pub fn hanging() -> Self {
        Self { calls_hang: 300, ..Self::only_hardware() }
    }

    /// Things are plugged in and unplugged, and nothing else goes wrong.
    #[must_use]
    pub fn only_hardware() -> Self {
        Self { hardware: Some(Duration::from_secs(7)), ..Self::still() }
    }

    /// The operator says this and that, and nothing goes wrong.
    #[must_use]
    pub fn only_operator() -> Self {
        // Everything is plugged in at the beginning.
        Self { operator: Some(Duration::from_secs(7)), hardware: Some(Duration::from_secs(3600)), ..Self::still() }
    }

    /// mainstay is killed or loses a part of itself now and then, and nothing else goes wrong.
    #[must_use]
    pub fn losing() -> Self {
        // Everything is plugged in at the beginning.
        Self { death: Some(Duration::from_secs(20)), hardware: Some(Duration::from_secs(3600)), ..Self::still() }
    }

    /// Rough, and actors panic.
    #[must_use]
    pub fn panicking() -> Self {
        Self { panics: Some(Duration::from_secs(12)), ..Self::rough() }
    }

    /// Rough, actors panic, and mainstay is killed now and then, or gives up since a thread of it has died.
    #[must_use]
    pub fn deadly() -> Self {
        Self { death: Some(Duration::from_secs(40)), ..Self::panicking() }
    }
}

/// What comes again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Hardware,
    Operator,
    Clients,
    Ports,
    Panic,
    Part,
    Death,
    Starve,
}

impl Fault {
    pub(super) const ALL: [Self; 8] = [
        Self::Hardware,
        Self::Operator,
        Self::Clients,
        Self::Ports,
        Self::Panic,
        Self::Part,
        Self::Death,
        Self::Starve,
    ];
}

impl World {
    /// Lets something go wrong, and puts the next time on the agenda.
    pub(super) fn go_wrong(&mut self, fault: Fault) {
        let mean = match fault {
            Fault::Hardware => self.weather.hardware,
            Fault::Operator => self.weather.operator,
            Fault::Clients => self.weather.clients,
            Fault::Ports => self.weather.ports,
            Fault::Panic => self.weather.panics,
            Fault::Part => self.weather.parts,
            Fault::Death => self.weather.death,
            Fault::Starve => self.weather.starves,
        };
        let Some(mean) = mean else { return };
        match fault {
            Fault::Hardware => self.move_hardware(),
            Fault::Ports => self.listen_elsewhere(),
            Fault::Starve => self.starve_somebody(),
            // It is not killed in the moment in which it begins.
            Fault::Death if self.now > super::Moment::default() => self.kill_daemon_or_a_thread(),
            Fault::Operator if self.daemon == Daemon::Up => self.say_something(),
            // Before anything runs there is nobody to ask.
            Fault::Clients if self.daemon == Daemon::Up && self.now > super::Moment::default() => self.many_ask(),
            Fault::Panic if self.daemon == Daemon::Up => self.doom_somebody(),
            Fault::Part if self.daemon == Daemon::Up => self.a_part_panics(),
            Fault::Death | Fault::Operator | Fault::Clients | Fault::Panic | Fault::Part => {}
        }
        self.agenda.put(self.now + self.random.wait(mean), Due::Fault(fault));
    }
}
