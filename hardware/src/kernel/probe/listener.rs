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
/// UBX-NAV-PVT, and where its `fixType` is.
const NAV_PVT: [u8; 2] = [0x01, 0x07];
const FIX_TYPE_OFFSET: usize = 20;
/// Fewer satellites give no height.
const SATELLITES_3D: u32 = 4;

/// How sure a fix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// GGA says that there is one, and not of how many dimensions.
    Guess(Fix),
    /// GSA, UBX, or GGA that there is none.
    Final(Fix),
}

/// Hears bytes and remembers what they meant.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    buffer: Vec<u8>,
    protocol: Option<GpsProtocol>,
    fix: Option<Word>,
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
        self.fix.map(|(Word::Guess(fix) | Word::Final(fix))| fix)
    }

    /// Whether waiting longer could tell more of the fix.
    pub(crate) fn fix_is_final(&self) -> bool {
        matches!(self.fix, Some(Word::Final(_)))
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
        let word = ([class, id] == NAV_PVT).then(|| payload.get(FIX_TYPE_OFFSET)).flatten().map(|kind| ubx_fix(*kind));
        self.protocol.get_or_insert(GpsProtocol::Ubx);
        self.learn(word);
        Front::Done(whole)
    }

    /// A guess never replaces a final word.
    fn learn(&mut self, word: Option<Word>) {
        if let Some(word) = word
            && !(self.fix_is_final() && matches!(word, Word::Guess(_)))
        {
            self.fix = Some(word);
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
                (false, _) => Word::Final(Fix::None),
                (true, false) => Word::Guess(Fix::TwoD),
                (true, true) => Word::Guess(Fix::ThreeD),
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
            Some(Sentence { word: Some(Word::Final(fix)) })
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

/// `fixType`: 2 and 3 are dimensions, 4 is GNSS with dead reckoning; the others are no position by satellites.
fn ubx_fix(kind: u8) -> Word {
    Word::Final(match kind {
        2 => Fix::TwoD,
        3 | 4 => Fix::ThreeD,
        _ => Fix::None,
    })
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
