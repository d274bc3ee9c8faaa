//! One request head: parsed once, judged by the rules that keep two readers from framing it differently.

use std::mem::MaybeUninit;

use httparse::{Error as ParseError, Header, Request};

use crate::{
    config::HEADERS_CEILING,
    host::{host_of, same_authority},
    refusal::Refusal,
};

/// Bytes of empty lines that may precede a request.
pub(crate) const MAX_LEADING: usize = 8;

/// What a head may measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    pub(crate) bytes: usize,
    pub(crate) headers: usize,
    pub(crate) target: usize,
}

/// How the body behind a head is framed (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    Length(u64),
    Chunked,
}

/// What must be known of a head that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) body: BodyFraming,
    /// It asks to leave HTTP; what follows waits for the answer.
    pub(crate) upgrade: bool,
}

/// Judges a complete head, including the empty line that ends it.
pub(crate) fn judge(bytes: &[u8], limits: HeadLimits) -> Result<Head, Refusal> {
    let bytes = skip_empty_lines(bytes)?;
    check_request_line(bytes, limits)?;
    let mut space = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADERS_CEILING];
    let mut request = Request::new(&mut []);
    let space = &mut space[..limits.headers.min(HEADERS_CEILING)];
    match request.parse_with_uninit_headers(bytes, space) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::HeaderField),
        Err(error) => return Err(refusal_of(error)),
    }
    let http_1_0 = request.version == Some(0);
    let fields = Fields::gather(request.headers)?;
    let head = fields.framing(http_1_0)?;
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default().as_bytes();
    let host = fields.host(http_1_0)?;
    check_method(method)?;
    check_target(method, target, host)?;
    Ok(head)
}

/// Empty lines before a request are skipped (RFC 9112, section 2.2), but only so many.
fn skip_empty_lines(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let mut rest = bytes;
    while let Some(line) = rest.strip_prefix(b"\r\n") {
        rest = line;
    }
    if bytes.len() - rest.len() > MAX_LEADING { Err(Refusal::RequestLine) } else { Ok(rest) }
}

/// Sorts out version and length before the parser: its errors are too coarse for that.
fn check_request_line(bytes: &[u8], limits: HeadLimits) -> Result<(), Refusal> {
    let end = bytes.iter().position(|&b| b == b'\r').unwrap_or(bytes.len());
    let mut parts = bytes[..end].split(|&b| b == b' ');
    let (Some(_), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::RequestLine);
    };
    if target.len() > limits.target {
        return Err(Refusal::TargetTooLong);
    }
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::RequestLine),
    }
}

fn refusal_of(error: ParseError) -> Refusal {
    match error {
        ParseError::TooManyHeaders => Refusal::TooManyHeaders,
        ParseError::NewLine => Refusal::LineEnding,
        ParseError::Version | ParseError::Token | ParseError::Status => Refusal::RequestLine,
        ParseError::HeaderName | ParseError::HeaderValue => Refusal::HeaderField,
    }
}

/// The few header fields on which framing and routing hang, gathered in one pass.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Option<&'a [u8]>,
    coding: Option<&'a [u8]>,
    connection_upgrade: bool,
    upgrade: bool,
}

impl<'a> Fields<'a> {
    fn gather(headers: &[Header<'a>]) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        for Header { name, value } in headers {
            match name.len() {
                4 if name.eq_ignore_ascii_case("host") => {
                    once(&mut fields.host, value, Refusal::HostTwice)?;
                }
                14 if name.eq_ignore_ascii_case("content-length") => {
                    once(&mut fields.length, value, Refusal::LengthTwice)?;
                }
                17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                    once(&mut fields.coding, value, Refusal::CodingUnknown)?;
                }
                7 if name.eq_ignore_ascii_case("upgrade") => fields.upgrade = true,
                10 if name.eq_ignore_ascii_case("connection") => {
                    fields.connection_upgrade |= has_token(value, b"upgrade");
                }
                6 if name.eq_ignore_ascii_case("expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                    return Err(Refusal::Expectation);
                }
                _ => {}
            }
        }
        Ok(fields)
    }

    fn framing(&self, http_1_0: bool) -> Result<Head, Refusal> {
        let upgrade = self.upgrade && self.connection_upgrade && !http_1_0;
        let body = match (self.length, self.coding) {
            (None, None) => BodyFraming::Length(0),
            (Some(length), None) => BodyFraming::Length(plain_number(length)?),
            (_, Some(_)) if http_1_0 => return Err(Refusal::CodingOnHttp10),
            (Some(_), Some(_)) => return Err(Refusal::LengthWithCoding),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => BodyFraming::Chunked,
            (None, Some(_)) => return Err(Refusal::CodingUnknown),
        };
        Ok(Head { body, upgrade })
    }

    fn host(&self, http_1_0: bool) -> Result<Option<&'a [u8]>, Refusal> {
        match self.host {
            Some(host) if host_of(host).is_some() => Ok(Some(host)),
            Some(_) => Err(Refusal::HostInvalid),
            None if http_1_0 => Ok(None),
            None => Err(Refusal::HostMissing),
        }
    }
}

fn once<'a>(place: &mut Option<&'a [u8]>, value: &'a [u8], twice: Refusal) -> Result<(), Refusal> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(twice),
    }
}

/// Digits only: no sign, no list, no space, nothing that overflows.
pub(crate) fn plain_number(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || value.len() > 18 {
        return Err(Refusal::LengthInvalid);
    }
    value.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => Ok(number * 10 + u64::from(digit - b'0')),
        _ => Err(Refusal::LengthInvalid),
    })
}

fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|&b| b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

/// Methods are case-sensitive; what is not known is 501 (RFC 9110, section 9.1). The application answers 405 to what is
/// known and has no meaning there.
pub(crate) fn check_method(method: &str) -> Result<(), Refusal> {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "QUERY" => Ok(()),
        "CONNECT" | "TRACE" => Err(Refusal::MethodNotAllowed),
        _ => Err(Refusal::UnknownMethod),
    }
}

/// Origin form, or absolute form for the same authority as `Host` (RFC 9112, section 3.2).
fn check_target(method: &str, target: &[u8], host: Option<&[u8]>) -> Result<(), Refusal> {
    if target == b"*" {
        let refusal = if method == "OPTIONS" { Refusal::MethodNotAllowed } else { Refusal::Target };
        return Err(refusal);
    }
    let usual = |b: &u8| b.is_ascii_alphanumeric() || b"/-._~%?&=+,;:@!$'()*".contains(b);
    if target.first() == Some(&b'/') {
        let valid = target.iter().all(usual) || http::uri::PathAndQuery::try_from(target).is_ok();
        return if valid && !target.contains(&b'#') { Ok(()) } else { Err(Refusal::Target) };
    }
    let (authority, port) = absolute_authority(target).ok_or(Refusal::Target)?;
    if target.contains(&b'#') || http::Uri::try_from(target).is_err() || host_of(authority).is_none() {
        return Err(Refusal::Target);
    }
    match host {
        Some(host) if !same_authority(authority, host, port) => Err(Refusal::HostMismatch),
        _ => Ok(()),
    }
}

fn absolute_authority(target: &[u8]) -> Option<(&[u8], &'static str)> {
    let colon = target.iter().position(|&b| b == b':')?;
    let port = match &target[..colon] {
        scheme if scheme.eq_ignore_ascii_case(b"http") => "80",
        scheme if scheme.eq_ignore_ascii_case(b"https") => "443",
        _ => return None,
    };
    let rest = target[colon + 1..].strip_prefix(b"//")?;
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    Some((&rest[..end], port))
}
