//! Upgraded connections between clients and services.

use std::time::Duration;

use edge_upstream::tunnel;
use futures_util::{FutureExt, future::pending};
use hyper::upgrade::OnUpgrade;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::held::Watch;

/// Those that are open.
pub(crate) struct Tunnels {
    idle: Duration,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Tunnels {
    /// `idle` is the longest silence.
    pub(crate) fn new(idle: Duration) -> Self {
        Self { idle, tasks: TaskTracker::new(), closing: CancellationToken::new() }
    }

    /// Copies between a client and a service until both have closed, or whoever is watched is gone.
    pub(crate) fn join(&self, client: OnUpgrade, service: OnUpgrade, watch: Option<Watch>) {
        let (idle, closing) = (self.idle, self.closing.clone());
        self.tasks.spawn(async move {
            let copying = async {
                let (client, service) = (client.await?, service.await?);
                Ok::<_, hyper::Error>(tunnel(client, service, idle).await)
            };
            let gone = watch.map_or_else(|| pending().boxed(), |watch| watch());
            tokio::select! {
                ended = copying => match ended {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "a tunnel ended early"),
                    Err(error) => tracing::debug!(%error, "a tunnel did not come about"),
                },
                () = closing.cancelled() => {}
                () = gone => tracing::debug!("a tunnel ended with the credential of its client"),
            }
        });
    }

    /// Cuts those that are open.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
