//! How long a follower of traces keeps actors from sending: 1,000 traces that have become quiet at once are taken out of a full recorder.
//! Run it with `cargo bench -p mainstay-actors --bench traces`.

#![allow(missing_docs, clippy::disallowed_methods, reason = "a program that measures real time and prints a figure")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mainstay_actors::message::{ActorId, Moment, Outside};
use mainstay_actors::trace::{ExternalCause, Keeping, Recorder, Sending, TraceId};

const TRACES: usize = 1000;
/// In each trace; together the recorder keeps no more.
const MESSAGES: usize = 8;

fn main() {
    let mut recorder = Recorder::new(Keeping::On);
    let mut traces: Vec<TraceId> = Vec::new();
    for _ in 0..TRACES {
        let cause = recorder.begin(Moment::default(), ExternalCause::Started);
        traces.push(cause.trace);
        for _ in 0..MESSAGES {
            let (from, to) = (Outside::Kernel.into(), ActorId::Leases.into());
            let sending = Sending { cause, from, to, kind: "Gone", detail: &|| "USB 1-1 unplugged".into() };
            recorder.sent(Moment::default(), sending);
        }
    }
    let one_by_one = median(|| traces.iter().filter_map(|trace| recorder.excerpt(*trace)).count());
    let at_once = median(|| recorder.excerpts(&traces).len());
    println!("{TRACES} traces of {MESSAGES} messages: {at_once:?} at once, {one_by_one:?} one by one");
}

fn median(take: impl Fn() -> usize) -> Duration {
    let time = || {
        let begin = Instant::now();
        assert_eq!(black_box(take()), TRACES);
        begin.elapsed()
    };
    let mut times: Vec<Duration> = (0..11).map(|_| time()).collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
