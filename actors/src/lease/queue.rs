//! Who waits, in which order, and what is kept for whom.
//!
//! Order: priority, then arrival, then name. A request that waits for an absent device reserves nothing; any other keeps
//! lower ranks from overtaking it on what it wants. It is known of each resource who comes first for it and who waits for it,
//! so that a message makes only those be looked at again whom it concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mainstay_config::model::{PortNeed, Sharing};
use mainstay_config::names::DeviceName;

use super::holding::Users;
use super::preparation::Preparation;
use super::sorted::Sorted;
use crate::action::ports::Listener;
use crate::cause::{Blocker, Holder, Resource};
use crate::message::Moment;
use crate::message::lease::{LeaseRequest, Rank, Want};

/// One request that is not granted yet.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Queued {
    pub(super) request: LeaseRequest,
    /// Since when it waits. Who lost what he had keeps his place in the queue, which he took earlier.
    pub(super) since: Moment,
    pub(super) blockers: Vec<Blocker>,
    pub(super) preparation: Option<Preparation>,
    /// Ports of a range on which somebody else was seen to listen.
    pub(super) foreign: BTreeMap<u16, Listener>,
    /// What could not even be tried to be made ready, or looked at.
    pub(super) untried: Option<Blocker>,
    /// What is kept for it, and why.
    footprint: Footprint,
}

/// Whose turn it is. What is being made ready for somebody is not taken away by somebody who has come since and goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
enum Turn {
    Prepared,
    Waiting,
}

/// What is kept for a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Footprint {
    /// `None` before it is in line.
    turn: Option<Turn>,
    keeps: Vec<(Resource, Sharing)>,
}

/// All who wait.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Queue {
    #[serde(with = "crate::message::pairs")]
    line: BTreeMap<Rank, Queued>,
    #[serde(with = "crate::message::pairs")]
    ranks: BTreeMap<Holder, Rank>,
    /// For whom each resource is kept.
    #[serde(with = "crate::message::pairs")]
    kept: BTreeMap<Resource, Users<(Turn, Rank)>>,
    /// Who is not being served yet, by what he wants.
    #[serde(with = "crate::message::pairs")]
    waiting: BTreeMap<Resource, Sorted<Rank>>,
    /// The same, of those who want a port of a range.
    ranging: Sorted<Rank>,
    /// Who is to be looked at again.
    unsettled: BTreeSet<Rank>,
    /// Devices that more or fewer may wait for than before.
    wished: BTreeSet<DeviceName>,
}

impl LeaseRequest {
    /// What it wants, but for ports of a range.
    fn resources(&self) -> impl Iterator<Item = (Resource, Sharing)> + '_ {
        self.wants.iter().filter_map(Want::resource)
    }

    fn ranges(&self) -> impl Iterator<Item = PortNeed> + '_ {
        self.wants.iter().filter_map(Want::range)
    }

    fn devices(&self) -> impl Iterator<Item = DeviceName> + '_ {
        self.wants.iter().filter_map(|want| match want {
            Want::Device { device, .. } => Some(device.clone()),
            Want::Port { .. } | Want::Other(_) => None,
        })
    }
}

impl Queued {
    pub(super) fn new(request: LeaseRequest, since: Moment) -> Self {
        let (blockers, foreign, footprint) = (Vec::new(), BTreeMap::new(), Footprint::default());
        Self { request, since, blockers, preparation: None, foreign, untried: None, footprint }
    }

    /// What is to be kept for it from lower ranks.
    fn footprint(&self) -> Footprint {
        let turn = if self.preparation.is_some() { Turn::Prepared } else { Turn::Waiting };
        // What could not even be tried is there, and he comes first for it.
        let is_absent =
            |blocker: &Blocker| matches!(blocker, Blocker::Device { .. }) && self.untried.as_ref() != Some(blocker);
        if self.blockers.iter().any(is_absent) {
            return Footprint { turn: Some(turn), keeps: Vec::new() };
        }
        let chosen = self.preparation.iter().flat_map(|preparation| preparation.ports.values());
        let chosen = chosen.map(|port| (Resource::Port(*port), Sharing::Exclusive));
        Footprint { turn: Some(turn), keeps: self.request.resources().chain(chosen).collect() }
    }
}

impl Queue {
    /// What somebody waits for.
    pub(super) fn get(&self, holder: &Holder) -> Option<&Queued> {
        self.line.get(self.ranks.get(holder)?)
    }

    /// All who wait, the first in line first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.line.values()
    }

    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// Somebody begins to wait, who does not yet. What is kept for him is known when he is looked at.
    pub(super) fn insert(&mut self, request: LeaseRequest, since: Moment) {
        let rank = request.rank();
        self.wished.extend(request.devices());
        self.ranks.insert(request.holder.clone(), rank.clone());
        self.unsettled.insert(rank.clone());
        self.line.insert(rank, Queued::new(request, since));
    }

    /// Somebody waits no longer.
    pub(super) fn remove(&mut self, holder: &Holder) -> Option<Queued> {
        let rank = self.ranks.remove(holder)?;
        let mut queued = self.line.remove(&rank)?;
        self.unsettled.remove(&rank);
        self.wished.extend(queued.request.devices());
        self.register(&rank, &mut queued, Footprint::default());
        Some(queued)
    }

    /// Changes what is known of a request; it is looked at again.
    pub(super) fn change(&mut self, holder: &Holder, change: impl FnOnce(&mut Queued)) {
        let Some(rank) = self.ranks.get(holder).cloned() else { return };
        let Some(mut queued) = self.line.remove(&rank) else { return };
        change(&mut queued);
        self.unsettled.insert(rank.clone());
        self.put_back(rank, queued);
    }

    /// The first of those who are to be looked at again. He is put back afterwards.
    pub(super) fn take_unsettled(&mut self) -> Option<(Rank, Queued)> {
        loop {
            let rank = self.unsettled.pop_first()?;
            if let Some(queued) = self.line.remove(&rank) {
                return Some((rank, queued));
            }
        }
    }

    /// He was looked at.
    pub(super) fn put_back(&mut self, rank: Rank, mut queued: Queued) {
        let footprint = queued.footprint();
        self.register(&rank, &mut queued, footprint);
        self.line.insert(rank, queued);
    }

    /// Whether somebody is to be looked at again.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Everybody is to be looked at again.
    pub(super) fn unsettle(&mut self) {
        self.unsettled = self.line.keys().cloned().collect();
    }

    /// Something has changed about a resource: those who wait for it are to be looked at again.
    pub(super) fn touch(&mut self, resource: &Resource) {
        let concerned: Vec<Rank> = self.concerned(resource).cloned().collect();
        self.unsettled.extend(concerned);
    }

    fn concerned(&self, resource: &Resource) -> impl Iterator<Item = &Rank> {
        let by_name = self.waiting.get(resource).into_iter().flat_map(Sorted::iter);
        // A file may have another name.
        let is_file = matches!(resource, Resource::File(_));
        let files = is_file.then(|| self.waiting.range(any_file())).into_iter().flatten();
        let by_name = by_name.chain(files.flat_map(|(_, ranks)| ranks.iter()));
        let port = if let Resource::Port(port) = resource { Some(*port) } else { None };
        let has = |rank: &&Rank, port| self.line.get(*rank).is_some_and(|queued| is_in_a_range(&queued.request, port));
        let by_range = port.into_iter().flat_map(move |port| self.ranging.iter().filter(move |rank| has(rank, port)));
        by_name.chain(by_range)
    }

    /// What is kept for a request is this from now on: those whom that concerns are to be looked at again.
    fn register(&mut self, rank: &Rank, queued: &mut Queued, footprint: Footprint) {
        if queued.footprint == footprint {
            return;
        }
        let before = std::mem::replace(&mut queued.footprint, footprint);
        self.enter(rank, &queued.request, &before, Entry::Out);
        self.enter(rank, &queued.request, &queued.footprint, Entry::In);
        // Who only waits is in nobody's way who comes before him.
        let of_all = [before.turn, queued.footprint.turn].contains(&Some(Turn::Prepared));
        let both = before.keeps.iter().chain(&queued.footprint.keeps).map(|(resource, _)| resource);
        let concerned = both.flat_map(|resource| self.concerned(resource));
        let concerned: Vec<Rank> = concerned.filter(|other| of_all || *other > rank).cloned().collect();
        self.unsettled.extend(concerned.into_iter().filter(|other| other != rank));
    }

    fn enter(&mut self, rank: &Rank, request: &LeaseRequest, footprint: &Footprint, how: Entry) {
        let Some(turn) = footprint.turn else { return };
        for (resource, sharing) in &footprint.keeps {
            let kept = self.kept.entry(resource.clone()).or_default();
            how.enter(kept.of(*sharing), (turn, rank.clone()));
            if kept.is_empty() {
                self.kept.remove(resource);
            }
        }
        if turn == Turn::Prepared {
            return;
        }
        for (resource, _) in request.resources() {
            let waiting = self.waiting.entry(resource.clone()).or_default();
            how.enter(waiting, rank.clone());
            if waiting.is_empty() {
                self.waiting.remove(&resource);
            }
        }
        if request.ranges().next().is_some() {
            how.enter(&mut self.ranging, rank.clone());
        }
    }

    /// Who comes first for a resource, before one of this rank or before one who holds something.
    pub(super) fn first_for(&self, resource: &Resource, sharing: Sharing, before: Option<&Rank>) -> Option<&Holder> {
        let (turn, rank) = self.kept.get(resource)?.first_excluding(sharing, |_| true)?;
        let is_ahead = *turn == Turn::Prepared || before.is_none_or(|before| rank < before);
        is_ahead.then_some(&rank.holder)
    }

    /// Files that are kept for somebody.
    pub(super) fn kept_files(&self) -> impl Iterator<Item = &Resource> {
        self.kept.range(any_file()).map(|(resource, _)| resource)
    }

    /// Files that are kept for somebody who comes before this one.
    pub(super) fn kept_files_before(&self, rank: &Rank) -> impl Iterator<Item = &Resource> {
        let is_before = |users: &Users<(Turn, Rank)>| users.iter().any(|(_, other)| other < rank);
        self.kept.range(any_file()).filter(move |(_, users)| is_before(users)).map(|(resource, _)| resource)
    }

    /// Those for whom files are being made ready.
    pub(super) fn prepared_with_files(&self) -> BTreeSet<Rank> {
        let users = self.kept.range(any_file()).flat_map(|(_, users)| users.iter());
        users.filter(|(turn, _)| *turn == Turn::Prepared).map(|(_, rank)| rank.clone()).collect()
    }

    /// Those for whom a device is being made ready.
    pub(super) fn prepared_with(&self, device: &DeviceName) -> Vec<Holder> {
        let users = self.kept.get(&Resource::Device(device.clone())).into_iter().flat_map(Users::iter);
        users.filter(|(turn, _)| *turn == Turn::Prepared).map(|(_, rank)| rank.holder.clone()).collect()
    }

    /// Whether somebody waits for a device, or it is kept for somebody.
    pub(super) fn is_wished(&self, device: &DeviceName) -> bool {
        let resource = Resource::Device(device.clone());
        self.waiting.contains_key(&resource) || self.kept.contains_key(&resource)
    }

    /// Devices that others wait for than before, and whether anybody does.
    pub(super) fn take_wishes(&mut self) -> Vec<(DeviceName, bool)> {
        let devices = std::mem::take(&mut self.wished);
        let wish = |device: DeviceName| {
            let is_wished = self.is_wished(&device);
            (device, is_wished)
        };
        devices.into_iter().map(wish).collect()
    }
}

/// Into a list, or out of it.
#[derive(Clone, Copy)]
enum Entry {
    In,
    Out,
}

impl Entry {
    fn enter<K: Ord>(self, list: &mut Sorted<K>, key: K) {
        match self {
            Self::In => list.insert(key),
            Self::Out => list.remove(&key),
        }
    }
}

/// Where all files stand among resources, by their order.
pub(super) fn any_file() -> std::ops::Range<Resource> {
    Resource::File(PathBuf::new())..Resource::Named(String::new())
}

fn is_in_a_range(request: &LeaseRequest, port: u16) -> bool {
    request.ranges().any(|need| match need {
        PortNeed::Range { prefer, first, last } => prefer.get() == port || (first.get()..=last.get()).contains(&port),
        PortNeed::Fixed(_) => false,
    })
}
