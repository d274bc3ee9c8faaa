"""OpenAI's own client against a real server whose provider of models is scripted: `openai_sdk.py (sqlite|postgres)`.

Wants TARGET (cargo's target folder) with the built binaries, the models in ./models, and to be run by the Python of
$TARGET/schemathesis, which has the client (make deps)."""

import asyncio
import http.server
import json
import os
import pathlib
import sys
import threading
import time
import unittest
import urllib.request

import openai

ROOT = pathlib.Path(__file__).parent.parent
EMBEDDER = "wordllama-l2-supercat-256"
# What every wait ends after, in vain.
PATIENCE = 60
FACT = "The ferry to the island leaves at dawn, and the last one returns at nine in the evening."


class Provider(http.server.BaseHTTPRequestHandler):
    """A provider of models that does what the name of the model says."""

    protocol_version = "HTTP/1.1"
    asked: list = []
    left = threading.Event()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        if body["model"] == "failing":
            return self.answer(500, {"error": {"message": "out of order"}})
        words = ["It leaves ", "at dawn ", "[1]."]
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(words)}
            usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            return self.answer(200, {"id": "x", "object": "chat.completion", "created": 1, "model": "y", "choices": choices, "usage": usage})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for word in words:
            self.chunk({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
        if body["model"] == "endless":
            self.connection.settimeout(PATIENCE)
            if self.connection.recv(1) == b"":
                self.left.set()
        elif body["model"] != "cut":
            self.chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self.chunk({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}})
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def chunk(self, members):
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "y"} | members
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def call(method, path, body=None, media="application/json"):
    """Holdfast's own API."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {os.environ['HOLDFAST_KEY']}", "Content-Type": media}
    request = urllib.request.Request(os.environ["HOLDFAST_URL"] + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def ask(client, model, **more):
    question = [{"role": "user", "content": "When does the ferry leave?"}]
    return client.chat.completions.create(model=model, messages=question, **more)


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.provider = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        threading.Thread(target=cls.provider.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{cls.provider.server_port}/v1"
        for name, models in (("scripted", ["steady", "cut", "endless"]), ("broken", ["failing"])):
            call("POST", "/api/v1/chat/providers", {"name": name, "base_url": url, "models": models, "api_key": "sk-x"})
        cls.base = {"base_url": os.environ["HOLDFAST_URL"] + "/v1", "max_retries": 0}
        cls.client = openai.OpenAI(api_key=os.environ["HOLDFAST_KEY"], **cls.base)
        cls.collection = call("POST", "/api/v1/vault/collections", {"name": "Ferries", "searchable": True})["id"]
        path = f"/api/v1/vault/documents?collection={cls.collection}&name=ferry.txt"
        cls.document = call("POST", path, FACT.encode(), "text/plain")["id"]
        until = time.monotonic() + PATIENCE
        while not call("POST", "/api/v1/knowledge/search", {"query": "ferry", "collections": [cls.collection]})["items"]:
            assert time.monotonic() < until, "the document does not become searchable"
            time.sleep(0.1)

    @classmethod
    def tearDownClass(cls):
        cls.provider.shutdown()

    def test_a_completion_comes_whole(self):
        completion = ask(self.client, "steady")
        self.assertEqual(completion.choices[0].message.content, "It leaves at dawn [1].")
        self.assertEqual(completion.choices[0].finish_reason, "stop")
        self.assertEqual((completion.model, completion.usage.total_tokens), ("steady", 8))
        self.assertNotIn("holdfast", completion.model_extra)

    def test_a_completion_streams(self):
        chunks = list(ask(self.client, "steady", stream=True, stream_options={"include_usage": True}))
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        self.assertEqual(said, "It leaves at dawn [1].")
        self.assertEqual({chunk.id for chunk in chunks}, {chunks[0].id})
        self.assertEqual(chunks[-1].usage.completion_tokens, 3)

    def test_the_asynchronous_client_streams_too(self):
        async def stream():
            async with openai.AsyncOpenAI(api_key=os.environ["HOLDFAST_KEY"], **self.base) as client:
                return [chunk async for chunk in await ask(client, "steady", stream=True)]

        said = "".join(chunk.choices[0].delta.content or "" for chunk in asyncio.run(stream()))
        self.assertEqual(said, "It leaves at dawn [1].")

    def test_an_answer_from_documents_cites_them(self):
        more = {"extra_body": {"holdfast": {"collections": [self.collection]}}}
        whole = ask(self.client, "steady", **more).model_extra["holdfast"]
        last = [chunk for chunk in ask(self.client, "steady", stream=True, **more) if chunk.choices][-1]
        for told in (whole, last.model_extra["holdfast"]):
            self.assertEqual([citation["document"] for citation in told["citations"]], [self.document])
            self.assertEqual((told["evidence"], told["provider"]), (True, "scripted"))
        self.assertIn(FACT, Provider.asked[-1]["messages"][0]["content"])
        self.assertNotIn("holdfast", Provider.asked[-1])

    def test_when_no_model_answers_the_documents_do(self):
        told = ask(self.client, "failing", extra_body={"holdfast": {"collections": [self.collection]}})
        self.assertIn(FACT, told.choices[0].message.content)
        self.assertEqual(told.model_extra["holdfast"]["provider"], "extractive")

    def test_models_are_listed(self):
        names = [model.id for model in self.client.models.list()]
        self.assertLessEqual({"steady", "cut", "extractive", EMBEDDER}, set(names))
        self.assertEqual(self.client.models.retrieve("steady").owned_by, "scripted")

    def test_embeddings_mean_something_in_both_encodings(self):
        texts = ["The boat departs at sunrise.", FACT, "A tax form has nine pages."]
        packed = self.client.embeddings.create(model=EMBEDDER, input=texts)
        plain = self.client.embeddings.create(model=EMBEDDER, input=texts, encoding_format="float")
        boat, ferry, tax = (item.embedding for item in packed.data)
        for one, other in zip(packed.data, plain.data, strict=True):
            self.assertEqual(len(one.embedding), 256)
            self.assertTrue(all(abs(a - b) < 1e-6 for a, b in zip(one.embedding, other.embedding, strict=True)))
        close, far = (sum(a * b for a, b in zip(boat, text, strict=True)) for text in (ferry, tax))
        self.assertGreater(close, far)

    def test_a_wrong_key_is_an_authentication_error(self):
        stranger = openai.OpenAI(api_key="hf_wrong", **self.base)
        for attempt in (lambda: stranger.models.list(), lambda: ask(stranger, "steady", stream=True)):
            with self.assertRaises(openai.AuthenticationError) as caught:
                attempt()
            self.assertEqual((caught.exception.status_code, caught.exception.code), (401, "identity.token_invalid"))

    def test_an_unknown_model_is_a_not_found_error(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            ask(self.client, "none")
        self.assertEqual((caught.exception.code, caught.exception.param), ("chat.model_unknown", "model"))
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("none")

    def test_what_does_not_fit_is_a_bad_request(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.chat.completions.create(model="steady", messages=[])
        self.assertEqual((caught.exception.code, caught.exception.param), ("chat.request_invalid", "messages"))

    def test_a_provider_that_fails_is_a_server_error(self):
        with self.assertRaises(openai.InternalServerError) as caught:
            ask(self.client, "failing")
        self.assertEqual((caught.exception.status_code, caught.exception.code), (503, "chat.providers_failed"))

    def test_a_cut_stream_is_an_error_and_not_an_end(self):
        said = ""
        with self.assertRaises(openai.APIError) as caught:
            for chunk in ask(self.client, "cut", stream=True):
                said += chunk.choices[0].delta.content or ""
        self.assertEqual((said, caught.exception.code), ("It leaves at dawn [1].", "chat.provider_broke_off"))

    def test_a_client_that_leaves_ends_the_providers_call(self):
        stream = ask(self.client, "endless", stream=True)
        next(iter(stream))
        stream.close()
        self.assertTrue(Provider.left.wait(PATIENCE))


if __name__ == "__main__":
    if "HOLDFAST_URL" not in os.environ:
        target, models = os.environ["TARGET"], ROOT / "models"
        settings = ['HOLDFAST__EGRESS__ALLOW=["127.0.0.1"]', f"HOLDFAST__KNOWLEDGE__MODELS={models}"]
        command = [f"{target}/debug/with-server", sys.argv[1], *settings, f"{target}/debug/holdfast", sys.executable, __file__]
        os.execv(command[0], command)
    unittest.main()
