//! Notification sockets: who is heard, and what garbage does.

use std::os::unix::net::UnixDatagram;

use mainstay_actors::action::process::{Exit, Notification, NotifySocket, ProcessEvent, RunId, Status};
use mainstay_hardware::error::Errno;

use crate::harness::{World, in_a_world, is_gone, order};

fn service(world: &World, run: u64, text: &str) -> RunId {
    let mut order = order(run, &["sh", "-c", text]);
    order.notify = NotifySocket::Provide;
    world.spawn(order)
}

fn said(status: &str) -> ProcessEvent {
    let status = Status::from(status);
    ProcessEvent::Notified(Notification { ready: true, status, ..Notification::default() })
}

#[test]
fn the_main_process_is_heard_even_at_once() {
    in_a_world(async |world| {
        let teller = world.teller("READY=1\nSTATUS=here\nMAINPID=1");
        let run = service(world, 1, &format!("exec {}", teller.display()));
        world.started(run).await;
        assert_eq!(world.next(run).await, said("here"));
        world.has_heard();
        world.to_the_end(run).await;
    });
}

#[test]
fn a_process_of_the_tree_that_left_the_session_is_heard() {
    in_a_world(async |world| {
        let teller = world.teller("READY=1\nSTATUS=from afar");
        let run = service(world, 1, &format!("setsid {} & wait", teller.display()));
        world.started(run).await;
        assert_eq!(world.next(run).await, said("from afar"));
        world.has_heard();
        world.to_the_end(run).await;
    });
}

#[test]
fn a_process_outside_of_the_tree_is_not_heard_and_garbage_harms_nobody() {
    in_a_world(async |world| {
        let teller = world.teller("READY=1\nSTATUS=inside");
        let text = format!(
            "while ! [ -e {0}/go ]; do sleep 0.01; done; exec {1}",
            world.folder.path().display(),
            teller.display()
        );
        let run = service(world, 1, &text);
        world.started(run).await;
        let outsider = UnixDatagram::unbound().unwrap();
        let path = world.path("run/notify/test.sock");
        for datagram in [&b"READY=1\nSTATUS=outside"[..], b"", b"\0\xff=\n\n", &[b'x'; 9000]] {
            outsider.send_to(datagram, &path).unwrap();
        }
        std::fs::write(world.path("go"), "").unwrap();
        assert_eq!(world.next(run).await, said("inside"));
        world.has_heard();
        world.to_the_end(run).await;
        assert!(!path.exists());
    });
}

#[test]
fn a_process_that_has_ended_before_it_could_be_looked_up_is_not_heard() {
    in_a_world(async |world| {
        // It does not wait to be heard.
        world.has_heard();
        let teller = world.teller("READY=1\nSTATUS=in passing");
        let (go, done) = (world.path("go"), world.path("done"));
        let text = format!(
            "while ! [ -e {} ]; do sleep 0.01; done; setsid {}; : > {}; exec sleep 1000",
            go.display(),
            teller.display(),
            done.display()
        );
        let run = service(world, 1, &text);
        world.started(run).await;
        std::fs::write(go, "").unwrap();
        // Nothing is heard on this thread meanwhile: its sender could be anybody.
        while !done.exists() {
            std::thread::yield_now();
        }
        world.processes.sweep(run);
        let events = world.to_the_end(run).await;
        assert!(!events.iter().any(|event| matches!(event, ProcessEvent::Notified(_))), "{events:?}");
    });
}

#[test]
fn a_process_that_joined_the_group_of_a_service_is_not_heard() {
    in_a_world(async |world| {
        let teller = world.teller("READY=1\nSTATUS=inside");
        let run = service(
            world,
            1,
            &format!(
                "while ! [ -e {}/go ]; do sleep 0.01; done; exec {}",
                world.folder.path().display(),
                teller.display()
            ),
        );
        let main = world.started(run).await;
        let forger = world.forger("READY=1\nSTATUS=forged", main);
        let mut order = order(2, &["sh", "-c", &format!("{} & wait", forger.display())]);
        order.service = mainstay_config::names::ServiceName::new("other").unwrap();
        let socket = world.path("run/notify/test.sock").to_str().unwrap().to_owned();
        order.program.environment = [("NOTIFY_SOCKET".to_owned(), socket)].into();
        let other = world.spawn(order);
        world.started(other).await;
        world.file("said", |text| !text.is_empty()).await;
        std::fs::write(world.path("go"), "").unwrap();
        assert_eq!(world.next(run).await, said("inside"));
        world.has_heard();
        world.to_the_end(run).await;
        world.to_the_end(other).await;
    });
}

/// A service whose main process ends with 3 when its helper has said `text`; the helper ends with 0.
fn into_the_background(world: &World, text: &str) -> RunId {
    let teller = world.teller(text);
    let said = world.path("said");
    service(
        world,
        1,
        &format!("setsid {} & while ! [ -e {} ]; do sleep 0.01; done; exit 3", teller.display(), said.display()),
    )
}

#[test]
fn a_main_process_that_names_another_one_in_its_place_may_end() {
    in_a_world(async |world| {
        let run = into_the_background(world, "READY=1\nSTATUS=here\nMAINPID={pid}");
        let first = world.started(run).await;
        assert_eq!(world.next(run).await, said("here"));
        let ProcessEvent::Notified(Notification { main_pid: Some(pid), .. }) = world.next(run).await else { panic!() };
        while !is_gone(first) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(!is_gone(pid) && pid != first);
        world.has_heard();
        let exited = ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![] };
        assert_eq!(world.to_the_end(run).await, [exited, ProcessEvent::TreeGone]);
    });
}

#[test]
fn a_process_that_is_none_of_the_service_does_not_become_its_main_process() {
    in_a_world(async |world| {
        let run = into_the_background(world, &format!("READY=1\nSTATUS=here\nMAINPID={}", std::process::id()));
        world.started(run).await;
        assert_eq!(world.next(run).await, said("here"));
        let event = world.next(run).await;
        assert!(matches!(event, ProcessEvent::MainExited { exit: Exit::Code(3), .. }), "{event:?}");
        world.has_heard();
        world.to_the_end(run).await;
    });
}

#[test]
fn a_main_process_that_had_named_another_one_can_take_its_place_again() {
    in_a_world(async |world| {
        let (other, itself) = (world.teller("MAINPID={pid}"), world.teller("MAINPID={pid}"));
        let run = service(world, 1, &format!("{} & sleep 0.5; exec {}", other.display(), itself.display()));
        let first = world.started(run).await;
        for expected_first in [false, true] {
            let ProcessEvent::Notified(Notification { main_pid: Some(pid), .. }) = world.next(run).await else {
                panic!()
            };
            assert_eq!(pid == first, expected_first, "{pid} of {first}");
        }
        world.has_heard();
        world.to_the_end(run).await;
    });
}

#[test]
fn a_process_that_has_ended_does_not_become_the_main_process() {
    in_a_world(async |world| {
        // The shell does not wait for its child: what it is replaced by has it, dead, and names it.
        let teller = world.teller("READY=1\nSTATUS=here\nMAINPID={env:DEAD}");
        let until_dead = "while read -r line < /proc/$DEAD/stat; do case $line in *') Z '*) break;; esac; done";
        let script = format!("(exit 0) & export DEAD=$!; {until_dead}; exec {}", teller.display());
        let run = service(world, 1, &script);
        world.started(run).await;
        assert_eq!(world.next(run).await, said("here"));
        world.has_heard();
        let events = world.to_the_end(run).await;
        assert!(matches!(&events[..], [ProcessEvent::MainExited { .. }, ProcessEvent::TreeGone]), "{events:?}");
    });
}

#[test]
fn what_a_main_process_says_just_before_it_ends_is_heard() {
    in_a_world(async |world| {
        world.has_heard();
        let teller = world.teller("STATUS=no such map\nERRNO=2");
        let run = service(world, 1, &format!("exec {}", teller.display()));
        let main = world.started(run).await;
        // Nothing is heard on this thread meanwhile: what it said and that it has ended are heard of at once.
        while !is_gone(main) {
            std::thread::yield_now();
        }
        let status = Status { words: Some("no such map".into()), errno: Some(Errno(2)), exit: None };
        assert_eq!(world.next(run).await, ProcessEvent::Notified(Notification { status, ..Notification::default() }));
        world.to_the_end(run).await;
    });
}
