//! GraphQL over a WebSocket, for subscriptions: the protocol `graphql-transport-ws`, or its older sister. Each operation
//! is run as whoever the connection's credential names at that moment.

use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::http::{ALL_WEBSOCKET_PROTOCOLS, WebSocket, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request, Response, ServerError};
use chat::Identifier;
use futures_util::StreamExt;
use hyper::upgrade::OnUpgrade;
use kernel::{Caller, Problem};
use tokio_util::sync::CancellationToken;

use crate::schema::Graph;
use crate::web_socket::{Talk, Who};

/// The first protocol of the client's that is spoken here.
pub fn protocol(offered: &[String]) -> Option<&'static str> {
    ALL_WEBSOCKET_PROTOCOLS.into_iter().find(|known| offered.iter().any(|offer| offer == known))
}

/// The schema as one connection sees it.
#[derive(Clone)]
struct Fresh {
    graph: Graph,
    who: Arc<Who>,
}

fn refused(problem: Problem) -> Response {
    let error = async_graphql::Error::from(problem);
    let mut answer = ServerError::new(error.message, None);
    answer.extensions = error.extensions;
    Response::from_errors(vec![answer])
}

impl Executor for Fresh {
    async fn execute(&self, request: Request) -> Response {
        match self.who.caller().await {
            Ok(caller) => self.graph.execute(request.data(caller)).await,
            Err(problem) => refused(problem),
        }
    }

    fn execute_stream(&self, request: Request, _session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let this = self.clone();
        let begun = async move {
            match this.who.caller().await {
                Ok(caller) => this.graph.execute_stream(request.data(caller)).boxed(),
                Err(problem) => futures_util::stream::once(async { refused(problem) }).boxed(),
            }
        };
        futures_util::stream::once(begun).flatten().boxed()
    }
}

/// Talks GraphQL with whoever opened the connection.
pub async fn talk(
    graph: Graph,
    (who, caller): (Arc<Who>, Caller),
    protocol: &str,
    upgrade: OnUpgrade,
    closing: CancellationToken,
) {
    let Ok(protocol) = protocol.parse::<WebSocketProtocols>() else { return };
    let Some(talk) = Talk::begin(upgrade).await else { return };
    talk.run(&caller, closing, async |incoming, outgoing| {
        let mut answers = WebSocket::new(Fresh { graph, who }, incoming, protocol);
        while let Some(answer) = answers.next().await {
            let WsMessage::Text(text) = answer else { return };
            if outgoing.send(text).await.is_err() {
                return;
            }
        }
    })
    .await;
}
