//! Different numbers for all ports of one service: a matching of needs to numbers. `check` finds out with it whether there are
//! enough; the lease registry, which to give.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::PortNeed;

/// Needs that cannot all have a number of their own.
#[derive(Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The need that got none, by its place among the needs.
    pub last: usize,
    /// All that want the same few numbers, `last` among them.
    pub needs: BTreeSet<usize>,
    /// The numbers there are for them: fewer than the needs.
    pub numbers: BTreeSet<u16>,
}

/// Which need gets which number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The needs that got one, by number; a need is meant by its place.
    pub given: BTreeMap<u16, usize>,
    /// What could not be given.
    pub shortages: Vec<Shortage>,
}

/// Gives each need a number of its own out of those that `may_have` allows it, the preferred one where that is possible, by
/// augmenting paths.
///
/// A search ends at the first number that nobody has, so that the length of the ranges does not matter; the work grows
/// with the third power of the number of needs.
pub fn choose(needs: &[PortNeed], may_have: impl Fn(PortNeed, u16) -> bool) -> Choice {
    let mut choice = Choice::default();
    for last in 0..needs.len() {
        let mut tried = BTreeSet::new();
        if !place(last, needs, &may_have, &mut choice.given, &mut tried) {
            let others = tried.iter().filter_map(|number| choice.given.get(number).copied());
            let needs = others.chain([last]).collect();
            choice.shortages.push(Shortage { last, needs, numbers: tried });
        }
    }
    choice
}

/// Finds a number for one need, moving the holders of numbers to others where that helps.
fn place(
    at: usize,
    needs: &[PortNeed],
    may_have: &impl Fn(PortNeed, u16) -> bool,
    given: &mut BTreeMap<u16, usize>,
    tried: &mut BTreeSet<u16>,
) -> bool {
    let Some(need) = needs.get(at).copied() else { return false };
    let allowed = || numbers(need).filter(|number| may_have(need, *number));
    if let Some(free) = allowed().find(|number| !given.contains_key(number)) {
        given.insert(free, at);
        return true;
    }
    for number in allowed() {
        if !tried.insert(number) {
            continue;
        }
        let Some(holder) = given.get(&number).copied() else { continue };
        if place(holder, needs, may_have, given, tried) {
            given.insert(number, at);
            return true;
        }
    }
    false
}

/// The numbers that a need can be met with, the preferred one first; that one may be among them twice.
pub fn numbers(need: PortNeed) -> impl Iterator<Item = u16> {
    let (prefer, first, last) = match need {
        PortNeed::Fixed(number) => (number, number, number),
        PortNeed::Range { prefer, first, last } => (prefer, first, last),
    };
    std::iter::once(prefer.get()).chain(first.get()..=last.get())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{PortNeed, Shortage, choose, numbers};

    fn shortages(needs: &[PortNeed]) -> Vec<Shortage> {
        choose(needs, |_, _| true).shortages
    }

    fn range(prefer: u16, first: u16, last: u16) -> PortNeed {
        let number = |n: u16| n.try_into().unwrap();
        PortNeed::Range { prefer: number(prefer), first: number(first), last: number(last) }
    }

    /// Whether every need can have a number, by trying all ways.
    fn by_trying(needs: &[PortNeed], taken: &mut Vec<u16>) -> bool {
        let Some((need, others)) = needs.split_first() else { return true };
        numbers(*need).any(|number| {
            if taken.contains(&number) {
                return false;
            }
            taken.push(number);
            let good = by_trying(others, taken);
            taken.pop();
            good
        })
    }

    #[test]
    fn a_need_with_a_choice_makes_room_for_one_without() {
        assert!(shortages(&[range(80, 80, 81), range(80, 80, 80), range(79, 80, 81)]).is_empty());
    }

    #[test]
    fn a_shortage_names_all_that_want_the_same_numbers() {
        let found = shortages(&[range(80, 80, 81), range(9, 9, 9), range(80, 80, 81), range(81, 80, 81)]);
        let [shortage] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((shortage.last, &shortage.needs), (3, &[0, 2, 3].into()));
        assert_eq!(shortage.numbers, [80, 81].into());
    }

    proptest! {
        #[test]
        fn it_finds_a_way_exactly_when_there_is_one(picks in proptest::collection::vec((1u16..7, 1u16..7, 0u16..3), 0..6)) {
            let needs: Vec<PortNeed> =
                picks.into_iter().map(|(prefer, first, more)| range(prefer, first, first + more)).collect();
            prop_assert_eq!(shortages(&needs).is_empty(), by_trying(&needs, &mut Vec::new()));
        }
    }
}
