//! Opens the parts of the archive, and unpacks no more than allowed.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::extract::error::Unreadable;
use crate::extract::limits::Limits;

/// Parsed XML, event by event.
pub(super) type Xml<'r> = Reader<BufReader<Bounded<'r>>>;

pub(super) struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    left: u64,
    limit: u64,
}

/// Reads until the allowance is used up.
pub(super) struct Bounded<'r> {
    inner: Box<dyn Read + 'r>,
    left: &'r mut u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count as u64 > *self.left {
            *self.left = 0;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        *self.left -= count as u64;
        Ok(count)
    }
}

impl<'b> Archive<'b> {
    pub(super) fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, Unreadable> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
        Ok(Self { zip, left: limits.unpacked_bytes, limit: limits.unpacked_bytes })
    }

    /// Hands the named part to `work`; `false` when the archive has none.
    pub(super) fn part(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Xml<'_>) -> Result<(), Unreadable>,
    ) -> Result<bool, Unreadable> {
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(false),
            Err(error) => return Err(refusal(&error)),
        };
        let limit = self.limit;
        let done = {
            let bounded = Bounded { inner: Box::new(file), left: &mut self.left };
            work(&mut Reader::from_reader(BufReader::new(bounded)))
        };
        if self.left == 0 {
            return Err(Unreadable::too_complex(format!("it unpacks to more than {limit} bytes")));
        }
        done.map(|()| true)
    }
}

/// The next event. A document type is refused: the standard forbids it, and entities of one's own are how a small file
/// grows without end.
pub(super) fn next<'e, R: BufRead>(xml: &mut Reader<R>, buffer: &'e mut Vec<u8>) -> Result<Event<'e>, Unreadable> {
    buffer.clear();
    match xml.read_event_into(buffer) {
        Ok(Event::DocType(_)) => Err(Unreadable::broken("it declares a document type, which DOCX forbids")),
        Ok(event) => Ok(event),
        Err(_) => Err(Unreadable::broken("its text can't be unpacked or is not XML")),
    }
}

fn refusal(error: &ZipError) -> Unreadable {
    match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => Unreadable::Encrypted,
        ZipError::InvalidPassword => Unreadable::Encrypted,
        _ => Unreadable::broken("its archive is cut off or breaks the rules of ZIP"),
    }
}
