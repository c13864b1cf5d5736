//! What is done before there is anybody who could be asked for the reason: a disk that does not answer is told of.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use mainstay_hardware::watched;

/// A disk answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does something that waits for disks. When it takes long, `say` is told so once, with these paths. Where no thread can be started, nobody is.
pub(crate) fn patiently<T>(paths: &[&Path], say: impl FnOnce(&str) + Send + 'static, work: impl FnOnce() -> T) -> T {
    let (working, done) = channel::<()>();
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let watch = move || {
        if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let seconds = PATIENCE.as_secs();
            say(&format!(
                "a disk has not answered for {seconds} s, and is waited for: that of {}, or of what is named there; look for a share that is gone",
                paths.join(", ")
            ));
        }
    };
    let thread = watched::thread("patience", watch, drop);
    let result = work();
    drop(working);
    if let Ok(thread) = thread {
        // It has nothing left to do. A panic of it was told.
        let _ = thread.join();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_at_once_is_told_of_by_nobody() {
        let result = patiently(&[Path::new("/x")], |words| panic!("{words}"), || 7);
        assert_eq!(result, 7);
    }
}
