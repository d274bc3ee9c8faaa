//! What a client sends as a document: raw, or as the one file of a form (multipart/form-data, RFC 7578). It is read as a
//! stream, counted and hashed on its way, and never held as a whole.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use multer::{Field, Multipart};

use crate::error::Error;
use crate::words::{parse_media_type, parse_name};

/// The most bytes that a form may spend on anything but its file before, between or behind it; some of the file may
/// be among them, as a body comes in pieces of up to some 400 KiB.
const FRAMING: u64 = 2 * 1024 * 1024;
/// Bytes that the reader of forms is given at once. It takes whatever is ready, so that without this a fast client could
/// have it hold everything.
const STEP: u64 = 256 * 1024;

/// A document as it arrives.
pub struct Incoming {
    /// The name that was asked for; otherwise the one in `Content-Disposition`, or the form's.
    pub name: Option<String>,
    /// The `Content-Type` field.
    pub content_type: Option<String>,
    /// The `Content-Disposition` field.
    pub content_disposition: Option<String>,
    /// The `Content-Digest` field (RFC 9530).
    pub content_digest: Option<String>,
    /// The body.
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// The body on its way: hashed if the client told a digest, and on a leash, so that a form without end of its framing
/// can't fill the memory.
struct Leash {
    body: BoxStream<'static, io::Result<Bytes>>,
    digest: Option<Context>,
    /// Bytes that came and were not yet seen as part of the file.
    loose: u64,
    /// Bytes that may still be taken before it is somebody else's turn.
    allowance: u64,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Leash>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Leash) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Stream for Shared {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.with(|leash| {
            if leash.allowance == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let polled = leash.body.as_mut().poll_next(cx);
            if let Poll::Ready(Some(Ok(bytes))) = &polled {
                leash.loose += bytes.len() as u64;
                leash.allowance = leash.allowance.saturating_sub(bytes.len() as u64);
                if let Some(digest) = &mut leash.digest {
                    digest.update(bytes);
                }
            }
            polled
        })
    }
}

/// The document's own bytes.
enum Origin {
    Raw,
    Form { form: Box<Multipart<'static>>, file: Option<Box<Field<'static>>> },
}

/// A document whose name and type are known, about to be read.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) media_type: String,
    body: Shared,
    source: Origin,
    expected: Option<[u8; 32]>,
}

impl Incoming {
    /// Reads up to the document's own bytes.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::MediaTypeInvalid`], [`Error::DigestInvalid`], or [`Error::UploadBroken`] for a
    /// form without a file.
    pub(crate) async fn open(self) -> Result<Part, Error> {
        let expected = self.content_digest.as_deref().map(parse_digest).transpose()?.flatten();
        let digest = expected.map(|_| Context::new(&SHA256));
        let body = Shared(Arc::new(Mutex::new(Leash { body: self.body, digest, loose: 0, allowance: u64::MAX })));
        let content_type = self.content_type.as_deref();
        let is_form = content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data"));
        if is_form {
            let boundary = multer::parse_boundary(content_type.unwrap_or_default()).map_err(|error| broken(&error))?;
            let mut form = Multipart::new(body.clone(), boundary);
            let file = next_file(&mut form, &body).await?;
            let file = file.ok_or_else(|| Error::UploadBroken("the form holds no file".to_owned()))?;
            let name = self.name.as_deref().or_else(|| file.file_name()).unwrap_or_default();
            let name = parse_name("name", name)?;
            let media_type = parse_media_type(file.content_type().map(AsRef::as_ref), &name)?;
            let source = Origin::Form { form: Box::new(form), file: Some(Box::new(file)) };
            return Ok(Part { name, media_type, body, source, expected });
        }
        let disposed = self.content_disposition.as_deref().and_then(file_name);
        let name = parse_name("name", &self.name.or(disposed).unwrap_or_default())?;
        let media_type = parse_media_type(content_type, &name)?;
        Ok(Part { name, media_type, body, source: Origin::Raw, expected })
    }
}

/// The next part of a form that is a file; other parts are passed by.
async fn next_file(form: &mut Multipart<'static>, body: &Shared) -> Result<Option<Field<'static>>, Error> {
    while let Some(mut field) = on_leash(body, form.next_field()).await? {
        if field.file_name().is_some() {
            return Ok(Some(field));
        }
        while on_leash(body, field.chunk()).await?.is_some() {}
    }
    Ok(None)
}

/// Reads on in a form's framing, as long as it stays within bounds.
async fn on_leash<T>(body: &Shared, read: impl Future<Output = multer::Result<T>>) -> Result<T, Error> {
    let mut read = std::pin::pin!(read);
    std::future::poll_fn(|cx| {
        body.with(|leash| leash.allowance = STEP);
        let polled = read.as_mut().poll(cx).map_err(|error| broken(&error));
        let loose = body.with(|leash| leash.loose);
        if loose > FRAMING {
            return Poll::Ready(Err(Error::UploadBroken("the form has too much beside its file".to_owned())));
        }
        polled
    })
    .await
}

impl Part {
    /// More of the document's bytes; `None` at their end, when all of the body was there and its digest fits.
    ///
    /// # Errors
    /// [`Error::UploadBroken`], [`Error::DigestMismatch`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let bytes = match &mut self.source {
            Origin::Raw => self.body.next().await.transpose().map_err(|error| unread(&error))?,
            Origin::Form { file: Some(file), .. } => on_leash(&self.body, file.chunk()).await?,
            Origin::Form { file: None, .. } => None,
        };
        match bytes {
            Some(bytes) => {
                self.body.with(|leash| leash.loose = 0);
                Ok(Some(bytes))
            }
            None => self.end().await.map(|()| None),
        }
    }

    async fn end(&mut self) -> Result<(), Error> {
        if let Origin::Form { form, file } = &mut self.source {
            *file = None;
            if next_file(form, &self.body).await?.is_some() {
                return Err(Error::UploadBroken("a form takes one file; send each in a request of its own".to_owned()));
            }
        }
        self.body.with(|leash| leash.allowance = u64::MAX);
        while let Some(rest) = self.body.next().await.transpose().map_err(|error| unread(&error))? {
            drop(rest);
            if self.body.with(|leash| leash.loose) > FRAMING {
                return Err(Error::UploadBroken("there is too much behind the form".to_owned()));
            }
        }
        let found = self.body.with(|leash| leash.digest.take()).map(Context::finish);
        match (self.expected, found) {
            (Some(expected), Some(found)) if found.as_ref() != expected => Err(Error::DigestMismatch),
            _ => Ok(()),
        }
    }
}

fn broken(error: &multer::Error) -> Error {
    let reason = match error {
        multer::Error::StreamReadFailed(cause) => cause.to_string(),
        other => other.to_string(),
    };
    Error::UploadBroken(reason.trim_end_matches('.').chars().take(200).collect())
}

fn unread(error: &io::Error) -> Error {
    Error::UploadBroken(error.to_string().trim_end_matches('.').chars().take(200).collect())
}

/// The SHA-256 in a `Content-Digest` field, a dictionary of byte sequences (RFC 9530, section 2; RFC 9651).
/// Other algorithms are passed by, as the RFC allows.
fn parse_digest(field: &str) -> Result<Option<[u8; 32]>, Error> {
    let mut members = field.split(',').filter_map(|member| member.trim().split_once('='));
    let Some((_, value)) = members.find(|(name, _)| name.trim().eq_ignore_ascii_case("sha-256")) else {
        return Ok(None);
    };
    let text = value.trim().strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    bytes.and_then(|bytes| bytes.try_into().ok()).map(Some).ok_or(Error::DigestInvalid)
}

/// The file's name in a `Content-Disposition` field; the extended form goes first (RFC 6266, section 4.3).
fn file_name(field: &str) -> Option<String> {
    let mut plain = None;
    for parameter in parameters(field) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "filename*" {
            let encoded = value.get(..7).filter(|head| head.eq_ignore_ascii_case("utf-8''")).map(|_| &value[7..]);
            let decoded = encoded.and_then(|text| percent_encoding::percent_decode_str(text).decode_utf8().ok());
            if let Some(decoded) = decoded {
                return Some(decoded.into_owned());
            }
        } else if name == "filename" && plain.is_none() {
            plain = Some(unquoted(value));
        }
    }
    plain
}

/// The parameters of a field, parted by semicolons outside of quotes.
fn parameters(field: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    field.split(move |char| {
        let here = (quoted, escaped);
        escaped = quoted && char == '\\' && !here.1;
        if char == '"' && !here.1 {
            quoted = !quoted;
        }
        char == ';' && !here.0
    })
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        text.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_found_in_its_field() {
        for (field, name) in [
            ("attachment; filename=a.txt", Some("a.txt")),
            ("attachment; filename=\"a;b\\\".txt\"", Some("a;b\".txt")),
            ("attachment; filename=\"a.txt\"; filename*=UTF-8''%e2%82%ac.txt", Some("€.txt")),
            ("attachment; filename*=latin1''%a4; filename=b", Some("b")),
            ("attachment", None),
        ] {
            assert_eq!(file_name(field).as_deref(), name, "{field}");
        }
    }

    #[test]
    fn a_digest_is_32_bytes_or_refused() {
        let zeros = STANDARD.encode([0; 32]);

        assert_eq!(parse_digest(&format!("sha-512=:AA==:, sha-256=:{zeros}:")).unwrap(), Some([0; 32]));
        assert_eq!(parse_digest("sha-512=:AA==:").unwrap(), None);
        for wrong in ["sha-256=AAAA", "sha-256=:AAAA:", "sha-256=:*:"] {
            assert!(parse_digest(wrong).is_err(), "{wrong}");
        }
    }
}
