//! How hyper alone frames what it reads, for `tests/framing.py`: `hyper_proxy LISTEN ORIGIN`, such as
//! `127.0.0.1:8001 127.0.0.1:8000`.
//!
//! hyper's own HTTP/1.1 server with nothing before it, which reads a request to its end and sends its method, target and
//! body on with a length. What can't be read to its end is not sent on.

use std::{convert::Infallible, env, error::Error, net::SocketAddr};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let mut address = || arguments.next().ok_or("usage: hyper_proxy LISTEN ORIGIN");
    let (listen, origin): (SocketAddr, SocketAddr) = (address()?.parse()?, address()?.parse()?);
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service_fn(move |request| async move {
            Ok::<_, Infallible>(forward(origin, request).await.unwrap_or_else(|_| {
                let mut refusal = Response::new(Full::default());
                *refusal.status_mut() = StatusCode::BAD_REQUEST;
                refusal.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
                refusal
            }))
        });
        let mut server = server::conn::http1::Builder::new();
        let connection = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        #[expect(clippy::disallowed_methods, reason = "the example ends with its process")]
        tokio::spawn(connection);
    }
}

async fn forward(origin: SocketAddr, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (mut sender, connection) =
        client::conn::http1::handshake(TokioIo::new(TcpStream::connect(origin).await?)).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with its one answer")]
    tokio::spawn(connection);
    let asked = Request::builder().method(head.method).uri(head.uri).header(header::HOST, "a.test");
    let answer = if body.is_empty() {
        sender.send_request(asked.body(Empty::new().map_err(|never: Infallible| match never {}).boxed())?).await?
    } else {
        sender.send_request(asked.body(Full::new(body).boxed())?).await?
    };
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::builder().status(head.status).body(Full::new(body))?)
}
