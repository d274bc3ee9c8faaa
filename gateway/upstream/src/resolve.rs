//! Names become addresses, and stay so for a while.
//!
//! The system's resolver (`getaddrinfo`) knows `/etc/hosts`, search domains and what else an operator set up, but
//! tells no TTL; so an answer is used for a short time of our own and then asked for again. It occupies a thread and
//! can't be cut off: there is at most one question under way for a target, whoever waits for it. When no new answer
//! comes the old one goes on being used, so that a name server that is down takes nothing down that runs.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{FutureExt, Shared};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{config::Place, error::Fault, error::UpstreamError};

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Finds the addresses of a name.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses, with the port given, in the order in which to try them.
    fn resolve(&self, host: &str, port: u16) -> Resolving;
}

/// A resolution under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), port)).await?.collect()) })
    }
}

type Answer = Result<Arc<[SocketAddr]>, Arc<io::Error>>;

/// The addresses of one target.
pub(crate) struct Addresses {
    resolver: Arc<dyn Resolver>,
    tasks: TaskTracker,
    kept_for: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<(Arc<[SocketAddr]>, Instant)>,
    asking: Option<Shared<Pin<Box<dyn Future<Output = Answer> + Send>>>>,
}

impl State {
    /// Takes over the answer, if there is one.
    fn settle(&mut self) {
        let Some(answer) = self.asking.as_ref().and_then(|asking| asking.peek().cloned()) else { return };
        self.asking = None;
        match (answer, &mut self.known) {
            (Ok(addresses), known) => *known = Some((addresses, Instant::now())),
            // The old answer holds for another while.
            (Err(error), Some((_, at))) => {
                tracing::warn!(%error, "a target's name can't be resolved again; its last addresses stay in use");
                *at = Instant::now();
            }
            (Err(_), None) => {}
        }
    }
}

impl Addresses {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, tasks: TaskTracker, kept_for: Duration) -> Self {
        Self { resolver, tasks, kept_for, state: Mutex::default() }
    }

    /// The addresses of a place. Waits only if none are known; the caller keeps the time.
    pub(crate) async fn of(&self, place: &Place) -> Result<Arc<[SocketAddr]>, Fault> {
        if let Some(address) = place.address {
            return Ok(Arc::new([SocketAddr::new(address, place.port)]));
        }
        let asking = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.settle();
            match &state.known {
                Some((addresses, at)) => {
                    let addresses = Arc::clone(addresses);
                    if at.elapsed() >= self.kept_for {
                        drop(self.ask(&mut state, place));
                    }
                    return Ok(addresses);
                }
                None => self.ask(&mut state, place),
            }
        };
        let answer = asking.await;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).settle();
        answer.map_err(|error| Fault::caused(UpstreamError::Resolve, &*error))
    }

    /// Joins the question under way, or asks it. It runs to its end even if nobody waits any more.
    fn ask(&self, state: &mut State, place: &Place) -> Shared<Pin<Box<dyn Future<Output = Answer> + Send>>> {
        if let Some(asking) = &state.asking {
            return asking.clone();
        }
        let resolving = self.resolver.resolve(&place.host, place.port);
        let answer = async move {
            let mut found = resolving.await.map_err(Arc::new)?;
            found.truncate(MAX_ADDRESSES);
            if found.is_empty() {
                return Err(Arc::new(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
            }
            Ok(found.into())
        };
        let asking = answer.boxed().shared();
        self.tasks.spawn(asking.clone().map(drop));
        state.asking = Some(asking.clone());
        asking
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers as told, then with errors.
    struct Scripted {
        answers: Mutex<Vec<&'static str>>,
        asked: AtomicUsize,
    }

    impl Resolver for Arc<Scripted> {
        fn resolve(&self, _: &str, port: u16) -> Resolving {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let next = self.answers.lock().unwrap().pop();
            Box::pin(async move {
                tokio::task::yield_now().await;
                let address = next.ok_or_else(|| io::Error::other("no answer"))?;
                Ok(vec![SocketAddr::new(address.parse().unwrap(), port)])
            })
        }
    }

    fn addresses(answers: &[&'static str]) -> (Arc<Scripted>, Addresses) {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        let scripted = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
        let kept = Duration::from_secs(10);
        (Arc::clone(&scripted), Addresses::new(Arc::new(scripted), TaskTracker::new(), kept))
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_refreshed_and_outlives_the_name_server() {
        let (scripted, addresses) = addresses(&["192.0.2.1", "192.0.2.2"]);
        let place = Place::parse("http://name").unwrap();
        let first = async || addresses.of(&place).await.unwrap()[0].ip().to_string();

        let (one, other) = tokio::join!(first(), first());
        assert_eq!((one.as_str(), other.as_str()), ("192.0.2.1", "192.0.2.1"));
        assert_eq!(scripted.asked.load(Ordering::SeqCst), 1);

        for expected in ["192.0.2.2", "192.0.2.2", "192.0.2.2"] {
            tokio::time::sleep(Duration::from_secs(11)).await;
            first().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(first().await, expected);
        }
        assert_eq!(scripted.asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_an_error_each_time() {
        let (_, addresses) = addresses(&[]);
        let place = Place::parse("http://name").unwrap();

        for _ in 0..2 {
            let fault = addresses.of(&place).await.unwrap_err();
            assert!(matches!(fault.error, UpstreamError::Resolve));
        }
    }
}
