//! User name and password from a file as Kismet writes it (`~/.kismet/kismet_httpd.conf`).

use std::io::Read;
use std::path::Path;

use crate::action::not_ready::{Credential, NoCredentials};

const FILE_LIMIT: u64 = 64 * 1024;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// User name and password for HTTP Basic authentication. Not `Debug`: it must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct BasicAuth {
    user: String,
    password: String,
}

impl BasicAuth {
    /// Reads the file; blocks.
    ///
    /// # Errors
    /// When it cannot be read, or lacks one of the two lines.
    pub(super) fn read(path: &Path) -> Result<Self, NoCredentials> {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(FILE_LIMIT).read_to_end(&mut bytes));
        read.map_err(|error| NoCredentials::Unreadable(error.into()))?;
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Result<Self, NoCredentials> {
        let value = |what: Credential| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            let mut values =
                lines.filter(|(name, _)| name.trim() == what.key()).map(|(_, value)| value.trim().to_owned());
            values.next_back().ok_or(NoCredentials::Missing(what))
        };
        Ok(Self { user: value(Credential::User)?, password: value(Credential::Password)? })
    }

    /// The value of the `Authorization` header (RFC 7617).
    pub(super) fn header(&self) -> String {
        format!("Basic {}", base64(format!("{}:{}", self.user, self.password).as_bytes()))
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4_usize {
            let letter = ALPHABET.get(bits >> (18 - 6 * at) & 63).filter(|_| at <= group.len());
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn base64_is_as_in_the_rfc() {
        let words = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(words.map(|word| base64(word.as_bytes())), expected);
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn kismets_own_file_is_understood() {
        let auth = BasicAuth::parse("# written by Kismet\nhttpd_username=pi\nhttpd_password = a=b\n").unwrap();
        assert_eq!((auth.user.as_str(), auth.password.as_str()), ("pi", "a=b"));
    }

    #[test]
    fn a_missing_password_is_named() {
        let missing = BasicAuth::parse("httpd_username=pi\n").err();
        assert_eq!(missing, Some(NoCredentials::Missing(Credential::Password)));
    }
}
