//! HTTP and TCP probes.

use super::*;

fn http(place: SocketAddr) -> ProbeTarget {
    ProbeTarget::Http { url: format!("http://{place}/status.json") }
}

#[test]
fn a_page_that_is_found_is_ready() {
    on_actor_thread(async {
        for (response, status) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "200 OK"),
            ("HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\n\r\n", "302 Found"),
        ] {
            let place = web_server(response).await;
            let mut bench = Bench::new(Path::new("/nonexistent"));
            bench.watch_for(http(place), 5_000);
            let expected = format!("http://{place}/status.json answered {status}");
            assert_eq!(bench.hear_sight().await, expected);
        }
    });
}

#[test]
fn the_request_names_host_and_path_and_asks_for_one_answer() {
    on_actor_thread(async {
        let (say, mut heard) = mpsc::unbounded_channel();
        let place = server(move |mut stream| {
            let say = say.clone();
            async move {
                say.send(request(&mut stream).await?).unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await
            }
        })
        .await;
        let bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(http(place), 5_000);
        let request = heard.recv().await.unwrap();
        assert!(request.starts_with("GET /status.json HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("\r\nHost: {place}\r\n")), "{request}");
        assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
    });
}

#[test]
fn the_status_is_the_reason() {
    on_actor_thread(async {
        let place = web_server("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
        let expected = format!("http://{place}/status.json answered 503 Service Unavailable");
        assert_eq!(first_reason(http(place)).await, expected);
    });
}

#[test]
fn a_closed_port_is_named() {
    on_actor_thread(async {
        let (_closed, place) = closed_port();
        let expected = format!("nothing listens on {place} (connection refused)");
        assert_eq!(first_reason(http(place)).await, expected);
        let tcp = ProbeTarget::Tcp { host: "127.0.0.1".into(), port: place.port() };
        assert_eq!(first_reason(tcp).await, expected);
    });
}

#[test]
fn localhost_and_other_names_are_connected_to() {
    on_actor_thread(async {
        let place = server(|_stream| async { Ok(()) }).await;
        // The last is no address to Rust, and one to the C library that looks names up.
        for host in ["127.0.0.1", "localhost", "127.1"] {
            let mut bench = Bench::new(Path::new("/nonexistent"));
            bench.watch_for(ProbeTarget::Tcp { host: host.into(), port: place.port() }, 20_000);
            assert!(bench.hear_ready().await.ends_with(" takes connections"), "{host}");
        }
    });
}

#[test]
fn a_name_that_cannot_be_is_not_ready() {
    on_actor_thread(async {
        let reason = first_reason(ProbeTarget::Tcp { host: "no..such.host".into(), port: 80 }).await;
        assert!(reason.starts_with("the name `no..such.host` leads to no address: "), "{reason}");
    });
}

#[test]
fn what_is_not_http_is_said_so() {
    on_actor_thread(async {
        let garbage = server(|mut stream| async move { stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await }).await;
        assert!(first_reason(http(garbage)).await.ends_with("answered something that is not HTTP"));
        let reason = first_reason(ProbeTarget::Http { url: "https://127.0.0.1/".into() }).await;
        assert_eq!(
            reason,
            "`https://127.0.0.1/` cannot be probed: it does not begin with http://; write http://HOST:PORT/PATH"
        );
    });
}

#[test]
fn a_server_that_hangs_up_is_not_ready() {
    on_actor_thread(async {
        let place = web_server("HTTP/1.1 200 OK\r\n").await;
        assert!(first_reason(http(place)).await.ends_with("closed the connection in the middle of its answer"));
    });
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    on_actor_thread(async {
        let place = server(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
            Ok(())
        })
        .await;
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(http(place), 50);
        let expected = format!("http://{place}/status.json took the connection, but does not answer (waited 50ms)");
        assert_eq!(bench.hear_not_yet().await, expected);
    });
}

#[test]
fn endless_headers_are_given_up() {
    on_actor_thread(async {
        let place = server(|mut stream| async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"X-More: and more\r\n").await?;
            }
        })
        .await;
        assert!(first_reason(http(place)).await.ends_with("sent more than 16 KiB of headers"));
    });
}

#[test]
fn an_endless_body_does_not_matter_where_the_status_decides() {
    on_actor_thread(async {
        let (ended, mut end) = mpsc::unbounded_channel();
        let place = server(move |mut stream| {
            let ended = ended.clone();
            async move {
                request(&mut stream).await?;
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                ended.send(()).map_err(std::io::Error::other)
            }
        })
        .await;
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(http(place), 5_000);
        assert!(matches!(bench.hear().await, ProbeEvent::Ready(_)));
        end.recv().await.expect("the probe never closed its connection");
    });
}

#[test]
fn a_server_can_send_its_whole_page_without_a_broken_pipe() {
    on_actor_thread(async {
        let (sent, mut outcome) = mpsc::unbounded_channel();
        let place = server(move |mut stream| {
            let sent = sent.clone();
            async move {
                request(&mut stream).await?;
                let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 40960\r\n\r\n").await;
                for _ in 0..10 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    written = written.and(stream.write_all(&[b'x'; 4096]).await);
                }
                sent.send(written).map_err(std::io::Error::other)
            }
        })
        .await;
        let mut bench = Bench::new(Path::new("/nonexistent"));
        bench.watch_for(http(place), 5_000);
        assert!(matches!(bench.hear().await, ProbeEvent::Ready(_)));
        assert!(outcome.recv().await.unwrap().is_ok());
    });
}
