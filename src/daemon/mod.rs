//! The daemon: claims its run directory, starts the actors on this thread and everything that may block beside it, and
//! ends when all is stopped.

mod demo;
mod hardware;
mod log_folder;
mod log_output;
mod memory;
mod operator;
mod room;
mod run_dir;
mod settings;
mod signals;
mod station;
mod wishes;

use std::cell::RefCell;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_actors::board::Board;
use mainstay_actors::clock::Clock;
use mainstay_actors::effect::Carrier;
use mainstay_actors::effect::executor::{Deliver, Executor};
use mainstay_actors::effect::process::groups::operators;
use mainstay_actors::effect::process::keeper::{log_keeper_main, socket_from_stdin};
use mainstay_actors::effect::process::{Inherited, ProcessesError, begin_clean};
use mainstay_actors::effect::watched::{self, Lost, Panicked, Watched, words_of};
use mainstay_actors::message::lasting::Remembered;
use mainstay_actors::message::{COMMANDS_MAX, DaemonExit, Left};
use mainstay_actors::runtime::{Parts, System};
use mainstay_actors::store::{self, Files, Store, Troubles};
use mainstay_actors::trace::{Keeping, Recorder};
use mainstay_config::counted;
use mainstay_config::model::Station;
use mainstay_hardware::simulated::SimulatedBus;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::LocalSet;

use crate::cli::Plan;
use crate::error::{END_THEM, Told};
use crate::exit::ExitStatus;
use crate::instance::Instance;
use crate::patience::patiently;
use crate::places::Purpose;
use crate::render::width_of;
use crate::server::{Limits, Server};
use log_output::LogOutput;
use signals::{Sight, Signals, Wish};
use station::{Command, Shown};
use wishes::Urgency;

/// How long the end of the daemon waits until its last words are written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// By then hardware has been looked at, and what was there has been asked what it is.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// Makes this process one that shows nothing of whoever started it, and answers what it does show. To be called before anything is opened.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn begin() -> Result<Vec<Inherited>, Told> {
    begin_clean().map_err(|error| Told::new(ExitStatus::Failed, format!("mainstay cannot hear signals: {error}")))
}

/// Runs a station until it is told to stop, or its root supervisor gives up. Why it failed is told in the log: nobody may
/// read that, and it must end all the same.
///
/// # Errors
/// When there is no room for its threads, or there can be no log.
pub(crate) fn run(plan: Plan) -> Result<ExitStatus, Told> {
    let failed = |error: std::io::Error| Told::new(ExitStatus::Failed, format!("signals cannot be heard: {error}"));
    room::for_threads()?;
    let signals = Signals::hold().map_err(failed)?;
    let log = settings::begin_logging()?;
    let ((watched, lost), sight) = (Watched::new(), Sight::default());
    let wished = signals.hear(&watched, log.clone(), Arc::clone(&sight)).map_err(failed)?;
    // Also after a panic: what it says is to be read.
    let _finish = FinishedLog(log.clone());
    say_what_is_inherited(&plan.inherited);
    let status = match claim_and_live(plan, &log, Ears { wished, sight, watched, lost }) {
        Ok(()) => ExitStatus::Ok,
        Err(told) => {
            log.say(told.render(width_of(std::io::stderr())).as_bytes());
            told.status
        }
    };
    Ok(status)
}

fn say_what_is_inherited(inherited: &[Inherited]) {
    if !inherited.is_empty() {
        let all: Vec<String> = inherited.iter().map(Inherited::to_string).collect();
        tracing::warn!(
            "mainstay and its services have, of whoever started mainstay: {}; this user may not change that",
            all.join(", ")
        );
    }
}

/// When this is dropped, what was said is written, or nobody reads it.
struct FinishedLog(LogOutput);

impl Drop for FinishedLog {
    fn drop(&mut self) {
        self.0.finish(LAST_WORDS);
    }
}

/// # Errors
/// When it cannot begin: the run directory is taken or closed, a directory cannot be written, …; or when it gave up.
fn claim_and_live(plan: Plan, log: &LogOutput, ears: Ears) -> Result<(), Told> {
    let instance = Instance::claim(&plan.run_dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Told::new(ExitStatus::Failed, format!("the runtime cannot be started: {error}")))?;
    let life = || LocalSet::new().block_on(&runtime, live(plan, instance, log, ears));
    std::panic::catch_unwind(AssertUnwindSafe(life)).unwrap_or_else(|panic| {
        let lost = Lost { part: "main".to_owned(), how: Panicked::Once(words_of(&*panic)) };
        finish(Ending::Exit(lost.into()))
    })
}

/// What the daemon hears beside its operators.
struct Ears {
    wished: mpsc::UnboundedReceiver<Wish>,
    /// Where whoever hears signals sees how far it is.
    sight: Sight,
    watched: Watched,
    lost: mpsc::UnboundedReceiver<Lost>,
}

/// The life of the log-keeper, a process of its own.
///
/// # Errors
/// When it was not started by mainstay, or the kernel refuses what it needs.
pub(crate) fn keep_logs() -> Result<(), Told> {
    let failed = |words: String| Told::new(ExitStatus::Failed, words);
    let socket = socket_from_stdin().map_err(|error| failed(format!("the log-keeper has no socket: {error}")))?;
    log_keeper_main(socket).map_err(|error| failed(error.to_string()))
}

/// From the start of the actors to their end.
async fn live(plan: Plan, instance: Instance, log: &LogOutput, ears: Ears) -> Result<(), Told> {
    let Ears { wished, sight, watched, lost } = ears;
    let Plan { purpose, loaded, state, .. } = plan;
    let mut station = loaded.station;
    // Before there are actors: whoever is asked for an answer may take a while.
    let demo = (purpose == Purpose::Demo).then(|| demo::begin(&instance.socket(), &mut station)).transpose()?;
    let (to_try, simulated) = demo.unzip();
    let state_dir = settings::state_dir(&station, purpose, instance.dir());
    let log_dir = state_dir.join("logs");
    patiently(&[&log_dir], has_not_begun, || log_folder::prepare(&log_dir, operators(), state))?;
    let (places, troubles) = (store::Places { run_dir: instance.dir().to_owned(), state_dir }, Troubles::default());
    let (store, remembered) = open_store(places, troubles.clone(), &watched)?;
    let bus = hardware::bus(simulated.clone());
    let watch = hardware::SharedWatch::default();
    let parts = settings::parts(Clock::Boot, Recorder::new(Keeping::On), watched.clone(), remembered);
    let shown = Shown::new(Arc::new(station), &parts, log_dir.clone(), troubles);
    // It is the first.
    let _ = sight.set(shown.clone());
    let (commands, asked) = mpsc::channel(COMMANDS_MAX);
    let processes = settings::processes(&shown.station, instance.dir(), log_dir.clone(), &shown.log_troubles);
    let served = Arc::new(shown.clone().serve(commands));
    let used = Arc::clone(&served.used);
    let socket = instance.socket();
    let server = Server::start(&socket, served, Limits::default(), &watched)?;
    let instance = Rc::new(RefCell::new(instance));

    let start_carrier = |deliver| {
        Carrier::start(processes, Arc::clone(&bus), Arc::clone(&watch), watched.clone(), store.clone(), deliver)
    };
    let Started { system, carrier, ended } = start_actors(&shown.station, parts, start_carrier)?;
    let carrier_of_sockets = carrier.as_ref().map(Rc::downgrade).unwrap_or_default();
    let stopping = Rc::new(Notify::new());
    let kept = run_dir::Kept {
        instance: Rc::clone(&instance),
        server,
        carrier: carrier_of_sockets,
        store: store.clone(),
        log_dir,
        state,
        stopping: Rc::clone(&stopping),
    };
    let keeping = watched.task("run-dir", run_dir::keep(kept));
    let watching = hardware::begin(&bus, &watch, &system, &watched);
    let exit = async {
        tokio::select! {
            exit = attend(&system, (asked, &used, lost), simulated.as_ref(), (wished, &stopping, ended)) => exit,
            never = greet(to_try, socket, shown, log) => match never {},
        }
    };
    let exit = watched::wakeful("main", exit).await;
    keeping.abort();
    // It lets go of the server, which stops.
    let _ = keeping.await;
    watching.abort();
    end(&watch, system, carrier).await;
    store.finish();
    finish(exit)
}

fn has_not_begun(words: &str) {
    tracing::error!("mainstay has not begun: {words}");
}

/// What an earlier mainstay has written down, and who writes on.
///
/// # Errors
/// When there is no room for its thread.
fn open_store(places: store::Places, troubles: Troubles, watched: &Watched) -> Result<(Store, Remembered), Told> {
    let state_dir = places.state_dir.clone();
    let (files, remembered) = patiently(&[&state_dir], has_not_begun, || Files::open(places, troubles));
    let store = Store::begin(files, watched).map_err(|error| settings::no_thread("store", &error))?;
    Ok((store, remembered))
}

/// Ends what carries out actions, when nobody asks for any more.
async fn end(watch: &hardware::SharedWatch, system: Rc<System>, carrier: Option<Rc<Carrier>>) {
    hardware::end(watch).await;
    drop(system);
    if let Some(carrier) = carrier {
        carrier.shutdown().await;
    }
}

/// Tells whoever has started it that it runs, and why something does not, when what could start has.
async fn greet(to_try: Option<String>, socket: PathBuf, shown: Shown, log: &LogOutput) -> Infallible {
    if let Some(words) = to_try {
        log.say(words.as_bytes());
        return std::future::pending().await;
    }
    let services = counted(shown.station.services.len(), "service", "services");
    tracing::info!("mainstay runs; socket {}; {services}", socket.display());
    tokio::time::sleep(FIRST_LOOK).await;
    if let Some(words) = shown.waits() {
        tracing::info!("{words}");
    }
    std::future::pending().await
}

/// Actors, and what carries out their actions.
struct Started {
    system: Rc<System>,
    carrier: Option<Rc<Carrier>>,
    ended: oneshot::Receiver<DaemonExit>,
}

/// # Errors
/// When actions cannot be carried out: a directory cannot be written, say.
fn start_actors(
    station: &SharedStation,
    parts: Parts,
    start_carrier: impl FnOnce(Deliver) -> Result<Carrier, ProcessesError>,
) -> Result<Started, Told> {
    let mut carrier = None;
    let (system, ended) =
        System::start(station, parts, |deliver| match carrier.insert(start_carrier(deliver).map(Rc::new)) {
            Ok(started) => Rc::clone(started) as Rc<dyn Executor>,
            Err(_) => Rc::new(settings::Nobody),
        });
    let carrier = carrier.transpose().map_err(|error| settings::cannot_start(&error))?;
    Ok(Started { system: Rc::new(system), carrier, ended })
}

/// Does what operators and signals say, until the daemon should end: as the actors say, or since a thread or a task is gone.
async fn attend(
    system: &Rc<System>,
    (mut asked, used, mut lost): (mpsc::Receiver<Command>, &Notify, mpsc::UnboundedReceiver<Lost>),
    simulated: Option<&SimulatedBus>,
    (mut wished, stopping, mut ended): (mpsc::UnboundedReceiver<Wish>, &Notify, oneshot::Receiver<DaemonExit>),
) -> Ending {
    let mut giving_back = pin!(memory::give_back_when_quiet(used, || system.rest()));
    loop {
        tokio::select! {
            biased;
            exit = &mut ended => return Ending::Exit(exit.unwrap_or(DaemonExit::Stopped)),
            Some(Wish { name, urgency }) = wished.recv() => {
                stopping.notify_one();
                match urgency {
                    Urgency::InOrder => system.close(name),
                    Urgency::Hurry => system.hurry(name),
                    Urgency::Leave => return Ending::LeftRunning(name),
                }
            }
            never = &mut giving_back => match never {},
            Some(lost) = lost.recv() => return Ending::Exit(lost.into()),
            Some(command) = asked.recv() => operator::attend(Rc::clone(system), simulated.cloned(), command),
        }
    }
}

/// How the daemon comes to its end.
enum Ending {
    /// The actors say so.
    Exit(DaemonExit),
    /// A third signal: whoever sent it does not want to wait.
    LeftRunning(&'static str),
}

fn finish(ending: Ending) -> Result<(), Told> {
    let exit = match ending {
        Ending::Exit(exit) => exit,
        Ending::LeftRunning(signal) => {
            let words = format!("{signal} for the third time: what had not stopped was left running");
            return Err(Told::new(ExitStatus::Failed, words).help(END_THEM));
        }
    };
    match exit {
        DaemonExit::Stopped => {
            tracing::info!("everything is stopped");
            Ok(())
        }
        DaemonExit::Left(left) => {
            let words = format!("everything is stopped but what outlives SIGKILL: {}", Left::all(&left));
            let help = format!("it hangs in the kernel: unplug the device that it uses, if it uses one.\n{END_THEM}");
            Err(Told::new(ExitStatus::Failed, words).help(help))
        }
        DaemonExit::GaveUp(why) => Err(Told::new(ExitStatus::GaveUp, format!("mainstay gave up: {why}"))
            .help(format!("its services were left running.\n{END_THEM}\nPlease report the panic above"))),
    }
}

/// Bound on an answer of an actor to an operator.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The shared recorder.
type SharedRecorder = Arc<Mutex<Recorder>>;

/// The shared board.
type SharedBoard = Arc<Board>;

/// The shared station.
type SharedStation = Arc<Station>;
