//! What a watch says when, and the probes of commands, files and logs.

use super::*;

fn command() -> Invocation {
    Invocation {
        argv: vec!["check".into(), "--all".into()],
        environment: [("PORT".into(), "2501".into())].into(),
        environment_from: ["LANG".into()].into(),
        user: Some("nobody".into()),
        group: None,
        directory: Some("/opt/kismet".into()),
    }
}

fn exec() -> ProbeTarget {
    ProbeTarget::Exec { service: ServiceName::new("kismet").unwrap(), command: Box::new(command()) }
}

#[test]
fn a_reason_is_said_once_and_ready_ends_the_probe() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let answers = [Ok(Exit::Code(1)), Ok(Exit::Code(1)), Ok(Exit::Signal(9)), Ok(Exit::Code(1)), Ok(Exit::Code(0))];
        bench.commands.answers.borrow_mut().extend(answers);
        bench.watch_for(exec(), 5_000);
        for expected in ["exit code 1", "killed by SIGKILL", "exit code 1"] {
            assert_eq!(bench.hear_not_yet().await, format!("`check --all` ended with {expected}"));
        }
        assert_eq!(bench.hear_sight().await, "`check --all` ended with exit code 0");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(*bench.commands.asked.borrow(), vec![command(); 5]);
        assert!(bench.probes.running.borrow().is_empty());
    });
}

#[test]
fn what_is_seen_is_said_although_the_task_that_looks_panics_over_saying_it() {
    on_actor_thread(async {
        let (say, mut heard) = mpsc::unbounded_channel();
        let commands = Rc::new(PretendedCommands::default());
        commands.answers.borrow_mut().extend([Ok(Exit::Code(1)), Ok(Exit::Code(1))]);
        let stumbles = std::cell::Cell::new(0);
        let probes = Probes::new("/nonexistent".into(), commands, Watched::new().0, move |_, event| {
            // Over the first thing, and over that it is ready.
            stumbles.set(stumbles.get() + 1);
            assert!(![1, 3].contains(&stumbles.get()), "planted");
            say.send(event).unwrap();
        });
        let (timeout, interval) = (Duration::from_secs(5), Duration::from_millis(20));
        let order = ProbeOrder { run: RunId(1), target: exec(), interval, timeout, own: own(&[]) };
        probes.watch(order, LogEnd::default());
        assert!(matches!(heard.recv().await, Some(ProbeEvent::NotYet(_))));
        assert!(matches!(heard.recv().await, Some(ProbeEvent::Ready(_))));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(heard.try_recv().is_err() && probes.running.borrow().is_empty());
    });
}

#[test]
fn a_command_that_fails_to_run_is_a_reason() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let slow = CommandFailure::TooSlow(Duration::from_secs(5));
        let missing = SpawnFailure::NotFound("check".into());
        bench.commands.answers.borrow_mut().extend([Err(slow), Err(CommandFailure::NotStarted(missing))]);
        bench.watch_for(exec(), 5_000);
        assert_eq!(bench.hear_not_yet().await, "`check --all` had not ended after 5s and was killed");
        assert!(bench.hear_not_yet().await.starts_with("`check --all` did not start: there is no program `check`"));
    });
}

#[test]
fn a_cancelled_probe_says_nothing_more() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let (closed, place) = closed_port();
        bench.watch_for(ProbeTarget::Tcp { host: "127.0.0.1".into(), port: place.port() }, 5_000);
        bench.hear_not_yet().await;
        bench.probes.cancel(RunId(1));
        bench.probes.cancel(RunId(7));
        let _listener = closed.listen(8).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(bench.heard.try_recv().is_err());
    });
}

#[test]
fn a_new_order_for_a_run_replaces_the_former() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(ProbeTarget::File { path: "/nonexistent/a".into() }, 5_000);
        bench.watch_for(exec(), 5_000);
        assert_eq!(bench.hear_sight().await, "`check --all` ended with exit code 0");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(bench.heard.try_recv().is_err());
    });
}

#[test]
fn dropping_the_probes_ends_them() {
    on_actor_thread(async {
        let Bench { probes, mut heard, .. } = Bench::new(Path::new("/nonexistent"));
        let target = ProbeTarget::File { path: "/nonexistent/a".into() };
        let interval = Duration::from_millis(20);
        probes
            .watch(ProbeOrder { run: RunId(1), target, interval, timeout: interval, own: own(&[]) }, LogEnd::default());
        drop(probes);
        // The channel closes when the last task has let go of it.
        assert_eq!(heard.recv().await, None);
    });
}

#[test]
fn a_file_that_appears_is_ready() {
    on_actor_thread(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        let mut bench = Bench::new(folder.path());
        bench.watch_for(ProbeTarget::File { path: path.clone() }, 5_000);
        assert_eq!(bench.hear_not_yet().await, format!("{} does not exist", path.display()));
        std::fs::write(&path, "").unwrap();
        assert_eq!(bench.hear_ready().await, format!("{} exists", path.display()));
    });
}

#[test]
fn a_file_under_something_that_is_no_folder_is_a_reason() {
    on_actor_thread(async {
        let reason = first_reason(ProbeTarget::File { path: "/proc/self/status/ready".into() }).await;
        assert!(reason.starts_with("/proc/self/status/ready cannot be looked at: "), "{reason}");
    });
}

#[test]
fn what_a_service_says_in_its_log_is_heard() {
    on_actor_thread(async {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("kismet.log");
        std::fs::write(&log, "2026-11-20T08:00:00Z Opened 1 data source\n").unwrap();
        let mut bench = Bench::new(folder.path());
        let service = ServiceName::new("kismet").unwrap();
        bench.watch_for(ProbeTarget::Log { service, contains: "Opened 1".into() }, 5_000);
        assert_eq!(bench.hear_not_yet().await, "its output does not say `Opened 1` yet");
        std::fs::write(&log, "2026-11-20T08:00:00Z Opened 1 data source\n2026-11-20T08:00:09Z Opened 1 data").unwrap();
        assert_eq!(bench.hear_ready().await, "its output says `Opened 1`");
    });
}

#[test]
fn a_look_that_waits_for_an_answer_says_so_before_it_is_given_up() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let (socket, place) = closed_port();
        bench.watch_for(ProbeTarget::Http { url: format!("http://{place}/") }, 30_000);
        assert_eq!(bench.hear_not_yet().await, format!("nothing listens on {place} (connection refused)"));
        let _listener = socket.listen(8).unwrap();
        let said = bench.hear_not_yet().await;
        assert_eq!(said, format!("http://{place}/ took the connection, but does not answer"));
    });
}

#[test]
fn on_a_leased_port_it_is_said_when_nobody_can_tell_whose_listener_has_answered() {
    on_actor_thread(async {
        let place = web_server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let watch = |bench: &Bench, own: Own| {
            let target = ProbeTarget::Http { url: format!("http://{place}/") };
            let interval = Duration::from_millis(20);
            let order = ProbeOrder { run: RunId(1), target, interval, timeout: Duration::from_secs(5), own };
            bench.probes.watch(order, LogEnd::default());
        };
        let answered = format!("http://{place}/ answered 200 OK");
        let mut bench = Bench::new(Path::new("/nonexistent"));
        watch(&bench, own(&[place.port()]));
        assert_eq!(bench.hear_ready().await, answered, "this test listens itself");
        // It is of no run, but a process of mainstay's all the same: so may be what a service has let go of.
        let nobody = Own { pid: u32::MAX, ..own(&[place.port()]) };
        watch(&bench, nobody);
        assert_eq!(bench.hear_ready().await, format!("{answered} (cannot verify whose listener that is)"));
        watch(&bench, Own { pid: u32::MAX, ..own(&[]) });
        assert_eq!(bench.hear_ready().await, answered, "of a port that is not leased nobody says whose it is to be");
    });
}

#[test]
fn on_a_leased_port_nobody_is_believed_who_has_gone_before_it_is_seen_who_he_was() {
    on_actor_thread(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        watched::serve_here("server", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(listener);
            request(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        });
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let target = ProbeTarget::Http { url: format!("http://{place}/") };
        let (interval, timeout) = (Duration::from_millis(20), Duration::from_secs(5));
        let order = ProbeOrder { run: RunId(1), target, interval, timeout, own: own(&[place.port()]) };
        bench.probes.watch(order, LogEnd::default());
        let gone = format!("a connection to {place} was taken, but nothing listens there any more");
        assert_eq!(bench.hear_not_yet().await, gone);
        assert_eq!(bench.hear_not_yet().await, format!("nothing listens on {place} (connection refused)"));
    });
}
