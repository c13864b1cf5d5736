//! Whether Kismet answers, and, where credentials are given, whether a data source of it runs. Kismet's web server comes up
//! also with no working source, so that without credentials "ready" says no more than that.

use std::path::PathBuf;

use serde::Deserialize;

use super::blocking::{Blocking, Threads};
use super::credentials::BasicAuth;
use super::http::{Getter, HttpUrl};
use super::progress::Progress;
use super::words::plain;
use crate::action::not_ready::{Awaited, KismetFault, NoCredentials, NotReady};
use crate::action::probe::Sight;

/// Answers without a login (system_monitor.cc, 2023-07-R1 and later).
const WITHOUT_LOGIN: &str = "system/user_status.json";
/// An array of data sources; needs a login (datasourcetracker.cc).
const SOURCES: &str = "datasource/all_sources.json";

#[derive(Deserialize)]
struct UserStatus {
    #[serde(rename = "kismet.system.user")]
    user: String,
}

#[derive(Debug, Deserialize)]
struct Source {
    #[serde(rename = "kismet.datasource.name", default)]
    name: String,
    #[serde(rename = "kismet.datasource.running")]
    running: i64,
    #[serde(rename = "kismet.datasource.error")]
    error: i64,
    #[serde(rename = "kismet.datasource.error_reason", default)]
    error_reason: String,
}

/// Asks one Kismet.
pub(super) enum KismetLook {
    /// Whether it answers.
    Answers(Getter),
    /// Whether a source runs.
    Sources(Getter, PathBuf, Blocking<Result<BasicAuth, NoCredentials>>),
}

impl KismetLook {
    /// # Errors
    /// Never in practice: the address is built here.
    pub(super) fn new(port: u16, credentials: Option<PathBuf>, threads: &Threads) -> Result<Self, NotReady> {
        let getter = |path| {
            let url = HttpUrl::parse(&format!("http://127.0.0.1:{port}/{path}")).map_err(NotReady::BadUrl)?;
            Ok::<_, NotReady>(Getter::new(url, threads))
        };
        Ok(match credentials {
            None => Self::Answers(getter(WITHOUT_LOGIN)?),
            Some(path) => Self::Sources(getter(SOURCES)?, path, Blocking::new(threads)),
        })
    }

    /// One look.
    pub(super) async fn look(&mut self, progress: &Progress) -> Result<Sight, NotReady> {
        match self {
            Self::Answers(getter) => {
                let url = getter.url().to_owned();
                let answer = getter.get(None, progress).await?;
                if answer.status.code != 200 {
                    return Err(answer.refused());
                }
                let status = serde_json::from_slice(&answer.body().await?);
                let status: UserStatus = status.map_err(|_| NotReady::Kismet(KismetFault::NotKismet(url)))?;
                Ok(Sight::Kismet(plain(&status.user, 40)))
            }
            Self::Sources(getter, path, reading) => {
                let auth = read(path, reading, progress).await?;
                let url = getter.url().to_owned();
                let answer = getter.get(Some(&auth), progress).await?;
                match answer.status.code {
                    200 => {}
                    401 | 403 => return Err(NotReady::Kismet(KismetFault::Refuses(path.clone()))),
                    _ => return Err(answer.refused()),
                }
                judge(&answer.body().await?).unwrap_or(Err(NotReady::Kismet(KismetFault::NotKismet(url))))
            }
        }
    }
}

async fn read(
    path: &std::path::Path,
    reading: &mut Blocking<Result<BasicAuth, NoCredentials>>,
    progress: &Progress,
) -> Result<BasicAuth, NotReady> {
    let file = path.to_owned();
    progress.to(Awaited::File(file.clone()));
    let auth = reading.run(move || BasicAuth::read(&file)).await?;
    auth.map_err(|why| NotReady::Kismet(KismetFault::NoCredentials { path: path.to_owned(), why }))
}

/// What the list of sources means; `None` when it is no such list.
fn judge(body: &[u8]) -> Option<Result<Sight, NotReady>> {
    let sources: Vec<Source> = serde_json::from_slice(body).ok()?;
    let runs = |source: &&Source| source.running == 1 && source.error == 0;
    Some(match (sources.iter().find(runs), sources.first()) {
        (Some(source), _) => Ok(Sight::KismetSource(plain(&source.name, 40))),
        (None, None) => Err(NotReady::Kismet(KismetFault::NoSource)),
        (None, Some(first)) => {
            let broken = sources.iter().find(|source| !source.error_reason.is_empty());
            let why = broken.map(|source| plain(&source.error_reason, 200));
            let source = plain(&broken.unwrap_or(first).name, 40);
            Err(NotReady::Kismet(KismetFault::Source { source, why }))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn source(name: &str, running: i64, error: i64, reason: &str) -> serde_json::Value {
        json!({"kismet.datasource.name": name, "kismet.datasource.running": running, "kismet.datasource.error": error,
            "kismet.datasource.error_reason": reason, "kismet.datasource.num_packets": 12})
    }

    fn words(sources: &serde_json::Value) -> String {
        match judge(sources.to_string().as_bytes()) {
            Some(Ok(sight)) => sight.to_string(),
            Some(Err(reason)) => format!("not ready: {reason}"),
            None => "not Kismet".to_owned(),
        }
    }

    #[test]
    fn one_running_source_is_enough() {
        let sources = json!([source("wlan1", 0, 1, "gone"), source("wlan2", 1, 0, "")]);
        assert_eq!(words(&sources), "Kismet's data source wlan2 runs");
    }

    #[test]
    fn a_source_in_error_gives_its_reason_also_when_it_still_counts_as_running() {
        let sources = json!([source("wlan2", 1, 1, "no longer appears to be up")]);
        let expected = "not ready: Kismet answers, but its data source wlan2 does not run: no longer appears to be up";
        assert_eq!(words(&sources), expected);
    }

    #[test]
    fn no_source_at_all_says_how_to_give_one() {
        assert!(words(&json!([])).contains("`-c INTERFACE:type=linuxwifi`"));
    }

    #[test]
    fn what_is_no_list_of_sources_is_not_kismet() {
        assert_eq!(words(&json!({"datasources": []})), "not Kismet");
        assert_eq!(words(&json!([{"name": "wlan2"}])), "not Kismet");
    }

    proptest! {
        #[test]
        fn no_answer_can_crash_the_judge(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = judge(&body);
        }
    }
}
