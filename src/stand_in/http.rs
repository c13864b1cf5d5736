//! A tiny web server: GET and HEAD, one answer per connection, bounded in size and time.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::program::accept;

const REQUEST_LIMIT: usize = 8 * 1024;
/// For one request and its answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Page {
    pub(super) fn html(body: String) -> Self {
        Self { status: "200 OK", kind: "text/html; charset=utf-8", body }
    }

    pub(super) fn json(body: &serde_json::Value) -> Self {
        Self { status: "200 OK", kind: "application/json", body: body.to_string() }
    }

    /// Prometheus' text format.
    pub(super) fn metrics(body: String) -> Self {
        Self { status: "200 OK", kind: "text/plain; version=0.0.4", body }
    }

    pub(super) fn not_found() -> Self {
        Self::plain("404 Not Found")
    }

    fn plain(status: &'static str) -> Self {
        Self { status, kind: "text/plain", body: format!("{status}\n") }
    }
}

/// How much of a page is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    HeadOnly,
}

/// Answers requests for ever with what `page` gives for a path.
pub(super) async fn serve<P>(listener: TcpListener, page: P) -> Infallible
where
    P: Fn(&str) -> Page + Send + Sync + 'static,
{
    let page = Arc::new(page);
    accept(listener, move |stream| {
        let page = Arc::clone(&page);
        async move { tokio::time::timeout(TIME_LIMIT, answer(stream, &*page)).await? }
    })
    .await
}

async fn answer(mut stream: TcpStream, page: &(impl Fn(&str) -> Page + Sync)) -> io::Result<()> {
    let request = read_head(&mut stream).await?;
    let response = respond(&request, page);
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads to the empty line, or so much as is taken at most.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !is_whole(&head) && head.len() < REQUEST_LIMIT {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
    Ok(head)
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n") || head.windows(2).any(|two| two == b"\n\n")
}

fn respond(request: &[u8], page: &impl Fn(&str) -> Page) -> String {
    if !is_whole(request) {
        return response(&Page::plain("431 Request Header Fields Too Large"), Extent::Whole);
    }
    match parse(request) {
        Ok((path, extent)) => response(&page(path), extent),
        Err(refusal) => response(&refusal, Extent::Whole),
    }
}

/// The path that is wanted, without its query, and how much of it.
fn parse(request: &[u8]) -> Result<(&str, Extent), Page> {
    let bad = || Page::plain("400 Bad Request");
    let line = request.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| bad())?.trim_end();
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Err(bad());
    }
    let path = target.split('?').next().unwrap_or_default();
    match method {
        "GET" => Ok((path, Extent::Whole)),
        "HEAD" => Ok((path, Extent::HeadOnly)),
        _ => Err(Page::plain("405 Method Not Allowed")),
    }
}

fn response(page: &Page, extent: Extent) -> String {
    let Page { status, kind, body } = page;
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nServer: mainstay stand-in\r\n\
         Connection: close\r\n\r\n"
    );
    match extent {
        Extent::Whole => head + body,
        Extent::HeadOnly => head,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    fn status(request: &str) -> String {
        let page = |path: &str| if path == "/a" { Page::html("<p>".into()) } else { Page::not_found() };
        respond(request.as_bytes(), &page).lines().next().unwrap().to_owned()
    }

    #[test]
    fn each_kind_of_request_gets_its_status() {
        for (request, expected) in [
            ("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK"),
            ("GET /a?b=c HTTP/1.0\n\n", "200 OK"),
            ("GET /b HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /a HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("GET /a\r\n\r\n", "400 Bad Request"),
            ("GET a HTTP/1.1\r\n\r\n", "400 Bad Request"),
            ("GET /a HTTP/2\r\n\r\n", "400 Bad Request"),
            ("GET /a HTTP/1.1\r\nMore: and more", "431 Request Header Fields Too Large"),
        ] {
            assert_eq!(status(request), format!("HTTP/1.1 {expected}"), "{request:?}");
        }
    }

    #[test]
    fn a_head_request_gets_no_body() {
        let response = respond(b"HEAD / HTTP/1.1\r\n\r\n", &|_: &str| Page::html("<p>text".into()));
        assert!(response.contains("Content-Length: 7\r\n") && response.ends_with("\r\n\r\n"), "{response}");
    }

    proptest! {
        #[test]
        fn no_request_can_crash_the_server(
            request in prop::collection::vec(any::<u8>(), 0..200),
            line in "[A-Z]{0,4} ?/?\\PC{0,20} ?HTTP/1.1\r\n\r\n",
        ) {
            let page = |_: &str| Page::not_found();
            prop_assert!(respond(&request, &page).starts_with("HTTP/1.1 "));
            prop_assert!(respond(line.as_bytes(), &page).starts_with("HTTP/1.1 4"));
        }
    }
}
