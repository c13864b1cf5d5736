//! What a shell cannot do, done by this test program itself: a service's command is the test program, told to run
//! the one ignored test of this file.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// The command of a service that runs as `task`, in TOML: `command` and `environment`.
pub(crate) fn service(task: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let program = program.display();
    format!(
        "command = ['{program}', 'harness::helper::task', '--exact', '--ignored', '--nocapture']\n\
         environment = {{ TASK = '{task}', DIR = '@DIR@' }}\n"
    )
}

#[test]
#[ignore = "this is a service of other tests, not a test"]
fn task() {
    match std::env::var("TASK").as_deref() {
        // Ready when the file `go` is there.
        Ok("notify") => {
            say("STATUS=waiting for the file");
            let go = std::path::Path::new(&std::env::var("DIR").unwrap()).join("go");
            while !go.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            say("READY=1");
            // A word of its own: what comes together is told together.
            std::thread::sleep(Duration::from_millis(300));
            say("STATUS=at work");
            forever();
        }
        // Slow, but it says so: ready after twice the time that it has.
        Ok("slow") => {
            for step in 0..10 {
                say(&format!("EXTEND_TIMEOUT_USEC=5000000\nSTATUS=loading {step} of 10"));
                std::thread::sleep(Duration::from_millis(200));
            }
            say("READY=1");
            forever();
        }
        // Says why, and fails.
        Ok("fails") => {
            say("STATUS=no licence\nERRNO=2\nEXIT_STATUS=7");
            std::process::exit(1);
        }
        // Names a child as its main process, and goes on beside it.
        Ok("names") => {
            let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
            let named = std::path::Path::new(&std::env::var("DIR").unwrap()).join("named");
            std::fs::write(named, child.id().to_string()).unwrap();
            say(&format!("READY=1\nMAINPID={}", child.id()));
            child.wait().unwrap();
        }
        // Never ready, but it talks.
        Ok("talk") => {
            say("STATUS=looking for satellites");
            forever();
        }
        _ => {}
    }
}

fn say(words: &str) {
    let socket = std::env::var("NOTIFY_SOCKET").expect("a NOTIFY_SOCKET");
    UnixDatagram::unbound().unwrap().send_to(words.as_bytes(), socket).unwrap();
}

fn forever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}
