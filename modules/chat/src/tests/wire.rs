//! The OpenAI wire.

use poem::Body;
use poem::http::Method;
use serde_json::json;
use testkit::{Engine, on_both_engines};

use super::*;

async fn call(world: &World, method: Method, path: &str, body: Value) -> (u16, String) {
    let caller = Ok(world.asker.clone());
    let response = world.chat.wire(caller, &method, path, Body::from_string(body.to_string())).await;
    let status = response.status().as_u16();
    let read = tokio::time::timeout(PATIENCE, response.into_body().into_string()).await;
    (status, read.expect("the answer ends").unwrap())
}

async fn complete(world: &World, model: &str, extra: Value) -> (u16, String) {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "Is it so?" }] });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    call(world, Method::POST, "/v1/chat/completions", body).await
}

fn chunks(text: &str) -> Vec<Value> {
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

async fn a_stream_comes_in_openais_words_and_cites_with_its_last_chunk(engine: Engine) {
    let world = world(engine).await;
    world.provider("cites").await;
    world.holds(vec![passage(1, "alpha"), passage(2, "beta")]);
    let extra =
        json!({ "stream": true, "stream_options": { "include_usage": true }, "holdfast": { "collections": null } });

    let (status, text) = complete(&world, "large", extra).await;

    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"));
    let chunks = chunks(&text);
    let said: String = chunks.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(said, "It is so [1], surely [2]. Not [9].");
    let last = chunks.iter().find(|it| it["choices"][0]["finish_reason"] == "stop").unwrap();
    assert_eq!(last["holdfast"]["citations"].as_array().unwrap().len(), 2, "{last}");
    assert_eq!(last["holdfast"]["provider"], "cites");
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 18);
    let asked = world.script.calls("cites").remove(0);
    assert_eq!(asked["model"], "large");
    assert!(asked.get("holdfast").is_none());
    assert_eq!(world.audited("chat.documents_used").await.len(), 1);
}

async fn an_answer_comes_whole_when_no_stream_is_asked_for(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;
    world.holds(vec![passage(1, "alpha")]);

    let (_, plain) = complete(&world, "small", json!({ "temperature": 0 })).await;
    let (_, grounded) = complete(&world, "small", json!({ "holdfast": {} })).await;

    let (plain, grounded): (Value, Value) =
        (serde_json::from_str(&plain).unwrap(), serde_json::from_str(&grounded).unwrap());
    assert_eq!(plain["object"], "chat.completion");
    assert!(plain.get("holdfast").is_none());
    assert_eq!(grounded["holdfast"]["citations"][0]["number"], 1, "{grounded}");
    assert_eq!(world.script.calls("steady")[0]["temperature"], 0);
}

async fn errors_come_in_openais_shape_with_their_status(engine: Engine) {
    let world = world(engine).await;
    world.provider("failing").await;

    let (missing, text) = complete(&world, "none", json!({ "stream": true })).await;
    let (failed, _) = complete(&world, "small", json!({ "stream": true })).await;
    let (whole, _) = complete(&world, "small", json!({})).await;
    let (malformed, _) = call(&world, Method::POST, "/v1/chat/completions", json!([])).await;
    let (unknown, _) = call(&world, Method::GET, "/v1/files", json!(null)).await;
    let (vectors, _) = call(&world, Method::POST, "/v1/embeddings", json!({ "model": "x", "input": "y" })).await;
    let nobody = world.chat.wire(Err(Problem::unauthenticated()), &Method::GET, "/v1/models", Body::empty()).await;

    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (error["error"]["code"].as_str(), error["error"]["param"].as_str()),
        (Some("chat.model_unknown"), Some("model"))
    );
    assert_eq!((missing, failed, whole, malformed, unknown, vectors), (404, 503, 503, 400, 404, 503));
    assert_eq!(nobody.status().as_u16(), 401);
}

async fn what_breaks_off_in_the_middle_tells_so_in_the_stream(engine: Engine) {
    let world = world(engine).await;
    world.provider("cut").await;

    let (status, text) = complete(&world, "small", json!({ "stream": true })).await;

    assert_eq!(status, 200);
    assert!(text.contains("chat.provider_broke_off") && !text.contains("[DONE]"), "{text}");
}

async fn an_extract_answers_when_documents_are_searched_and_nobody_else_does(engine: Engine) {
    let world = world(engine).await;
    world.provider("failing").await;
    world.holds(vec![passage(1, "The sky is blue.")]);

    let (status, text) = complete(&world, "small", json!({ "stream": true, "holdfast": {} })).await;
    let (_, models) = call(&world, Method::GET, "/v1/models", json!(null)).await;

    assert_eq!(status, 200, "{text}");
    assert!(text.contains("The sky is blue.") && text.contains("\"provider\":\"extractive\""), "{text}");
    let models: Value = serde_json::from_str(&models).unwrap();
    let names: Vec<_> = models["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["small", "large", "extractive"]);
}

async fn every_request_goes_on_record_with_its_asker(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;
    for _ in 0..3 {
        assert_eq!(complete(&world, "small", json!({ "stream": true })).await.0, 200);
    }

    let recorded = async |count| {
        let until = async {
            loop {
                let entries = world.audited("chat.asked").await;
                if entries.len() == count {
                    return entries;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, until).await.expect("all are written")
    };

    let entries = recorded(3).await;
    assert!(entries.iter().all(|entry| entry.actor.name == "ada"), "{entries:?}");
    assert!(world.tasks.stop(PATIENCE).await);
    complete(&world, "small", json!({})).await;
    recorded(4).await; // also what is asked while the process stops
}

async fn a_client_that_leaves_ends_the_providers_call(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    world.script.shared.gate.add_permits(1);
    let body = json!({ "model": "small", "stream": true, "messages": [{ "role": "user", "content": "?" }] });
    let body = Body::from_string(body.to_string());
    let caller = Ok(world.asker.clone());
    let response = world.chat.wire(caller, &Method::POST, "/v1/chat/completions", body).await;
    assert_eq!(response.status().as_u16(), 200);

    drop(response);

    tokio::time::timeout(PATIENCE, world.script.shared.left.notified()).await.expect("the call ends");
}

on_both_engines!(
    a_stream_comes_in_openais_words_and_cites_with_its_last_chunk,
    an_answer_comes_whole_when_no_stream_is_asked_for,
    errors_come_in_openais_shape_with_their_status,
    what_breaks_off_in_the_middle_tells_so_in_the_stream,
    an_extract_answers_when_documents_are_searched_and_nobody_else_does,
    every_request_goes_on_record_with_its_asker,
    a_client_that_leaves_ends_the_providers_call,
);
