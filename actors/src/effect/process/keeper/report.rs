//! What the log-keeper tells mainstay: whose output cannot be written, and that it can be again.
//!
//! One JSON object on a line of its standard output, a pipe to mainstay. Nobody waits: what finds no room is told again with the next
//! output of that service.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::Instant;

/// A longer line is none of the keeper's.
const LONGEST_LINE: u64 = 4096;
/// A disk that is full now and then is told of in mainstay's log so often at most, for each service.
const PACE: Duration = Duration::from_secs(60);

/// One report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// Output of a service is lost.
    Losing {
        /// Whose.
        service: String,
        /// What the kernel says.
        why: String,
    },
    /// It is written again.
    Writing {
        /// Whose.
        service: String,
        /// Bytes that nobody will read.
        lost: u64,
    },
    /// There is no more of it, and to the end it could not be written.
    Ended {
        /// Whose.
        service: String,
        /// Bytes that nobody will read.
        lost: u64,
    },
}

impl Report {
    /// Tells mainstay.
    pub(super) fn send(&self) -> Result<(), NotSent> {
        let mut line = serde_json::to_vec(self).map_err(|_| NotSent)?;
        line.push(b'\n');
        // Short enough to be written whole or not at all (pipe(7)).
        match rustix::io::write(rustix::stdio::stdout(), &line) {
            Ok(written) if written == line.len() => Ok(()),
            _ => Err(NotSent),
        }
    }
}

/// mainstay is gone, or busy.
#[derive(Debug)]
pub(super) struct NotSent;

/// Why nobody reads what services print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeeperTrouble {
    /// The log-keeper does not read.
    Silent {
        /// Its process id.
        pid: u32,
    },
    /// There is none.
    NotStarted {
        /// What the kernel says.
        why: String,
    },
}

impl Display for KeeperTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silent { pid } => write!(
                f,
                "the log-keeper (pid {pid}) does not read what services print, and they stand still when they print more: it is killed, and \
                 another takes its place when it is gone. If it stays, it hangs in the kernel, most likely over the disk with the logs: \
                 `cat /proc/{pid}/stack`"
            ),
            Self::NotStarted { why } => write!(
                f,
                "the log-keeper cannot be started: {why}; services stand still when they print more than 64 KiB. It is tried again and again"
            ),
        }
    }
}

/// What mainstay's log said last of a service.
#[derive(Debug, Clone, Copy)]
struct LastWord {
    /// That its output is lost: when that was.
    lost_at: Instant,
    last: Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    IsLost,
    /// It is written again, or there is no more of it.
    IsOver,
}

/// Services whose output is being lost. Threads share it.
#[derive(Debug, Clone, Default)]
pub struct LogTroubles {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    losing: BTreeMap<String, String>,
    /// Of services that have printed to the end what could not be written.
    lost: BTreeMap<String, String>,
    said: BTreeMap<String, LastWord>,
    keeper: Option<KeeperTrouble>,
}

impl State {
    /// The log says that no more of it is lost, or that it prints no more. Whether its last word was another.
    fn note_over(&mut self, service: &str) -> bool {
        let said = self.said.get_mut(service);
        said.is_some_and(|said| std::mem::replace(&mut said.last, Last::IsOver) == Last::IsLost)
    }
}

impl LogTroubles {
    /// Each with the name of the service and what the kernel says, by name.
    #[must_use]
    pub fn list(&self) -> Vec<(String, String)> {
        self.with(|state| state.losing.iter().map(|(service, why)| (service.clone(), why.clone())).collect())
    }

    /// Why what a service prints, or printed last, is lost, if so.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<String> {
        self.with(|state| state.losing.get(service).or_else(|| state.lost.get(service)).cloned())
    }

    /// Why nobody reads what services print, if so.
    #[must_use]
    pub fn keeper(&self) -> Option<String> {
        self.with(|state| state.keeper.as_ref().map(ToString::to_string))
    }

    /// Shows this of the keeper.
    pub(crate) fn show_keeper(&self, trouble: Option<KeeperTrouble>) {
        self.with(|state| state.keeper = trouble);
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn heard(&self, report: Report) {
        match report {
            Report::Losing { service, why } => {
                self.with(|state| state.losing.insert(service.clone(), why));
                self.say_that_it_is_lost(&service);
            }
            Report::Writing { service, lost } => {
                let was_said = self.with(|state| {
                    state.lost.remove(&service);
                    state.losing.remove(&service);
                    state.note_over(&service)
                });
                if was_said {
                    tracing::info!(service, lost, "no more of what it prints is lost");
                }
            }
            Report::Ended { service, lost } => {
                if let Some(why) = self.with(|state| state.losing.remove(&service)) {
                    tracing::warn!(service, lost, why, "it prints no more, and the last of what it printed is lost");
                    self.with(|state| {
                        state.note_over(&service);
                        state.lost.insert(service, why)
                    });
                }
            }
        }
    }

    /// Says so at most once in [`PACE`].
    #[allow(clippy::disallowed_methods, reason = "no decision of a machine: the executor paces its own log")]
    fn say_that_it_is_lost(&self, service: &str) {
        let now = Instant::now();
        let why = self.with(|state| {
            let why = state.losing.get(service)?;
            let is_due = state.said.get(service).is_none_or(|said| now.saturating_duration_since(said.lost_at) >= PACE);
            is_due.then(|| {
                state.said.insert(service.to_owned(), LastWord { lost_at: now, last: Last::IsLost });
                why.clone()
            })
        });
        if let Some(why) = why {
            tracing::warn!(service, why, "what it prints cannot be written and is lost; the service goes on");
        }
    }

    /// Whose output is lost though the log's last word of it is that this is over, and when it may say otherwise.
    fn unsaid(&self) -> Option<(String, Instant)> {
        self.with(|state| {
            let unsaid =
                state.said.iter().filter(|(name, said)| said.last == Last::IsOver && state.losing.contains_key(*name));
            unsaid.map(|(name, said)| (name.clone(), said.lost_at + PACE)).min_by_key(|(_, due)| *due)
        })
    }

    /// The keeper has died: its successor tells anew.
    fn forget(&self) {
        self.with(|state| state.losing.clear());
    }
}

/// Listens to a keeper until it ends.
pub(in crate::effect::process) async fn listen(pipe: Rc<OwnedFd>, troubles: LogTroubles) {
    let said = |error: &dyn Display| tracing::warn!(%error, "the log-keeper cannot be heard");
    // The pipe outlives this, should it panic, and is listened to anew.
    let pipe = pipe.try_clone().and_then(tokio::net::unix::pipe::Receiver::from_owned_fd);
    let mut lines = match pipe {
        Ok(pipe) => BufReader::with_capacity(512, pipe),
        Err(error) => return said(&error),
    };
    let mut line = Vec::new();
    loop {
        let unsaid = troubles.unsaid();
        let due = async {
            let Some((service, due)) = &unsaid else { return std::future::pending().await };
            tokio::time::sleep_until(*due).await;
            service
        };
        let read = async { (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).await };
        let read = tokio::select! {
            biased;
            read = read => read,
            // What was read of a line stays in it.
            service = due => {
                troubles.say_that_it_is_lost(service);
                continue;
            }
        };
        match read {
            Ok(0) => break,
            // What is no report is none of the keeper's words.
            Ok(_) => drop(serde_json::from_slice(&line).map(|report| troubles.heard(report))),
            Err(error) => {
                said(&error);
                break;
            }
        }
        line.clear();
    }
    troubles.forget();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_keeper_says_is_remembered_until_it_is_over_or_the_keeper_dies() {
        let troubles = LogTroubles::default();
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let local = tokio::task::LocalSet::new();
        #[allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
        let listening = local.spawn_local(listen(Rc::new(ours), troubles.clone()));
        let say = |report: &Report| {
            let line = serde_json::to_string(report).unwrap() + "\n";
            rustix::io::write(&theirs, line.as_bytes()).unwrap();
        };
        let losing = |name: &str| Report::Losing { service: name.to_owned(), why: "No space".to_owned() };
        rustix::io::write(&theirs, b"running 1 test\n{}\n\xff\n").unwrap();
        say(&losing("a"));
        say(&losing("b"));
        say(&losing("c"));
        say(&Report::Writing { service: "a".to_owned(), lost: 7 });
        say(&Report::Ended { service: "c".to_owned(), lost: 7 });
        let seen = troubles.clone();
        local
            .run_until(async {
                while seen.list().len() != 1 || seen.list()[0].0 != "b" {
                    tokio::task::yield_now().await;
                }
                assert_eq!(seen.list(), [("b".to_owned(), "No space".to_owned())]);
                assert_eq!(
                    (seen.of("a"), seen.of("c")),
                    (None, Some("No space".to_owned())),
                    "nobody writes it any more"
                );
                drop(theirs);
                listening.await.unwrap();
            })
            .await;
        assert!(troubles.list().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_again_soon_after_that_was_over_is_said_when_a_minute_is_over() {
        let over =
            [Report::Writing { service: "a".to_owned(), lost: 7 }, Report::Ended { service: "a".to_owned(), lost: 7 }];
        for over in over {
            is_said_again_after(over).await;
        }
    }

    async fn is_said_again_after(over: Report) {
        let troubles = LogTroubles::default();
        let losing = || Report::Losing { service: "a".to_owned(), why: "No space".to_owned() };
        troubles.heard(losing());
        assert_eq!(troubles.unsaid(), None, "it was said");
        troubles.heard(over);
        assert_eq!(troubles.unsaid(), None, "nothing is lost");
        troubles.heard(losing());
        let (service, due) = troubles.unsaid().unwrap();
        troubles.say_that_it_is_lost(&service);
        assert!(troubles.unsaid().is_some(), "a minute is not over");
        tokio::time::sleep_until(due).await;
        troubles.say_that_it_is_lost(&service);
        assert_eq!(troubles.unsaid(), None);
    }
}
