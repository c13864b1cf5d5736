//! The queue to the threads that start programs. A job wakes one of them: with a channel that they share, whoever took a job would wake the
//! next one to wait in his place, which costs a start more than anything else that is done for it here.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Job;

/// Jobs that may wait at the same time. A configuration has far fewer services.
const MOST: usize = 4096;

/// Jobs, first come first served.
#[derive(Debug)]
pub(super) struct Jobs {
    queue: Mutex<Queue>,
    news: Condvar,
}

#[derive(Debug)]
enum Queue {
    Open(VecDeque<Job>),
    Closed,
}

/// The queue was full.
#[derive(Debug)]
pub(crate) struct Busy;

impl Jobs {
    pub(super) fn new() -> Self {
        Self { queue: Mutex::new(Queue::Open(VecDeque::new())), news: Condvar::new() }
    }

    /// Never waits for a thread.
    pub(super) fn add(&self, job: Job) -> Result<(), Busy> {
        match &mut *self.lock() {
            Queue::Open(jobs) if jobs.len() < MOST => jobs.push_back(job),
            Queue::Open(_) | Queue::Closed => return Err(Busy),
        }
        self.news.notify_one();
        Ok(())
    }

    /// Nothing more is begun, and whoever waits hears that.
    pub(super) fn close(&self) {
        *self.lock() = Queue::Closed;
        self.news.notify_all();
    }

    /// Waits for the next job. `None`: there will be none.
    pub(super) fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            match &mut *queue {
                Queue::Closed => return None,
                Queue::Open(jobs) => {
                    if let Some(job) = jobs.pop_front() {
                        return Some(job);
                    }
                }
            }
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn each_job_is_taken_once_and_whoever_waits_hears_of_the_end() {
        let jobs = Arc::new(Jobs::new());
        let (taken, all) = std::sync::mpsc::channel();
        let threads = [(); 3].map(|()| {
            let (jobs, taken) = (Arc::clone(&jobs), taken.clone());
            thread::spawn(move || {
                while jobs.next().is_some() {
                    taken.send(()).unwrap();
                }
            })
        });
        for _ in 0..100 {
            jobs.add(Job::Keeper).unwrap();
        }
        assert_eq!(all.iter().take(100).count(), 100);
        jobs.close();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(all.try_recv().is_err() && jobs.add(Job::Keeper).is_err());
    }

    #[test]
    fn what_nobody_takes_is_refused_in_the_end() {
        let jobs = Jobs::new();
        let added = (0..2 * MOST).take_while(|_| jobs.add(Job::Keeper).is_ok()).count();
        assert_eq!(added, MOST);
    }
}
