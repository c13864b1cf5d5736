//! What programs print, through the log-keeper and into files.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_actors::action::process::LogSearch;
use mainstay_actors::effect::probe::LogEnd;
use mainstay_actors::effect::process::keeper::log_path;
use mainstay_config::names::ServiceName;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{World, alone, in_a_world, is_gone, keepers, order, outputs_thread, until_stopped};

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn every_line_has_a_stamp_and_both_streams_keep_their_order() {
    in_a_world(async |world| {
        let run = world.shell(1, "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf 'no end'");
        world.to_the_end(run).await;
        let log = world.log(|text| text.contains("no end\n")).await;
        let lines: Vec<_> = log.lines().map(|line| line.split_once(' ').unwrap()).collect();
        let texts: Vec<_> = lines.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3", "no end"]);
        for (stamp, _) in lines {
            assert!(stamp.len() == 24 && stamp.ends_with('Z') && stamp.as_bytes()[10] == b'T', "{stamp}");
        }
        let service = ServiceName::new("test").unwrap();
        assert_eq!(log_path(&world.path("log"), &service), world.path("log/test.log"));
    });
}

#[test]
fn where_the_log_of_a_program_ended_before_it_said_anything_is_known_while_it_is_there() {
    in_a_world(async |world| {
        std::fs::write(world.path("log/test.log"), "of an earlier run\n").unwrap();
        let before = LogEnd::of(&world.path("log/test.log"));
        let mut order = order(1, &["sh", "-c", "echo here; read x < /dev/zero"]);
        order.log = LogSearch::Wanted;
        let run = world.spawn(order);
        assert_eq!(world.processes.log_end(run), None, "it is looked at where a slow disk holds up nobody");
        world.started(run).await;
        world.log(|text| text.ends_with("here\n")).await;
        assert_eq!(world.processes.log_end(run), Some(before));
        world.processes.sweep(run);
        world.to_the_end(run).await;
        assert_eq!(world.processes.log_end(run), None);
    });
}

#[test]
fn a_flood_without_a_newline_is_cut_into_lines() {
    in_a_world(async |world| {
        let run = world.shell(1, "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end");
        world.to_the_end(run).await;
        let log = world.log(|text| text.ends_with("end\n")).await;
        let mut bytes = 0;
        for line in log.lines() {
            let text = line.split_once([' ', '+']).unwrap().1;
            assert!(text.len() <= 8192);
            if !text.starts_with("[mainstay dropped") {
                bytes += text.bytes().filter(|byte| *byte == b'x').count();
            }
        }
        assert!(bytes == 1_000_000 || log.contains("[mainstay dropped"), "{bytes}");
    });
}

#[test]
fn a_prompt_without_a_line_end_is_written_and_its_answer_goes_on_with_it() {
    in_a_world(async |world| {
        let go = world.path("go");
        let script = format!(
            "echo first; printf 'your name: '; while ! [ -e {} ]; do sleep 0.01; done; echo it is; echo last",
            go.display()
        );
        let run = world.shell(1, &script);
        world.log(|text| text.ends_with(" your name: \n")).await;
        std::fs::write(go, "").unwrap();
        world.to_the_end(run).await;
        let log = world.log(|text| text.ends_with("last\n")).await;
        let lines: Vec<_> = log.lines().map(|line| &line[24..]).collect();
        assert_eq!(lines, [" first", " your name: ", "+it is", " last"]);
    });
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_are() {
    in_a_world(async |world| {
        let run = world.shell(1, "printf '\\377\\376\\000x\\nend\\n'");
        world.to_the_end(run).await;
        world.log(|text| text.ends_with("end\n")).await;
        let log = std::fs::read(world.path("log/test.log")).unwrap();
        assert_eq!(log.get(24..30), Some(&b" \xff\xfe\0x\n"[..]));
    });
}

#[test]
fn a_log_is_rotated_and_the_oldest_part_removed() {
    alone(async || {
        let world = World::with(|settings| {
            settings.logs = mainstay_config::model::Logs { max_size: 1000, keep: 2 };
        });
        let run = world.shell(1, "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done");
        world.to_the_end(run).await;
        world.log(|text| text.ends_with("line 199\n")).await;
        let size = |name: &str| std::fs::metadata(world.path(name)).unwrap().len();
        assert!(["log/test.log", "log/test.log.1", "log/test.log.2"].iter().all(|name| size(name) <= 1000));
        assert!(!world.path("log/test.log.3").exists());
        world.end().await;
    });
}

#[test]
fn a_killed_keeper_is_replaced_and_the_program_goes_on_printing() {
    in_a_world(async |world| {
        let go = world.path("go");
        let run =
            world.shell(1, &format!("echo before; while ! [ -e {} ]; do sleep 0.01; done; echo after", go.display()));
        let pid = world.started(run).await;
        world.log(|text| text.contains("before\n")).await;
        let killed = keepers();
        assert_eq!(killed.len(), 1);
        for round in 0..2 {
            let now = keepers();
            now.iter().for_each(|keeper| kill(*keeper, Signal::KILL));
            while keepers().is_empty() || keepers() == now {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(!is_gone(pid), "round {round}");
        }
        std::fs::write(go, "").unwrap();
        world.to_the_end(run).await;
        world.log(|text| text.ends_with("after\n")).await;
    });
}

#[test]
fn a_keeper_that_does_not_read_is_told_of_and_replaced_and_the_program_goes_on_printing() {
    alone(async || {
        let settings = std::cell::RefCell::new(None);
        let world = World::with(|given| *settings.borrow_mut() = Some(given.log_troubles.clone()));
        let troubles = settings.into_inner().unwrap();
        let go = world.path("go");
        let flood = "i=0; while [ $i -lt 5000 ]; do echo line $i of a talkative program; i=$((i+1)); done";
        let text = format!("echo before; while ! [ -e {} ]; do sleep 0.01; done; {flood}", go.display());
        let run = world.shell(1, &text);
        world.log(|text| text.contains("before\n")).await;
        let [stopped] = keepers()[..] else { panic!("one keeper") };
        kill(stopped, Signal::STOP);
        until_stopped(stopped).await;
        std::fs::write(go, "").unwrap();
        // More than a pipe holds: it ends only when somebody reads.
        world.to_the_end(run).await;
        world.log(|text| text.ends_with("line 4999 of a talkative program\n")).await;
        assert!(is_gone(stopped) && troubles.keeper().is_none(), "{:?}", troubles.keeper());
        world.end().await;
    });
}

/// Whether the kernel gives a thread a descriptor table of its own. A strict filter of system calls may refuse it.
#[allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#[allow(
    deprecated,
    reason = "what it warns of, descriptors of other threads, is nothing to a thread that ends at once"
)]
fn may_unshare() -> bool {
    std::thread::spawn(|| rustix::thread::unshare(rustix::thread::UnshareFlags::FILES).is_ok()).join().unwrap()
}

#[test]
fn the_thread_with_descriptors_of_its_own_hears_no_signal() {
    // tokio's handler would write to a descriptor that is another one there, and the end of a child would go unheard.
    in_a_world(async |_| {
        let outputs = outputs_thread().unwrap();
        let status = std::fs::read_to_string(outputs.join("status")).unwrap();
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap();
        for signal in [Signal::CHILD, Signal::TERM, Signal::INT, Signal::HUP] {
            assert_ne!(blocked & (1 << (signal.as_raw() - 1)), 0, "{signal:?}");
        }
        let descriptors = std::fs::read_dir(outputs.join("fd")).unwrap().count();
        assert!(descriptors <= 6 || !may_unshare(), "{descriptors} descriptors: it has a table of its own");
    });
}

#[test]
fn the_keeper_outlives_its_daemon_until_the_last_program_has_ended() {
    alone(async || {
        let world = World::new();
        let go = world.path("go");
        let text = format!("echo before; while ! [ -e {} ]; do sleep 0.01; done; echo after", go.display());
        let run = world.shell(1, &text);
        let pid = world.started(run).await;
        world.log(|text| text.contains("before\n")).await;
        let [keeper] = keepers()[..] else { panic!("one keeper") };
        for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
            kill(keeper, signal);
        }
        let World { processes, folder, .. } = world;
        processes.shutdown().await;
        assert!(!is_gone(keeper) && !is_gone(pid));
        std::fs::write(&go, "").unwrap();
        while !is_gone(keeper) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let log = std::fs::read_to_string(folder.path().join("log/test.log")).unwrap();
        assert!(log.ends_with("after\n"), "{log}");
    });
}

#[test]
fn a_log_that_cannot_be_written_holds_up_no_program() {
    in_a_world(async |world| {
        let folder: PathBuf = world.path("log");
        std::fs::remove_dir(&folder).unwrap();
        std::fs::write(&folder, "in the way").unwrap();
        let run = world.spawn(order(1, &["sh", "-c", "head -c 3000000 /dev/zero; echo"]));
        world.to_the_end(run).await;
        std::fs::remove_file(&folder).unwrap();
        let run = world.shell(2, "echo again");
        world.to_the_end(run).await;
        world.log(|text| text.contains(" again\n")).await;
    });
}
