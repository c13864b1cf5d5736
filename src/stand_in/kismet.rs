//! The stand-in for Kismet's web server. Unlike Kismet it asks for no login: there is nothing to protect.

use std::convert::Infallible;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::http::{self, Page};
use super::program::{Failure, Program, unix_seconds};

/// Packets per second that it pretends to see.
const PACKETS_PER_SECOND: u64 = 23;

/// What it is told on the command line.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Kismet {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 2501)]
    port: u16,
    /// Interface that it pretends to capture from
    #[arg(long)]
    interface: String,
}

impl Kismet {
    pub(super) async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        let listener = program.listen(self.port, format_args!("capturing on {} (simulated)", self.interface)).await?;
        let station = Station { interface: self.interface.clone(), started: SystemTime::now() };
        Ok(http::serve(listener, move |path| station.page(path, SystemTime::now())).await)
    }
}

/// What it shows.
pub(super) struct Station {
    pub(super) interface: String,
    pub(super) started: SystemTime,
}

impl Station {
    /// The page at a path (field names as in system_monitor.cc and kis_datasource.cc).
    pub(super) fn page(&self, path: &str, now: SystemTime) -> Page {
        match path {
            "/" => Page::html("<title>Kismet (stand-in)</title><p>mainstay's stand-in for Kismet.".to_owned()),
            "/system/user_status.json" => Page::json(&json!({"kismet.system.user": user()})),
            "/session/check_setup_ok" => Page::html("Login configured".to_owned()),
            "/system/status.json" => Page::json(&self.status(now)),
            "/system/timestamp.json" => Page::json(&timestamp(now)),
            "/datasource/all_sources.json" => Page::json(&json!([self.source(now)])),
            _ => Page::not_found(),
        }
    }

    fn status(&self, now: SystemTime) -> Value {
        json!({
            "kismet.system.version": "stand-in", "kismet.system.server_name": "mainstay demo",
            "kismet.system.user": user(), "kismet.system.devices.count": 4 + self.seconds(now) / 30 % 40,
            "kismet.system.timestamp.sec": unix_seconds(now),
            "kismet.system.timestamp.start_sec": unix_seconds(self.started),
            "kismet.system.memory.rss": 4096,
        })
    }

    fn source(&self, now: SystemTime) -> Value {
        json!({
            "kismet.datasource.uuid": "5FE308BD-0000-0000-0000-020000000200",
            "kismet.datasource.name": self.interface, "kismet.datasource.interface": self.interface,
            "kismet.datasource.capture_interface": self.interface,
            "kismet.datasource.running": 1, "kismet.datasource.error": 0, "kismet.datasource.error_reason": "",
            "kismet.datasource.warning": "", "kismet.datasource.retry": 1, "kismet.datasource.retry_attempts": 0,
            "kismet.datasource.total_retry_attempts": 0,
            "kismet.datasource.num_packets": self.seconds(now).saturating_mul(PACKETS_PER_SECOND),
            "kismet.datasource.num_error_packets": 0, "kismet.datasource.hopping": 1, "kismet.datasource.paused": 0,
            "kismet.datasource.channel": "6", "kismet.datasource.ipc_pid": 0,
        })
    }

    fn seconds(&self, now: SystemTime) -> u64 {
        now.duration_since(self.started).map_or(0, |running| running.as_secs())
    }
}

fn timestamp(now: SystemTime) -> Value {
    json!({"kismet.system.timestamp.sec": unix_seconds(now), "kismet.system.timestamp.usec": 0})
}

fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned())
}
