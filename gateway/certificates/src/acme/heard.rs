//! What the CA last said beside the body: instant-acme drops the status and Retry-After of a refusal, so they are kept
//! here, one slot for each call.

use std::{
    pin::Pin,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, Request, StatusCode,
    header::{DATE, RETRY_AFTER},
};
use httpdate::HttpDate;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};

type Answer = Result<BytesResponse, instant_acme::Error>;

/// The latest answer's status and wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) status: Option<StatusCode>,
    pub(crate) retry_after: Option<Duration>,
    /// No answer within the time.
    pub(crate) timed_out: bool,
}

tokio::task_local! {
    /// The slot of the call under way: calls by several tasks on one account don't mix.
    static SLOT: Arc<Mutex<Heard>>;
}

/// Runs a call and tells what was heard last in it.
pub(crate) async fn listen<T>(call: impl Future<Output = T>) -> (T, Heard) {
    let slot = Arc::new(Mutex::new(Heard::default()));
    let done = SLOT.scope(Arc::clone(&slot), call).await;
    let heard = *slot.lock().unwrap_or_else(PoisonError::into_inner);
    (done, heard)
}

/// A transport that keeps time and listens.
pub(crate) struct Listening {
    pub(crate) transport: Arc<dyn HttpClient>,
    pub(crate) whole: Duration,
}

impl HttpClient for Listening {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let (answer, whole) = (self.transport.request(request), self.whole);
        Box::pin(async move {
            let answer = tokio::time::timeout(whole, answer).await;
            let heard = match &answer {
                Ok(Ok(answer)) => Heard {
                    status: Some(answer.parts.status),
                    retry_after: retry_after(&answer.parts.headers),
                    timed_out: false,
                },
                Ok(Err(_)) => Heard::default(),
                Err(_) => Heard { timed_out: true, ..Heard::default() },
            };
            let kept = SLOT.try_with(|slot| *slot.lock().unwrap_or_else(PoisonError::into_inner) = heard);
            debug_assert!(kept.is_ok(), "requests are made inside of listen()");
            answer.unwrap_or_else(|_| Err(instant_acme::Error::Other("no answer in time".into())))
        })
    }
}

/// `Retry-After` as a wait (RFC 9110, section 10.2.3). A date is measured against the CA's own `Date`, so that a clock
/// that is wrong on either side does no harm.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = u64::from_str(text) {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| HttpDate::from_str(text).ok().map(SystemTime::from);
    let sent = date(headers.get(DATE)?.to_str().ok()?)?;
    Some(date(text)?.duration_since(sent).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_measured_by_the_cas_own_clock() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "120".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_mins(2)));

        headers.insert(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
        headers.insert(DATE, "Fri, 31 Dec 1999 23:58:59 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_mins(1)));
    }
}
