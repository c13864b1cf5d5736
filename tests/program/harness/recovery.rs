//! An actor that panics, and its recovery as its messages show it: what the status shows meanwhile is older.

use super::{Station, Trace, until};

impl Station {
    /// Makes an actor panic, and waits until its successor has heard what it must know.
    #[track_caller]
    pub(crate) fn panic(&self, actor: &str) {
        let latest = self.trace(&[]).trace;
        let before = self.traces_from(latest).last().map_or(latest, |trace| trace.trace);
        self.tell(&["panic", actor]);
        let is_it = |trace: &Trace| trace.cause.kind == "panic" && trace.cause.detail.starts_with(actor);
        let panic = until(&format!("{actor} panics"), || self.traces_from(before + 1).find(is_it));
        for (who, kind, times) in self.answers(actor) {
            until(&format!("{who} has heard {kind} {times} times"), || {
                let heard: usize = self.traces_from(panic.trace).map(|trace| trace.handled(kind, who)).sum();
                (heard >= times).then_some(())
            });
        }
    }

    /// The answers from which an actor goes on, who hears them, and how many of each there are.
    fn answers<'a>(&self, actor: &'a str) -> Vec<(&'a str, &'static str, usize)> {
        let services = self.status().services();
        match actor.split_once('/').map_or(actor, |(sort, _)| sort) {
            "service" => vec![(actor, "Begin", 1)],
            "device" => vec![(actor, "Awaited", 1)],
            "leases" => vec![(actor, "Stands", services)],
            "hardware" => vec![(actor, "Scanned", 1)],
            "services" => vec![(actor, "ReturnSlot", services)],
            "root" => vec![(actor, "RestartActor", 1)],
            other => panic!("who are {other}?"),
        }
    }

    /// All traces from this number on.
    fn traces_from(&self, first: u64) -> impl Iterator<Item = Trace> {
        (first..).map_while(|number| {
            let answered = self.ask(&["trace", "--json", &number.to_string()]);
            (answered.code == Some(0)).then(|| serde_json::from_str(&answered.out).unwrap())
        })
    }
}
