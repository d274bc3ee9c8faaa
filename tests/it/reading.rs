//! The server's own binary reads documents: the hidden command under the server's allocator and its limits.

use std::path::PathBuf;
use std::process::Command;

use knowledge::{ExtractError, Extractor, ExtractorConfig, READER_COMMAND};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");

#[tokio::test]
async fn the_server_reads_a_document_in_a_child_of_its_own_kind() {
    let extractor = Extractor::new(ExtractorConfig { program: PathBuf::from(BIN), ..ExtractorConfig::default() });

    let page = &b"<h1>Head</h1><p>Words.</p>"[..];
    let extracted = extractor.extract(page, "text/html", "a.html").await.unwrap();
    let refused = extractor.extract(&b"\x89PNG\r\n\x1a\n"[..], "text/html", "a.html").await;

    assert_eq!(extracted.text, "Head\n\nWords.");
    assert!(matches!(refused, Err(ExtractError::Unreadable(state)) if state.state() == "unsupported_type"));
}

#[test]
fn the_help_does_not_name_the_reading_command() {
    let help = Command::new(BIN).arg("--help").output().unwrap();

    assert!(help.status.success());
    assert!(!String::from_utf8_lossy(&help.stdout).contains(READER_COMMAND));
}
