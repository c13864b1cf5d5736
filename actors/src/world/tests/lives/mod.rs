//! Lives in which much happens to few: somebody panics, or lags, just when something else is under way. What a storm reaches by rare
//! chance is tried here again and again, judged by every checker as in a storm.

mod haunting;
mod scripts;
mod stations;

use std::collections::BTreeSet;
use std::time::Duration;

use self::haunting::Haunt;
use crate::world::coverage::Mark;
use crate::world::faults::Weather;
use crate::world::{Random, World};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// So many lives of each story has every seed.
pub(super) const LIVES: u64 = 4;

/// What such a life is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Services stop and start while those lag who give them what they need.
    Lag,
    /// Dependents outlive SIGKILL, while what they depend on ends, fails, and starts again.
    Stuck,
    /// The same, while everything closes down.
    StuckAtTheEnd,
    /// Devices come and go, weak ones and strange ones, and are ejected and admitted.
    Devices,
    /// Radios are renamed, and pulled out, while their users end.
    Radios,
}

impl Story {
    pub(super) const ALL: [Self; 5] = [Self::Lag, Self::Stuck, Self::StuckAtTheEnd, Self::Devices, Self::Radios];

    fn weather(self) -> Weather {
        let base = Weather {
            lag: Some(SECOND),
            overload: 300,
            parts: None,
            clients: None,
            hardware: None,
            operator: None,
            panics: None,
            starves: None,
            // One that has given up is started again.
            death: Some(SECOND * 100_000),
            ..Weather::rough()
        };
        let seconds = |seconds: u32| Some(SECOND * seconds);
        match self {
            Self::Lag => Weather {
                crash: seconds(2),
                ends_early: 400,
                births_late: 400,
                spawn_fails: 200,
                stubborn: 300,
                never_ready: 0,
                talks: 500,
                ..base
            },
            Self::Stuck | Self::StuckAtTheEnd => Weather {
                crash: seconds(6),
                stubborn: 700,
                unkillable: 700,
                never_ready: 300,
                loads_hang: 200,
                ends_early: 100,
                ..base
            },
            Self::Devices => {
                Weather { calls_late: 400, calls_hang: 70, access_refused: 400, die_of_loss: 500, crash: None, ..base }
            }
            Self::Radios => Weather {
                die_of_loss: 300,
                crash: seconds(2),
                radio_fails: 200,
                radio_hangs: 50,
                calls_late: 300,
                ..base
            },
        }
    }
}

/// A life of some minutes, in which it is always the same few whom something happens to; of several of a seed, the one with this number.
pub(super) fn haunted_life(story: Story, seed: u64, number: u64) -> BTreeSet<Mark> {
    let mut random = Random::new((seed * LIVES + number) ^ ((story as u64) << 32));
    let station = story.station(&mut random);
    let mut world = World::in_weather(&station, random.bits(), story.weather());
    station.devices.keys().for_each(|name| world.plug(name));
    Haunt::of((story, seed), &station, random).haunt(&mut world);
    world.reached
}
