#![allow(clippy::unwrap_used)]

use rustix::pipe::{PipeFlags, pipe_with};

use mainstay_config::model::Logs;

use super::*;

#[test]
fn an_end_that_is_heard_before_the_pipe_was_taken_is_not_lost() {
    let (ours, theirs) = wire::pair().unwrap();
    let (orders, queue) = channel();
    let is_called = Arc::<AtomicBool>::default();
    let handle = OutputsHandle { socket: Arc::new(ours), orders, is_called: Arc::clone(&is_called) };
    let mut outputs = Outputs::new(theirs, queue, is_called);
    for run in [1, 2, 3] {
        let (output, _) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (service, path) = ("s".to_owned(), "s.log".into());
        let header = Header { run: RunId(run), service, path, logs: Logs { max_size: 1, keep: 1 } };
        handle.hold(header, output.as_fd()).unwrap();
    }
    handle.over(RunId(2));
    outputs.turn();
    assert_eq!(outputs.outputs.keys().collect::<Vec<_>>(), [&RunId(1), &RunId(3)]);
    assert!(outputs.waiting.is_empty(), "there is no keeper to wait for");
}

#[test]
fn room_at_a_keeper_wakes_nobody_who_waits_until_fewer_descriptors_are_under_way() {
    let ((_ours, theirs), (keeper, _other)) = (wire::pair().unwrap(), wire::pair().unwrap());
    let mut outputs = Outputs::new(theirs, channel().1, Arc::default());
    outputs.keeper = Some(Keeper { pid: 7, socket: keeper, reads: State::Quiet });
    assert!(outputs.room(Given::NoRoom).is_some());
    assert!(outputs.room(Given::TooManyUnderWay).is_none(), "it spins");
    let mut pauses = Pauses::default();
    let all: Vec<i64> = (0..40).map(|_| pauses.next().tv_nsec / 1_000_000).collect();
    assert!(all.starts_with(&[1, 2, 4, 8, 16, 32, 50, 50]) && all.ends_with(&[50]), "{all:?}");
}

#[test]
fn an_order_that_comes_while_packets_are_taken_is_heard() {
    let (ours, theirs) = wire::pair().unwrap();
    let (orders, queue) = channel();
    let is_called = Arc::<AtomicBool>::default();
    let handle = OutputsHandle { socket: Arc::new(ours), orders, is_called: Arc::clone(&is_called) };
    let mut outputs = Outputs::new(theirs, queue, is_called);
    let heard = outputs.heard();
    handle.close();
    outputs.serve(heard);
    assert_eq!(outputs.life, Life::Closing, "nothing wakes it any more");
}
