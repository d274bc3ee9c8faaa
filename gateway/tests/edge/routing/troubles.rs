//! Services that fail, and requests that ask too much.

use http_body_util::BodyExt;

use super::support::{Service, plain, routed};
use crate::support::{any_port, config};

#[tokio::test]
async fn a_service_that_is_down_is_a_problem_with_code_and_request_id() {
    let free = std::net::TcpListener::bind(any_port()).unwrap().local_addr().unwrap();
    let routes = format!(
        "[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n\
         [pools.p]\ntargets = [{{ url = \"http://{free}\" }}]\n"
    );
    let edge = routed(config(), &routes);

    let answer = edge.get("/", "X-Request-Id: mine\r\n").await;

    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    for part in ["\"code\":\"edge.upstream_connect\"", "\"request_id\":\"mine\"", "\"retryable\":true"] {
        assert!(answer.body.contains(part), "{answer:?}");
    }
    assert!(!answer.body.contains(&free.port().to_string()), "{answer:?}");
}

#[tokio::test]
async fn a_service_with_more_than_it_can_do_is_503_with_a_time_to_come_back() {
    let service = Service::start(|_| std::future::pending()).await;
    let routes = format!(
        "[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n{}breaker = {{ max_requests = 1 }}\n",
        service.pool("p")
    );
    let edge = routed(config(), &routes);
    let mut first = edge.connect().await;
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    super::support::eventually("the first is there", || service.calls() == 1).await;

    let answer = edge.get("/", "").await;

    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    assert!(answer.body.contains("edge.upstream_overloaded"), "{answer:?}");
}

#[tokio::test]
async fn a_body_beyond_the_route_s_limit_is_413_announced_or_not() {
    let service = Service::start(|request| async move {
        let length = request.into_body().collect().await.map_or(0, |body| body.to_bytes().len());
        plain(length.to_string())
    })
    .await;
    let routes = format!(
        "[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\nmodifiers.limits = {{ max_body_bytes = 4 }}\n{}",
        service.pool("p")
    );
    let edge = routed(config(), &routes);

    let fits = edge.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour").await;
    assert_eq!((fits.status, fits.body.as_str()), (200, "4"));
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfives",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfives\r\n0\r\n\r\n",
    ] {
        let answer = edge.ask(request).await;
        assert!(answer.status == 413 && answer.body.contains("edge.body_too_large"), "{answer:?}");
    }
}

#[tokio::test]
async fn beyond_the_route_s_time_comes_504() {
    let service = Service::start(|_| std::future::pending()).await;
    let routes = format!(
        "[[routes]]\nid = \"r\"\nmatch.path = {{ prefix = \"/r\" }}\naction = {{ kind = \"upstream\", pool = \"p\" }}\n\
         modifiers.limits = {{ timeout_seconds = 1 }}\n\
         [[routes]]\nid = \"m\"\naction = {{ kind = \"module\" }}\nmodifiers.limits = {{ timeout_seconds = 1 }}\n{}",
        service.pool("p")
    );
    let edge = routed(config(), &routes);

    let (service, own) = tokio::join!(edge.get("/r", ""), edge.get("/never", ""));

    assert!(service.status == 504 && service.body.contains("edge.upstream_timeout"), "{service:?}");
    assert!(own.status == 504 && own.body.contains("edge.route_timeout"), "{own:?}");
}
