//! Whether whoever asked still stands, while an answer to them goes on: a session can end, a key be revoked, an account
//! be disabled and a tenant be suspended in the middle of a stream or a download. Every long answer asks it here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::caller::{Caller, PermissionSet};
use crate::problem::{Kind, Problem};

/// Other processes' changes are noticed after about this long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks in a row that may fail, such as while the database restarts, before the caller counts as gone.
const MAX_FAILURES: u32 = 5;

/// What a caller was let in by, as it stands later. Whoever lets callers in gives it to them
/// ([`Caller::with_standing`]).
#[async_trait]
pub trait Standing: fmt::Debug + Send + Sync {
    /// What its holder may do at this moment. Many ask at once, so what was just seen is answered from memory.
    ///
    /// # Errors
    /// 401 once it has ended, 403 for a tenant that is not in use, 503 or 504 when that can't be told.
    async fn permissions(&self) -> Result<PermissionSet, Problem>;

    /// The names of the roles that its holder has by it at this moment; none for a key that is limited to some
    /// permissions.
    ///
    /// # Errors
    /// As for [`Self::permissions`].
    async fn roles(&self) -> Result<Arc<[String]>, Problem> {
        self.permissions().await.map(|_| Arc::default())
    }

    /// Rings after every commit in this process that may have ended or narrowed it.
    fn bell(&self) -> watch::Receiver<u64>;
}

/// An eye on a caller for as long as an answer to them goes on. Nobody in particular, and the process itself, always
/// stand.
#[derive(Debug)]
pub struct Vigil {
    caller: Caller,
    bell: Option<watch::Receiver<u64>>,
    every: Duration,
    next: Instant,
    failures: u32,
}

impl Vigil {
    /// Begins now: what changes from here on is noticed.
    pub fn over(caller: &Caller) -> Self {
        Self::looking(caller, LOOK_EVERY)
    }

    fn looking(caller: &Caller, every: Duration) -> Self {
        let bell = caller.standing().map(|standing| standing.bell());
        Self { caller: caller.clone(), bell, every, next: Instant::now() + every, failures: 0 }
    }

    /// Completes when it is time to look: at once after a change in this process, else about a second after the last
    /// time. Can be dropped and called again without harm.
    pub async fn due(&mut self) {
        let Some(bell) = &mut self.bell else { return std::future::pending().await };
        tokio::select! {
            biased;
            rung = bell.changed() => if rung.is_err() { sleep_until(self.next).await },
            () = sleep_until(self.next) => {}
        }
    }

    /// Whether it is time to look, without waiting.
    pub fn is_due(&self) -> bool {
        self.bell.as_ref().is_some_and(|bell| bell.has_changed().unwrap_or(false) || Instant::now() >= self.next)
    }

    /// The caller with what they may do at this moment. While that can't be told, what was known holds for some looks
    /// more.
    ///
    /// # Errors
    /// 401 or 403 once they no longer stand, or why that can't be told any more.
    pub async fn look(&mut self) -> Result<&Caller, Problem> {
        let Some(standing) = self.caller.standing().cloned() else { return Ok(&self.caller) };
        if let Some(bell) = &mut self.bell {
            bell.mark_unchanged(); // before the look: what changes during it rings again
        }
        while self.next <= Instant::now() {
            self.next += self.every; // keeps its own rhythm, so that a bell does not bring all vigils into step
        }
        match standing.permissions().await {
            Ok(permissions) => {
                self.failures = 0;
                self.caller.permissions = permissions;
            }
            Err(problem) => {
                let ended = matches!(problem.kind, Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound);
                self.failures += 1;
                if ended || self.failures >= MAX_FAILURES {
                    return Err(problem);
                }
                tracing::warn!(?problem, failures = self.failures, "can't tell whether a caller still stands");
            }
        }
        Ok(&self.caller)
    }

    /// Completes with the reason once the caller no longer stands.
    pub async fn lost(mut self) -> Problem {
        loop {
            self.due().await;
            if let Err(problem) = self.look().await {
                return problem;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::SYSTEM_TENANT;

    #[derive(Debug)]
    struct Scripted {
        answers: Mutex<Vec<Result<PermissionSet, Problem>>>,
        bell: watch::Sender<u64>,
    }

    #[async_trait]
    impl Standing for Scripted {
        async fn permissions(&self) -> Result<PermissionSet, Problem> {
            self.answers.lock().unwrap().pop().expect("somebody looks too often")
        }

        fn bell(&self) -> watch::Receiver<u64> {
            self.bell.subscribe()
        }
    }

    /// A caller who stands as this says, the last answer first.
    fn scripted(answers: Vec<Result<PermissionSet, Problem>>) -> (Caller, Arc<Scripted>) {
        let standing = Arc::new(Scripted { answers: Mutex::new(answers), bell: watch::Sender::new(0) });
        (Caller::system("test", SYSTEM_TENANT).with_standing(standing.clone()), standing)
    }

    fn away() -> Result<PermissionSet, Problem> {
        Err(Problem::timeout())
    }

    #[tokio::test]
    async fn a_change_is_looked_at_at_once() {
        let (caller, standing) = scripted(vec![Ok(PermissionSet::of(["a"]))]);
        let mut vigil = Vigil::looking(&caller, Duration::from_hours(1));
        assert!(!vigil.is_due());

        standing.bell.send_modify(|number| *number += 1);

        assert!(vigil.is_due());
        vigil.due().await;
        assert!(vigil.look().await.unwrap().permissions.contains("a"));
        assert!(!vigil.is_due());
    }

    #[tokio::test]
    async fn who_is_gone_is_lost_and_a_database_that_is_away_for_a_moment_loses_nobody() {
        let every = Duration::from_millis(1);
        let (gone, _bell) = scripted(vec![Err(Problem::unauthenticated()), Ok(PermissionSet::default()), away()]);
        let (unknown, _) = scripted((0..MAX_FAILURES).map(|_| away()).collect());

        assert_eq!(Vigil::looking(&gone, every).lost().await, Problem::unauthenticated());
        assert_eq!(Vigil::looking(&unknown, every).lost().await, Problem::timeout());
    }

    #[tokio::test]
    async fn the_process_itself_always_stands() {
        let mut vigil = Vigil::looking(&Caller::system("test", SYSTEM_TENANT), Duration::ZERO);

        assert!(!vigil.is_due());
        assert!(vigil.look().await.is_ok());
    }
}
