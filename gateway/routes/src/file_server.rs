//! Files of a folder.

use std::{
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use percent_encoding::percent_decode_str;
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use crate::{
    compress::{StepBody, append_vary},
    model::Files,
    modifiers::Encoding,
    negotiation::acceptable,
    problem::Faults,
    range::{Wanted, wanted},
};

const ENCODINGS: [Encoding; 3] = [Encoding::Br, Encoding::Zstd, Encoding::Gzip];

/// A folder, ready to be served.
#[derive(Clone, Debug)]
pub struct FileServer(Files);

/// A file found.
struct Found {
    file: File,
    length: u64,
    changed: SystemTime,
    encoding: Option<Encoding>,
}

impl FileServer {
    pub(crate) fn new(files: &Files, faults: &mut Faults<'_>) -> Self {
        let folder = Path::new(&files.folder);
        let plain = folder.is_absolute() && folder.components().all(|part| part.as_os_str() != "..");
        let sentence = "Give an absolute path without `..`, not the root of the file system.";
        faults.expect(plain && folder.parent().is_some(), "action.folder", "routes.folder_invalid", sentence);
        for (field, name) in [("action.index", Some(&files.index)), ("action.fallback", files.fallback.as_ref())] {
            let valid = name.is_none_or(|name| relative(name).is_some_and(|path| path.file_name().is_some()));
            faults.expect(valid, field, "routes.file_invalid", "Give a file below the folder, such as index.html.");
        }
        Self(files.clone())
    }

    /// Answers GET and HEAD for a path (in normal form, after the route's rewrite); anything else gets 405, what
    /// isn't there 404. Dotfiles, and links that lead out of the folder, aren't there.
    pub async fn serve(&self, path: &str, method: &Method, request: &HeaderMap) -> Response<StepBody> {
        if ![Method::GET, Method::HEAD].contains(method) {
            let mut answer = empty(StatusCode::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let Some(path) = relative(path) else { return empty(StatusCode::NOT_FOUND) };
        let found = match self.look(&path, request).await {
            Err(error) if is_absent(&error) => match &self.0.fallback {
                Some(fallback) => self.open(Path::new(fallback), request).await.map(|found| (fallback.into(), found)),
                None => Err(error),
            },
            found => found,
        };
        match found {
            Ok((name, found)) => self.answer(&name, found, method, request).await,
            Err(error) if is_absent(&error) => empty(StatusCode::NOT_FOUND),
            Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The file of a path, or the index of the folder that it names.
    async fn look(&self, path: &Path, request: &HeaderMap) -> io::Result<(PathBuf, Found)> {
        let about = fs::metadata(Path::new(&self.0.folder).join(path)).await;
        let is_folder = about.map_err(|_| io::ErrorKind::NotFound)?.is_dir();
        let name = if is_folder { path.join(&self.0.index) } else { path.to_owned() };
        let found = self.open(&name, request).await?;
        Ok((name, found))
    }

    async fn open(&self, name: &Path, request: &HeaderMap) -> io::Result<Found> {
        if self.0.precompressed {
            for encoding in acceptable(request, &ENCODINGS) {
                let mut compressed = name.as_os_str().to_owned();
                compressed.push(encoding.ending());
                if let Ok(found) = self.open_one(Path::new(&compressed), Some(encoding)).await {
                    return Ok(found);
                }
            }
        }
        self.open_one(name, None).await
    }

    async fn open_one(&self, name: &Path, encoding: Option<Encoding>) -> io::Result<Found> {
        let folder = fs::canonicalize(&self.0.folder).await?;
        // Links in a circle, names too long: whatever can't be found isn't there.
        let real = fs::canonicalize(folder.join(name)).await.map_err(|_| io::ErrorKind::NotFound)?;
        let below = real.strip_prefix(&folder).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        if below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // A pipe or device would block for ever when opened.
        if !fs::metadata(&real).await?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = File::open(&real).await?;
        let about = file.metadata().await?;
        Ok(Found { file, length: about.len(), changed: about.modified()?, encoding })
    }

    async fn answer(&self, name: &Path, mut found: Found, method: &Method, request: &HeaderMap) -> Response<StepBody> {
        let etag = etag(&found);
        let mut headers = self.headers(name, &found, &etag);
        if is_not_modified(request, &etag, found.changed) {
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::CONTENT_ENCODING);
            return build(StatusCode::NOT_MODIFIED, headers, nothing());
        }
        let (status, start, end) = match wanted(request, found.length, &etag) {
            Wanted::Part(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
            Wanted::Unsatisfiable => {
                content_range(&mut headers, &format!("bytes */{}", found.length));
                return build(StatusCode::RANGE_NOT_SATISFIABLE, headers, nothing());
            }
            Wanted::Whole => (StatusCode::OK, 0, found.length),
        };
        if status == StatusCode::PARTIAL_CONTENT {
            content_range(&mut headers, &format!("bytes {start}-{}/{}", end - 1, found.length));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
        if *method == Method::HEAD {
            return build(status, headers, nothing());
        }
        if start > 0 && found.file.seek(SeekFrom::Start(start)).await.is_err() {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let chunks = ReaderStream::with_capacity(found.file.take(end - start), 64 * 1024);
        let body = StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data)));
        build(status, headers, BodyExt::boxed(body))
    }

    fn headers(&self, name: &Path, found: &Found, etag: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let text = mime.type_() == "text" || mime.subtype() == "javascript";
        let kind = if text { format!("{mime}; charset=utf-8") } else { mime.to_string() };
        let mut insert = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        insert(header::CONTENT_TYPE, &kind);
        insert(header::LAST_MODIFIED, &httpdate::fmt_http_date(found.changed));
        if let Some(encoding) = found.encoding {
            insert(header::CONTENT_ENCODING, encoding.as_str());
        }
        if let Some(seconds) = self.0.max_age {
            insert(header::CACHE_CONTROL, &format!("public, max-age={seconds}"));
        }
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if self.0.precompressed {
            append_vary(&mut headers);
        }
        headers
    }
}

/// A path below the folder; `None` for one that could be anything else, or names a dotfile.
fn relative(path: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    // An encoded slash would part segments here and nowhere else.
    if decoded.matches('/').count() != path.matches('/').count() || decoded.contains(['\0', '\\', ':']) {
        return None;
    }
    let segments: Vec<&str> = decoded.split('/').filter(|segment| !segment.is_empty()).collect();
    (!segments.iter().any(|segment| segment.starts_with('.'))).then(|| segments.iter().collect())
}

fn etag(found: &Found) -> HeaderValue {
    let changed = found.changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let encoding = found.encoding.map_or("", Encoding::as_str);
    let text = format!("\"{:x}-{:x}{encoding}\"", changed.as_nanos(), found.length);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// `If-None-Match` goes before `If-Modified-Since` (RFC 9110, section 13.2.2).
fn is_not_modified(request: &HeaderMap, etag: &HeaderValue, changed: SystemTime) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let etag = etag.to_str().unwrap_or_default();
        let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        let mut listed = lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        return listed.any(|tag| tag == "*" || tag == etag);
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    // To the second, as the header has it.
    let whole = httpdate::parse_http_date(&httpdate::fmt_http_date(changed)).unwrap_or(changed);
    since.is_some_and(|since| whole <= since)
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied | InvalidFilename)
}

fn content_range(headers: &mut HeaderMap, range: &str) {
    if let Ok(range) = HeaderValue::from_str(range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
}

fn nothing() -> StepBody {
    Empty::new().map_err(|never| match never {}).boxed()
}

fn empty(status: StatusCode) -> Response<StepBody> {
    build(status, HeaderMap::new(), nothing())
}

fn build(status: StatusCode, headers: HeaderMap, body: StepBody) -> Response<StepBody> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}
