//! Recognises NMEA 0183 and UBX in a stream of bytes that may begin anywhere and hold anything. Pure and bounded.

use nmea::ParseResult;

use crate::bus::{Fix, GpsProtocol};

/// The longest UBX message worth waiting for; longer lengths are noise. NMEA sentences are at most about 100 bytes.
const UBX_BYTES: usize = 4096;
const LINE_BYTES: usize = 1024;
/// Sync characters, class, id and length (u-blox M8 protocol description, 32.2).
const UBX_SYNC: [u8; 2] = [0xb5, 0x62];
const UBX_HEADER: usize = 6;
const UBX_CHECKSUM: usize = 2;
/// UBX-NAV-PVT, and where its `fixType` is; `flags` follow, whose lowest bit says whether the fix counts (32.17.15).
const NAV_PVT: [u8; 2] = [0x01, 0x07];
const FIX_TYPE_OFFSET: usize = 20;
const FIX_OK: u8 = 1;
/// Fewer satellites give no height.
const SATELLITES_3D: u32 = 4;

/// What one message says of the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// GGA: there is a position; its dimensions are guessed from the number of satellites.
    Position(Fix),
    /// GGA: there is none, from all satellites together.
    NoPosition,
    /// GSA. A receiver of several satellite systems says one for each (as GN with a system's number, or as GP, GL, GA and GB),
    /// and a system without satellites has no fix of its own.
    Satellites(Fix),
    /// UBX: the whole solution.
    Solution(Fix),
}

/// All that was said of the fix.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    position: Option<Word>,
    /// The best of all satellite systems.
    satellites: Option<Fix>,
    solution: Option<Fix>,
}

impl Said {
    fn learn(&mut self, word: Word) {
        match word {
            Word::Position(_) | Word::NoPosition => self.position = Some(word),
            Word::Satellites(fix) => self.satellites = self.satellites.max(Some(fix)),
            Word::Solution(fix) => self.solution = Some(fix),
        }
    }

    fn fix(self) -> Option<Fix> {
        let Self { position, satellites, solution } = self;
        let of_all = match position {
            Some(Word::NoPosition) => Some(Fix::None),
            // That one system has no fix does not take back a position.
            Some(Word::Position(guess)) => satellites.filter(|fix| *fix != Fix::None).or(Some(guess)),
            _ => satellites,
        };
        solution.or(of_all)
    }

    fn is_final(self) -> bool {
        self.solution.is_some() || self.satellites == Some(Fix::ThreeD) || self.position == Some(Word::NoPosition)
    }
}

/// Hears bytes and remembers what they meant.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    buffer: Vec<u8>,
    protocol: Option<GpsProtocol>,
    said: Said,
}

/// What stands at the beginning of the buffer.
enum Front {
    /// So many bytes are done with.
    Done(usize),
    /// It may become something.
    Incomplete,
}

impl Listener {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What is spoken, once something with a right checksum was heard.
    pub(crate) fn protocol(&self) -> Option<GpsProtocol> {
        self.protocol
    }

    /// Quality of the fix, when something said so.
    pub(crate) fn fix(&self) -> Option<Fix> {
        self.said.fix()
    }

    /// Whether waiting longer could tell more of the fix.
    pub(crate) fn fix_is_final(&self) -> bool {
        self.said.is_final()
    }

    /// Hears more.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.buffer.push(*byte);
            // Each byte can end at most one message; what is no beginning goes at once, so the buffer stays short.
            while let Front::Done(count) = self.front() {
                self.buffer.drain(..count.min(self.buffer.len()));
            }
        }
    }

    fn front(&mut self) -> Front {
        match self.buffer.as_slice() {
            [] => Front::Incomplete,
            [b'$', ..] => self.sentence(),
            [first] if *first == UBX_SYNC[0] => Front::Incomplete,
            [first, second, ..] if [*first, *second] == UBX_SYNC => self.ubx(),
            _ => Front::Done(1),
        }
    }

    fn sentence(&mut self) -> Front {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            return if self.buffer.len() >= LINE_BYTES { Front::Done(1) } else { Front::Incomplete };
        };
        let line = self.buffer.get(..end).unwrap_or_default().trim_ascii_end();
        let heard = sentence(line);
        if let Some(heard) = heard {
            self.protocol.get_or_insert(GpsProtocol::Nmea);
            self.learn(heard.word);
            return Front::Done(end + 1);
        }
        // A `$` in noise: a real sentence may begin within this line.
        Front::Done(1)
    }

    fn ubx(&mut self) -> Front {
        let Some([_, _, class, id, low, high]) = self.buffer.first_chunk::<UBX_HEADER>().copied() else {
            return Front::Incomplete;
        };
        let length = usize::from(u16::from_le_bytes([low, high]));
        let whole = UBX_HEADER + length + UBX_CHECKSUM;
        if whole > UBX_BYTES {
            return Front::Done(1);
        }
        let Some(message) = self.buffer.get(..whole) else { return Front::Incomplete };
        let Some((body, checksum)) = message.split_at_checked(whole - UBX_CHECKSUM) else { return Front::Incomplete };
        if ubx_checksum(body.get(UBX_SYNC.len()..).unwrap_or_default()) != checksum {
            return Front::Done(1);
        }
        let payload = body.get(UBX_HEADER..).unwrap_or_default();
        let word = ([class, id] == NAV_PVT).then(|| ubx_fix(payload)).flatten();
        self.protocol.get_or_insert(GpsProtocol::Ubx);
        self.learn(word);
        Front::Done(whole)
    }

    fn learn(&mut self, word: Option<Word>) {
        if let Some(word) = word {
            self.said.learn(word);
        }
    }
}

/// A sentence with a right checksum.
struct Sentence {
    word: Option<Word>,
}

fn sentence(line: &[u8]) -> Option<Sentence> {
    let text = std::str::from_utf8(line).ok()?;
    match nmea::parse_str(text) {
        Ok(ParseResult::GGA(gga)) => {
            let valid = gga.fix_type.is_some_and(|kind| kind.is_valid());
            let satellites = gga.fix_satellites.unwrap_or_default();
            let word = match (valid, satellites >= SATELLITES_3D) {
                (false, _) => Word::NoPosition,
                (true, false) => Word::Position(Fix::TwoD),
                (true, true) => Word::Position(Fix::ThreeD),
            };
            Some(Sentence { word: Some(word) })
        }
        Ok(ParseResult::GSA(gsa)) => {
            use nmea::sentences::gsa::GsaMode2;
            let fix = match gsa.mode2 {
                GsaMode2::NoFix => Fix::None,
                GsaMode2::Fix2D => Fix::TwoD,
                GsaMode2::Fix3D => Fix::ThreeD,
            };
            Some(Sentence { word: Some(Word::Satellites(fix)) })
        }
        Ok(_) => Some(Sentence { word: None }),
        // Sentences of other makers, and those the parser does not take: their checksum tells.
        Err(_) => has_right_checksum(text).then_some(Sentence { word: None }),
    }
}

/// `$` data `*` two hexadecimal digits, the exclusive or of the data (NMEA 0183, 5.2.3).
fn has_right_checksum(text: &str) -> bool {
    let Some((data, digits)) = text.strip_prefix('$').and_then(|rest| rest.rsplit_once('*')) else { return false };
    let sum = data.bytes().fold(0, |sum, byte| sum ^ byte);
    data.len() >= 5 && digits.len() == 2 && u8::from_str_radix(digits, 16) == Ok(sum)
}

/// 8-bit Fletcher over class, id, length and payload (u-blox M8 protocol description, 32.4).
fn ubx_checksum(bytes: &[u8]) -> [u8; 2] {
    let step = |[a, b]: [u8; 2], byte: &u8| {
        let a = a.wrapping_add(*byte);
        [a, b.wrapping_add(a)]
    };
    bytes.iter().fold([0, 0], step)
}

/// `fixType`: 2 and 3 are dimensions, 4 is GNSS with dead reckoning; the others are no position by satellites. A fix that does not
/// count is one outside the receiver's own limits.
fn ubx_fix(payload: &[u8]) -> Option<Word> {
    let (kind, flags) = (*payload.get(FIX_TYPE_OFFSET)?, *payload.get(FIX_TYPE_OFFSET + 1)?);
    Some(Word::Solution(match kind {
        2 if flags & FIX_OK != 0 => Fix::TwoD,
        3 | 4 if flags & FIX_OK != 0 => Fix::ThreeD,
        _ => Fix::None,
    }))
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
