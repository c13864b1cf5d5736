//! The program `mainstay`.

mod protocol;

fn main() {}
