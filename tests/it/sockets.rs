//! WebSockets through the front door: chat, GraphQL subscriptions, and who is let in.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::{Client, Engine, Front, Tenant, on_both_engines};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const CHAT: &str = "/api/v1/chat/socket";

pub(crate) type Socket = WebSocketStream<TcpStream>;

pub(crate) async fn connect(front: &Front, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let socket = TcpStream::connect(front.http).await.unwrap();
    let mut request = format!("ws://localhost:{}{path}", front.http.port()).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match client_async(request, socket).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) async fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The event that ends an answer; those before it are passed by.
async fn last(socket: &mut Socket) -> Value {
    loop {
        let event = hear(socket).await;
        if ["done", "error"].contains(&event["event"].as_str().unwrap_or_default()) {
            return event;
        }
    }
}

/// The next message that is a text.
pub(crate) async fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.expect("the connection is open").unwrap() {
            Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

async fn conversation(client: &Client) -> String {
    let made = client.post("/api/v1/chat/conversations", json!({})).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn bearer(tenant: &Tenant) -> String {
    format!("Bearer {}", tenant.owner.credential().unwrap())
}

async fn a_question_is_asked_and_followed_over_one_connection(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("socket").await;
    let token = bearer(&tenant).await;
    let mut socket =
        connect(&front, CHAT, &[("authorization", &token), ("holdfast-tenant", &tenant.slug)]).await.unwrap();

    say(&mut socket, &json!({ "type": "nonsense" })).await;
    assert_eq!(hear(&mut socket).await["code"], "chat.message_malformed");
    let question = json!({ "content": "Is anybody there?" });
    let conversation = conversation(&tenant.owner).await;
    say(
        &mut socket,
        &json!({ "type": "send", "id": "q", "conversation": conversation, "key": "k", "message": question }),
    )
    .await;
    let answer = hear(&mut socket).await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("answer"), &json!("q")), "{answer}");
    let event = last(&mut socket).await;

    // Nobody was set up to answer, and there are no documents to answer from.
    assert_eq!(event["event"], "done", "{event}");
    let id = &answer["answer"]["id"];
    say(&mut socket, &json!({ "type": "follow", "id": "f", "answer": id })).await;
    assert_eq!(hear(&mut socket).await["answer"]["state"], "done");
    assert_eq!(last(&mut socket).await["data"], event["data"]);
    say(&mut socket, &json!({ "type": "stop", "id": "s", "answer": "ans_01900000000070008000000000000009" })).await;
    assert_eq!(hear(&mut socket).await["status"], 404);
}

async fn a_subscription_follows_an_answer(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("socket").await;
    let token = bearer(&tenant).await;
    let path = format!("/api/v1/chat/conversations/{}/messages", conversation(&tenant.owner).await);
    let answer = tenant.owner.post(&path, json!({ "content": "Is anybody there?" })).await.expect(202);
    let headers = [
        ("authorization", token.as_str()),
        ("holdfast-tenant", &tenant.slug),
        ("sec-websocket-protocol", "graphql-transport-ws"),
    ];
    let mut socket = connect(&front, "/graphql", &headers).await.unwrap();

    say(&mut socket, &json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    let query = "subscription($id: ID!) { answerEvents(id: $id) { seq kind data } }";
    let payload = json!({ "query": query, "variables": { "id": answer["id"] } });
    say(&mut socket, &json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
    let mut kinds = Vec::new();
    let end = loop {
        let heard = hear(&mut socket).await;
        let event = &heard["payload"]["data"]["answerEvents"];
        if event.is_null() {
            break heard;
        }
        assert_eq!(event["seq"], kinds.len() + 1, "{event}");
        kinds.push(event["kind"].as_str().unwrap().to_owned());
    };

    assert_eq!((kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()), ("PASSAGES", "DONE"), "{kinds:?}");
    assert_eq!(end["type"], "complete");
}

async fn whoever_proves_nothing_and_pages_of_other_origins_are_not_let_in(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("socket").await;
    let token = bearer(&tenant).await;
    let slug = ("holdfast-tenant", tenant.slug.as_str());

    assert_eq!(connect(&front, CHAT, &[slug]).await.err(), Some(401));
    assert_eq!(connect(&front, CHAT, &[slug, ("authorization", "Bearer hf_wrong")]).await.err(), Some(401));
    let cookie = ("cookie", "__Host-holdfast_session=x");
    let foreign = connect(&front, CHAT, &[slug, cookie, ("origin", "https://evil.example")]).await.err();
    assert_eq!(foreign, Some(403));
    let unspoken = [slug, ("authorization", token.as_str()), ("sec-websocket-protocol", "soap")];
    assert_eq!(connect(&front, "/graphql", &unspoken).await.err(), Some(400));
}

on_both_engines!(
    a_question_is_asked_and_followed_over_one_connection,
    a_subscription_follows_an_answer,
    whoever_proves_nothing_and_pages_of_other_origins_are_not_let_in,
);
