//! From files: what cannot be read, what `check` prints, and the schema.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use mainstay_config::{Code, LoadError, MAX_BYTES, load, schema_json};
use serde_json::json;

fn file(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("station.toml");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_file_that_is_not_there_is_told_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(&folder.path().join("none.toml")).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }));
    assert!(error.to_string().contains("none.toml"));
    assert!(error.help().contains("--config"));
}

#[test]
fn a_pipe_is_no_configuration_and_nobody_waits_for_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("station.toml");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = load(&path).unwrap_err();
    assert!(error.to_string().ends_with("station.toml is no regular file"), "{error}");
    assert_eq!(error.help(), "write it into a file, and name that");
    assert!(load(Path::new("/dev/null")).is_ok(), "an empty file");
}

#[test]
fn a_folder_is_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load(folder.path()).unwrap_err().help(), "name the file in it");
}

#[test]
fn a_file_above_a_mebibyte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let size = usize::try_from(MAX_BYTES).unwrap();
    assert!(load(&file(&folder, &vec![b'\n'; size])).is_ok());
    assert!(matches!(load(&file(&folder, &vec![b'\n'; size + 1])), Err(LoadError::TooLarge { .. })));
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let error = load(&file(&folder, b"[logs]\n# \xc3\xa4 \xff\n")).unwrap_err();
    assert!(matches!(error, LoadError::NotText { line: 2, column: 5, .. }), "{error}");
}

#[test]
fn a_wrong_file_still_says_where_its_daemon_is() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["[logs]\nkep = 5\n", "[services.s]\ncommand = [\n"] {
        let text = format!("[runtime]\nrun_dir = \"/run/field\"\n{wrong}");
        let Err(LoadError::Wrong(problems)) = load(&file(&folder, text.as_bytes())) else { panic!("{wrong} is right") };
        assert_eq!(problems.run_dir.as_deref(), Some(Path::new("/run/field")), "{wrong}");
    }
}

#[test]
fn a_code_is_the_same_word_everywhere() {
    for code in [Code::Syntax, Code::UnknownKey, Code::DependencyCycle, Code::PortClash, Code::BadDuration] {
        assert_eq!(json!(code), json!(code.as_str()));
    }
}

#[test]
fn the_schema_lists_every_key_with_a_description() {
    let schema = schema_json();
    assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
    let sections = schema["$defs"].as_object().unwrap();
    for key in ["runtime", "api", "logs", "defaults", "hardware", "services"] {
        assert!(schema["properties"][key]["description"].is_string(), "{key}");
    }
    for (section, keys) in
        [("ServiceTable", "command requires wants after ready live stop"), ("MatchTable", "serial mac")]
    {
        for key in keys.split(' ') {
            assert!(sections[section]["properties"][key]["description"].is_string(), "{section}.{key}");
        }
    }
    assert!(sections["HardwareTable"]["properties"]["match"].is_object(), "written as in the file");
    assert_eq!(sections["HardwareTable"]["required"], json!(["kind"]));
    assert_eq!(sections["HardwareTable"]["additionalProperties"], json!(false));
    let kinds = &sections["HardwareTable"]["properties"]["kind"]["enum"];
    assert_eq!(*kinds, json!(["hackrf", "usb", "gps", "serial", "wifi"]));
}

#[test]
fn a_check_on_a_port_that_the_service_does_not_have_is_noted() {
    let notes = |ports: &str, ready: &str| {
        let text = format!("[services.s]\ncommand = ['x']\nports = {{ {ports} }}\nready = {{ {ready} }}\n");
        let loaded = mainstay_config::parse("f.toml", &text).unwrap();
        loaded
            .notes
            .iter()
            .map(|note| (note.message.rsplit(' ').next().unwrap().to_owned(), note.line))
            .collect::<Vec<_>>()
    };
    let noted = |key: &str| vec![(format!("(services.s.ready.{key})"), 4)];
    let range = "web = { prefer = 8000, range = '8001-8002' }";
    for (ports, ready, key) in [
        ("", "tcp = { port = 8305 }", "tcp.port"),
        (range, "tcp = { port = 8000, host = '::1' }", "tcp.port"),
        ("web = 8000", "http = { url = 'http://localhost/x' }", "http.url"),
        ("web = 8000", "http = { url = 'http://[::1]:8001' }", "http.url"),
        ("web = 8000", "gpsd = { port = 2947 }", "gpsd.port"),
        ("web = 8000", "kismet = { port = 2501 }", "kismet.port"),
    ] {
        assert_eq!(notes(ports, ready), noted(key), "{ports} {ready}");
    }
    for ready in ["tcp = { port = 8000 }", "http = { url = 'http://localhost:8000/' }"] {
        assert_eq!(notes("web = 8000", ready), [], "{ready}: its own");
    }
    for ready in ["tcp = { port = '{port.web}' }", "http = { url = 'http://127.0.0.1:{port.web}/' }"] {
        assert_eq!(notes(range, ready), [], "{ready}: by its name");
    }
    assert_eq!(notes("", "tcp = { port = 80, host = '192.0.2.1' }"), [], "another machine");
}
