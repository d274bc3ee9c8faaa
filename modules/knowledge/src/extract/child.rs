//! The reading child: takes a document on its input, answers on its output, and can do nothing else.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use super::error::Unreadable;
use super::limits::Limits;
use super::model::Extracted;
use super::wire::{REQUEST_BYTES, Request, answer_line};

/// The hidden subcommand of the binary that is the child.
pub const READER_COMMAND: &str = "extract-document";

/// Parsers that recurse get a deep stack, and the limits of formats end before it does.
const STACK: usize = 128 << 20;

/// Reads one document from the input, answers on the output and ends: the whole life of the child.
///
/// Limits itself before the first byte of the document is parsed: address space, processor time, no new file or socket,
/// no file written, no core dump (it would put the document on the disk in the clear).
pub fn reader_process() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody may be told what went wrong inside: the parent says that the child gave no answer.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    let mut input = BufReader::with_capacity(64 * 1024, io::stdin().lock());
    let mut line = Vec::new();
    input.by_ref().take(REQUEST_BYTES).read_until(b'\n', &mut line)?;
    let request: Request = serde_json::from_slice(&line)?;
    confine(&request.limits)?;
    let mut bytes = Vec::new();
    let result = match input.take(request.limits.source_bytes + 1).read_to_end(&mut bytes) {
        Ok(_) => read_apart(request, bytes),
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => Err(no_memory()),
        Err(error) => return Err(error),
    };
    let mut output = io::stdout().lock();
    output.write_all(&answer_line(&result)?)?;
    if let Ok(extracted) = &result {
        output.write_all(extracted.text.as_bytes())?;
    }
    output.flush()
}

/// Reads the document on a thread with a deep stack; a panic is an answer like any other.
fn read_apart(request: Request, bytes: Vec<u8>) -> Result<Extracted, Unreadable> {
    let place = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&place);
    // The message may quote the document; the place in the program can't.
    panic::set_hook(Box::new(move |info| {
        if let Some(location) = info.location() {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = format!("{}:{}", location.file(), location.line());
        }
    }));
    let reader = thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || super::read_document(&bytes, &request.media_type, &request.name, &request.limits));
    let Ok(reader) = reader else { return Err(no_memory()) };
    reader.join().unwrap_or_else(|_| {
        let place = place.lock().unwrap_or_else(PoisonError::into_inner);
        Err(Unreadable::crashed(format!("an error in the program at {}", file_name(&place))))
    })
}

fn no_memory() -> Unreadable {
    Unreadable::too_complex("there is no memory to read it")
}

/// The last two parts of a path: where this was built is nobody's business.
fn file_name(place: &str) -> &str {
    place.rmatch_indices('/').nth(1).map_or(place, |(at, _)| &place[at + 1..])
}

fn confine(limits: &Limits) -> io::Result<()> {
    let address_space = address_space()?;
    let bound = |soft: u64, hard: u64| Rlimit { current: Some(soft), maximum: Some(hard) };
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    setrlimit(Resource::Core, bound(0, 0))?;
    setrlimit(Resource::Fsize, bound(0, 0))?;
    // Input, output and errors are open; nothing more can be.
    setrlimit(Resource::Nofile, bound(3, 3))?;
    setrlimit(Resource::Cpu, bound(limits.cpu_seconds, limits.cpu_seconds + 1))?;
    let memory = address_space.saturating_add(limits.memory_bytes);
    setrlimit(Resource::As, bound(memory, memory))?;
    Ok(())
}

/// What the program takes before it reads anything, in bytes (proc(5), `statm`).
fn address_space() -> io::Result<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: Option<u64> = pages.split(' ').next().and_then(|pages| pages.parse().ok());
    pages.map(|pages| pages * rustix::param::page_size() as u64).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
