//! TCP connections to what is probed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use tokio::net::TcpStream;

use super::blocking::{Blocking, Threads};
use super::progress::Progress;
use crate::action::not_ready::{Awaited, NotReady};
use mainstay_hardware::error::SystemError;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// A connection, and where it leads.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) place: SocketAddr,
}

impl Connection {
    /// What to say when reading or writing fails.
    pub(super) fn broken(&self, error: &io::Error) -> NotReady {
        NotReady::Broken { place: self.place, error: error.into() }
    }
}

/// A host and port to connect to.
pub(super) struct Door {
    host: String,
    port: u16,
    look_up: Blocking<io::Result<Vec<SocketAddr>>>,
}

impl Door {
    /// `host` is an address, `localhost`, or a name that is looked up at each attempt.
    pub(super) fn new(host: &str, port: u16, threads: &Threads) -> Self {
        Self { host: host.to_owned(), port, look_up: Blocking::new(threads) }
    }

    /// A port on 127.0.0.1.
    pub(super) fn on_loopback(port: u16, threads: &Threads) -> Self {
        Self::new("127.0.0.1", port, threads)
    }

    /// Connects to the first address that takes it.
    ///
    /// # Errors
    /// With what the first address said, when none does.
    pub(super) async fn open(&mut self, progress: &Progress) -> Result<Connection, NotReady> {
        let mut first_error = None;
        for place in self.addresses(progress).await? {
            progress.to(Awaited::Connecting(place));
            match connect(place).await {
                Ok(stream) => {
                    progress.connected(place);
                    return Ok(Connection { stream, place });
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| self.unknown(None)))
    }

    async fn addresses(&mut self, progress: &Progress) -> Result<Vec<SocketAddr>, NotReady> {
        let port = self.port;
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![(address, port).into()]);
        }
        if self.host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
        }
        progress.to(Awaited::Resolving(self.host.clone()));
        let host = self.host.clone();
        let look_up = move || Ok((host.as_str(), port).to_socket_addrs()?.take(MOST_ADDRESSES).collect());
        self.look_up.run(look_up).await?.map_err(|error| self.unknown(Some(error.into())))
    }

    fn unknown(&self, error: Option<SystemError>) -> NotReady {
        NotReady::UnknownHost { host: self.host.clone(), error }
    }
}

async fn connect(place: SocketAddr) -> Result<TcpStream, NotReady> {
    let stream = TcpStream::connect(place).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => NotReady::Refused(place),
        _ => NotReady::Unreachable { place, error: error.into() },
    })?;
    not_to_itself(stream, place)
}

/// Where nothing listens on a high loopback port, the kernel may choose that very port as the near end: TCP's simultaneous
/// open then connects the socket to itself.
fn not_to_itself(stream: TcpStream, place: SocketAddr) -> Result<TcpStream, NotReady> {
    match stream.local_addr() {
        Ok(near) if near == place => Err(NotReady::Refused(place)),
        _ => Ok(stream),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_socket_that_is_connected_to_itself_found_nobody() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let place = socket.local_addr().unwrap();
        let stream = socket.connect(place).await.unwrap();
        assert_eq!(not_to_itself(stream, place).err(), Some(NotReady::Refused(place)));
    }
}
