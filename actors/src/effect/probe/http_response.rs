//! The part of HTTP/1.1 (RFC 9112) that a client of one GET needs: response heads and bodies, bounded, without I/O.

use super::words::plain;
use crate::action::not_ready::{BODY_LIMIT, BadResponse, HEAD_LIMIT, HttpStatus};

/// Most bytes of one chunk's size line with its extensions, and of one trailer line.
const CHUNK_LINE_LIMIT: usize = 1024;

/// How the end of a body is found (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(usize),
    /// In chunks.
    Chunked,
    /// The server closes the connection.
    UntilClose,
}

/// The head of a final response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: HttpStatus,
    pub(super) framing: Framing,
}

/// Collects a head from pieces.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    bytes: Vec<u8>,
    searched: usize,
    interim: usize,
}

impl HeadReader {
    /// Takes the next piece; gives the head and the first bytes of the body when it is complete.
    ///
    /// # Errors
    /// When it is not HTTP, or too long.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Option<(Head, Vec<u8>)>, BadResponse> {
        self.bytes.extend_from_slice(piece);
        loop {
            let prefix = b"HTTP/1.";
            if !self.bytes.iter().zip(prefix).all(|(byte, expected)| byte == expected) {
                return Err(BadResponse::NotHttp);
            }
            let Some(end) = self.find_end() else {
                let too_long = self.bytes.len() + self.interim > HEAD_LIMIT;
                return if too_long { Err(BadResponse::HeadTooLong) } else { Ok(None) };
            };
            if end + self.interim > HEAD_LIMIT {
                return Err(BadResponse::HeadTooLong);
            }
            let rest = self.bytes.split_off(end);
            let head = parse_head(&self.bytes)?;
            if head.status.code >= 200 {
                return Ok(Some((head, rest)));
            }
            self.interim += end;
            self.bytes = rest;
            self.searched = 0;
        }
    }

    /// Where the empty line ends; each byte is looked at once.
    fn find_end(&mut self) -> Option<usize> {
        let from = self.searched.saturating_sub(3);
        let tail = self.bytes.get(from..)?;
        let crlf = tail.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let lf = tail.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
        self.searched = self.bytes.len();
        match (crlf, lf) {
            (Some(crlf), Some(lf)) => Some(from + crlf.min(lf)),
            (one, other) => one.or(other).map(|at| from + at),
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Head, BadResponse> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let status = parse_status(lines.next().unwrap_or_default())?;
    let mut framing = if matches!(status.code, 204 | 304) { Framing::Length(0) } else { Framing::UntilClose };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().ends_with("chunked") {
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") && framing == Framing::UntilClose {
            framing = Framing::Length(value.parse().map_err(|_| BadResponse::BadLength)?);
        }
    }
    Ok(Head { status, framing })
}

fn parse_status(line: &str) -> Result<HttpStatus, BadResponse> {
    let mut parts = line.splitn(3, ' ');
    let _version = parts.next();
    let code = parts.next().filter(|code| code.len() == 3).and_then(|code| code.parse().ok());
    let code: u16 = code.filter(|code| (100..1000).contains(code)).ok_or(BadResponse::NotHttp)?;
    Ok(HttpStatus { code, phrase: plain(parts.next().unwrap_or_default().trim(), 60) })
}

/// Whether more bytes are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Needed,
    Done,
}

/// Collects a body from pieces.
#[derive(Debug)]
pub(super) struct BodyReader {
    state: State,
    body: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// So many bytes are still to come.
    Length(usize),
    UntilClose,
    /// In a line with a chunk's size.
    ChunkSize(Vec<u8>),
    ChunkData(usize),
    /// In the line end after a chunk.
    ChunkEnd,
    /// In the lines after the last chunk: length of the present line, and of all.
    Trailer {
        line: usize,
        all: usize,
    },
    Done,
}

impl BodyReader {
    /// # Errors
    /// When the announced length is past the limit.
    pub(super) fn new(framing: Framing) -> Result<Self, BadResponse> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) if length > BODY_LIMIT => return Err(BadResponse::BodyTooLong),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize(Vec::new()),
            Framing::UntilClose => State::UntilClose,
        };
        Ok(Self { state, body: Vec::new() })
    }

    /// Takes the next piece. Bytes after the end are ignored.
    ///
    /// # Errors
    /// When the body grows past its limit, or its chunks make no sense.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<More, BadResponse> {
        while !matches!(self.state, State::Done) {
            let Some((&byte, after)) = piece.split_first() else { return Ok(More::Needed) };
            match &mut self.state {
                State::UntilClose => {
                    self.collect(piece)?;
                    return Ok(More::Needed);
                }
                State::Length(left) | State::ChunkData(left) => {
                    let (data, rest) = piece.split_at((*left).min(piece.len()));
                    *left -= data.len();
                    piece = rest;
                    self.collect(data)?;
                    self.after_data();
                }
                _line => {
                    piece = after;
                    self.push_line_byte(byte)?;
                }
            }
        }
        Ok(More::Done)
    }

    /// The server closed the connection: the whole body.
    ///
    /// # Errors
    /// When something is missing.
    pub(super) fn finish(self) -> Result<Vec<u8>, BadResponse> {
        match self.state {
            State::Done | State::UntilClose => Ok(self.body),
            _ => Err(BadResponse::CutShort),
        }
    }

    fn collect(&mut self, data: &[u8]) -> Result<(), BadResponse> {
        if self.body.len() + data.len() > BODY_LIMIT {
            return Err(BadResponse::BodyTooLong);
        }
        self.body.extend_from_slice(data);
        Ok(())
    }

    fn after_data(&mut self) {
        match self.state {
            State::Length(0) => self.state = State::Done,
            State::ChunkData(0) => self.state = State::ChunkEnd,
            _ => {}
        }
    }

    /// One byte of the lines between chunks and after them.
    fn push_line_byte(&mut self, byte: u8) -> Result<(), BadResponse> {
        match &mut self.state {
            State::ChunkSize(line) if byte == b'\n' => {
                self.state = match chunk_size(line)? {
                    0 => State::Trailer { line: 0, all: 0 },
                    size if size > BODY_LIMIT => return Err(BadResponse::BodyTooLong),
                    size => State::ChunkData(size),
                };
            }
            State::ChunkSize(line) if line.len() < CHUNK_LINE_LIMIT => line.push(byte),
            State::ChunkEnd if byte == b'\n' => self.state = State::ChunkSize(Vec::new()),
            State::ChunkEnd if byte == b'\r' => {}
            State::Trailer { line: 0, .. } if byte == b'\n' => self.state = State::Done,
            State::Trailer { all, .. } if *all >= CHUNK_LINE_LIMIT => return Err(BadResponse::HeadTooLong),
            State::Trailer { line, all } => {
                *line = match byte {
                    b'\n' => 0,
                    b'\r' => *line,
                    _ => *line + 1,
                };
                *all += 1;
            }
            _ => return Err(BadResponse::BadLength),
        }
        Ok(())
    }
}

/// `1a3;extension\r` → 0x1a3.
fn chunk_size(line: &[u8]) -> Result<usize, BadResponse> {
    let text = std::str::from_utf8(line).map_err(|_| BadResponse::BadLength)?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    if digits.starts_with('+') {
        return Err(BadResponse::BadLength);
    }
    usize::from_str_radix(digits, 16).map_err(|_| BadResponse::BadLength)
}

#[cfg(test)]
mod tests;
