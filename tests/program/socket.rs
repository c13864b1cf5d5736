//! The control socket and whoever speaks to it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::harness::Station;

#[test]
fn garbage_on_the_socket_is_answered_and_forgotten() {
    let station = Station::run("[services.a]\ncommand = [\"sleep\", \"1000\"]\n");
    let before = station.until_service("a", "running");
    let long = vec![b'x'; 4 << 20];
    for garbage in
        [&b"\n"[..], b"{", b"\xff\xfe\n", b"GET / HTTP/1.1\r\n\r\n", b"{\"start\":{}}\n", b"[[[[[[[[[\n", &long]
    {
        let mut stream = UnixStream::connect(station.socket()).unwrap();
        // It may hang up before all is written.
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.is_empty() || answer.contains("bad_request"), "{answer}");
    }
    // Callers who say nothing keep nobody else from being answered.
    let _silent: Vec<UnixStream> = (0..8).map(|_| UnixStream::connect(station.socket()).unwrap()).collect();
    assert_eq!(station.service("a").pid, before.pid);
    station.end();
}
