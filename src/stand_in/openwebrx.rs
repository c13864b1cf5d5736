//! The stand-in for OpenWebRX.

use std::convert::Infallible;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::http::{self, Page};
use super::program::{Failure, Program};

/// What it is told on the command line.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct OpenWebRx {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8073)]
    port: u16,
    /// Serial number of the HackRF that it pretends to use
    #[arg(long)]
    serial: String,
}

impl OpenWebRx {
    pub(super) async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        let listener =
            program.listen(self.port, format_args!("receiving with HackRF {} (simulated)", self.serial)).await?;
        let (serial, started) = (self.serial.clone(), SystemTime::now());
        Ok(http::serve(listener, move |path| page(path, &serial, started)).await)
    }
}

pub(super) fn page(path: &str, serial: &str, started: SystemTime) -> Page {
    match path {
        "/" => Page::html(
            "<!doctype html><title>OpenWebRX (stand-in)</title>\
             <p>mainstay's stand-in for OpenWebRX. There is no waterfall here, but see <a href=/status.json>its status</a>.\n"
                .to_owned(),
        ),
        "/status.json" => Page::json(&status(serial)),
        "/metrics" => {
            let uptime = SystemTime::now().duration_since(started).map_or(0, |uptime| uptime.as_secs());
            Page::metrics(format!("# TYPE openwebrx_uptime gauge\nopenwebrx_uptime {uptime}\nopenwebrx_users 0\n"))
        }
        _ => Page::not_found(),
    }
}

/// Fields as in owrx/controllers/status.py.
fn status(serial: &str) -> Value {
    json!({
        "receiver": {
            "name": "mainstay demo", "admin": "nobody@example.org", "gps": {"lat": 47.2852, "lon": 11.5167},
            "asl": 567, "location": "simulated",
        },
        "max_clients": 20,
        "version": "stand-in",
        "sdrs": [{
            "name": format!("HackRF {serial} (simulated)"), "type": "HackRF",
            "profiles": [{"name": "2 m", "center_freq": 145_000_000, "sample_rate": 2_400_000}],
        }],
    })
}
