//! The framing of HTTP/3 (RFC 9114, section 7), followed before h3 sees a byte: what it would keep in memory whole is
//! bounded, what means nothing is left out, and a stream that ends inside a frame does not pass for one that ended.

use bytes::{Buf, Bytes};

const DATA: u64 = 0x00;
const HEADERS: u64 = 0x01;
/// `CANCEL_PUSH`, SETTINGS, `PUSH_PROMISE`, GOAWAY, `MAX_PUSH_ID`, and those of HTTP/2 that must not come.
const KNOWN: &[u64] = &[DATA, HEADERS, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0d];
/// Bytes that do not come in frames (WebTransport), which are not spoken here.
const UNFRAMED: u64 = 0x41;
/// The type of a stream that carries frames, among those in one direction.
const CONTROL: u64 = 0x00;
/// Two integers of at most 8 bytes.
const HEAD: usize = 16;

/// What is wrong with a stream's framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("a frame is larger than allowed")]
    TooLarge,
    #[error("a stream ended inside a frame")]
    CutShort,
    #[error("a stream without frames")]
    Unframed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the type of a stream in one direction.
    Type,
    /// In a frame's type or length.
    Head,
    /// So many bytes of a frame are to come; whether they are passed on.
    Payload { left: u64, kept: bool },
    /// In a stream without frames.
    Raw,
}

/// Follows one stream.
#[derive(Debug)]
pub(super) struct Frames {
    place: Place,
    head: [u8; HEAD],
    known: usize,
    /// The most bytes of a frame that h3 keeps whole.
    most: u64,
    input: Bytes,
    /// Bytes of frames that have passed.
    carried: u64,
}

impl Frames {
    /// Of a request; a frame other than DATA may have `most` bytes.
    pub(super) fn request(most: u64) -> Self {
        Self { place: Place::Head, head: [0; HEAD], known: 0, most, input: Bytes::new(), carried: 0 }
    }

    /// Of a stream in one direction.
    pub(super) fn one_way(most: u64) -> Self {
        Self { place: Place::Type, ..Self::request(most) }
    }

    /// Takes what the client sent; all before it has been given out.
    pub(super) fn put(&mut self, input: Bytes) {
        self.input = input;
    }

    /// The next bytes for h3.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        while self.input.has_remaining() {
            match self.place {
                Place::Raw => return Ok(Some(std::mem::take(&mut self.input))),
                Place::Payload { left, kept } => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.len());
                    let part = self.input.split_to(length);
                    self.place = match left - length as u64 {
                        0 => Place::Head,
                        left => Place::Payload { left, kept },
                    };
                    if kept {
                        self.carried += part.len() as u64;
                        return Ok(Some(part));
                    }
                }
                Place::Type | Place::Head => {
                    self.head[self.known] = self.input.get_u8();
                    self.known += 1;
                    if let Some(head) = self.head()? {
                        return Ok(Some(head));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The client ended the stream.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.place {
            Place::Payload { .. } => Err(Fault::CutShort),
            Place::Head if self.known > 0 => Err(Fault::CutShort),
            _ => Ok(()),
        }
    }

    /// Bytes of frames since this was asked last.
    pub(super) fn carried(&mut self) -> u64 {
        std::mem::take(&mut self.carried)
    }

    /// Judges a head once it is whole; gives it out if it is to be passed on.
    fn head(&mut self) -> Result<Option<Bytes>, Fault> {
        let known = &self.head[..self.known];
        let Some((kind, rest)) = integer(known) else { return Ok(None) };
        if self.place == Place::Type {
            self.place = if kind == CONTROL { Place::Head } else { Place::Raw };
            return Ok(Some(self.take_head()));
        }
        if kind == UNFRAMED {
            return Err(Fault::Unframed);
        }
        let Some((length, _)) = integer(rest) else { return Ok(None) };
        let kept = KNOWN.contains(&kind) && !(kind == DATA && length == 0);
        if kept && kind != DATA && length > self.most {
            return Err(Fault::TooLarge);
        }
        self.place = if length == 0 { Place::Head } else { Place::Payload { left: length, kept } };
        let head = self.take_head();
        Ok(kept.then_some(head))
    }

    fn take_head(&mut self) -> Bytes {
        let head = Bytes::copy_from_slice(&self.head[..self.known]);
        self.known = 0;
        head
    }
}

/// An integer of variable length (RFC 9000, section 16) and what follows it; none if it is not whole.
fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let (number, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    let start = u64::from(first & 0x3f);
    Some((number[1..].iter().fold(start, |number, byte| number << 8 | u64::from(*byte)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that passes, however the bytes are cut; and how it ends.
    fn pass(mut frames: Frames, bytes: &[u8], piece: usize) -> Result<Vec<u8>, Fault> {
        let mut passed = Vec::new();
        for piece in bytes.chunks(piece) {
            frames.put(Bytes::copy_from_slice(piece));
            while let Some(part) = frames.next()? {
                passed.extend_from_slice(&part);
            }
        }
        frames.end().map(|()| passed)
    }

    #[test]
    fn what_means_nothing_is_left_out_however_the_bytes_are_cut() {
        // HEADERS(2), DATA(0), a reserved type with 3 bytes, DATA(1) with a length in two bytes, HEADERS(1).
        let stream = [1, 2, 9, 9, 0, 0, 0x21, 3, 7, 7, 7, 0, 0x40, 1, 5, 1, 1, 8];
        for piece in [1, 2, 3, stream.len()] {
            let passed = pass(Frames::request(100), &stream, piece);
            assert_eq!(passed.unwrap(), [1, 2, 9, 9, 0, 0x40, 1, 5, 1, 1, 8], "in pieces of {piece}");
        }
    }

    #[test]
    fn an_end_inside_a_frame_is_no_end() {
        for stream in [&[0][..], &[0, 0x40], &[0, 5], &[0, 5, 1, 2, 3, 4], &[1, 1], &[0x21, 2, 0]] {
            assert_eq!(pass(Frames::request(100), stream, 1), Err(Fault::CutShort), "{stream:?}");
        }
        assert_eq!(pass(Frames::request(100), &[0, 1, 1], 1).unwrap(), [0, 1, 1]);
    }

    #[test]
    fn frames_that_would_be_kept_whole_are_bounded_and_bodies_are_not() {
        assert_eq!(pass(Frames::request(100), &[1, 0x40, 101], 1), Err(Fault::TooLarge));
        assert_eq!(pass(Frames::request(100), &[4, 0x80, 0, 1, 0], 5), Err(Fault::TooLarge));
        assert_eq!(pass(Frames::one_way(100), &[0, 4, 0x80, 0, 1, 0], 5), Err(Fault::TooLarge));
        let body = [&[0, 0x41, 0x2c][..], &[7; 300]].concat();
        assert_eq!(pass(Frames::request(100), &body, 9).unwrap(), body);
        assert_eq!(pass(Frames::request(100), &[0x40, 0x41, 0, 0], 4), Err(Fault::Unframed));
    }

    #[test]
    fn streams_in_one_direction_begin_with_their_type_and_only_control_has_frames() {
        let settings = [0, 4, 2, 6, 1, 0x21, 1, 0];
        assert_eq!(pass(Frames::one_way(100), &settings, 1).unwrap(), [0, 4, 2, 6, 1]);
        let encoder = [2, 0x3f, 0xe1, 0x1f, 1, 1, 1];
        assert_eq!(pass(Frames::one_way(100), &encoder, 2).unwrap(), encoder);
    }
}
