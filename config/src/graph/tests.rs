#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Edge, Graph};
use crate::names::ServiceName;

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

/// `"a>b a~c d"`: a requires b, a wants c, d stands alone.
fn graph(text: &str) -> Graph {
    let mut edges: BTreeMap<ServiceName, BTreeMap<ServiceName, Edge>> = BTreeMap::new();
    for word in text.split_whitespace() {
        let edge = if word.contains('~') { Edge::Optional } else { Edge::Required };
        let mut names = word.split(['>', '~']).map(name);
        let from = names.next().unwrap();
        edges.entry(from.clone()).or_default();
        if let Some(to) = names.next() {
            edges.entry(to.clone()).or_default();
            edges.entry(from).or_default().insert(to, edge);
        }
    }
    Graph { edges }
}

fn words(names: &BTreeSet<ServiceName>) -> String {
    names.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_service_stands_after_all_it_depends_on() {
    let layers = graph("wigle>kismet wigle~gpsd kismet>gpsd web").layers().unwrap();
    let layers: Vec<String> = layers.into_iter().map(|layer| words(&layer.into_iter().collect())).collect();
    assert_eq!(layers, ["gpsd web", "kismet", "wigle"]);
}

#[test]
fn a_cycle_is_spelled_out_from_its_first_name() {
    let cycles = graph("c>a b~c a>b x>a a>y").layers().unwrap_err();
    assert_eq!(cycles.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a → b → c → a"]);
}

#[test]
fn cycles_that_share_a_service_are_all_found() {
    let cycles = graph("a>b b>a a>c c>a d>e e>d a>d").cycles();
    let mut spelled: Vec<String> = cycles.iter().map(ToString::to_string).collect();
    spelled.sort();
    assert_eq!(spelled, ["a → b → a", "a → c → a", "d → e → d"]);
}

#[test]
fn cycles_that_overlap_are_all_found() {
    let spelled = |text| graph(text).cycles().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(spelled("a>b b>a b>c c~a"), ["a → b → a", "a → b → c → a"]);
    assert_eq!(spelled("a>b b>c c>a c>b"), ["a → b → c → a", "b → c → b"]);
}

#[test]
fn a_cycle_of_many_services_is_spelled_with_its_way_back() {
    let ring = |last: u8| -> String { (b'a'..last).map(|c| format!("{}>{} ", c as char, (c + 1) as char)).collect() };
    let spelled = |text: &str| graph(text).cycles().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(spelled(&format!("{}z>a", ring(b'z'))), ["a → b → c → d → e → … → z → a"]);
    assert_eq!(spelled(&format!("{}g>a", ring(b'g'))), ["a → b → c → d → e → f → g → a"]);
}

#[test]
fn a_service_that_depends_on_itself_is_a_cycle() {
    assert_eq!(graph("a>a").cycles().first().unwrap().to_string(), "a → a");
}

fn any_graph() -> impl Strategy<Value = Graph> {
    proptest::collection::vec((0u8..12, 0u8..12), 0..40)
        .prop_map(|pairs| graph(&pairs.iter().map(|(a, b)| format!("s{a}>s{b}")).collect::<Vec<_>>().join(" ")))
}

proptest! {
    #[test]
    fn a_graph_has_either_an_order_or_a_cycle(graph in any_graph()) {
        match graph.layers() {
            Ok(layers) => {
                prop_assert!(graph.cycles().is_empty());
                let place = |name: &ServiceName| layers.iter().position(|layer| layer.contains(name));
                prop_assert!(graph.all().all(|(from, to, _)| place(from) > place(to)));
                prop_assert_eq!(layers.iter().map(Vec::len).sum::<usize>(), graph.edges.len());
            }
            Err(cycles) => {
                prop_assert!(!cycles.is_empty());
                for cycle in &cycles {
                    let real = |(from, to)| graph.edges.get(from).is_some_and(|edges| edges.contains_key(to));
                    prop_assert!(cycle.edges().all(real));
                }
                // Without the edges that were told, there is an order.
                prop_assert!(graph.without(&cycles).layers().is_ok());
            }
        }
    }
}
