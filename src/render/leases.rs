//! `mainstay leases`.

use mainstay_actors::view::LeasesView;

use crate::render::table::{Cell, Row, Table};
use crate::render::{Look, parts, style, time};

/// What is held, and who waits for what.
pub(crate) fn leases(view: &LeasesView, look: &Look) -> String {
    let mut out = String::new();
    if view.leases.is_empty() {
        out.push_str("nothing is leased\n");
    } else {
        parts::leases(&mut out, &view.leases, look);
    }
    if view.queue.is_empty() {
        return out;
    }
    let head = style::HEAD;
    out.push_str(&format!("\n{head}Waiting, first in line first:{head:#}\n"));
    let mut table = Table::new(&["SERVICE", "PRIORITY", "SINCE", "WANTS"]);
    for waiter in &view.queue {
        let cells = vec![
            Cell::new(&waiter.service),
            Cell::new(&waiter.priority.to_string()),
            Cell::new(&time::ago(&waiter.since, look.now)),
            Cell::new(&waiter.wants.join(", ")),
        ];
        let notes = waiter.waiting_for.iter().map(|what| format!("waits for {what}")).collect();
        table.push(Row { cells, notes });
    }
    table.render(&mut out, look.width);
    out
}
