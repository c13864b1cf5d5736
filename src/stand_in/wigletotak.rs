//! The stand-in for WigleToTAK.

use std::convert::Infallible;

use serde_json::json;

use super::http::{self, Page};
use super::program::{Failure, Program};

/// What it is told on the command line.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct WigleToTak {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = 8000)]
    port: u16,
}

impl WigleToTak {
    pub(super) async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        let listener = program.listen(self.port, "broadcasting nothing (simulated)").await?;
        Ok(http::serve(listener, page).await)
    }
}

pub(super) fn page(path: &str) -> Page {
    match path {
        "/" => Page::html(
            "<!doctype html><title>WigleToTAK (stand-in)</title><p>mainstay's stand-in for WigleToTAK.\n".to_owned(),
        ),
        "/list_wigle_files" => Page::json(&json!({"files": []})),
        _ => Page::not_found(),
    }
}
