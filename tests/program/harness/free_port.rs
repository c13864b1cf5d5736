//! Ports on which nobody listens, below the range from which the kernel takes ports of its own accord.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// One that this run of the tests has not given away before.
pub(crate) fn free_port() -> u16 {
    // Other runs of the tests may be under way, begun just before this one: begin far from them.
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (begin.wrapping_mul(997) % COUNT + nth) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Two that follow each other; the first of them.
pub(crate) fn free_ports() -> u16 {
    loop {
        let first = free_port();
        if free_port() == first + 1 {
            return first;
        }
    }
}
