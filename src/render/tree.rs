//! Which message stands below which, and the lines that are drawn before it.

use std::collections::HashMap;

use mainstay_actors::view::MessageView;

/// Deeper than this the outer guide lines are left away and the depth is written instead, so that room is left for
/// words.
const GUIDES: usize = 10;
/// Before a message that alone follows from the one above it: a long chain of causes goes down the page, not across.
const FOLLOWS: &str = "↳ ";

/// One message in the order of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its place in the list of messages.
    pub(super) index: usize,
    /// Drawn before its first line: `│  ├─ `, or `│  ↳ ` when it alone follows from the message above.
    pub(super) first: String,
    /// Drawn before its further lines: `│  │  `.
    pub(super) next: String,
}

/// The messages as a tree, depth first, in the order they were sent. A message whose parent is not there before it (it
/// is no longer kept) stands at the root. Every message appears exactly once, whatever the parents say.
pub(super) fn branches(messages: &[MessageView]) -> Vec<Branch> {
    let (roots, children) = arrange(messages);
    let mut found = Vec::with_capacity(messages.len());
    // A stack of our own: a chain of causes may be longer than the thread's stack is deep.
    let mut open: Vec<(usize, Guides)> = Vec::new();
    push_siblings(&mut open, &roots, &Guides::default());
    while let Some((index, guides)) = open.pop() {
        let below = children.get(index).map_or(&[][..], Vec::as_slice);
        found.push(Branch { index, first: guides.first(), next: guides.next(below.len()) });
        match below {
            [only] => open.push((*only, guides.following())),
            several => push_siblings(&mut open, several, &guides),
        }
    }
    found
}

/// The roots, and for each message its children, as places in the list.
fn arrange(messages: &[MessageView]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut roots = Vec::new();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); messages.len()];
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (index, message) in messages.iter().enumerate() {
        let parent = message.parent.and_then(|id| seen.get(&id).copied());
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(index),
            None => roots.push(index),
        }
        seen.insert(message.id, index);
    }
    (roots, children)
}

/// Puts siblings on the stack so that the first is taken first.
fn push_siblings(open: &mut Vec<(usize, Guides)>, siblings: &[usize], above: &Guides) {
    for (nth, &index) in siblings.iter().enumerate().rev() {
        let place = if nth + 1 == siblings.len() { Place::Last } else { Place::Between };
        open.push((index, above.below(place)));
    }
}

/// Whether siblings follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Last,
}

/// How a message hangs below the one that caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hangs {
    /// On a branch of its own, beside siblings.
    Branch,
    /// Right below it, for it has no sibling.
    Following,
}

/// For each level of branches, the innermost last and at most [`GUIDES`] of them, whether siblings follow.
#[derive(Debug, Clone)]
struct Guides {
    depth: usize,
    levels: Vec<Place>,
    hangs: Hangs,
}

impl Default for Guides {
    fn default() -> Self {
        Self { depth: 0, levels: Vec::new(), hangs: Hangs::Branch }
    }
}

impl Guides {
    fn below(&self, place: Place) -> Self {
        let skip = self.levels.len().saturating_sub(GUIDES - 1);
        let levels = self.levels.iter().skip(skip).copied().chain([place]).collect();
        Self { depth: self.depth.saturating_add(1), levels, hangs: Hangs::Branch }
    }

    fn following(&self) -> Self {
        Self { hangs: Hangs::Following, ..self.clone() }
    }

    /// How many levels are not drawn, in words, or nothing.
    fn left_away(&self) -> String {
        let hidden = self.depth.saturating_sub(self.levels.len());
        if hidden == 0 { String::new() } else { format!("{hidden}⋯ ") }
    }

    fn lines(levels: &[Place]) -> String {
        levels.iter().map(|place| if *place == Place::Last { "   " } else { "│  " }).collect()
    }

    fn first(&self) -> String {
        if self.hangs == Hangs::Following {
            return self.left_away() + &Self::lines(&self.levels) + FOLLOWS;
        }
        match self.levels.split_last() {
            Some((Place::Last, outer)) => self.left_away() + &Self::lines(outer) + "└─ ",
            Some((Place::Between, outer)) => self.left_away() + &Self::lines(outer) + "├─ ",
            None => String::new(),
        }
    }

    fn next(&self, children: usize) -> String {
        let margin = " ".repeat(self.left_away().chars().count());
        let down = if children > 1 { "│  " } else { "   " };
        margin + &Self::lines(&self.levels) + down
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn message(id: u64, parent: Option<u64>) -> MessageView {
        MessageView {
            id,
            parent,
            from: String::new(),
            to: String::new(),
            kind: String::new(),
            detail: String::new(),
            sent: String::new(),
            handled: None,
            outcome: String::new(),
        }
    }

    #[test]
    fn children_hang_below_their_parent() {
        let messages = [message(1, None), message(2, Some(1)), message(3, Some(1)), message(4, Some(2))];
        let found = branches(&messages);
        let drawn: Vec<(usize, &str)> = found.iter().map(|branch| (branch.index, branch.first.as_str())).collect();
        assert_eq!(drawn, [(0, "└─ "), (1, "   ├─ "), (3, "   │  ↳ "), (2, "   └─ ")]);
        assert_eq!(found[0].next, "   │  ");
        assert_eq!(found[1].next, "   │     ");
        assert_eq!(found[2].next, "   │     ");
    }

    #[test]
    fn a_very_long_chain_of_causes_goes_down_the_page() {
        let messages: Vec<MessageView> = (0..50_000).map(|id| message(id, id.checked_sub(1))).collect();
        let found = branches(&messages);
        assert_eq!(found.len(), 50_000);
        assert!(found.iter().skip(1).all(|branch| branch.first == "   ↳ "));
    }

    #[test]
    fn many_branches_within_branches_stay_on_the_page() {
        let parent = |id: u64| if id % 2 == 1 { id.checked_sub(1) } else { id.checked_sub(2) };
        let messages: Vec<MessageView> = (0..100).map(|id| message(id, parent(id))).collect();
        let found = branches(&messages);
        assert_eq!(found.len(), 100);
        assert!(found.iter().all(|branch| branch.first.chars().count() < 40));
        assert!(found.iter().any(|branch| branch.first.contains('⋯')));
    }

    proptest! {
        #[test]
        fn every_message_appears_exactly_once(
            parents in proptest::collection::vec(proptest::option::of(0u64..20), 0..20),
        ) {
            let messages: Vec<MessageView> =
                parents.iter().enumerate().map(|(id, parent)| message(id as u64, *parent)).collect();
            let mut places: Vec<usize> = branches(&messages).into_iter().map(|branch| branch.index).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..messages.len()).collect::<Vec<_>>());
        }
    }
}
