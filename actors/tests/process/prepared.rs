//! Runs for which something was made ready before they started.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_actors::action::process::{ProcessEvent, RunId};
use mainstay_config::names::ServiceName;

use crate::harness::{World, alone};

/// Where the control groups of runs are made, where mainstay may make any.
fn folder() -> Option<PathBuf> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mounted = mounts.lines().filter(|line| line.split(' ').nth(2) == Some("cgroup2"));
    let folders = mounted.filter_map(|line| Some(Path::new(line.split(' ').nth(1)?).join(own)));
    folders.map(|group| group.join(format!("mainstay.{}", std::process::id()))).find(|folder| folder.exists())
}

fn test() -> ServiceName {
    ServiceName::new("test").unwrap()
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A world in which the control group of run 1 was made before it starts. `None`: there are none.
async fn prepared() -> Option<(World, PathBuf)> {
    let world = World::new();
    world.processes.prepare(test(), RunId(1));
    let Some(folder) = folder() else {
        world.end().await;
        return None;
    };
    let group = folder.join("test.1");
    until(|| group.join("cgroup.events").exists()).await;
    Some((world, group))
}

/// Starts run 1, sees in which group it is, and ends everything.
async fn starts_in(world: World, group: &Path) {
    let run = world.shell(1, "exec sleep 1000");
    let pid = world.started(run).await;
    let within = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let name = group.file_name().unwrap().to_str().unwrap();
    assert!(within.lines().any(|line| line.starts_with("0::") && line.ends_with(name)), "{within}");
    world.processes.sweep(run);
    assert_eq!(world.to_the_end(run).await.last(), Some(&ProcessEvent::TreeGone));
    let folder = group.parent().unwrap().to_owned();
    world.end().await;
    assert!(!folder.exists());
}

#[test]
fn a_program_is_born_in_the_group_that_was_made_for_it_before() {
    alone(async || {
        let Some((world, group)) = prepared().await else { return };
        let made = group.metadata().unwrap().ino();
        let run = world.shell(1, "exec sleep 1000");
        world.started(run).await;
        assert_eq!(group.metadata().unwrap().ino(), made);
        world.processes.sweep(run);
        world.to_the_end(run).await;
        world.end().await;
    });
}

#[test]
fn a_group_that_somebody_has_removed_meanwhile_is_made_anew() {
    alone(async || {
        let Some((world, group)) = prepared().await else { return };
        std::fs::remove_dir(&group).unwrap();
        starts_in(world, &group).await;
    });
}

#[test]
fn a_group_that_is_not_used_is_removed_when_that_is_known() {
    alone(async || {
        let Some((world, group)) = prepared().await else { return };
        world.processes.let_go(&test());
        until(|| !group.exists()).await;
        starts_in(world, &group).await;
    });
}

#[test]
fn of_a_service_only_the_run_that_will_come_is_prepared_and_none_is_left_at_the_end() {
    alone(async || {
        let Some((world, first)) = prepared().await else { return };
        world.processes.prepare(test(), RunId(2));
        let second = first.with_file_name("test.2");
        until(|| second.exists() && !first.exists()).await;
        let folder = first.parent().unwrap().to_owned();
        world.end().await;
        assert!(!folder.exists());
    });
}
