//! The chunked coding, strictly (RFC 9112, section 7.1): line endings are CR LF, sizes fit, extensions are bounded.

use httparse::EMPTY_HEADER;

use super::head::HeadLimits;

/// A chunk line holds at most 16 digits and this much extension.
const MAX_EXTENSION: usize = 256;
/// What the extensions of one body may add up to.
const MAX_EXTENSIONS: usize = 4096;

/// What follows the bytes approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Whatever comes.
    More,
    /// Another message.
    Ended,
    /// Framing that is broken, or meant to confuse.
    Broken,
}

struct Broken;

#[derive(Debug)]
enum At {
    Size,
    Data(u64),
    DataEnd,
    /// From the last chunk's line to the end of the trailer section.
    Last {
        /// Length of the last chunk's line.
        line: usize,
        scan: SectionScan,
    },
}

/// Follows one chunked body.
#[derive(Debug)]
pub(crate) struct Chunked {
    at: At,
    extensions: usize,
}

impl Chunked {
    pub(crate) const fn new() -> Self {
        Self { at: At::Size, extensions: 0 }
    }

    /// Approves a prefix of the window: its length, and what follows it.
    pub(crate) fn advance(&mut self, window: &[u8], limits: HeadLimits) -> (usize, Next) {
        let mut done = 0;
        loop {
            match self.step(&window[done..], limits) {
                Ok((length, Some(next))) => return (done + length, next),
                Ok((length, None)) => done += length,
                Err(Broken) => return (done, Next::Broken),
            }
        }
    }

    /// One step of [`Self::advance`]: bytes approved, and what follows if it can't go on.
    fn step(&mut self, rest: &[u8], limits: HeadLimits) -> Result<(usize, Option<Next>), Broken> {
        match &mut self.at {
            At::Size => {
                let Some(line) = chunk_line(rest)? else { return Ok((0, Some(Next::More))) };
                self.extensions += line.extension;
                if self.extensions > MAX_EXTENSIONS {
                    return Err(Broken);
                }
                if line.size == 0 {
                    self.at = At::Last { line: line.length, scan: SectionScan::after_line(line.length) };
                    return Ok((0, None));
                }
                self.at = At::Data(line.size);
                Ok((line.length, None))
            }
            At::Data(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= take as u64;
                if *left > 0 {
                    return Ok((take, Some(Next::More)));
                }
                self.at = At::DataEnd;
                Ok((take, None))
            }
            At::DataEnd => match rest {
                [b'\r', b'\n', ..] => {
                    self.at = At::Size;
                    Ok((2, None))
                }
                [] | [b'\r'] => Ok((0, Some(Next::More))),
                _ => Err(Broken),
            },
            At::Last { line, scan } => match scan.find_end(rest).map_err(|BareLine| Broken)? {
                Some(end) if end <= limits.bytes => {
                    check_trailers(&rest[*line..end], limits)?;
                    Ok((end, Some(Next::Ended)))
                }
                None if rest.len() <= limits.bytes => Ok((0, Some(Next::More))),
                _ => Err(Broken),
            },
        }
    }
}

struct ChunkLine {
    size: u64,
    length: usize,
    extension: usize,
}

fn chunk_line(window: &[u8]) -> Result<Option<ChunkLine>, Broken> {
    let digits = window.iter().take(17).take_while(|b| b.is_ascii_hexdigit()).count();
    if digits > 16 || (digits == 0 && !window.is_empty()) {
        return Err(Broken);
    }
    let rest = &window[digits..];
    let Some(end) = rest.iter().take(MAX_EXTENSION + 1).position(|&b| b == b'\r') else {
        let possible = rest.first().is_none_or(|&b| b == b';') && rest.len() <= MAX_EXTENSION;
        return if possible && extension_valid(rest) { Ok(None) } else { Err(Broken) };
    };
    let extension = &rest[..end];
    if !(extension.is_empty() || extension[0] == b';') || !extension_valid(extension) {
        return Err(Broken);
    }
    match rest.get(end + 1) {
        None => Ok(None),
        Some(b'\n') => {
            let size = window[..digits].iter().fold(0_u64, |size, &digit| (size << 4) | u64::from(hex(digit)));
            if size > u64::MAX >> 1 {
                return Err(Broken);
            }
            Ok(Some(ChunkLine { size, length: digits + end + 2, extension: extension.len() }))
        }
        Some(_) => Err(Broken),
    }
}

fn extension_valid(extension: &[u8]) -> bool {
    extension.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f))
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Trailer fields never carry framing, routing or credentials (RFC 9110, section 6.5.1).
fn check_trailers(section: &[u8], limits: HeadLimits) -> Result<(), Broken> {
    if section == b"\r\n" {
        return Ok(());
    }
    let mut space = [EMPTY_HEADER; 32];
    let most = limits.headers.min(space.len());
    match httparse::parse_headers(section, &mut space[..most]) {
        Ok(httparse::Status::Complete((length, fields))) if length == section.len() => {
            let forbidden = ["content-length", "transfer-encoding", "host", "authorization", "trailer", "cookie"];
            let smuggles = |name: &str| forbidden.iter().any(|known| name.eq_ignore_ascii_case(known));
            if fields.iter().any(|field| smuggles(field.name)) { Err(Broken) } else { Ok(()) }
        }
        _ => Err(Broken),
    }
}

/// A line feed without its carriage return.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BareLine;

/// Finds the empty line that ends a section, looking at each byte once however it is dripped.
#[derive(Debug, Default)]
pub(crate) struct SectionScan {
    scanned: usize,
    line_start: usize,
    /// A line with something on it was seen; before it, empty lines end nothing.
    started: bool,
}

impl SectionScan {
    /// Starts behind a first line of known length.
    const fn after_line(length: usize) -> Self {
        Self { scanned: length, line_start: length, started: true }
    }

    /// The length of the section, once its end is in the window.
    pub(crate) fn find_end(&mut self, window: &[u8]) -> Result<Option<usize>, BareLine> {
        while let Some(at) = window[self.scanned..].iter().position(|&b| b == b'\n') {
            let feed = self.scanned + at;
            if feed == self.line_start || window[feed - 1] != b'\r' {
                return Err(BareLine);
            }
            let empty = feed == self.line_start + 1;
            self.scanned = feed + 1;
            self.line_start = feed + 1;
            if empty && self.started {
                return Ok(Some(feed + 1));
            }
            self.started |= !empty;
        }
        self.scanned = window.len();
        Ok(None)
    }

    /// Whether the first line is still open.
    pub(crate) const fn in_first_line(&self) -> bool {
        !self.started
    }
}
