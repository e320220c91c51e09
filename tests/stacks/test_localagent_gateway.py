"""LocalAgent's gateway.  SPDX-License-Identifier: Apache-2.0"""
import asyncio
import json
import logging
import unittest

import localagent_support as support
import effective
import gateway


class Request:
    def __init__(self, path, body=None, headers=None):
        self.path, self.method, self.body = path, "POST" if body else "GET", body
        self.headers = headers or {}

    async def json(self):
        return json.loads(self.body)


class Case(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    async def start(self, **environ):
        environ.setdefault("LOCALAGENT_CONFIG_DIR", "/nonexistent")
        self.gateway = gateway.Gateway(effective.load(None, environ), environ)
        await self.gateway.providers.__aenter__()
        self.fake = support.FakeManager.made.providers["ollama"]

    async def post(self, body, **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        answer = await self.gateway.guard(Request("/v1/complete", text, headers),
                                          self.gateway.post_complete)
        return answer.status, json.loads(answer.text)


class Complete(Case):
    async def test_answers(self):
        await self.start()
        status, body = await self.post({"prompt": "hi"})
        self.assertEqual((status, body["content"], body["provider"]),
                         (200, "ollama says hello", "ollama"))
        messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
        self.assertEqual((await self.post({"messages": messages}))[0], 200)
        self.assertEqual(self.fake.requests[-1].messages, messages)

    async def test_refuses_what_is_wrong(self):
        await self.start()
        table = (
            ("{", "Expecting"),
            ("[]", "not a JSON object"),
            ({}, "either prompt or messages"),
            ({"prompt": "a", "messages": []}, "either prompt or messages"),
            ({"prompt": " "}, "empty"),
            ({"prompt": 3}, "no text"),
            ({"messages": []}, "not a list"),
            ({"messages": [{"role": "boss", "content": "x"}]}, "role is"),
            ({"messages": [{"role": "user"}]}, "exactly role and content"),
            ({"prompt": "a", "stream": True}, "unknown: stream"),
            ({"prompt": "a", "provider": "nobody"}, "provider is one of"),
            ({"prompt": "a", "provider": ["ollama"]}, "provider is one of"),
            ({"prompt": "a", "model": ""}, "model is"),
            ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
            ({"prompt": "a", "max_tokens": True}, "max_tokens"),
            ({"prompt": "a", "temperature": 3}, "temperature"),
        )
        for body, text in table:
            with self.subTest(text):
                status, answer = await self.post(body)
                self.assertEqual(status, 400)
                self.assertIn(text, answer["error"]["message"])
        self.assertEqual(self.fake.requests, [])

    async def test_failures_have_their_own_statuses(self):
        await self.start()
        self.assertEqual((await self.post({"prompt": "a", "model": "none"}))[0], 404)
        self.assertEqual((await self.post({"prompt": "a", "provider": "openai"}))[0], 200)
        self.fake.fault = RuntimeError("boom")
        self.assertEqual((await self.post({"prompt": "a"}))[0], 502)
        self.fake.is_up = False
        self.assertEqual((await self.post({"prompt": "a"}))[0], 503)
        self.assertEqual((await self.post({"prompt": "a", "provider": "openai"}))[0], 400)

    async def test_a_vendor_that_is_not_enabled_never_stands_in(self):
        await self.start(OPENAI_API_KEY="k")
        self.fake.is_up = False
        self.assertEqual((await self.post({"prompt": "secret"}))[0], 503)
        self.assertEqual(support.FakeManager.made.providers["openai"].requests, [])

    async def test_enabled_vendor_stands_in_with_its_own_model(self):
        await self.start(OPENAI_API_KEY="k", LOCALAGENT_OPENAI_ENABLED="true")
        self.fake.is_up = False
        status, body = await self.post({"prompt": "a", "model": "llama3.2:3b"})
        self.assertEqual((status, body["provider"], body["model"]), (200, "openai", "gpt-4o-mini"))

    async def test_token(self):
        await self.start(LOCALAGENT_API_TOKEN="tok")
        self.assertEqual((await self.post({"prompt": "a"}))[0], 401)
        self.assertEqual((await self.post({"prompt": "a"}, Authorization="Bearer no"))[0], 401)
        self.assertEqual((await self.post({"prompt": "a"}, Authorization="Bearer tök"))[0], 401)
        self.assertEqual((await self.post({"prompt": "a"}, Authorization="Bearer tok"))[0], 200)
        answer = await self.gateway.guard(Request("/health"), self.gateway.get_health)
        self.assertEqual(answer.status, 200)

    async def test_a_bug_is_a_500_without_details(self):
        await self.start()

        async def broken(_request):
            raise KeyError("canary")

        answer = await self.gateway.guard(Request("/health"), broken)
        self.assertEqual(answer.status, 500)
        self.assertNotIn("canary", answer.text)


class Readiness(Case):
    async def ready(self):
        answer = await self.gateway.get_ready(None)
        return answer.status, json.loads(answer.text)["checks"]

    async def serve_redis(self, answers):
        async def client(reader, writer):
            for answer in answers:
                await reader.read(200)
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        return server.sockets[0].getsockname()[1]

    async def test_follows_the_provider(self):
        await self.start()
        self.assertEqual(await self.ready(), (200, {"ollama": "ok"}))
        self.fake.is_up = False
        self.assertEqual((await self.ready())[0], 503)

    async def test_redis(self):
        table = (
            ("redis://127.0.0.1:{}/1", [b"+PONG\r\n"], 200, "ok"),
            ("redis://:p%40ss@127.0.0.1:{}/1", [b"+OK\r\n", b"+PONG\r\n"], 200, "ok"),
            ("redis://:no@127.0.0.1:{}/1", [b"-WRONGPASS\r\n"], 503, "refuses the password"),
            ("redis://127.0.0.1:{}/1", [b"-NOAUTH\r\n"], 503, "NOAUTH"),
            ("redis://127.0.0.1:1/1", [], 503, "onnect"),
        )
        for url, answers, status, text in table:
            with self.subTest(url):
                port = await self.serve_redis(answers)
                await self.start(LOCALAGENT_MCP_REDIS_URL=url.format(port))
                got, checks = await self.ready()
                self.assertEqual(got, status)
                self.assertIn(text, checks["redis"])

    async def test_redis_that_hangs(self):
        port = await self.serve_redis([])
        await self.start(LOCALAGENT_MCP_REDIS_URL=f"redis://127.0.0.1:{port}")
        original, gateway.ping_redis = gateway.ping_redis, lambda _url: asyncio.sleep(60)
        self.addCleanup(setattr, gateway, "ping_redis", original)
        self.addCleanup(setattr, gateway, "REDIS_TIMEOUT_S", gateway.REDIS_TIMEOUT_S)
        gateway.REDIS_TIMEOUT_S = 0.05
        self.assertIn("no answer within", (await self.ready())[1]["redis"])


class Measures(Case):
    async def test_counts(self):
        await self.start(LOCALAGENT_COMMIT="abc")
        await self.post({"prompt": "a"})
        await self.post({"prompt": "a", "model": "none"})
        await self.gateway.probe("ollama")
        lines = (await self.gateway.get_metrics(None)).text.splitlines()
        for line in (
            'localagent_build_info{commit="abc",colour="none"} 1',
            'localagent_errors_total{provider="ollama",type="no_model"} 1',
            'localagent_requests_total{status="ok",provider="ollama",model="llama3.2:3b"} 1',
            'localagent_tokens_total{provider="ollama",model="llama3.2:3b",kind="total"} 3',
            'localagent_request_duration_seconds_bucket{provider="ollama",le="+Inf"} 1',
            'localagent_provider_up{provider="ollama"} 1',
        ):
            self.assertIn(line, lines)
        types = [line for line in lines if line.startswith("# TYPE")]
        self.assertEqual(len(types), len(set(types)))

    async def test_labels_are_escaped(self):
        self.assertEqual(gateway.sample("m", (("l", 'a"b\\c\nd'),), 1), 'm{l="a\\"b\\\\c\\nd"} 1')

    async def test_log_lines_are_json(self):
        record = logging.LogRecord("n", logging.INFO, "f", 1, "hello %s", ("you\n",), None)
        record.fields = {"path": "/x"}
        line = gateway.JsonLog().format(record)
        self.assertNotIn("\n", line)
        self.assertEqual(json.loads(line)["path"], "/x")


if __name__ == "__main__":
    unittest.main()
