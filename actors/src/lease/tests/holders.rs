//! Those who lease something and are no service.

use super::*;
use crate::cause::{Holder, OutsideId};

#[test]
fn somebody_outside_and_mainstay_itself_hold_leases_and_are_waited_for_like_services() {
    for holder in [Holder::Outside(OutsideId(7)), Holder::Mainstay] {
        let mut bench = Bench::new();
        let asked = LeaseRequest { holder: holder.clone(), ..request("a", vec![exclusive("x")]) };
        bench.tell(LeaseMessage::Request(asked));
        let shown = bench.shown.snapshot();
        assert_eq!(shown.held.iter().map(|held| &held.holder).collect::<Vec<_>>(), [&holder]);
        assert!(bench.told.is_empty(), "it has nobody who listens: {:?}", bench.told);
        assert_eq!(bench.device_heard("x"), [format!("Leased: leased by {holder}")]);
        bench.ask("b", vec![exclusive("x")]);
        assert_eq!(bench.heard("b"), [format!("Queued: wait for x: held by {holder}")]);
        bench.unplug("x");
        assert!(bench.told.iter().all(|(_, message)| !matches!(message, ServiceMessage::Revoked(..))));
        let token = shown.held[0].token;
        bench.plug("x", 2).tell(LeaseMessage::Release(holder, token));
        assert_eq!(bench.served(), ["b"]);
    }
}
