#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use mainstay_actors::effect::process::keeper::{Added, Follower, Gap, rotated};
use proptest::prelude::*;

use super::*;

fn shown(path: &Path, wanted: u64) -> String {
    let mut text = String::new();
    for mut file in last_lines(path, wanted).unwrap() {
        io::Read::read_to_string(&mut file, &mut text).unwrap();
    }
    text
}

fn append(path: &Path, text: &str) {
    std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Rotates as the log-keeper does.
fn rotate(path: &Path) {
    for nth in (0..9).rev() {
        let from = rotated(path, nth);
        if from.exists() {
            std::fs::rename(from, rotated(path, nth + 1)).unwrap();
        }
    }
}

fn polled(follower: &mut Follower) -> (String, Option<Gap>) {
    let (mut text, mut lost) = (Vec::new(), None);
    let take = |added: Added<'_>| {
        match added {
            Added::Bytes(bytes) => text.extend_from_slice(bytes),
            Added::Gap(gap) => lost = Some(gap),
        }
        Ok::<(), io::Error>(())
    };
    follower.poll(u64::MAX, take).unwrap();
    (String::from_utf8(text).unwrap(), lost)
}

fn follower(log: &Path, newest: Option<File>) -> Follower {
    Follower::from(log.to_owned(), newest).unwrap()
}

#[test]
fn the_last_lines_go_back_into_rotated_files() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    std::fs::write(rotated(&log, 2), "one\ntwo\n").unwrap();
    std::fs::write(rotated(&log, 1), "three\nfour\n").unwrap();
    std::fs::write(&log, "five\nsix").unwrap();
    assert_eq!(shown(&log, 0), "");
    assert_eq!(shown(&log, 1), "six");
    assert_eq!(shown(&log, 2), "five\nsix");
    assert_eq!(shown(&log, 3), "four\nfive\nsix");
    assert_eq!(shown(&log, 5), "two\nthree\nfour\nfive\nsix");
    assert_eq!(shown(&log, 50), "one\ntwo\nthree\nfour\nfive\nsix");
    assert!(last_lines(&dir.path().join("none.log"), 5).unwrap().is_empty());
}

#[test]
fn following_survives_rotation_twice_between_two_looks() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    append(&log, "a");
    let mut follower = follower(&log, last_lines(&log, 0).unwrap().pop());
    assert_eq!(polled(&mut follower), (String::new(), None));
    append(&log, "b");
    rotate(&log);
    append(&log, "c");
    rotate(&log);
    append(&log, "d");
    assert_eq!(polled(&mut follower), ("bcd".to_owned(), None));
    append(&log, "e");
    assert_eq!(polled(&mut follower), ("e".to_owned(), None));
}

#[test]
fn following_waits_for_a_log_that_is_not_there_yet_and_notices_one_that_was_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    let mut follower = follower(&log, None);
    assert_eq!(polled(&mut follower), (String::new(), None));
    append(&log, "first line");
    assert_eq!(polled(&mut follower), ("first line".to_owned(), None));
    std::fs::write(&log, "new").unwrap();
    assert_eq!(polled(&mut follower), ("new".to_owned(), Some(Gap::Emptied)));
}

#[test]
fn following_waits_for_a_log_whose_folder_was_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, elsewhere) = (folder.path().join("logs"), folder.path().join("elsewhere"));
    std::fs::create_dir(&logs).unwrap();
    let path = logs.join("a.log");
    append(&path, "1\n");
    let mut follower = follower(&path, None);
    assert_eq!(polled(&mut follower), ("1\n".to_owned(), None));
    std::fs::rename(&logs, &elsewhere).unwrap();
    append(&elsewhere.join("a.log"), "2\n");
    assert_eq!(polled(&mut follower), ("2\n".to_owned(), None));
    assert_eq!(polled(&mut follower), (String::new(), None));
    std::fs::create_dir(&logs).unwrap();
    append(&path, "3\n");
    assert_eq!(polled(&mut follower), ("3\n".to_owned(), Some(Gap::Unknown)));
}

#[test]
fn following_says_when_files_were_rotated_away_unseen_and_shows_those_that_are_left() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("gpsd.log");
    append(&log, "a");
    let mut follower = follower(&log, last_lines(&log, 1).unwrap().pop());
    assert_eq!(polled(&mut follower).0, "a");
    append(&log, "b");
    std::fs::remove_file(&log).unwrap();
    append(&dir.path().join("gpsd.log.1"), "another");
    append(&log, "c");
    assert_eq!(polled(&mut follower), ("banotherc".to_owned(), Some(Gap::RotatedAway)));
}

#[test]
fn following_where_no_rotated_file_is_kept_says_that_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    append(&path, "a");
    let mut follower = follower(&path, None);
    assert_eq!(polled(&mut follower).0, "a");
    append(&path, "b");
    // The open file keeps its number from being given to the next one.
    std::fs::remove_file(&path).unwrap();
    append(&path, "c");
    assert_eq!(polled(&mut follower), ("bc".to_owned(), Some(Gap::Unknown)));
}

#[test]
fn a_line_without_an_end_comes_in_pieces_of_whole_characters() {
    let mut pieces = Pieces::default();
    let mut bytes = vec![b'x'; 64 * 1024 - 1];
    bytes.extend_from_slice("é".as_bytes());
    bytes.extend_from_slice(b"z\n");
    let found = pieces.feed(&bytes);
    assert_eq!(found.len(), 2);
    assert!(!found[0].ends_line);
    assert_eq!(found[1], Piece { text: "éz".to_owned(), ends_line: true });
    assert_eq!(pieces.flush(), None);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let mut pieces = Pieces::default();
    assert_eq!(pieces.feed(b"a\xff\xfeb\n"), [Piece { text: "a\u{fffd}\u{fffd}b".to_owned(), ends_line: true }]);
}

proptest! {
    #[test]
    fn the_last_lines_are_the_last_lines(
        lines in proptest::collection::vec("[a-z]{0,9}", 0..40), cut in 0usize..40, wanted in 0u64..50,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("s.log");
        let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let (old, new) = lines.split_at(cut.min(lines.len()));
        std::fs::write(rotated(&log, 1), text(old)).unwrap();
        std::fs::write(&log, text(new)).unwrap();
        let skip = lines.len().saturating_sub(usize::try_from(wanted).unwrap());
        prop_assert_eq!(shown(&log, wanted), text(&lines[skip..]));
    }

    #[test]
    fn pieces_do_not_depend_on_how_the_bytes_arrive(text in "[a-zé\n]{0,60}", size in 1usize..9) {
        let mut pieces = Pieces::default();
        let mut found = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            found.extend(pieces.feed(chunk));
        }
        found.extend(pieces.flush());
        let whole = |piece: &Piece| piece.text.clone() + if piece.ends_line { "\n" } else { "" };
        let joined: String = found.iter().map(whole).collect();
        prop_assert_eq!(joined, text);
    }
}
