//! How much one document may take.

use serde::{Deserialize, Serialize};

/// What one document may be and cost. Sent to the reading child with each document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the document itself.
    pub source_bytes: u64,
    /// Bytes of the text that comes out of it.
    pub text_bytes: u64,
    /// Pages of a PDF.
    pub pages: u32,
    /// Paragraphs, list items, rows and so on.
    pub blocks: u32,
    /// Bytes that a packed file (DOCX) may unpack to.
    pub unpacked_bytes: u64,
    /// Memory (address space) of the child beyond what the program itself takes, in bytes.
    pub memory_bytes: u64,
    /// Processor time of the child, in seconds.
    pub cpu_seconds: u64,
    /// Time from start to answer, in seconds.
    pub wall_seconds: u64,
}

const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 * MIB,
            text_bytes: 32 * MIB,
            pages: 5_000,
            blocks: 1_000_000,
            unpacked_bytes: 128 * MIB,
            memory_bytes: 1024 * MIB,
            cpu_seconds: 60,
            wall_seconds: 120,
        }
    }
}
