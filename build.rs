//! Tells the linker of a release which code is seldom used: `seldom.ld` says what for.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=seldom.ld");
    let is = |name, wanted| env::var(name).is_ok_and(|value| value == wanted);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/seldom.ld");
    }
}
