//! Who is attended to at the same time. Pure.
//!
//! Whoever connects and says nothing costs a seat, so seats are bounded, for one user below what there are for all; and where there is
//! none, whoever has said nothing for longest makes room. Root, and the daemon's own user, always get in.

use std::collections::BTreeMap;

/// How far a caller has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Its question has not arrived.
    Asking,
    /// It is told of traces until it has enough.
    Following,
    /// It is being answered.
    Answering,
}

/// A seat; a later one has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeatId(u64);

/// How many seats there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// For all together.
    pub(super) all: usize,
    /// For each user who is not one of the `first`.
    pub(super) each: usize,
    /// Users who always get in.
    pub(super) first: [u32; 2],
}

#[derive(Debug)]
struct Seat<T> {
    uid: u32,
    phase: Phase,
    caller: T,
}

/// All seats that are taken. `T` is what the caller is told by that it has to go.
#[derive(Debug)]
pub(super) struct Seats<T> {
    bounds: Bounds,
    taken: BTreeMap<SeatId, Seat<T>>,
    next: u64,
}

/// Whether a caller has a seat.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission<T> {
    /// It has; this one had to go.
    Seat(SeatId, Option<T>),
    /// It has not.
    Full,
}

impl<T> Seats<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, taken: BTreeMap::new(), next: 0 }
    }

    /// A caller comes.
    pub(super) fn admit(&mut self, uid: u32, caller: T) -> Admission<T> {
        let is_first = self.bounds.first.contains(&uid);
        let own = self.taken.values().filter(|seat| seat.uid == uid).count();
        let gone = if !is_first && own >= self.bounds.each {
            self.longest(|seat| seat.uid == uid && seat.phase == Phase::Asking)
        } else if self.taken.len() >= self.bounds.all {
            self.who_makes_room(is_first)
        } else {
            return Admission::Seat(self.sit(uid, caller), None);
        };
        match gone.and_then(|id| self.taken.remove(&id)) {
            Some(gone) => Admission::Seat(self.sit(uid, caller), Some(gone.caller)),
            None => Admission::Full,
        }
    }

    /// For one of the first somebody always does.
    fn who_makes_room(&self, is_first: bool) -> Option<SeatId> {
        let others = |seat: &Seat<T>| !self.bounds.first.contains(&seat.uid);
        let idle = self.longest(|seat| others(seat) && seat.phase == Phase::Asking);
        if !is_first {
            return idle;
        }
        let phases = [Phase::Asking, Phase::Following, Phase::Answering];
        idle.or_else(|| phases.iter().find_map(|phase| self.longest(|seat| seat.phase == *phase)))
    }

    fn longest(&self, so: impl Fn(&Seat<T>) -> bool) -> Option<SeatId> {
        self.taken.iter().find(|(_, seat)| so(seat)).map(|(id, _)| *id)
    }

    fn sit(&mut self, uid: u32, caller: T) -> SeatId {
        let id = SeatId(self.next);
        self.next = self.next.wrapping_add(1);
        self.taken.insert(id, Seat { uid, phase: Phase::Asking, caller });
        id
    }

    /// A caller has come further.
    pub(super) fn reach(&mut self, id: SeatId, phase: Phase) {
        if let Some(seat) = self.taken.get_mut(&id) {
            seat.phase = phase;
        }
    }

    /// A caller goes.
    pub(super) fn leave(&mut self, id: SeatId) {
        self.taken.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    const PI: u32 = 1000;
    const ANNA: u32 = 1001;

    fn seats() -> Seats<&'static str> {
        Seats::new(Bounds { all: 4, each: 2, first: [0, 500] })
    }

    #[track_caller]
    fn seated(admission: Admission<&'static str>) -> (SeatId, Option<&'static str>) {
        match admission {
            Admission::Seat(id, gone) => (id, gone),
            Admission::Full => panic!("no seat"),
        }
    }

    #[test]
    fn whoever_says_nothing_makes_room_for_the_same_users_next_command() {
        let mut seats = seats();
        let (first, _) = seated(seats.admit(PI, "1"));
        assert_eq!(seated(seats.admit(PI, "2")).1, None);
        seats.reach(first, Phase::Answering);
        assert_eq!(seated(seats.admit(PI, "3")).1, Some("2"));
        assert_eq!(seated(seats.admit(ANNA, "4")).1, None, "there is room for others");
        let (third, _) = seated(seats.admit(PI, "5"));
        seats.reach(third, Phase::Answering);
        assert_eq!(seats.admit(PI, "6"), Admission::Full, "two of his are being answered");
        seats.leave(first);
        assert_eq!(seated(seats.admit(PI, "7")).1, None);
    }

    #[test]
    fn when_all_seats_are_taken_the_longest_silent_of_the_others_goes() {
        let mut seats = seats();
        for (uid, name) in [(0, "root"), (PI, "1"), (PI, "2"), (ANNA, "3")] {
            assert_eq!(seated(seats.admit(uid, name)).1, None);
        }
        assert_eq!(seated(seats.admit(ANNA, "4")).1, Some("1"), "nobody drives root out");
        assert_eq!(seated(seats.admit(0, "root again")).1, Some("2"));
    }

    #[test]
    fn the_newest_request_of_root_always_gets_in() {
        let mut seats = seats();
        for (name, phase) in
            [("1", Phase::Answering), ("2", Phase::Following), ("3", Phase::Answering), ("4", Phase::Asking)]
        {
            let (id, _) = seated(seats.admit(0, name));
            seats.reach(id, phase);
        }
        for gone in ["4", "2", "1", "3"] {
            let (id, left) = seated(seats.admit(500, "new"));
            assert_eq!(left, Some(gone));
            seats.reach(id, Phase::Answering);
        }
        assert_eq!(seats.admit(PI, "5"), Admission::Full);
        for _ in 0..1000 {
            seated(seats.admit(0, "silent"));
        }
        assert_eq!(seats.taken.len(), 4);
    }
}
