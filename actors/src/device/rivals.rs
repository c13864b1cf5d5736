//! Several pieces of hardware that fit one configured device: said, and left to the operator.

use super::flap::Verdict;
use super::machine::{DeviceMachine, Mending, Out, State};
use crate::inventory::InventoryMessage;
use crate::machine::{Effect, Message, Moment, OperatorAnswer, Outcome, RequestId};

/// Pieces that are named in a sentence; more are counted.
const NAMED_MAX: usize = 3;

/// A piece of hardware that fits a configured device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is, in words.
    pub what: String,
    /// The `match` that would mean it alone.
    pub matching: String,
}

/// Pieces of hardware that fit one configured device beside the one it was taken to be; where none was taken, they are why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rivals {
    /// What it was taken to be, when it fitted alone or was there first.
    pub taken: Option<Piece>,
    /// The others, at least one.
    pub others: Vec<Piece>,
}

impl Rivals {
    /// What is the matter, in words.
    pub(super) fn words(&self) -> String {
        let pieces = listed(&self.others, |piece| piece.what.clone());
        match (&self.taken, self.others.len()) {
            (Some(_), _) => format!("this fits it as well, and is left alone: {pieces}"),
            (None, 1) => format!("not taken unasked, since another that fits it was there as well: {pieces}"),
            (None, count) => format!("{count} pieces of hardware fit it, and none is taken: {pieces}"),
        }
    }

    /// What to do about it, in one sentence without its full stop.
    pub(super) fn cure(&self, name: &str) -> String {
        let give = format!("give [hardware.{name}] its own `match` and start mainstay again");
        let matches = listed(&self.others, |piece| piece.matching.clone());
        match (&self.taken, self.others.len()) {
            (Some(taken), _) => format!("To tell them apart {give}: {}", taken.matching),
            (None, 1) => format!("Say `mainstay admit {name}` if it is meant; for good, {give}: {matches}"),
            (None, _) => {
                format!("Unplug what is not meant and say `mainstay admit {name}`; for good, {give}: {matches}")
            }
        }
    }
}

fn listed(pieces: &[Piece], words: impl Fn(&Piece) -> String) -> String {
    let mut named: Vec<String> = pieces.iter().take(NAMED_MAX).map(words).collect();
    let more = pieces.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join("; or ")
}

impl DeviceMachine {
    /// Others fit it as well.
    pub(super) fn has_rivals(&mut self, now: Moment, rivals: Rivals) -> Out {
        let is_taken = rivals.taken.is_some();
        let words = rivals.words();
        let mut out = if is_taken || self.sighting.is_none() {
            Vec::new()
        } else {
            // Nothing was unplugged: it does not count as one that comes and goes.
            self.leave(now, &words, Verdict::Fine)
        };
        self.rivals = Some(rivals);
        if !is_taken && !self.is_out_of_use() {
            self.state = self.undecided();
            // Whoever used it hears the reason, and not that it is gone.
            out.retain(|effect| !matches!(effect, Effect::Tell(Message::Leases(_))));
            out.push(self.restated());
        }
        out
    }

    /// The operator says that what fits it is meant.
    pub(super) fn admit_only(&self, request: RequestId) -> Out {
        let name = &self.spec.name;
        match &self.rivals {
            Some(rivals) if rivals.others.len() > 1 => {
                let (words, help) = (format!("{name}: {}", rivals.words()), Some(rivals.cure(name.as_str())));
                vec![Effect::Answer(OperatorAnswer { request, outcome: Outcome::Refused, words, help })]
            }
            _ => vec![
                Effect::Tell(Message::Hardware(InventoryMessage::Admitted(name.clone()))),
                Effect::Answer(OperatorAnswer {
                    request,
                    outcome: Outcome::Handled,
                    words: format!("{name}: what fits it is taken"),
                    help: None,
                }),
            ],
        }
    }

    /// What fitted it as well is gone, or is somebody else's.
    pub(super) fn has_no_rivals(&mut self) -> Out {
        let undecided = self.is_undecided();
        self.rivals = None;
        if undecided {
            self.state = State::Absent { reason: "gone (nothing that fits it is there any more)".to_owned() };
            return vec![self.restated()];
        }
        Vec::new()
    }

    /// What it is when nothing was taken for it: absent, or one of several.
    pub(super) fn undecided(&self) -> State {
        match &self.rivals {
            Some(rivals) if rivals.taken.is_none() => {
                State::Faulted { reason: rivals.words(), mending: Mending::Choice }
            }
            _ => State::Absent { reason: "not plugged in".to_owned() },
        }
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.state, State::Faulted { mending: Mending::Choice, .. })
    }
}
