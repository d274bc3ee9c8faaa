//! Purges of the cache: written as rows, and done by every process in their order.

use std::time::Duration;

use audit::Entry as Leaf;
use kernel::{Caller, Problem, SYSTEM_TENANT, Tasks, Tx};
use serde_json::json;
use url::Url;

use crate::Edge;
use crate::error::Error;
use crate::model::{CachePurge, PurgeAnswers, PurgeWhat, Purged};
use crate::permissions::ROUTES_WRITE;
use crate::steering::operators_only;
use crate::store::purges;

/// The most surrogate keys of one purge, and the longest.
const MOST_KEYS: usize = 100;
const LONGEST_KEY: usize = 256;
/// The longest URL, host or prefix.
const LONGEST: usize = 4096;
/// How long to wait for a database that does not answer.
const AGAIN: Duration = Duration::from_millis(500);
/// How long purges are kept, for processes that were away.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// How far this process is.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The last purge that was done here; none before the first look.
    number: Option<i64>,
    /// Whether this is noted beside what is kept on the disk, which by then had all purges before.
    is_noted: bool,
}

impl Edge {
    /// Purges what the cache keeps: here at once, in other processes within a second.
    ///
    /// # Errors
    /// [`Error::PurgeInvalid`], or the caller is no operator with [`ROUTES_WRITE`].
    pub async fn purge_answers(&self, caller: &Caller, purge: PurgeAnswers) -> Result<Purged, Error> {
        operators_only(caller, ROUTES_WRITE)?;
        self.steered()?;
        let purge = checked(purge)?;
        // Held to the end: nobody else does it before this one has counted.
        let mut done = self.purging().await;
        let write = async |tx: &Tx| -> Result<i64, Error> {
            let number = purges::insert(tx, &purge, tx.now() - KEPT).await?;
            let details = json!({ "what": purge.what, "soft": purge.soft });
            audit::append(tx, caller, Leaf::success("edge.cache_purged").details(details)).await?;
            Ok(number)
        };
        let number = self.db()?.write(caller, write).await?;
        let answers = self.do_purges(&mut done, number).await?;
        Ok(Purged { answers: i64::try_from(answers).unwrap_or(i64::MAX) })
    }

    /// Does the purges that other processes wrote.
    pub(crate) async fn follow_purges(&self) -> Result<(), Problem> {
        let mut done = self.purging().await;
        self.do_purges(&mut done, 0).await.map(drop)
    }

    /// Does those after the last one that was done here; how many answers the one of this number was about. What was
    /// purged before this process began it never had.
    async fn do_purges(&self, done: &mut Done, counted: i64) -> Result<usize, Problem> {
        let (Ok(steering), Ok(db)) = (self.steered(), self.db()) else { return Ok(0) };
        let caller = Caller::system("edge", SYSTEM_TENANT);
        let mut answers = 0;
        let mut last = match done.number {
            Some(number) => number,
            None if counted > 0 => counted - 1,
            None => db.read(&caller, async |tx: &Tx| purges::latest(tx).await).await?,
        };
        loop {
            let next: Vec<(i64, CachePurge)> = db.read(&caller, async |tx: &Tx| purges::after(tx, last).await).await?;
            if next.is_empty() {
                done.number = Some(last);
                return Ok(answers);
            }
            for (number, purge) in next {
                let hit = steering.purge(&purge).await;
                answers = if number == counted { hit } else { answers };
                (last, done.number) = (number, Some(number));
            }
            if done.is_noted {
                steering.purged(last).await;
            }
        }
    }
}

impl Edge {
    /// Does with what an earlier process kept on the disk all that was purged since its end, whenever that is at hand.
    pub(crate) fn start_catching_up(&self, tasks: &Tasks) {
        let (edge, all) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            let Ok(steering) = edge.steered() else { return };
            let since = tokio::select! {
                () = all.stopping() => return,
                since = steering.kept_since() => since,
            };
            while let Err(problem) = edge.catch_up(since).await {
                tracing::debug!(?problem, "purges can't be read; what is kept on the disk is used later");
                if !all.pause(AGAIN).await {
                    return;
                }
            }
        });
    }

    async fn catch_up(&self, since: i64) -> Result<(), Problem> {
        let mut done = self.purging().await;
        self.do_purges(&mut done, 0).await?;
        let (steering, latest) = (self.steered()?, done.number.unwrap_or_default());
        let caller = Caller::system("edge", SYSTEM_TENANT);
        let mut last = since;
        while last != latest {
            let next: Vec<(i64, CachePurge)> =
                self.db()?.read(&caller, async |tx: &Tx| purges::after(tx, last).await).await?;
            // Those in between are forgotten, or it was another database.
            if since < 0 || next.first().is_none_or(|(number, _)| *number != last + 1) {
                steering.purge(&CachePurge { what: all_answers(), soft: false }).await;
                break;
            }
            for (number, purge) in next {
                steering.purge(&purge).await;
                last = number;
            }
        }
        steering.purged(latest).await;
        done.is_noted = true;
        Ok(())
    }
}

fn all_answers() -> PurgeWhat {
    PurgeWhat::Prefix { host: None, prefix: "/".to_owned() }
}

fn checked(purge: PurgeAnswers) -> Result<CachePurge, Error> {
    use PurgeWhat as What;

    let refused = |sentence: &str| Err(Error::PurgeInvalid(sentence.to_owned()));
    let keys = purge.keys.unwrap_or_default();
    let by_place = purge.host.is_some() || purge.prefix.is_some();
    let ways = [purge.everything == Some(true), purge.url.is_some(), by_place, !keys.is_empty()];
    if ways.iter().filter(|way| **way).count() != 1 {
        return refused("Give one of url, keys, host and prefix, or everything: true.");
    }
    let what = if let Some(url) = purge.url {
        let known = Url::parse(&url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        if !known || url.len() > LONGEST {
            return refused("url is a whole one, such as https://shop.example/item?id=7.");
        }
        What::Url(url)
    } else if keys.is_empty() {
        let (host, prefix) = (purge.host, purge.prefix.unwrap_or_else(|| "/".to_owned()));
        if !prefix.starts_with('/') || prefix.len() > LONGEST {
            return refused("prefix begins with a slash, such as /shop/.");
        }
        if host.as_ref().is_some_and(|host| host.is_empty() || host.len() > LONGEST || host.contains(['/', ' '])) {
            return refused("host is a name, with its port where it has one, such as shop.example:8443.");
        }
        What::Prefix { host, prefix }
    } else {
        let fits = |key: &String| (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if keys.len() > MOST_KEYS || !keys.iter().all(fits) {
            return refused("keys are 1 to 100, each of 1 to 256 visible ASCII characters.");
        }
        What::Keys(keys)
    };
    Ok(CachePurge { what, soft: purge.soft.unwrap_or(false) })
}
