//! The stand-in for hackrf_sweep: a spectrum of noise with one carrier, on standard output.

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use super::program::{Failure, Program};

/// The 2.4 GHz band, in steps of 5 MHz with bins of 1 MHz as `hackrf_sweep -f 2400:2480 -w 1000000` gives them.
const FIRST_MHZ: u32 = 2400;
const LAST_MHZ: u32 = 2480;
const STEP_MHZ: u32 = 5;
const CARRIER_MHZ: u32 = 2437;
const NOISE_DB: f64 = -72.0;
const CARRIER_DB: f64 = -38.0;

/// What it is told on the command line.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Sweep {
    /// Serial number of the HackRF that it pretends to use
    #[arg(long)]
    serial: String,
}

impl Sweep {
    pub(super) async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        program.say(format_args!(
            "sweeping {FIRST_MHZ} to {LAST_MHZ} MHz with HackRF {} (simulated), once a second",
            self.serial
        ));
        let mut noise = Noise(0x2545_F491);
        loop {
            let sweep = sweep(SystemTime::now(), &mut noise);
            let mut output = io::stdout().lock();
            output.write_all(sweep.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Output)?;
            drop(output);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Lines of `date, time, hz_low, hz_high, hz_bin_width, num_samples, dB, dB, …`.
fn sweep(now: SystemTime, noise: &mut Noise) -> String {
    let time = humantime::format_rfc3339_micros(now).to_string().replace('T', ", ").replace('Z', "");
    let mut lines = String::new();
    for low in (FIRST_MHZ..LAST_MHZ).step_by(STEP_MHZ as usize) {
        let bins = (low..low + STEP_MHZ).map(|mhz| {
            let level = if mhz == CARRIER_MHZ { CARRIER_DB } else { NOISE_DB };
            format!(", {:.2}", level + noise.next())
        });
        let high = low + STEP_MHZ;
        lines += &format!("{time}, {low}000000, {high}000000, 1000000.00, 20{}\n", bins.collect::<String>());
    }
    lines
}

/// A xorshift generator: it need not be good, only lively.
struct Noise(u32);

impl Noise {
    /// Between -3 and 3 dB.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        f64::from(self.0 % 600) / 100.0 - 3.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_carrier_stands_out_where_it_should() {
        let sweep = sweep(SystemTime::UNIX_EPOCH, &mut Noise(1));
        let mut strongest = (f64::MIN, 0);
        for line in sweep.lines() {
            let fields: Vec<_> = line.split(", ").collect();
            assert_eq!((fields[0], fields[1], fields.len()), ("1970-01-01", "00:00:00.000000", 11));
            let low: u32 = fields[2].parse().unwrap();
            for (at, level) in fields[6..].iter().enumerate() {
                let level: f64 = level.parse().unwrap();
                if level > strongest.0 {
                    strongest = (level, low / 1_000_000 + at as u32);
                }
            }
        }
        assert_eq!((strongest.1, sweep.lines().count()), (CARRIER_MHZ, 16));
    }
}
