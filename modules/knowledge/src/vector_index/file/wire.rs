//! Numbers and lists as bytes.

use std::io::{self, Read, Write};

use uuid::Uuid;

/// Bytes that are turned at once.
const CHUNK: usize = 1 << 16;

pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    hasher: crc32fast::Hasher,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, hasher: crc32fast::Hasher::new() }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    pub(super) fn u32(&mut self, number: u32) -> io::Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    pub(super) fn u64(&mut self, number: u64) -> io::Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    pub(super) fn count(&mut self, count: usize) -> io::Result<()> {
        self.u64(count as u64)
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.count(text.len())?;
        self.bytes(text.as_bytes())
    }

    pub(super) fn id(&mut self, id: Uuid) -> io::Result<()> {
        self.bytes(id.as_bytes())
    }

    /// A list without its length, `N` bytes an entry.
    pub(super) fn list<T: Copy, const N: usize>(&mut self, list: &[T], bytes: fn(T) -> [u8; N]) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(CHUNK);
        for part in list.chunks(CHUNK / N) {
            buffer.clear();
            buffer.extend(part.iter().flat_map(|entry| bytes(*entry)));
            self.bytes(&buffer)?;
        }
        Ok(())
    }

    /// Ends with the checksum of all before.
    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.hasher.finalize().to_le_bytes())
    }
}

pub(super) struct Reader<'a>(&'a mut dyn Read);

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a mut dyn Read) -> Self {
        Self(input)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn count(&mut self) -> io::Result<usize> {
        usize::try_from(self.u64()?).map_err(|_| wrong("a count is too large"))
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        let count = self.count()?;
        String::from_utf8(self.bytes(count)?).map_err(|_| wrong("a text is not UTF-8"))
    }

    pub(super) fn id(&mut self) -> io::Result<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    pub(super) fn list<T, const N: usize>(&mut self, count: usize, entry: fn([u8; N]) -> T) -> io::Result<Vec<T>> {
        let mut list = Vec::with_capacity(count);
        let mut buffer = vec![0u8; CHUNK / N * N];
        while list.len() < count {
            let most = ((count - list.len()) * N).min(buffer.len());
            self.0.read_exact(&mut buffer[..most])?;
            list.extend(buffer[..most].as_chunks::<N>().0.iter().map(|bytes| entry(*bytes)));
        }
        Ok(list)
    }
}

pub(super) fn wrong(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
