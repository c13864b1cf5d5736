//! Numbers of things in words.

use std::fmt::Display;

/// `1 service`, `2 services`: a number with the word that belongs to it.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let what = if number == N::from(1) { one } else { many };
    format!("{number} {what}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular_and_every_other_number_is_plural() {
        let said = [0_usize, 1, 2].map(|number| counted(number, "piece of hardware", "pieces of hardware"));
        assert_eq!(said, ["0 pieces of hardware", "1 piece of hardware", "2 pieces of hardware"]);
    }
}
