//! Starts the reading child, feeds it and makes sure that it ends.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::child::READER_COMMAND;
use super::error::{ExtractError, Unreadable};
use super::limits::Limits;
use super::model::Extracted;
use super::wire::{Request, answer_limit, parse_answer};

/// Bytes on their way from the source to the child.
const CHUNK: usize = 64 * 1024;
/// How much of what the child says on its way down is looked at.
const LAST_WORDS: u64 = 16 * 1024;
/// Longest name and media type that are passed on, in characters; both are hints.
const HINT_CHARS: usize = 1024;

/// How documents are read.
#[derive(Clone, Debug)]
pub struct ExtractorConfig {
    /// The program that reads; it is this one, by default, as it was when it started.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How many read at once; as many as there are cores, by default.
    pub processes: usize,
    /// What a document may be and cost.
    pub limits: Limits,
}

impl Default for ExtractorConfig {
    fn default() -> Self {
        Self {
            // Not `current_exe`: after an upgrade its path names another program, or none.
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec![READER_COMMAND.to_owned()],
            processes: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            limits: Limits::default(),
        }
    }
}

/// Reads documents in child processes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Extractor {
    config: Arc<ExtractorConfig>,
    places: Arc<Semaphore>,
}

impl Extractor {
    /// A reader with these settings. Starts no process yet.
    pub fn new(config: ExtractorConfig) -> Self {
        let places = Arc::new(Semaphore::new(config.processes.max(1)));
        Self { config: Arc::new(config), places }
    }

    /// Reads a document: `source` is streamed to a child, which has no environment, no files and no network, and bounded
    /// memory and time; nothing is written to the disk. `media_type` and `name` are hints (see [`super::read_document`]).
    /// Waits for a free place. Dropping the future ends the child.
    ///
    /// # Errors
    /// The state in which the document ends, or what kept it from being read at all.
    pub async fn extract<S>(&self, source: S, media_type: &str, name: &str) -> Result<Extracted, ExtractError>
    where
        S: AsyncRead + Unpin,
    {
        let closed = |_| ExtractError::Start(io::Error::other("no more documents are read"));
        let _place = self.places.acquire().await.map_err(closed)?;
        let mut child = self.start().map_err(ExtractError::Start)?;
        let wall = self.config.limits.wall_seconds;
        let result = timeout(Duration::from_secs(wall), self.converse(&mut child, source, media_type, name))
            .await
            .unwrap_or(Err(Unreadable::TimedOut { seconds: wall }.into()));
        // It has ended already, or must; the place is free only then.
        if let Err(error) = child.kill().await
            && error.kind() != io::ErrorKind::InvalidInput
        {
            return Err(ExtractError::Start(error));
        }
        result
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.config.program)
            .arg0("holdfast")
            .args(&self.config.arguments)
            .env_clear()
            // The allocator sets a GiB aside at once otherwise, which would leave nothing of the memory to watch over.
            .env("MIMALLOC_ARENA_RESERVE", "16384")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    async fn converse<S>(
        &self,
        child: &mut Child,
        source: S,
        media_type: &str,
        name: &str,
    ) -> Result<Extracted, ExtractError>
    where
        S: AsyncRead + Unpin,
    {
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ExtractError::Start(io::Error::other("the child has no pipes")));
        };
        let hint = |text: &str| text.chars().take(HINT_CHARS).collect();
        let limits = self.config.limits.clone();
        let request = Request { media_type: hint(media_type), name: hint(name), limits };
        let limit = answer_limit(&self.config.limits);
        let (sent, answer, last_words) =
            tokio::try_join!(feed(input, &request, source), listen(output, limit), overhear(errors))?;
        let status = child.wait().await.map_err(ExtractError::Start)?;
        if !status.success() || !sent {
            return Err(self.cause_of_death(status, &last_words).into());
        }
        let answer = parse_answer(answer).unwrap_or_else(|| Err(Unreadable::crashed("its answer makes no sense")));
        Ok(answer?)
    }

    /// Names what ended a child that gave no answer.
    fn cause_of_death(&self, status: ExitStatus, last_words: &[u8]) -> Unreadable {
        const SIGKILL: i32 = 9;
        const SIGXCPU: i32 = 24;
        let said = |words: &str| memchr::memmem::find(last_words, words.as_bytes()).is_some();
        let memory = self.config.limits.memory_bytes;
        match status.signal() {
            Some(SIGXCPU) => Unreadable::TimedOut { seconds: self.config.limits.cpu_seconds },
            Some(SIGKILL) => Unreadable::too_complex("it took all of the memory or time that there was"),
            _ if said("memory allocation") || said("out of memory") => {
                Unreadable::too_complex(format!("reading it takes more than {memory} bytes of memory"))
            }
            _ if said("overflowed its stack") => Unreadable::too_complex("its parts are nested too deeply"),
            Some(signal) => Unreadable::crashed(format!("signal {signal}")),
            None => Unreadable::crashed("it ended without an answer"),
        }
    }
}

/// Streams request and source; `false` when the child stopped listening before the end.
async fn feed<S>(mut input: ChildStdin, request: &Request, mut source: S) -> Result<bool, ExtractError>
where
    S: AsyncRead + Unpin,
{
    let mut line = serde_json::to_vec(request).map_err(|error| ExtractError::Start(error.into()))?;
    line.push(b'\n');
    if input.write_all(&line).await.is_err() {
        return Ok(false);
    }
    let limit = request.limits.source_bytes;
    let mut total = 0_u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = source.read(&mut chunk).await.map_err(ExtractError::Source)?;
        if count == 0 {
            return Ok(input.shutdown().await.is_ok());
        }
        total += count as u64;
        if total > limit {
            return Err(Unreadable::TooLarge { limit }.into());
        }
        if input.write_all(&chunk[..count]).await.is_err() {
            return Ok(false);
        }
    }
}

async fn listen(output: ChildStdout, limit: u64) -> Result<Vec<u8>, ExtractError> {
    let mut answer = Vec::new();
    output.take(limit + 1).read_to_end(&mut answer).await.map_err(ExtractError::Start)?;
    if answer.len() as u64 > limit {
        return Err(Unreadable::crashed("its answer is too long").into());
    }
    Ok(answer)
}

/// The beginning of what the child says of its own troubles. Never shown or logged: it might quote the document.
async fn overhear(mut errors: ChildStderr) -> Result<Vec<u8>, ExtractError> {
    let mut words = Vec::new();
    (&mut errors).take(LAST_WORDS).read_to_end(&mut words).await.map_err(ExtractError::Start)?;
    // What follows is thrown away, so that the child is never kept waiting.
    tokio::io::copy(&mut errors, &mut tokio::io::sink()).await.map_err(ExtractError::Start)?;
    Ok(words)
}
