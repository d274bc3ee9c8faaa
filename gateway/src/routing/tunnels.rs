//! Upgraded connections between clients and services.

use std::time::Duration;

use edge_upstream::tunnel;
use hyper::upgrade::OnUpgrade;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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

    /// Copies between a client and a service until both have closed.
    pub(crate) fn join(&self, client: OnUpgrade, service: OnUpgrade) {
        let (idle, closing) = (self.idle, self.closing.clone());
        self.tasks.spawn(async move {
            let copying = async {
                let (client, service) = (client.await?, service.await?);
                Ok::<_, hyper::Error>(tunnel(client, service, idle).await)
            };
            tokio::select! {
                ended = copying => match ended {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "a tunnel ended early"),
                    Err(error) => tracing::debug!(%error, "a tunnel did not come about"),
                },
                () = closing.cancelled() => {}
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
