//! The reading child as a program of its own, for this crate's tests; the server carries the same as a hidden command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// The server's allocator, so that what holds for this child under its limits holds for the server's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    knowledge::reader_process()
}
