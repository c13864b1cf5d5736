//! Programs that start, and programs that cannot.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use mainstay_actors::action::process::{AccountKind, Exit, NotAs, NotRunnable, ProcessEvent, SpawnFailure, SpawnOrder};
use mainstay_actors::effect::process::{Processes, ProcessesError};
use mainstay_actors::effect::watched::Watched;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};

use crate::harness::{World, alone, in_a_world, order, settings};

async fn failure(order: SpawnOrder) -> SpawnFailure {
    let world = World::new();
    let run = world.spawn(order);
    let events = world.to_the_end(run).await;
    world.end().await;
    match &events[..] {
        [ProcessEvent::SpawnFailed(failure)] => failure.clone(),
        other => panic!("{other:?}"),
    }
}

fn file(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_missing_program_is_named() {
    alone(async || {
        for program in ["no-such-program-here", "/no/such/program"] {
            assert_eq!(failure(order(1, &[program])).await, SpawnFailure::NotFound(program.into()));
        }
    });
}

#[test]
fn a_program_that_is_not_executable_is_named() {
    alone(async || {
        let (_folder, program) = file("tool", "#!/bin/sh\n", 0o644);
        assert_eq!(failure(order(1, &[&program])).await, SpawnFailure::NotExecutable(program));
        let directory = SpawnFailure::NotRunnable { program: "/tmp".into(), why: NotRunnable::Directory };
        assert_eq!(failure(order(1, &["/tmp"])).await, directory);
    });
}

#[test]
fn a_run_that_is_over_is_not_started_again_when_it_is_ordered_once_more() {
    in_a_world(async |world| {
        let count = world.path("count");
        let mut order = order(1, &["sh", "-c", "echo once >> $COUNT; exit 3"]);
        order.program.environment.insert("COUNT".into(), count.to_str().unwrap().into());
        let run = world.spawn(order.clone());
        world.to_the_end(run).await;
        // As an actor does that panicked before it heard that it is over.
        world.spawn(order);
        for later in 2..8 {
            world.to_the_end(world.shell(later, "true")).await;
        }
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "once\n");
    });
}

/// A folder that everybody may enter, or only its owner, with a script in it that says which it is.
fn folder_with_tool(says: &str, folder_mode: u32, tool_mode: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("tool");
    std::fs::write(&tool, format!("#!/bin/sh\necho {says}\n")).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(tool_mode)).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(folder_mode)).unwrap();
    folder
}

/// What the program `tool` said that was found in these folders.
async fn found(change: impl FnOnce(&mut SpawnOrder), folders: &[&std::path::Path]) -> String {
    let world = World::new();
    let mut order = order(1, &["tool"]);
    let path = std::env::join_paths(folders).unwrap().into_string().unwrap();
    order.program.environment.insert("PATH".into(), path);
    change(&mut order);
    let run = world.spawn(order);
    let events = world.to_the_end(run).await;
    assert!(matches!(events[0], ProcessEvent::Spawned { .. }), "{events:?}");
    let log = world.log(|text| text.ends_with('\n')).await;
    world.end().await;
    log.trim_end().split_once(' ').unwrap().1.to_owned()
}

#[test]
fn a_program_is_sought_in_the_path_of_the_service_until_one_can_be_executed() {
    alone(async || {
        let (data, tool) = (folder_with_tool("data", 0o755, 0o644), folder_with_tool("tool", 0o755, 0o755));
        assert_eq!(found(|_| (), &[data.path(), tool.path()]).await, "tool");
        let parent = tool.path().parent().unwrap().to_owned();
        let relative = std::path::Path::new(tool.path().file_name().unwrap());
        assert_eq!(found(|order| order.program.directory = Some(parent), &[relative]).await, "tool");
        let written = |order: &mut SpawnOrder| {
            order.program.argv = vec!["./tool".into()];
            order.program.directory = Some(tool.path().to_owned());
        };
        assert_eq!(found(written, &[data.path()]).await, "tool");
    });
}

#[test]
fn a_program_is_sought_with_the_rights_of_the_services_user() {
    alone(async || {
        if !rustix::process::geteuid().is_root() {
            // Only root can start it as somebody else.
            return;
        }
        let (closed, open) = (folder_with_tool("closed", 0o700, 0o755), folder_with_tool("open", 0o755, 0o755));
        let folders = [closed.path(), open.path()];
        assert_eq!(found(|_| (), &folders).await, "closed");
        assert_eq!(found(|order| order.program.user = Some("nobody".into()), &folders).await, "open");
        let mut order = order(1, &["true"]);
        order.program.user = Some("nobody".into());
        order.program.directory = Some(closed.path().to_owned());
        let failure = failure(order).await;
        assert!(failure.to_string().ends_with("cannot be entered: `nobody` may not"), "{failure:?}");
    });
}

#[test]
fn a_missing_working_directory_is_named_and_not_the_program() {
    alone(async || {
        let mut order = order(1, &["true"]);
        order.program.directory = Some(PathBuf::from("/no/such/folder"));
        let failure = failure(order).await;
        assert!(matches!(&failure, SpawnFailure::Directory { path, .. } if path.ends_with("folder")), "{failure:?}");
    });
}

#[test]
fn a_script_whose_interpreter_is_missing_is_told_from_a_missing_script() {
    alone(async || {
        let (_folder, program) = file("tool", "#!/no/such/interpreter\n", 0o755);
        let failure = failure(order(1, &[&program])).await;
        assert_eq!(failure, SpawnFailure::NotRunnable { program, why: NotRunnable::NoInterpreter });
    });
}

#[test]
fn a_file_that_is_no_program_is_told_from_one_that_failed() {
    alone(async || {
        for text in ["echo a script without its first line\n", "\x7fELF of no machine"] {
            let (_folder, program) = file("tool", text, 0o755);
            let failure = failure(order(1, &[&program])).await;
            assert_eq!(failure, SpawnFailure::NotRunnable { program, why: NotRunnable::Format });
        }
    });
}

#[test]
fn an_unknown_user_is_named() {
    alone(async || {
        let mut order = order(1, &["true"]);
        order.program.user = Some("no-such-user-here".into());
        let unknown = NotAs::Unknown(AccountKind::User, "no-such-user-here".into());
        assert_eq!(failure(order).await, SpawnFailure::NotAs(unknown));
    });
}

#[test]
fn a_service_has_its_mark_its_variables_and_a_clean_start() {
    in_a_world(async |world| {
        let text = "echo run=$MAINSTAY_RUN service=$MAINSTAY_SERVICE x=$X notify=$NOTIFY_SOCKET; pwd; readlink /proc/self/fd/0; \
                    grep -E '^Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f6 /proc/self/stat; echo $$; echo end";
        let mut order = order(7, &["sh", "-c", text]);
        order.program.environment.insert("X".into(), "a b".into());
        let run = world.spawn(order);
        let exited = ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![] };
        assert_eq!(world.to_the_end(run).await[1..], [exited, ProcessEvent::TreeGone]);
        let log = world.log(|text| text.ends_with("end\n")).await;
        let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines[..3], ["run=test.7 service=test x=a b notify=", "/", "/dev/null"]);
        for line in &lines[3..5] {
            // Signals 32 and 33 belong to the C library, which lets nobody change them.
            let mask = u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap();
            assert_eq!(mask & 0x7fff_ffff, 0, "{log}");
        }
        assert_eq!(lines[5], lines[6], "it leads a session of its own: {log}");
    });
}

#[test]
fn a_service_gets_the_limit_on_open_files_that_mainstay_was_started_with() {
    alone(async || {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum }).unwrap();
        let world = World::new();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
        let run = world.shell(1, "ulimit -n");
        world.to_the_end(run).await;
        world.log(|text| text.ends_with(" 200\n")).await;
        world.end().await;
    });
}

#[test]
fn a_service_gets_no_ambient_and_no_inheritable_capability_of_mainstays() {
    alone(async || {
        if !rustix::process::geteuid().is_root() {
            // An ordinary user has none to hand on.
            return;
        }
        let mut sets = capabilities(None).unwrap();
        sets.inheritable = CapabilitySet::NET_ADMIN;
        set_capabilities(None, sets).unwrap();
        configure_capability_in_ambient_set(CapabilitySet::NET_ADMIN, true).unwrap();
        let world = World::new();
        let run = world.shell(1, "grep -E 'Cap(Amb|Inh)' /proc/self/status; echo end");
        world.to_the_end(run).await;
        let log = world.log(|text| text.ends_with("end\n")).await;
        for sort in ["CapInh", "CapAmb"] {
            assert!(log.contains(&format!("{sort}:\t0000000000000000\n")), "{log}");
        }
        world.end().await;
    });
}

/// Puts a key into a session keyring of its own, of this thread and those that it starts; `None` where there are no keys, as in a container.
#[allow(unsafe_code, reason = "no safe form of keys is in any library here")]
fn keep_a_key(name: &std::ffi::CStr) -> Option<()> {
    let no_name: *const libc::c_char = std::ptr::null();
    let (kind, secret) = (c"user".as_ptr(), c"secret".as_ptr());
    // SAFETY: all texts end with a zero byte, and the secret is longer than one byte.
    let added = unsafe {
        libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, no_name);
        libc::syscall(libc::SYS_add_key, kind, name.as_ptr(), secret, 1, libc::KEY_SPEC_SESSION_KEYRING)
    };
    (added > 0).then_some(())
}

#[test]
fn a_service_of_another_user_sees_no_key_of_the_session_that_mainstay_was_started_in() {
    alone(async || {
        // The keys of others of this user are seen too: those of another run of this test, say.
        let name = format!("mainstay-test-{}", std::process::id());
        let key = std::ffi::CString::new(name.as_str()).unwrap();
        if !rustix::process::geteuid().is_root() || keep_a_key(&key).is_none() {
            return;
        }
        let world = World::new();
        let seen = format!("grep -c {name}: /proc/keys");
        let mut order = order(1, &["sh", "-c", &format!("{seen}; echo end")]);
        order.program.user = Some("nobody".into());
        let run = world.spawn(order);
        world.to_the_end(run).await;
        let log = world.log(|text| text.ends_with("end\n")).await;
        assert!(log.contains(" 0\n"), "{log}");
        let own = world.shell(2, &format!("{seen}; echo its own"));
        world.to_the_end(own).await;
        let log = world.log(|text| text.ends_with("its own\n")).await;
        assert!(log.contains(" 1\n"), "its own user keeps them: {log}");
        world.end().await;
    });
}

#[test]
fn there_is_one_executor_in_a_process() {
    alone(async || {
        let world = World::new();
        let second = Processes::start(settings(world.folder.path()), &Watched::new().0, |_, _, _| ());
        assert!(matches!(second, Err(ProcessesError::AlreadyRunning)));
        world.end().await;
        World::new().end().await;
    });
}

#[test]
fn a_log_directory_that_cannot_be_made_is_an_error_at_start() {
    alone(async || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("log"), "a file").unwrap();
        let error = Processes::start(settings(folder.path()), &Watched::new().0, |_, _, _| ()).unwrap_err();
        assert!(matches!(&error, ProcessesError::LogDirectory { path, .. } if path.ends_with("log")), "{error}");
    });
}
