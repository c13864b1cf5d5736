//! Holds the reading end of every run's pipe and gives it to the log-keeper; a thread of mainstay.
//!
//! mainstay keeps a copy of each pipe, so that a program can go on printing while there is no keeper, and a new keeper is given
//! all of them again. The thread has a descriptor table of its own: to start a program the kernel copies the table of the thread
//! that starts it and closes every copy again, so with a thousand pipes in mainstay's own table each start would pay for all.
//! For the same reason nothing here may use a descriptor that belongs to somebody else: a tokio channel, for one, wakes its
//! reader by the number of a descriptor that means nothing in this table.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::pauses::{LOOK_AGAIN, Pauses};
use super::watch::{Pipes, State};
use super::wire::{self, Header, Parcel, Patience, Received};
use crate::action::process::RunId;
use crate::effect::process::sys;
use crate::effect::process::thread::Thread;
use crate::effect::watched::{self, Lost};

/// The thread's name.
const NAME: &str = "outputs";

/// What comes within this time is dealt with together.
const TOGETHER: Duration = Duration::from_millis(1);
/// How long a keeper is waited for that has no room, when mainstay ends.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// Outputs of runs that are over, kept for a keeper that is not there; the oldest are given up beyond this.
const MAX_LEFT_OVER: usize = 1024;

/// The way to the thread. Threads share it.
#[derive(Debug, Clone)]
pub(crate) struct OutputsHandle {
    socket: Arc<OwnedFd>,
    orders: Sender<Order>,
    /// Whether a packet that says that there are orders is under way: one is enough for many.
    is_called: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Order {
    Over(RunId),
    Close,
}

impl OutputsHandle {
    /// Starts the thread. It ends after [`OutputsHandle::close`], or when the last `OutputsHandle` is dropped. It tells by `tell` when it panics, and by
    /// `is_silent` when the keeper with this process id does not read.
    pub(crate) fn start(
        tell: impl FnOnce(Lost) + Send + 'static,
        is_silent: impl Fn(u32) + Send + 'static,
    ) -> io::Result<(Self, Thread)> {
        let (ours, theirs) = wire::pair()?;
        let (orders, queue) = channel();
        let is_called = Arc::new(AtomicBool::new(false));
        let called = Arc::clone(&is_called);
        let (moved, has_moved) = channel();
        // The thread takes a copy into its own table; this one is closed when it has.
        let theirs = Arc::new(theirs);
        let original = Arc::clone(&theirs);
        let outputs = move || {
            let socket = sys::own_descriptors(original.as_fd());
            drop(original);
            let ready = moved.send(());
            if let (Ok(socket), Ok(())) = (socket, ready) {
                let mut outputs = Outputs::new(socket, queue, called);
                outputs.run(&is_silent);
            }
        };
        let thread = Thread::start_apart(NAME, outputs, tell)?;
        let _ = has_moved.recv();
        drop(theirs);
        Ok((Self { socket: Arc::new(ours), orders, is_called }, thread))
    }

    /// Hands over the reading end of a run's pipe. May block for a moment.
    pub(crate) fn hold(&self, header: Header, pipe: BorrowedFd<'_>) -> io::Result<()> {
        wire::send(&self.socket, &Parcel::Output(header), Some(pipe), Patience::Wait)
    }

    /// A new keeper is there: it is given everything. May block for a moment.
    pub(crate) fn give_to(&self, pid: u32, keeper: BorrowedFd<'_>) -> io::Result<()> {
        wire::send(&self.socket, &Parcel::Keeper(pid), Some(keeper), Patience::Wait)
    }

    /// A run is over. Its pipe is kept until it is empty: the keeper may die, or be dead already, before it has read the rest.
    pub(crate) fn over(&self, run: RunId) {
        self.order(Order::Over(run));
    }

    /// Gives what has not been given yet, lets go of everything, and ends the thread.
    pub(crate) fn close(&self) {
        self.order(Order::Close);
    }

    fn order(&self, order: Order) {
        // It has ended already: then there is nothing left to order.
        let _ = self.orders.send(order);
        if !self.is_called.swap(true, Ordering::AcqRel)
            && wire::send(&self.socket, &Parcel::Look, None, Patience::None).is_err()
        {
            // A socket that is full wakes it as well.
            self.is_called.store(false, Ordering::Release);
        }
    }
}

/// What the thread holds.
#[derive(Debug)]
struct Outputs {
    socket: OwnedFd,
    orders: Receiver<Order>,
    is_called: Arc<AtomicBool>,
    keeper: Option<Keeper>,
    outputs: BTreeMap<RunId, Output>,
    pipes: Pipes,
    /// Not given to the present keeper yet, oldest first.
    waiting: VecDeque<RunId>,
    /// Of runs that are over, with something left in the pipe; oldest first.
    left_over: VecDeque<RunId>,
    given: Given,
    life: Life,
}

/// Who reads.
#[derive(Debug)]
struct Keeper {
    pid: u32,
    socket: OwnedFd,
    /// Whether it does.
    reads: State,
}

#[derive(Debug)]
struct Output {
    parcel: Parcel,
    pipe: OwnedFd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    Closing,
}

/// Whether a packet was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Something,
    Nothing,
}

/// Whether everything was given to the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// All of it; or there is no keeper, and the next one is given it.
    All,
    /// It has too much unread.
    NoRoom,
    /// More descriptors are under way than the kernel allows; how many become less is not told.
    TooManyUnderWay,
}

impl Outputs {
    fn new(socket: OwnedFd, orders: Receiver<Order>, is_called: Arc<AtomicBool>) -> Self {
        Self {
            socket,
            orders,
            is_called,
            keeper: None,
            outputs: BTreeMap::new(),
            pipes: Pipes::new(),
            waiting: VecDeque::new(),
            left_over: VecDeque::new(),
            given: Given::All,
            life: Life::Open,
        }
    }

    fn run(&mut self, is_silent: &dyn Fn(u32)) {
        while self.life == Life::Open {
            self.turn();
            self.watch_keeper(is_silent);
        }
        self.give_the_rest();
    }

    /// Waits until there is something to do, and does it.
    fn turn(&mut self) {
        watched::perhaps_panic(NAME);
        let is_quiet = self.given == Given::All && self.left_over.is_empty();
        self.wait(if is_quiet { self.deadline() } else { Some(LOOK_AGAIN) });
        if is_quiet {
            self.let_more_come();
        }
        let orders = self.heard();
        self.serve(orders);
        self.given = self.give();
        self.drop_what_is_empty();
    }

    fn heard(&self) -> Vec<Order> {
        self.orders.try_iter().collect()
    }

    /// Takes what is there and obeys. A pipe is always on its way before its run is said to be over, so orders are heard first. But the
    /// packet that says that there is an order must not be taken before that order is heard: after each packet they are heard again.
    fn serve(&mut self, mut orders: Vec<Order>) {
        loop {
            let mut last = Taken::Nothing;
            while self.take_packet(Patience::None) == Taken::Something {
                last = Taken::Something;
            }
            orders.into_iter().for_each(|order| self.obey(order));
            if last == Taken::Nothing {
                return;
            }
            orders = self.heard();
        }
    }

    fn wait(&self, longest: Option<Timespec>) {
        let mut sockets = vec![PollFd::new(&self.socket, PollFlags::IN)];
        sockets.extend(self.room(self.given));
        let pipes = self.pipes.descriptor();
        match &self.keeper {
            Some(Keeper { reads: State::Quiet, .. }) => {
                sockets.extend(pipes.as_ref().map(|pipes| PollFd::new(pipes, PollFlags::IN)));
            }
            Some(Keeper { reads: State::Asked { .. }, socket, .. }) => {
                sockets.push(PollFd::new(socket, PollFlags::IN));
            }
            _ => {}
        }
        // An interrupted wait looks again, which costs nothing.
        let _ = poll(&mut sockets, longest.as_ref());
    }

    /// How long it may be until the keeper is looked at again.
    #[allow(clippy::disallowed_methods, reason = "a thread outside the actors: a bound on waiting")]
    fn deadline(&self) -> Option<Timespec> {
        let until = self.keeper.as_ref()?.reads.deadline()?;
        Timespec::try_from(until.saturating_duration_since(Instant::now())).ok()
    }

    /// Asks the keeper whether it reads when something is printed, and tells when it does not answer.
    #[allow(clippy::disallowed_methods, reason = "a thread outside the actors: a bound on waiting")]
    fn watch_keeper(&mut self, is_silent: &dyn Fn(u32)) {
        let Some(keeper) = &mut self.keeper else { return };
        let now = Instant::now();
        if keeper.reads == State::Quiet {
            let (full, closed) = self.pipes.look();
            for output in closed.iter().filter_map(|run| self.outputs.get(run)) {
                self.pipes.remove(&output.pipe);
            }
            let question = Parcel::question();
            if !full.is_empty() || question != Parcel::Ask {
                // One that has no room for the question does not answer.
                let _ = wire::send(&keeper.socket, &question, None, Patience::None);
                keeper.reads.asked(now);
            }
        } else {
            match wire::receive(&keeper.socket, Patience::None) {
                Received::Ask => keeper.reads.answered(now),
                // It has just died; its successor is given everything.
                Received::Closed => {
                    self.keeper = None;
                    return;
                }
                _ => {}
            }
        }
        if keeper.reads.falls_silent(now) {
            is_silent(keeper.pid);
        }
    }

    /// Services that start or end together are dealt with together: nothing here is urgent, and being woken for each costs more.
    #[allow(clippy::disallowed_methods, reason = "a thread of its own that has nothing else to do")]
    fn let_more_come(&self) {
        std::thread::sleep(TOGETHER);
    }

    fn take_packet(&mut self, patience: Patience) -> Taken {
        match wire::receive(&self.socket, patience) {
            Received::Output(header, pipe) => {
                let run = header.run;
                self.pipes.add(run, &pipe);
                self.outputs.insert(run, Output { parcel: Parcel::Output(header), pipe });
                if self.keeper.is_some() {
                    self.waiting.push_back(run);
                }
            }
            Received::Lost(Header { service, .. }) => tracing::error!(
                service,
                "there is no descriptor left for what it prints: it is ended by SIGPIPE when it does; raise the limit (LimitNOFILE=)"
            ),
            Received::Keeper(pid, socket) => {
                self.keeper = Some(Keeper { pid, socket, reads: State::Quiet });
                self.waiting = self.outputs.keys().copied().collect();
            }
            // Whoever has an order from now on calls again: those that are there are heard after this.
            Received::Other | Received::Ask => self.is_called.store(false, Ordering::Release),
            Received::Nothing => return Taken::Nothing,
            Received::Closed => {
                self.life = Life::Closing;
                return Taken::Nothing;
            }
        }
        Taken::Something
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Over(run) if self.outputs.contains_key(&run) => {
                self.left_over.push_back(run);
                if self.left_over.len() > MAX_LEFT_OVER
                    && let Some(oldest) = self.left_over.pop_front()
                {
                    forget(&mut self.outputs, &self.pipes, oldest);
                }
            }
            Order::Over(_) => {}
            Order::Close => self.life = Life::Closing,
        }
    }

    /// Gives the keeper what it has not got yet, as far as it has room.
    fn give(&mut self) -> Given {
        let Some(keeper) = &self.keeper else { return Given::All };
        while let Some(run) = self.waiting.front() {
            if let Some(output) = self.outputs.get(run) {
                match wire::send(&keeper.socket, &output.parcel, Some(output.pipe.as_fd()), Patience::None) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Given::NoRoom,
                    Err(error) if error.raw_os_error() == Some(libc::ETOOMANYREFS) => return Given::TooManyUnderWay,
                    // It is just dying; its successor is given everything.
                    Err(_) => {
                        self.keeper = None;
                        return Given::All;
                    }
                }
            }
            self.waiting.pop_front();
        }
        Given::All
    }

    fn drop_what_is_empty(&mut self) {
        let (outputs, pipes) = (&mut self.outputs, &self.pipes);
        self.left_over.retain(|run| {
            let is_empty = |output: &Output| rustix::io::ioctl_fionread(&output.pipe).is_ok_and(|bytes| bytes == 0);
            if outputs.get(run).is_none_or(is_empty) {
                forget(outputs, pipes, *run);
                return false;
            }
            true
        });
    }

    #[allow(clippy::disallowed_methods, reason = "a thread outside the actors: a bound on waiting")]
    fn give_the_rest(&mut self) {
        while self.take_packet(Patience::None) == Taken::Something {}
        let until = Instant::now() + LAST_PATIENCE;
        let mut pauses = Pauses::default();
        loop {
            let before = self.waiting.len();
            let given = self.give();
            if self.waiting.len() < before {
                pauses = Pauses::default();
            }
            if given == Given::All || Instant::now() >= until {
                return;
            }
            let mut room: Vec<PollFd<'_>> = self.room(given).into_iter().collect();
            let _ = poll(&mut room, Some(&pauses.next()));
        }
    }

    /// What tells that it is worth trying again. Nothing tells that fewer descriptors are under way: a keeper may have room meanwhile.
    fn room(&self, given: Given) -> Option<PollFd<'_>> {
        let keeper = self.keeper.as_ref().filter(|_| given == Given::NoRoom)?;
        Some(PollFd::new(&keeper.socket, PollFlags::OUT))
    }
}

fn forget(outputs: &mut BTreeMap<RunId, Output>, pipes: &Pipes, run: RunId) {
    if let Some(output) = outputs.remove(&run) {
        pipes.remove(&output.pipe);
    }
}

#[cfg(test)]
mod tests;
