//! What a device says of itself, as it may stand in a command or in an environment.
//!
//! A stick may call itself anything: `$(reboot)`, `../../etc`, or an option of the program that gets its name. Programs and scripts get a
//! word that none of them takes for something else; devices are recognised by what they really say.

/// A USB string has at most 126 characters (USB 2.0, 9.6.7).
const LONGEST: usize = 126;

/// The word for it: letters, digits and `._:+@-`, everything else replaced by `_`; not more than a USB string may have. It begins
/// neither as an option does nor as a hidden file or a folder above.
#[must_use]
pub fn harmless(text: &str) -> String {
    replaced(text, "._:+@-")
}

/// The same for a path that the kernel made of a device's name: with the slashes.
#[must_use]
pub fn harmless_path(path: &str) -> String {
    replaced(path, "._:+@-/")
}

fn replaced(text: &str, allowed: &str) -> String {
    let word = |(at, c): (usize, char)| {
        let is_good = c.is_ascii_alphanumeric() || (allowed.contains(c) && !(at == 0 && "-.".contains(c)));
        if is_good { c } else { '_' }
    };
    text.chars().take(LONGEST).enumerate().map(word).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{harmless, harmless_path};

    #[test]
    fn what_real_devices_say_stays_as_it_is() {
        for serial in ["000000000000000088c869dc2b5c8d1b", "AH03-B_1.2", "02:00:00:00:02:00", "a@b+c"] {
            assert_eq!(harmless(serial), serial);
        }
        assert_eq!(harmless_path("/dev/bus/usb/001/007"), "/dev/bus/usb/001/007");
    }

    #[test]
    fn nothing_is_left_that_a_shell_or_a_program_takes_for_something_else() {
        for (said, given) in [
            ("$(reboot)", "__reboot_"),
            ("a;b|c&d`e`", "a_b_c_d_e_"),
            ("-rf", "_rf"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("a b\tc\n", "a_b_c_"),
            ("100%~*?'\"\\", "100_______"),
            ("zwölf\u{202e}", "zw_lf_"),
        ] {
            assert_eq!(harmless(said), given);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_word_is_short_plain_and_stays_the_same_the_next_time(said in "\\PC{0,200}|[-./a]{0,9}") {
            let word = harmless(&said);
            prop_assert!(word.len() <= 126 && !word.starts_with(['-', '.']));
            prop_assert!(word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:+@-".contains(&b)), "{}", word);
            prop_assert_eq!(harmless(&word), word);
        }
    }
}
