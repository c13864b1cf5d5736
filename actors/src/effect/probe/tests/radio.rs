//! The gpsd and Kismet probes.

use super::*;

const VERSION: &str =
    "{\"class\":\"VERSION\",\"release\":\"3.25\",\"rev\":\"3.25\",\"proto_major\":3,\"proto_minor\":15}\r\n";

/// A gpsd that answers `?DEVICES;` with these devices.
async fn gpsd(devices: &'static str) -> ProbeTarget {
    let place = server(move |mut stream| async move {
        stream.write_all(VERSION.as_bytes()).await?;
        let mut asked = [0; 10];
        stream.read_exact(&mut asked).await?;
        assert_eq!(&asked, b"?DEVICES;\n");
        let answer =
            format!("{{\"class\":\"TPV\",\"mode\":1}}\r\n{{\"class\":\"DEVICES\",\"devices\":[{devices}]}}\r\n");
        stream.write_all(answer.as_bytes()).await?;
        std::future::pending().await
    })
    .await;
    ProbeTarget::Gpsd { port: place.port() }
}

/// A server that says something and then waits.
async fn says(text: &'static str) -> ProbeTarget {
    let place = server(move |mut stream| async move {
        stream.write_all(text.as_bytes()).await?;
        std::future::pending().await
    })
    .await;
    ProbeTarget::Gpsd { port: place.port() }
}

async fn reason_within(target: ProbeTarget, timeout: u64) -> String {
    let mut bench = Bench::new(Path::new("/nonexistent"));
    bench.watch_for(target, timeout);
    bench.hear_not_yet().await
}

#[test]
fn gpsd_with_an_open_receiver_is_ready() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        let device = r#"{"class":"DEVICE","path":"/dev/ttyACM0","activated":"2026-11-20T08:00:00.000Z"}"#;
        bench.watch_for(gpsd(device).await, 5_000);
        assert_eq!(bench.hear_sight().await, "gpsd 3.25 reads /dev/ttyACM0");
    });
}

#[test]
fn gpsd_without_an_open_receiver_says_which_it_has() {
    on_actor_thread(async {
        let reason = first_reason(gpsd(r#"{"path":"/dev/ttyACM0"},{"path":"/dev/ttyS1"}"#).await).await;
        let expected = "gpsd answers, but no device is activated yet (/dev/ttyACM0, /dev/ttyS1)";
        assert!(reason.starts_with(expected), "{reason}");
        assert!(first_reason(gpsd("").await).await.starts_with("gpsd answers, but has no device"));
    });
}

#[test]
fn a_socket_that_systemd_holds_for_gpsd_is_not_gpsd() {
    on_actor_thread(async {
        let reason = reason_within(says("").await, 50).await;
        assert!(reason.contains("systemd (gpsd.socket) holds the port"), "{reason}");
    });
}

#[test]
fn gpsd_that_falls_silent_is_not_ready() {
    on_actor_thread(async {
        let reason = reason_within(says(VERSION).await, 50).await;
        assert!(reason.ends_with("does not answer ?DEVICES (waited 50ms)"), "{reason}");
    });
}

#[test]
fn another_program_on_the_port_of_gpsd_is_quoted() {
    on_actor_thread(async {
        let reason = first_reason(says("220 mail.example.org ESMTP\r\n").await).await;
        assert!(reason.ends_with("does not speak like gpsd; it sent `220 mail.example.org ESMTP`"), "{reason}");
        let hung_up = server(|_stream| async { Ok(()) }).await;
        let reason = first_reason(ProbeTarget::Gpsd { port: hung_up.port() }).await;
        assert!(reason.contains("closed the connection before it said who it is"), "{reason}");
    });
}

#[test]
fn a_line_without_end_on_the_port_of_gpsd_is_given_up() {
    on_actor_thread(async {
        let flood = server(|mut stream| async move {
            loop {
                stream.write_all(&[b'x'; 4096]).await?;
            }
        })
        .await;
        let reason = first_reason(ProbeTarget::Gpsd { port: flood.port() }).await;
        assert!(reason.ends_with("it sent a line without end"), "{reason}");
    });
}

/// A Kismet with one login, `pi:secret`, and a list of sources.
async fn kismet(sources: &'static str) -> u16 {
    let place = server(move |mut stream| async move {
        let request = request(&mut stream).await?;
        let authorised = request.contains("\r\nAuthorization: Basic cGk6c2VjcmV0\r\n");
        let (status, body) = match request.split(' ').nth(1) {
            Some("/system/user_status.json") => ("200 OK", "{\"kismet.system.user\": \"root\"}"),
            Some("/datasource/all_sources.json") if authorised => ("200 OK", sources),
            Some("/datasource/all_sources.json") => ("401 Unauthorized", ""),
            _ => ("404 Not Found", ""),
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await
    })
    .await;
    place.port()
}

fn login(password: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("httpd_username=pi\nhttpd_password={password}\n")).unwrap();
    file
}

const RUNNING: &str =
    r#"[{"kismet.datasource.name":"wlan2","kismet.datasource.running":1,"kismet.datasource.error":0}]"#;
const BROKEN: &str = r#"[{"kismet.datasource.name":"wlan2","kismet.datasource.running":0,"kismet.datasource.error":1,
    "kismet.datasource.error_reason":"no such interface"}]"#;

#[test]
fn kismet_that_answers_is_ready_where_nobody_gave_credentials() {
    on_actor_thread(async {
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(ProbeTarget::Kismet { port: kismet(BROKEN).await, credentials: None }, 5_000);
        assert_eq!(bench.hear_sight().await, "Kismet answers; it runs as root");
    });
}

#[test]
fn with_credentials_a_source_of_kismet_has_to_run() {
    on_actor_thread(async {
        let login = login("secret");
        let target = |port| ProbeTarget::Kismet { port, credentials: Some(login.path().to_owned()) };
        let reason = first_reason(target(kismet(BROKEN).await)).await;
        assert_eq!(reason, "Kismet answers, but its data source wlan2 does not run: no such interface");
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(target(kismet(RUNNING).await), 5_000);
        assert_eq!(bench.hear_sight().await, "Kismet's data source wlan2 runs");
    });
}

#[test]
fn wrong_credentials_for_kismet_are_said_to_be_wrong() {
    on_actor_thread(async {
        let login = login("wrong");
        let credentials = Some(login.path().to_owned());
        let reason = first_reason(ProbeTarget::Kismet { port: kismet(RUNNING).await, credentials }).await;
        assert!(reason.starts_with("Kismet refuses the credentials in "), "{reason}");
        let credentials = Some("/nonexistent/kismet_httpd.conf".into());
        let reason = first_reason(ProbeTarget::Kismet { port: kismet(RUNNING).await, credentials }).await;
        assert!(reason.starts_with("the credentials file /nonexistent/kismet_httpd.conf cannot be read"), "{reason}");
    });
}

#[test]
fn another_web_server_on_the_port_of_kismet_is_not_kismet() {
    on_actor_thread(async {
        let place = web_server("HTTP/1.1 200 OK\r\n\r\n<html>It works!</html>").await;
        let reason = first_reason(ProbeTarget::Kismet { port: place.port(), credentials: None }).await;
        assert!(reason.ends_with("but not as Kismet does"), "{reason}");
    });
}

#[test]
fn an_endless_answer_of_kismet_is_given_up() {
    on_actor_thread(async {
        let place = server(|mut stream| async move {
            request(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n[").await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        })
        .await;
        let reason = first_reason(ProbeTarget::Kismet { port: place.port(), credentials: None }).await;
        assert!(reason.ends_with("sent more than 256 KiB"), "{reason}");
    });
}
