//! What is told of a run: how often, what it is caused by, and what is said again after a panic. Pure: the executor's shell and the
//! world drive it.

use std::collections::BTreeMap;

use mainstay_config::names::ServiceName;

use super::report::RunReport;
use super::status_pace::{Pace, Rest, Turn};
use crate::action::probe::ProbeEvent;
use crate::action::process::{Notification, ProcessEvent, RunId};
use crate::effect::executor::Delivery;
use crate::message::service::ServiceMessage;
use crate::trace::{Cause, ExternalCause};

/// What is known of all runs, as far as it decides what is told.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Telling(BTreeMap<RunId, Box<Account>>);

/// What is known of a run.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Account {
    service: ServiceName,
    pid: Option<u32>,
    cause: Cause,
    /// Whether it was told to end: then its end belongs to the trace of that.
    told_to_end: ToldToEnd,
    /// How often it is told what the service says of itself.
    pace: Pace,
    report: RunReport,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum ToldToEnd {
    No,
    Yes,
}

/// Something to be told to a service.
pub(crate) struct Told {
    /// Why.
    pub delivery: Delivery,
    /// To whom.
    pub service: ServiceName,
    /// What.
    pub message: ServiceMessage,
    /// What it is caused by is to be given to [`Telling::led_to`] of this run.
    pub leads_on: Option<RunId>,
}

/// What is to be done now.
#[derive(Default)]
pub(crate) struct Step {
    /// These are told, one after the other.
    pub told: Vec<Told>,
    /// [`Telling::rested`] is called when this is over.
    pub rest: Option<Rest>,
}

impl Telling {
    /// A run was ordered.
    pub(crate) fn expect(&mut self, run: RunId, service: &ServiceName, cause: Cause) {
        let service = service.clone();
        let (pace, report) = (Pace::default(), RunReport::default());
        // Of each service, the last run is known also when it is over.
        self.0.retain(|known, of| *known == run || of.service != service || !of.report.is_over());
        let known = Account { service, pid: None, cause, told_to_end: ToldToEnd::No, pace, report };
        self.0.entry(run).or_insert_with(|| Box::new(known));
    }

    /// A run was signalled, or is killed.
    pub(crate) fn ordered(&mut self, run: RunId, cause: Cause) {
        if let Some(known) = self.0.get_mut(&run) {
            known.cause = cause;
            if known.told_to_end == ToldToEnd::No {
                known.pace.is_to_stop();
            }
            known.told_to_end = ToldToEnd::Yes;
        }
    }

    /// Something has become of a run.
    pub(crate) fn process(&mut self, run: RunId, event: ProcessEvent) -> Step {
        let Some(known) = self.0.get_mut(&run) else { return Step::default() };
        match event {
            ProcessEvent::Notified(_) if known.report.is_over() => Step::default(),
            ProcessEvent::Notified(said) => match known.pace.heard(said) {
                Turn::Keep => Step::default(),
                Turn::Tell(said) => Step { told: vec![known.tell(run, ProcessEvent::Notified(said))], rest: None },
                Turn::TellAndRest(said) => known.tell_and_rest(run, said),
            },
            event @ ProcessEvent::MainExited { .. } => {
                // What it said last is why it ended.
                let last = known.pace.last().map(|said| known.tell(run, ProcessEvent::Notified(said)));
                Step { told: last.into_iter().chain([known.tell(run, event)]).collect(), rest: None }
            }
            event => Step { told: vec![known.tell(run, event)], rest: None },
        }
    }

    /// The rest of this number is over: what was said meanwhile is told.
    pub(crate) fn rested(&mut self, run: RunId, rest: u32) -> Step {
        let Some(known) = self.0.get_mut(&run) else { return Step::default() };
        known.pace.rested(rest).map_or_else(Step::default, |said| known.tell_and_rest(run, said))
    }

    /// A readiness probe says something of a run.
    pub(crate) fn probe(&mut self, run: RunId, event: ProbeEvent) -> Option<Told> {
        let known = self.0.get_mut(&run).filter(|known| !known.report.is_over())?;
        let message = ServiceMessage::Probe(run, event);
        known.report.note(&message);
        let (delivery, service) = (Delivery::Answer(known.cause), known.service.clone());
        Some(Told { delivery, service, message, leads_on: None })
    }

    /// What was told of a run is what its further news is caused by: that nothing is left of it follows from its end.
    pub(crate) fn led_to(&mut self, run: RunId, cause: Cause) {
        if let Some(known) = self.0.get_mut(&run) {
            known.cause = cause;
        }
    }

    /// The runs that are known, and the number of the rest that lasts.
    #[cfg(any(test, feature = "world"))]
    pub(crate) fn runs(&self) -> Vec<(RunId, u32)> {
        self.0.iter().map(|(run, known)| (*run, known.pace.resting())).collect()
    }

    /// What is said again of a run, and to whom.
    pub(crate) fn again(&self, run: RunId) -> Vec<(ServiceName, ServiceMessage)> {
        let Some(known) = self.0.get(&run) else { return Vec::new() };
        known.report.again(run).into_iter().map(|message| (known.service.clone(), message)).collect()
    }
}

impl Account {
    fn tell_and_rest(&mut self, run: RunId, said: Notification) -> Step {
        let rest = Some(self.pace.rest(&said));
        Step { told: vec![self.tell(run, ProcessEvent::Notified(said))], rest }
    }

    fn tell(&mut self, run: RunId, event: ProcessEvent) -> Told {
        match &event {
            ProcessEvent::Spawned { pid } => self.pid = Some(*pid),
            ProcessEvent::MainExited { remaining, .. } => self.pid = remaining.first().copied().or(self.pid),
            ProcessEvent::Notified(said) => self.pid = said.main_pid.or(self.pid),
            ProcessEvent::LoadsSlowly | ProcessEvent::SpawnFailed(_) | ProcessEvent::TreeGone => {}
        }
        let by_itself = matches!(event, ProcessEvent::MainExited { .. } | ProcessEvent::Notified(_));
        let leads_on = matches!(event, ProcessEvent::MainExited { .. }).then_some(run);
        let delivery = if by_itself && self.told_to_end == ToldToEnd::No {
            Delivery::External(ExternalCause::Process {
                service: self.service.clone(),
                pid: self.pid,
                event: event.clone(),
            })
        } else {
            Delivery::Answer(self.cause)
        };
        let message = ServiceMessage::Process(run, event);
        self.report.note(&message);
        Told { delivery, service: self.service.clone(), message, leads_on }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::action::probe::Sight;
    use crate::action::process::Exit;
    use crate::trace::TraceId;

    const RUN: RunId = RunId(1);
    const ORDERED: Cause = Cause { trace: TraceId(1), message: None };
    const STOPPED: Cause = Cause { trace: TraceId(2), message: None };

    fn telling() -> Telling {
        let mut telling = Telling::default();
        telling.expect(RUN, &ServiceName::new("talker").unwrap(), ORDERED);
        telling
    }

    fn status(words: &str) -> ProcessEvent {
        ProcessEvent::Notified(Notification { status: words.into(), ..Notification::default() })
    }

    fn ended() -> ProcessEvent {
        ProcessEvent::MainExited { exit: Exit::Code(1), remaining: Vec::new() }
    }

    fn trace(step: Step) -> Option<u64> {
        match step.told.last().unwrap().delivery {
            Delivery::Answer(cause) => Some(cause.trace.0),
            Delivery::External(_) => None,
        }
    }

    #[test]
    fn who_ends_by_itself_begins_a_trace_and_who_was_told_to_goes_on_with_the_trace_of_that() {
        let mut telling = telling();
        assert_eq!(trace(telling.process(RUN, ProcessEvent::Spawned { pid: 7 })), Some(1));
        assert_eq!(trace(telling.process(RUN, ended())), None);
        telling.ordered(RUN, STOPPED);
        assert_eq!(trace(telling.process(RUN, ended())), Some(2));
    }

    #[test]
    fn that_nothing_is_left_follows_from_the_end() {
        let mut telling = telling();
        let step = telling.process(RUN, ended());
        assert_eq!(step.told.last().unwrap().leads_on, Some(RUN));
        telling.led_to(RUN, STOPPED);
        assert_eq!(trace(telling.process(RUN, ProcessEvent::TreeGone)), Some(2));
    }

    #[test]
    fn what_is_said_in_a_rest_is_told_after_it_the_last_of_it() {
        let mut telling = telling();
        let rest = telling.process(RUN, status("1")).rest.unwrap();
        for words in ["2", "3"] {
            assert!(telling.process(RUN, status(words)).told.is_empty());
        }
        let step = telling.rested(RUN, rest.number);
        assert!(matches!(&step.told[0].message, ServiceMessage::Process(RUN, last) if *last == status("3")));
        let next = step.rest.expect("another rest has begun");
        assert!(telling.rested(RUN, next.number).told.is_empty());
    }

    #[test]
    fn what_is_said_in_a_rest_is_told_before_the_end_that_it_explains() {
        let mut telling = telling();
        for words in ["1", "2", "no licence"] {
            telling.process(RUN, status(words));
        }
        let told: Vec<_> = telling.process(RUN, ended()).told.into_iter().map(|told| told.message).collect();
        let [ServiceMessage::Process(RUN, first), ServiceMessage::Process(RUN, last)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((first, last), (&status("no licence"), &ended()));
        assert!(telling.rested(RUN, 1).told.is_empty(), "it is not told again");
    }

    #[test]
    fn a_run_that_is_over_says_nothing_any_more_and_the_last_one_can_be_told_again() {
        let mut telling = telling();
        for event in [ProcessEvent::Spawned { pid: 7 }, ended(), ProcessEvent::TreeGone] {
            assert_eq!(telling.process(RUN, event).told.len(), 1);
        }
        assert!(telling.process(RUN, status("late")).told.is_empty());
        assert!(telling.probe(RUN, ProbeEvent::Ready(Sight::Logged("late".to_owned()))).is_none());
        assert_eq!(telling.again(RUN).len(), 3);
        telling.expect(RunId(2), &ServiceName::new("talker").unwrap(), ORDERED);
        assert!(telling.again(RUN).is_empty(), "only the last run of a service is known when it is over");
    }

    #[test]
    fn what_is_said_of_a_run_that_nobody_ordered_is_passed_over() {
        let mut telling = Telling::default();
        assert!(telling.process(RUN, ProcessEvent::Spawned { pid: 7 }).told.is_empty());
        assert!(telling.process(RUN, status("1")).told.is_empty());
    }
}
