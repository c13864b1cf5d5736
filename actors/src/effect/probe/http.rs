//! One HTTP/1.1 GET over plain TCP. There is no TLS here: what is probed runs on this machine or beside it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, timeout};

use super::blocking::Threads;
use super::connect::{Connection, Door};
use super::credentials::BasicAuth;
use super::http_response::{BodyReader, Framing, HeadReader, More};
use super::progress::Progress;
use crate::action::not_ready::{Awaited, BadResponse, BadUrl, HttpStatus, NotReady, UrlFault};
use crate::effect::watched;

/// How long a body that nobody needs is still read.
const COURTESY: Duration = Duration::from_secs(1);
const READ_BYTES: usize = 8 * 1024;

/// A checked `http://` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HttpUrl {
    text: String,
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl HttpUrl {
    /// # Errors
    /// When it is not `http://HOST[:PORT][/PATH]`, or would put something else than a path into the request.
    pub(super) fn parse(url: &str) -> Result<Self, BadUrl> {
        let bad = |why| BadUrl { url: url.to_owned(), why };
        if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(bad(UrlFault::Space));
        }
        let is_http = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
        let rest = url.get(7..).filter(|_| is_http).ok_or_else(|| bad(UrlFault::Scheme))?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or_else(|| bad(UrlFault::NoHost))?;
        if authority.contains('@') {
            return Err(bad(UrlFault::User));
        }
        let (host, port) = split_port(authority).ok_or_else(|| bad(UrlFault::Port))?;
        if host.is_empty() {
            return Err(bad(UrlFault::NoHost));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { text: url.to_owned(), host: host.to_owned(), port, authority: authority.to_owned(), path })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; port 80 where there is none.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    Some((host, port.map_or(Some(80), |port| port.parse().ok())?))
}

/// GETs one address again and again.
pub(super) struct Getter {
    url: HttpUrl,
    door: Door,
}

impl Getter {
    pub(super) fn new(url: HttpUrl, threads: &Threads) -> Self {
        let door = Door::new(&url.host, url.port, threads);
        Self { url, door }
    }

    /// The address as it was written.
    pub(super) fn url(&self) -> &str {
        &self.url.text
    }

    /// Sends the request and reads the head of the answer.
    ///
    /// # Errors
    /// When there is no connection or no HTTP; any status is an answer.
    pub(super) async fn get(&mut self, auth: Option<&BasicAuth>, progress: &Progress) -> Result<Answer, NotReady> {
        let mut connection = self.door.open(progress).await?;
        progress.to(Awaited::HttpAnswer(self.url.text.clone()));
        let request = self.request(auth);
        connection.stream.write_all(request.as_bytes()).await.map_err(|error| connection.broken(&error))?;
        let mut reader = HeadReader::default();
        loop {
            let mut piece = [0; READ_BYTES];
            let count = connection.stream.read(&mut piece).await.map_err(|error| connection.broken(&error))?;
            let piece = piece.get(..count).unwrap_or_default();
            if piece.is_empty() {
                return Err(self.fault(BadResponse::CutShort));
            }
            if let Some((head, rest)) = reader.push(piece).map_err(|fault| self.fault(fault))? {
                let url = self.url.text.clone();
                return Ok(Answer { status: head.status, framing: head.framing, rest, connection, url });
            }
        }
    }

    fn request(&self, auth: Option<&BasicAuth>) -> String {
        let HttpUrl { path, authority, .. } = &self.url;
        let auth = auth.map(|auth| format!("Authorization: {}\r\n", auth.header())).unwrap_or_default();
        format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\n{auth}User-Agent: mainstay\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
    }

    fn fault(&self, fault: BadResponse) -> NotReady {
        NotReady::HttpFault { url: self.url.text.clone(), fault }
    }
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: HttpStatus,
    framing: Framing,
    rest: Vec<u8>,
    connection: Connection,
    url: String,
}

impl Answer {
    /// The status as a reason.
    pub(super) fn refused(&self) -> NotReady {
        NotReady::HttpStatus { url: self.url.clone(), status: self.status.clone() }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// When it is too long, makes no sense, or the connection breaks.
    pub(super) async fn body(mut self) -> Result<Vec<u8>, NotReady> {
        let url = self.url;
        let fault = |fault| NotReady::HttpFault { url: url.clone(), fault };
        let mut body = BodyReader::new(self.framing).map_err(fault)?;
        let mut more = body.push(&self.rest).map_err(fault)?;
        while more == More::Needed {
            let mut piece = [0; READ_BYTES];
            let count = self.connection.stream.read(&mut piece).await;
            let count = count.map_err(|error| self.connection.broken(&error))?;
            match piece.get(..count).unwrap_or_default() {
                [] => break,
                piece => more = body.push(piece).map_err(fault)?,
            }
        }
        body.finish().map_err(fault)
    }

    /// Takes the body and drops it, aside: a server whose answer is not read sees a broken pipe, and many log that as an
    /// error. Bounded in time and size.
    pub(super) fn drain(self) {
        watched::serve_here("probe-rest", async move {
            let _ = timeout(COURTESY, self.body()).await;
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    fn parts(url: &str) -> (String, u16, String) {
        let url = HttpUrl::parse(url).unwrap();
        (url.host, url.port, url.path)
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(
            parts("http://127.0.0.1:8073/status.json?x=1#y"),
            ("127.0.0.1".into(), 8073, "/status.json?x=1".into())
        );
        assert_eq!(parts("HTTP://[::1]:81"), ("::1".into(), 81, "/".into()));
        assert_eq!(parts("http://station?a"), ("station".into(), 80, "/?a".into()));
    }

    #[test]
    fn what_is_not_plain_http_is_refused_with_its_reason() {
        for (url, why) in [
            ("https://a/", UrlFault::Scheme),
            ("http://a b/", UrlFault::Space),
            ("http://a/\r\nHost: b", UrlFault::Space),
            ("http://root:pw@a/", UrlFault::User),
            ("http://a:http/", UrlFault::Port),
            ("http://:80/", UrlFault::NoHost),
            ("http://", UrlFault::NoHost),
            ("http://[::1]81/", UrlFault::Port),
        ] {
            assert_eq!(HttpUrl::parse(url), Err(BadUrl { url: url.to_owned(), why }));
        }
    }

    proptest! {
        #[test]
        fn no_address_can_break_the_request(url in "(http://)?\\PC{0,40}[\r\n /?#:@\\[\\]]{0,4}\\PC{0,40}") {
            if let Ok(url) = HttpUrl::parse(&url) {
                let request = Getter::new(url, &Threads::new(1)).request(None);
                prop_assert_eq!(request.lines().count(), 6);
                prop_assert!(request.starts_with("GET /"));
            }
        }
    }
}
