//! That only those are looked at again whom a message concerns changes nothing: after each message all is as if everybody had been.

use mainstay_config::model::PortNeed;

use super::*;
use crate::lease::queue::Queue;
use crate::message::lease_table::LeaseNews;

impl Bench {
    /// Looks at everybody once more, and shows everything once more: nothing may come of it.
    pub(super) fn is_as_if_all_had_been_looked_at(&self) {
        let mut machine = self.machine.clone();
        machine.queue.unsettle();
        let mut out = Vec::new();
        machine.settle(Moment::default(), &mut out);
        assert!(out.is_empty(), "was not looked at again: {out:?}");
        machine.publish_all(&mut out);
        let mut shown = LeaseTable::default();
        for effect in out {
            if let Effect::Publish(Publication::Leases(news)) = effect {
                shown.take_in(news);
            }
        }
        assert_eq!(shown.snapshot(), self.shown.snapshot());
        let without: Vec<Holder> = self.machine.queue.iter().map(|queued| queued.request.holder.clone()).collect();
        without.iter().for_each(|holder| assert!(machine.queue.remove(holder).is_some()));
        machine.queue.take_wishes();
        assert_eq!(
            format!("{:?}", machine.queue),
            format!("{:?}", Queue::default()),
            "something is left of who waited"
        );
    }
}

fn numbered(number: u16) -> Want {
    Want::Port { name: port("web"), need: PortNeed::Fixed(number.try_into().unwrap()), address: None }
}

/// Who would be looked at again.
fn looked_at(bench: &Bench, message: LeaseMessage) -> Vec<String> {
    let mut machine = bench.machine.clone();
    machine.take(Moment::default(), message);
    std::iter::from_fn(|| machine.queue.take_unsettled()).map(|(rank, _)| rank.holder.to_string()).collect()
}

#[test]
fn a_message_makes_only_those_be_looked_at_and_shown_whom_it_concerns() {
    let mut bench = Bench::new();
    bench.ask("a", vec![exclusive("x")]).ask("b", vec![exclusive("x")]).ask("c", vec![exclusive("x"), exclusive("y")]);
    for number in 9000..9050 {
        bench.ask(&format!("s{number}"), vec![numbered(number)]).seen(&[]);
    }
    let asked = || request("z", vec![numbered(8999)]);
    assert_eq!(looked_at(&bench, LeaseMessage::Request(asked())), ["z"]);
    assert!(looked_at(&bench, LeaseMessage::Idle(name("s9007").into())).is_empty());
    assert_eq!(looked_at(&bench, LeaseMessage::Idle(name("a").into())), ["b", "c"]);
    assert_eq!(looked_at(&bench, LeaseMessage::DeviceAvailable(device_name("y"), offer("y", 2))), ["c"]);
    bench.ask("z", vec![numbered(8999)]);
    let seen = LeaseMessage::PortsSeen(bench.looking().unwrap(), Ok(BTreeMap::new()));
    assert_eq!(looked_at(&bench, seen.clone()), ["z"]);
    let shown = bench.machine.handle(Moment::default(), seen).into_iter().filter_map(|effect| match effect {
        Effect::Publish(Publication::Leases(news)) => Some(news),
        _ => None,
    });
    assert!(matches!(&shown.collect::<Vec<_>>()[..], [LeaseNews::Of(shown)] if shown.holder.is(&name("z"))));
}
