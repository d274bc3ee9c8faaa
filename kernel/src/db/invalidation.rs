//! What is remembered about the database goes stale with a commit, in every process on it: at once in the one that
//! commits, and a moment later in the others, which PostgreSQL tells (`NOTIFY`, sent by the commit itself). What is
//! remembered still ages, in case nobody hears.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sea_orm::sqlx::Error;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use tokio::time::timeout;

use crate::db::engine::Engine;
use crate::tasks::Tasks;

const CHANNEL: &str = "holdfast_stale";
/// A message of PostgreSQL has less than 8,000 bytes.
const MOST_BYTES: usize = 7_500;
/// How long a connection may take, and the longest wait between two attempts.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Told what went stale; `None` is all of it, after a time in which nothing was heard. It must be quick.
pub type StaleHook = Arc<dyn Fn(Option<&str>) + Send + Sync>;

/// Who wants to know, by topic. Cheap to clone.
#[derive(Clone)]
pub struct Invalidations(Arc<Inner>);

struct Inner {
    hooks: RwLock<HashMap<&'static str, Vec<StaleHook>>>,
    /// Tells this process's own messages from those of others.
    origin: String,
    /// Where the others are heard; none on SQLite, which has one process.
    url: Option<String>,
}

impl Invalidations {
    pub(super) fn new(origin: String, url: Option<String>) -> Self {
        Self(Arc::new(Inner { hooks: RwLock::default(), origin, url }))
    }

    /// Calls `hook` for all that goes stale under this topic: after the commit and before its author gets the answer,
    /// or when another process's commit is heard of.
    pub fn subscribe(&self, topic: &'static str, hook: StaleHook) {
        self.0.hooks.write().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default().push(hook);
    }

    /// Hears what other processes commit, until the process stops.
    pub fn start(&self, tasks: &Tasks) {
        if self.0.url.is_some() {
            let (this, own) = (self.clone(), tasks.clone());
            tasks.spawn(async move { this.listen(&own).await });
        }
    }

    pub(super) fn tell(&self, topic: &str, subject: Option<&str>) {
        let hooks = self.0.hooks.read().unwrap_or_else(PoisonError::into_inner);
        hooks.get(topic).into_iter().flatten().for_each(|hook| hook(subject));
    }

    /// Leaves word for the other processes, which get it if and when the transaction commits.
    pub(super) async fn leave_word(&self, tx: &DatabaseTransaction, stale: &[Stale]) -> Result<(), DbErr> {
        let mut message = String::new();
        for (number, (topic, subject)) in stale.iter().enumerate() {
            if message.is_empty() {
                message.clone_from(&self.0.origin);
            }
            message.extend([" ", topic, "=", subject]);
            let longest = topic.len() + subject.len();
            if message.len() + longest > MOST_BYTES || number + 1 == stale.len() {
                let values = [CHANNEL.into(), std::mem::take(&mut message).into()];
                let sql = "SELECT pg_notify($1, $2)";
                tx.query_one_raw(Statement::from_sql_and_values(Engine::Postgres.backend(), sql, values)).await?;
            }
        }
        Ok(())
    }

    async fn listen(&self, tasks: &Tasks) {
        let mut wait = FIRST_WAIT;
        loop {
            tokio::select! {
                () = tasks.stopping() => return,
                outcome = self.hear(&mut wait) => if let Err(error) = outcome {
                    tracing::debug!(%error, "other processes are not heard");
                }
            }
            if !tasks.pause(wait).await {
                return;
            }
            wait = (wait * 2).min(PATIENCE);
        }
    }

    /// Until the connection is lost.
    async fn hear(&self, wait: &mut Duration) -> Result<(), Error> {
        let Some(url) = &self.0.url else { return Ok(()) };
        let connect = async {
            let mut listener = PgListener::connect(url).await?;
            listener.listen(CHANNEL).await?;
            Ok::<_, Error>(listener)
        };
        let mut listener = timeout(PATIENCE, connect).await.map_err(|_| Error::PoolTimedOut)??;
        *wait = FIRST_WAIT;
        self.tell_all();
        while let Some(message) = listener.try_recv().await? {
            self.heard(message.payload());
        }
        Ok(())
    }

    fn heard(&self, message: &str) {
        let mut words = message.split(' ');
        if words.next() == Some(self.0.origin.as_str()) {
            return;
        }
        for (topic, subject) in words.filter_map(|word| word.split_once('=')) {
            self.tell(topic, Some(subject));
        }
    }

    fn tell_all(&self) {
        let hooks = self.0.hooks.read().unwrap_or_else(PoisonError::into_inner);
        hooks.values().flatten().for_each(|hook| hook(None));
    }
}

/// A topic and a subject, without spaces.
pub(super) type Stale = (&'static str, String);

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn only_what_others_say_is_told_and_nonsense_is_not() {
        let invalidations = Invalidations::new("me".to_owned(), None);
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        invalidations.subscribe("account", Arc::new(move |one| kept.lock().unwrap().push(one.map(str::to_owned))));

        for message in ["me account=1", "you account=2 tenant=3 account=4", "", "you", "you account"] {
            invalidations.heard(message);
        }
        invalidations.tell_all();

        assert_eq!(*log.lock().unwrap(), [Some("2".to_owned()), Some("4".to_owned()), None]);
    }
}
