//! The reading child from outside: hostile documents hurt neither the process that reads them nor the one that asked.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use knowledge::{BlockKind, ExtractError, Extracted, Extractor, ExtractorConfig, Limits};
use tokio::io::{AsyncRead, ReadBuf};

#[cfg(test)]
#[path = "../src/extract/tests/samples.rs"]
mod samples;

use samples::{archive, docx, encrypted_trailer, pdf, shown};

fn config(program: &str, limits: Limits) -> ExtractorConfig {
    ExtractorConfig { program: PathBuf::from(program), arguments: Vec::new(), processes: 2, limits }
}

/// The real child under these limits.
fn reader(limits: Limits) -> Extractor {
    Extractor::new(config(env!("CARGO_BIN_EXE_knowledge-reader"), limits))
}

/// A child of the shell, to misbehave as told.
fn shell(script: &str, limits: Limits) -> Extractor {
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    Extractor::new(ExtractorConfig { arguments, ..config("/bin/sh", limits) })
}

async fn read(bytes: &[u8], name: &str) -> Result<Extracted, ExtractError> {
    reader(Limits::default()).extract(bytes, "application/octet-stream", name).await
}

fn state(result: Result<Extracted, ExtractError>) -> &'static str {
    match result {
        Err(ExtractError::Unreadable(unreadable)) => {
            assert!(!unreadable.to_string().is_empty());
            unreadable.state()
        }
        other => panic!("{other:?}"),
    }
}

/// The same bytes without an end.
struct Endless {
    byte: u8,
    left: u64,
}

impl AsyncRead for Endless {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = buffer.remaining().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let byte = self.byte;
        buffer.initialize_unfilled_to(count).fill(byte);
        buffer.advance(count);
        self.left -= count as u64;
        Poll::Ready(Ok(()))
    }
}

/// A source that fails at once, or never gives a byte.
struct Silent(bool);

impl AsyncRead for Silent {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.0 { Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) } else { Poll::Pending }
    }
}

#[tokio::test]
async fn a_document_comes_back_with_its_structure() {
    let page = "<title>T</title><h1>Grüße 🙂</h1><p>One.</p><pre>a\n  b</pre>".as_bytes();
    let extracted = read(page, "a.html").await.unwrap();
    assert_eq!(extracted.text, "Grüße 🙂\n\nOne.\n\na\n  b");
    assert_eq!(extracted.title.as_deref(), Some("T"));
    let kinds: Vec<_> = extracted.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(kinds, [BlockKind::Heading(1), BlockKind::Paragraph, BlockKind::Code]);
}

#[tokio::test]
async fn every_format_is_read_inside_the_limits_of_the_child() {
    let file = pdf(&[shown(&[(10, 700, "A page.")])], "");
    let extracted = read(&file, "a.pdf").await.unwrap();
    assert_eq!((extracted.text.as_str(), extracted.blocks[0].page), ("A page.", Some(1)));
    assert_eq!(read(&docx("<w:p><w:r><w:t>Word.</w:t></w:r></w:p>"), "a.docx").await.unwrap().text, "Word.");
    assert_eq!(read(b"a,b\n1,2\n", "a.csv").await.unwrap().text, "a: 1; b: 2");
    assert_eq!(read(b"# H\n\ntext", "a.md").await.unwrap().text, "H\n\ntext");
}

#[tokio::test]
async fn hostile_documents_end_in_their_states() {
    let pages = vec![shown(&[(10, 700, "again")]); 10_000];
    assert_eq!(state(read(&pdf(&pages, ""), "a.pdf").await), "too_many_pages");
    assert_eq!(state(read(&pdf(&pages[..1], &encrypted_trailer()), "a.pdf").await), "encrypted");
    let whole = docx(&"<w:p><w:r><w:t>words</w:t></w:r></w:p>".repeat(1000));
    assert_eq!(state(read(&whole[..whole.len() / 2], "a.docx").await), "broken");
    assert_eq!(state(read(b"", "a.pdf").await), "no_text");
    assert_eq!(state(read(b"\x89PNG\r\n\x1a\n\0\0", "../../etc/\u{0}\n\u{7}.txt").await), "unsupported_type");
    let mut bomb = b"<w:document><w:p><w:r><w:t>".to_vec();
    bomb.resize(160 << 20, b'a');
    assert_eq!(state(read(&archive(&[("word/document.xml", &bomb)]), "a.docx").await), "too_complex");
}

#[tokio::test]
async fn a_million_nodes_and_a_great_depth_are_read() {
    let wide = "<p><b>x</b>".repeat(500_000);
    assert_eq!(read(wide.as_bytes(), "a.html").await.unwrap().blocks.len(), 500_000);
    let deep = "<div>".repeat(200_000) + "deep";
    assert_eq!(read(deep.as_bytes(), "a.html").await.unwrap().text, "deep");
}

#[tokio::test]
async fn a_line_without_end_is_too_large_and_never_held() {
    let line = Endless { byte: b'x', left: 1 << 30 };
    assert_eq!(state(reader(Limits::default()).extract(line, "text/plain", "a.txt").await), "too_large");
}

#[tokio::test]
async fn a_document_that_needs_more_memory_than_there_is_is_too_complex() {
    let limits = Limits { memory_bytes: 256 << 20, ..Limits::default() };
    let line = Endless { byte: b'\xff', left: 60 << 20 };
    assert_eq!(state(reader(limits).extract(line, "text/plain", "a.txt").await), "too_complex");
}

#[tokio::test]
async fn a_document_that_takes_too_long_is_timed_out() {
    let limits = Limits { wall_seconds: 1, ..Limits::default() };
    assert_eq!(state(reader(limits.clone()).extract(Silent(false), "", "a").await), "timed_out");
    let limits = Limits { cpu_seconds: 1, ..Limits::default() };
    assert_eq!(
        state(shell("ulimit -S -t 1; while :; do :; done", limits).extract(&b"x"[..], "", "a").await),
        "timed_out"
    );
}

#[tokio::test]
async fn a_source_that_fails_says_nothing_about_the_document() {
    let result = reader(Limits::default()).extract(Silent(true), "", "a").await;
    assert!(matches!(result, Err(ExtractError::Source(_))), "{result:?}");
}

#[tokio::test]
async fn a_child_that_dies_or_lies_is_crashed() {
    for script in [
        "exit 0",
        "cat >/dev/null; exit 7",
        "kill -SEGV $$",
        "cat >/dev/null; echo '{\"text\":{\"bytes\":3,\"title\":null,\"blocks\":[[10,0,9,0]]}}'; printf abc",
        "cat >/dev/null; echo '{\"text\":{\"bytes\":4,\"title\":null,\"blocks\":[[10,0,3,0]]}}'; printf abc",
        "cat >/dev/null; echo '{\"text\":{\"bytes\":3,\"title\":null,\"blocks\":[[99,0,3,0]]}}'; printf abc",
        "cat >/dev/null; echo nonsense",
    ] {
        let result = shell(script, Limits::default()).extract(&b"x"[..], "", "a").await;
        assert_eq!(state(result), "crashed", "{script}");
    }
    let limits = Limits { text_bytes: 1000, blocks: 10, ..Limits::default() };
    let result =
        shell("cat >/dev/null; while :; do echo xxxxxxxxxxxxxxxx; done", limits).extract(&b"x"[..], "", "a").await;
    assert_eq!(state(result), "crashed");
    let result = shell("cat >/dev/null; echo 'thread has overflowed its stack' >&2; kill -ABRT $$", Limits::default());
    assert_eq!(state(result.extract(&b"x"[..], "", "a").await), "too_complex");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_no_fault_of_the_document() {
    let result = Extractor::new(config("/nowhere", Limits::default())).extract(&b"x"[..], "", "a").await;
    assert!(matches!(result, Err(ExtractError::Start(_))), "{result:?}");
}

#[tokio::test]
async fn the_child_sees_nothing_of_the_environment() {
    assert!(std::env::var_os("PATH").is_some());
    let script = "cat >/dev/null; text=$(/usr/bin/env | /bin/grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=); \
        echo \"{\\\"text\\\":{\\\"bytes\\\":${#text},\\\"title\\\":null,\\\"blocks\\\":[]}}\"; printf '%s' \"$text\"";
    let extracted = shell(script, Limits::default()).extract(&b"x"[..], "", "a").await.unwrap();
    // A setting of the allocator; nothing of this process.
    assert_eq!(extracted.text, "MIMALLOC_ARENA_RESERVE=16384");
}

#[tokio::test]
async fn a_reader_that_is_dropped_takes_its_child_along_and_frees_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 600", mark.display());
    let extractor = Extractor::new(ExtractorConfig {
        arguments: vec!["-c".to_owned(), script],
        processes: 1,
        ..config("/bin/sh", Limits::default())
    });

    let pid = {
        let reading = extractor.extract(Silent(false), "", "a");
        tokio::pin!(reading);
        loop {
            assert!(tokio::time::timeout(Duration::from_millis(20), &mut reading).await.is_err());
            let pid = std::fs::read_to_string(&mark).unwrap_or_default();
            if pid.ends_with('\n') {
                break pid.trim().to_owned();
            }
        }
    };

    let alive = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z ")
    };
    while alive() {
        tokio::task::yield_now().await;
    }
    drop(extractor.extract(Silent(false), "", "a"));
    assert!(tokio::time::timeout(Duration::from_secs(30), extractor.extract(Silent(true), "", "a")).await.is_ok());
}
