//! The signals that the daemon hears, on a thread of its own: whoever wants it to end is heard whatever its actors do, and when they
//! do not take that in, the thread ends it.
//!
//! They are held, not ignored: a program that is started inherits what is ignored, and would be deaf to it.

use std::ffi::c_int;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use mainstay_actors::effect::process::{Held, is_ignored};
use mainstay_actors::effect::watched::{self, Lost, Panicked, Watched};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::log_output::LogOutput;
use super::station::Shown;
use super::wishes::{Deaf, Seen, Urgency, Wishes};
use super::{END_THEM, LAST_WORDS};
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::render::width_of;

/// The thread's name.
const NAME: &str = "signals";

/// All of them.
const SIGNALS: [(c_int, &str); 6] = [
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGALRM, "SIGALRM"),
];

/// Signals that nobody listens to yet.
pub(super) struct Signals {
    held: Held,
    on_hangup: OnHangup,
}

/// What SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnHangup {
    Stop,
    /// mainstay is to outlive its terminal: it was started to ignore it, by nohup(1) for one.
    Stay,
}

/// What a signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It should end.
    Stop,
    /// Nothing. Left to the kernel, it would end the daemon at once and leave every service behind.
    Nothing,
    /// Nothing, by the wish of whoever started the daemon.
    Ignored,
}

/// That the daemon should end.
#[derive(Debug)]
pub(super) struct Wish {
    /// The signal, by name.
    pub(super) name: &'static str,
    /// How urgently.
    pub(super) urgency: Urgency,
}

/// What the thread sees of the station, once there is one.
pub(super) type Sight = Arc<OnceLock<Shown>>;

impl Signals {
    /// From now on none is lost. To be called before there is another thread.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn hold() -> io::Result<Self> {
        let on_hangup = if is_ignored(libc::SIGHUP) { OnHangup::Stay } else { OnHangup::Stop };
        Ok(Self { held: Held::hold(&SIGNALS.map(|(number, _)| number))?, on_hangup })
    }

    /// Begins the thread that hears them. What they mean comes by what is answered, for as long as somebody listens; whoever listens no
    /// more is ending.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn hear(self, watched: &Watched, log: LogOutput, sight: Sight) -> io::Result<UnboundedReceiver<Wish>> {
        let (wishes, heard) = unbounded_channel();
        let of_thread = watched.clone();
        watched.thread(NAME, move || {
            if let Err(error) = self.attend(&wishes, &log, &sight) {
                of_thread.tell(Lost { part: NAME.to_owned(), how: Panicked::Once(error.to_string()) });
            }
        })?;
        Ok(heard)
    }

    fn attend(&self, to: &UnboundedSender<Wish>, log: &LogOutput, sight: &Sight) -> io::Result<()> {
        let mut wishes = Wishes::default();
        loop {
            watched::perhaps_panic(NAME);
            let number = self.held.next(wishes.rest(Instant::now()))?;
            if let Some((_, name)) = SIGNALS.into_iter().find(|(known, _)| Some(*known) == number) {
                self.heard(name, &mut wishes, to);
            }
            // Whoever does not listen any more has heard enough, and ends.
            if !to.is_closed()
                && let Some(deaf) = wishes.look(Instant::now(), || seen(sight))
            {
                end(deaf, log, sight);
            }
        }
    }

    fn heard(&self, name: &'static str, wishes: &mut Wishes, to: &UnboundedSender<Wish>) {
        match self.meaning(name) {
            Meaning::Nothing => tracing::info!("{name}: it means nothing to mainstay, and nothing is done"),
            Meaning::Ignored => tracing::info!("{name}: mainstay was started to ignore it, and goes on"),
            Meaning::Stop => match wishes.heard(name, Instant::now()) {
                None => tracing::info!("{name} once more, at the same time: it is the same wish"),
                Some(urgency) => {
                    match urgency {
                        Urgency::InOrder => tracing::info!("{name}: stopping everything in order; once more hurries"),
                        Urgency::Hurry => tracing::info!("{name} again: no more grace; once more leaves what is left"),
                        Urgency::Leave => {}
                    }
                    // Whoever does not listen any more ends.
                    let _ = to.send(Wish { name, urgency });
                }
            },
        }
    }

    fn meaning(&self, name: &str) -> Meaning {
        match (name, self.on_hangup) {
            ("SIGTERM" | "SIGINT", _) | ("SIGHUP", OnHangup::Stop) => Meaning::Stop,
            ("SIGHUP", OnHangup::Stay) => Meaning::Ignored,
            _ => Meaning::Nothing,
        }
    }
}

fn seen(sight: &Sight) -> Seen {
    sight.get().map(Shown::seen).unwrap_or_default()
}

/// Ends the daemon without its actors: what they have not stopped is left running.
fn end(deaf: Deaf, log: &LogOutput, sight: &Sight) -> ! {
    let why = match deaf {
        Deaf::Unheard if sight.get().is_none() => {
            "it had not begun, and waits for a disk that does not answer".to_owned()
        }
        Deaf::Unheard => "the root supervisor has not taken in that mainstay should end".to_owned(),
        Deaf::Frozen(frozen) => frozen.to_string(),
    };
    let left = sight.get().map(Shown::what_runs).unwrap_or_default();
    let left = if left.is_empty() { "nothing that is known of".to_owned() } else { left.join(", ") };
    let told = Told::new(ExitStatus::GaveUp, format!("mainstay gave up: {why}. It was left running: {left}"))
        .help(format!("{END_THEM}\nPlease report this"));
    log.say(told.render(width_of(io::stderr())).as_bytes());
    log.finish(LAST_WORDS);
    std::process::exit(told.status.code().into())
}
