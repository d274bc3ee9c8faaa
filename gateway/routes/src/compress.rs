//! Compression of answers while they stream out.

use std::{error::Error, io};

use async_compression::{
    Level,
    tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, BodyStream, StreamBody, combinators::BoxBody};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{
    modifiers::{Compression, Encoding},
    negotiation::acceptable,
};

/// A body that may have been wrapped.
pub type StepBody = BoxBody<Bytes, io::Error>;

/// What is worth compressing beside `text/*`.
const COMPRESSIBLE: [&str; 9] = [
    "application/json",
    "application/javascript",
    "application/xml",
    "application/wasm",
    "application/manifest+json",
    "application/problem+json",
    "application/graphql-response+json",
    "application/ld+json",
    "image/svg+xml",
];

impl Compression {
    /// Compresses an answer if the client takes it and it is worth it: of a compressible type, not encoded or
    /// partial, not small, no event stream, and not told to stay as it is (`no-transform`). Trailers are lost.
    pub fn apply<B>(&self, request: &HeaderMap, answer: Response<B>) -> Response<StepBody>
    where
        B: Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (mut head, body) = answer.into_parts();
        let body = body.map_err(io_error);
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let is_small = length.or(body.size_hint().exact()).is_some_and(|length: u64| length < self.min_bytes);
        let plain =
            !matches!(head.status, StatusCode::PARTIAL_CONTENT | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
                && !head.status.is_informational();
        if !plain || !is_compressible(&head.headers) {
            return Response::from_parts(head, body.boxed());
        }
        append_vary(&mut head.headers);
        let Some(encoding) = acceptable(request, &self.encodings).first().copied().filter(|_| !is_small) else {
            return Response::from_parts(head, body.boxed());
        };
        head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.as_str()));
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::ACCEPT_RANGES);
        weaken_etag(&mut head.headers);
        Response::from_parts(head, encode(encoding, body))
    }
}

fn encode(encoding: Encoding, body: impl Body<Data = Bytes, Error = io::Error> + Send + Sync + 'static) -> StepBody {
    let data = BodyStream::new(body).try_filter_map(async |frame| Ok(frame.into_data().ok()));
    let reader = StreamReader::new(Box::pin(data));
    let level = Level::Precise(4);
    match encoding {
        Encoding::Br => streamed(BrotliEncoder::with_quality(reader, level)),
        Encoding::Zstd => streamed(ZstdEncoder::with_quality(reader, Level::Precise(3))),
        Encoding::Gzip => streamed(GzipEncoder::with_quality(reader, level)),
    }
}

fn streamed(reader: impl AsyncRead + Send + Sync + 'static) -> StepBody {
    let chunks = ReaderStream::with_capacity(reader, 16 * 1024);
    BodyExt::boxed(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))))
}

fn is_compressible(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let worthwhile = (kind.starts_with("text/") && kind != "text/event-stream") || COMPRESSIBLE.contains(&&*kind);
    let stays = text(header::CACHE_CONTROL).to_ascii_lowercase().contains("no-transform");
    worthwhile
        && !stays
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
}

/// Another representation has another tag; a weak one stays true (RFC 9110, section 8.8.1).
fn weaken_etag(headers: &mut HeaderMap) {
    let weak = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| !etag.starts_with("W/"));
    if let Some(Ok(etag)) = weak.map(|etag| HeaderValue::try_from(format!("W/{etag}"))) {
        headers.insert(header::ETAG, etag);
    }
}

pub(crate) fn append_vary(headers: &mut HeaderMap) {
    let named =
        |line: &HeaderValue| line.to_str().is_ok_and(|line| line.to_ascii_lowercase().contains("accept-encoding"));
    if !headers.get_all(header::VARY).iter().any(named) {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

fn io_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
    use http_body_util::Full;
    use tokio::io::AsyncReadExt;

    use super::*;

    fn answer(kind: &'static str, more: &[(&'static str, &'static str)]) -> Response<Full<Bytes>> {
        let mut response = Response::builder().header("content-type", kind).header("etag", "\"1\"");
        for (name, value) in more {
            response = response.header(*name, *value);
        }
        response.body(Full::from("word ".repeat(4000))).unwrap()
    }

    fn takes(encodings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))])
    }

    #[tokio::test]
    async fn what_is_compressed_reads_as_before() {
        for encoding in ["br", "zstd", "gzip"] {
            let sent =
                Compression::default().apply(&takes(encoding), answer("text/html", &[("content-length", "20000")]));
            assert_eq!(sent.headers()["content-encoding"], encoding);
            assert_eq!(
                (&sent.headers()["etag"], &sent.headers()["vary"]),
                (&"W/\"1\"".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
            );
            assert!(!sent.headers().contains_key("content-length"));
            let bytes = sent.into_body().collect().await.unwrap().to_bytes();
            assert!(bytes.len() < 1000);
            let mut text = String::new();
            match encoding {
                "br" => BrotliDecoder::new(&bytes[..]).read_to_string(&mut text).await,
                "zstd" => ZstdDecoder::new(&bytes[..]).read_to_string(&mut text).await,
                _ => GzipDecoder::new(&bytes[..]).read_to_string(&mut text).await,
            }
            .unwrap();
            assert_eq!(text, "word ".repeat(4000));
        }
    }

    #[tokio::test]
    async fn what_must_stay_as_it_is_does() {
        let default = Compression::default();
        for (kind, more) in [
            ("text/event-stream", &[][..]),
            ("image/png", &[]),
            ("text/html", &[("content-encoding", "gzip")]),
            ("text/html", &[("cache-control", "public, no-transform")]),
            ("text/html", &[("content-length", "1000")]),
        ] {
            let sent = default.apply(&takes("gzip"), answer(kind, more));
            let encoded = sent
                .headers()
                .get("content-encoding")
                .is_some_and(|_| more.first() != Some(&("content-encoding", "gzip")));
            assert!(!encoded, "{kind} {more:?}");
            assert_eq!(sent.into_body().collect().await.unwrap().to_bytes().len(), 20_000);
        }
        assert!(!default.apply(&takes("deflate"), answer("text/html", &[])).headers().contains_key("content-encoding"));
    }
}
