//! Every state of a device with everything that it can be told.

use super::*;

impl Bench {
    /// A device in each state.
    pub(super) fn states() -> Vec<(&'static str, Self)> {
        let make = |bring: fn(&mut Self)| {
            let mut bench = Self::new();
            bring(&mut bench);
            bench
        };
        vec![
            ("absent", make(|_| {})),
            (
                "settling",
                make(|bench| {
                    bench.ready().tell(gone(1)).tell(DeviceMessage::Seen(sighting(1)));
                }),
            ),
            (
                "checking",
                make(|bench| {
                    bench.tell(DeviceMessage::Seen(sighting(1)));
                }),
            ),
            (
                "probing",
                make(|bench| {
                    bench.tell(DeviceMessage::Seen(sighting(1))).accessible();
                }),
            ),
            (
                "ready",
                make(|bench| {
                    bench.ready();
                }),
            ),
            (
                "in use",
                make(|bench| {
                    bench.ready().tell(leased());
                }),
            ),
            (
                "not opened",
                make(|bench| {
                    bench.tell(DeviceMessage::Seen(sighting(1))).accessible();
                    bench.tell(DeviceMessage::Probed(bench.operation, Err(hung())));
                }),
            ),
            (
                "not tried",
                make(|bench| {
                    bench.tell(DeviceMessage::Seen(sighting(1)));
                    bench.tell(DeviceMessage::Accessible(bench.operation, Err(Error::Simulated(ErrorKind::NotTried))));
                }),
            ),
            (
                "faulted",
                make(|bench| {
                    bench.ready().tell(DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None));
                }),
            ),
            (
                "quarantined",
                make(|bench| {
                    for _ in 0..5 {
                        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
                    }
                    bench.tell(DeviceMessage::Seen(sighting(1)));
                }),
            ),
            (
                "restoring",
                make(|bench| {
                    bench.ready().tell(DeviceMessage::Withheld(Withheld::PuttingBack));
                }),
            ),
            (
                "ejected",
                make(|bench| {
                    bench.ready().tell(DeviceMessage::Eject(RequestId(1)));
                }),
            ),
        ]
    }

    pub(super) fn events(&self) -> Vec<(&'static str, DeviceMessage)> {
        let operation = self.operation;
        vec![
            ("seen again", DeviceMessage::Seen(sighting(1))),
            ("other facts", DeviceMessage::Seen(renamed(1))),
            ("seen anew", DeviceMessage::Seen(sighting(2))),
            ("gone", gone(1)),
            ("another gone", gone(7)),
            ("accessible", DeviceMessage::Accessible(operation, Ok(()))),
            ("not accessible", DeviceMessage::Accessible(operation, Err(hung()))),
            ("found", DeviceMessage::Probed(operation, Ok(Findings::Opened))),
            ("hung", DeviceMessage::Probed(operation, Err(hung()))),
            ("leased", leased()),
            ("unleased", DeviceMessage::Unleased),
            ("restoring", DeviceMessage::Withheld(Withheld::PuttingBack)),
            ("as it was", DeviceMessage::PutBack(None)),
            ("lent", DeviceMessage::Lent(sighting(1).generation)),
            ("fault", DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None)),
            ("eject", DeviceMessage::Eject(RequestId(2))),
            ("admit", DeviceMessage::Admit(RequestId(3))),
            ("settled", DeviceMessage::Timer(DeviceTimer::Settling)),
            ("retry", DeviceMessage::Timer(DeviceTimer::AccessRetry)),
            ("after all", DeviceMessage::Timer(DeviceTimer::LookAfterAll)),
            ("quarantine over", DeviceMessage::Timer(DeviceTimer::Quarantine)),
        ]
    }
}

/// What becomes of every state by every event. `-`: nothing. `*`: the same state, and something is done or said.
const TABLE: &str = "
             seen  other seen  gone  anoth acces not a found hung  lease unlea resto as it lent  fault eject admit settl retry after quara
absent       settl settl settl *     *     -     -     -     -     -     -     -     -     *     -     eject *     -     -     -     -
settling     -     *     *     absen -     -     -     -     -     *     *     *     -     *     fault eject *     *     *     -     -
checking     -     *     *     absen -     probi *     -     -     *     *     *     -     *     fault eject *     -     -     -     -
probing      -     *     settl absen -     -     -     ready fault *     *     *     -     *     fault eject *     -     -     -     -
ready        -     *     settl absen -     -     -     -     -     in us *     settl -     *     fault eject *     -     -     -     -
in use       -     *     settl absen -     -     -     -     -     *     ready settl -     *     fault eject *     -     -     -     -
not opened   settl settl settl absen -     -     -     -     -     *     *     *     -     *     *     eject settl -     -     -     -
not tried    settl settl settl absen -     -     -     -     -     *     *     *     -     *     *     eject settl -     -     settl -
faulted      -     *     settl absen -     -     -     -     -     *     *     *     -     *     *     eject settl -     -     -     -
quarantined  -     *     *     *     -     -     -     -     -     *     *     *     -     *     -     eject settl -     -     -     settl
restoring    -     *     *     absen -     -     -     -     -     in us ready *     ready *     fault eject *     -     -     -     -
ejected      -     *     *     *     -     -     -     -     -     *     *     *     -     *     -     *     settl -     -     -     -
";

/// What becomes of a state by each of these events.
pub(super) fn row(state: &str, bench: &Bench, events: Vec<(&'static str, DeviceMessage)>) -> String {
    let after = |(_, message): (&str, DeviceMessage)| {
        let (acts, told, timers) = (Vec::new(), Vec::new(), Vec::new());
        let mut after = Bench { machine: bench.machine.clone(), acts, told, timers, shown: None, ..*bench };
        after.tell(message);
        let word = match after.outcome {
            Outcome::Ignored | Outcome::Superseded => "-",
            _ if after.status == bench.status => "*",
            _ => after.status.as_str(),
        };
        format!(" {:<5}", cell(word))
    };
    format!("{state:<12}{}", events.into_iter().map(after).collect::<String>())
}

/// The words of the table, cut to the width of its columns.
fn cell(word: &str) -> &str {
    word.get(..5).unwrap_or(word)
}

#[test]
fn every_pair_of_state_and_event_leads_where_the_table_says() {
    let heading = Bench::new().events().into_iter().map(|(event, _)| format!(" {:<5}", cell(event)));
    let mut table = vec![format!("{:<12}{}", "", heading.collect::<String>())];
    for (state, bench) in Bench::states() {
        table.push(row(state, &bench, bench.events()));
    }
    let table: Vec<&str> = table.iter().map(|row| row.trim_end()).collect();
    assert_eq!(table.join("\n"), TABLE.trim_matches('\n'), "the table is now:\n{}", table.join("\n"));
}
