//! The events of a provider's stream (HTML Living Standard, 9.2.6), as far as they matter here: the data of each.
//!
//! One pass over the bytes and no allocation an event, since this is the way of every token. Each event is bounded, so
//! that a line without end fills no memory.

use kernel::{EgressAnswer, EgressError, Pace};

/// The most bytes between two empty lines.
const MAX_EVENT: usize = 256 * 1024;

/// An event stream under way.
#[derive(Debug)]
pub(super) struct Events {
    answer: EgressAnswer,
    pace: Pace,
    lines: Lines,
}

impl Events {
    pub(super) fn new(answer: EgressAnswer, pace: Pace) -> Self {
        Self { answer, pace, lines: Lines::default() }
    }

    /// The data of the next event; `None` at the end of the body. What no empty line follows is no event.
    ///
    /// # Errors
    /// The body broke off, or an event is too large.
    pub(super) async fn next(&mut self) -> Result<Option<&[u8]>, EgressError> {
        while !self.lines.advance()? {
            match self.answer.chunk(self.pace).await? {
                Some(bytes) => self.lines.feed(&bytes),
                None => return Ok(None),
            }
        }
        Ok(Some(&self.lines.data))
    }
}

/// Takes lines out of bytes that come in pieces.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Where the line under way begins, and how far it was searched for its end.
    line: usize,
    searched: usize,
    /// The last line ended with a carriage return, so a line feed that comes now belongs to it.
    after_return: bool,
    /// Not the first line, which may begin with a byte order mark.
    begun: bool,
    /// The data of the event under way, and whether the last one was given out.
    data: Vec<u8>,
    given: bool,
    /// Bytes of the lines of the event under way.
    size: usize,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.line);
        self.searched -= self.line;
        self.line = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Goes on to the end of an event, whose data is in `data` then; `false` when it needs more bytes.
    fn advance(&mut self) -> Result<bool, EgressError> {
        if std::mem::take(&mut self.given) {
            self.data.clear();
            self.size = 0;
        }
        while let Some(found) = self.bytes[self.searched..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (begin, end) = (self.line, self.searched + found);
            let feed_of_return = self.after_return && self.bytes[end] == b'\n' && begin == end;
            self.after_return = self.bytes[end] == b'\r';
            (self.line, self.searched) = (end + 1, end + 1);
            if feed_of_return {
                continue;
            }
            self.size += end + 1 - begin;
            if self.size > MAX_EVENT {
                return Err(EgressError::TooLarge);
            }
            if begin < end {
                self.take(begin, end);
            } else if !self.data.is_empty() {
                self.given = true;
                return Ok(true);
            } else {
                self.size = 0;
            }
        }
        self.searched = self.bytes.len();
        let under_way = self.size + self.bytes.len() - self.line;
        if under_way > MAX_EVENT { Err(EgressError::TooLarge) } else { Ok(false) }
    }

    /// Keeps the value of a field `data`; passes over all else.
    fn take(&mut self, begin: usize, end: usize) {
        let mut line = &self.bytes[begin..end];
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        let Some(value) = line.strip_prefix(b"data:") else { return };
        if !self.data.is_empty() {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The data of all events, when the bytes come in pieces of this size.
    fn events(text: &[u8], size: usize) -> Result<Vec<String>, EgressError> {
        let (mut lines, mut events) = (Lines::default(), Vec::new());
        for piece in text.chunks(size) {
            lines.feed(piece);
            while lines.advance()? {
                events.push(String::from_utf8_lossy(&lines.data).into_owned());
            }
        }
        Ok(events)
    }

    #[test]
    fn events_are_the_same_whatever_ends_their_lines_and_however_they_come() {
        let text = ": hi\n\nevent: x\ndata: one\nid: 7\n\ndata:two\ndata:  three\n\n\n\ndata: ünï\n\ndata: cut";
        for ending in ["\n", "\r\n", "\r"] {
            let text = format!("\u{feff}data: first\n\n{text}").replace('\n', ending);
            for size in [1, 2, 3, 7, 1000] {
                let found = events(text.as_bytes(), size).unwrap();
                assert_eq!(found, ["first", "one", "two\n three", "ünï"], "{ending:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn many_events_pass_and_one_without_end_does_not() {
        let many = b"data: some words that fill a line\r\n\r\n".repeat(10_000);
        assert_eq!(events(&many, 64 * 1024).unwrap().len(), 10_000);
        assert_eq!(events(&b": still here\n\n".repeat(30_000), 1000).unwrap().len(), 0);

        assert_eq!(events(&vec![b'a'; MAX_EVENT + 1], 1000), Err(EgressError::TooLarge));
        assert_eq!(events(&b"data: x\n".repeat(40_000), 1000), Err(EgressError::TooLarge));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm_and_alike_in_any_pieces(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), any::<u8>()], 0..200),
            size in 1_usize..20,
        ) {
            let spelt: Vec<u8> = text.iter().flat_map(|byte| if *byte == b':' { b"data:".to_vec() } else { vec![*byte] }).collect();
            prop_assert_eq!(events(&spelt, size), events(&spelt, 1000));
        }
    }
}
