"""HTTP in front of LocalAgent's providers: health, metrics and completions.

Upstream has no server at this revision; this one is ours.  Needs aiohttp 3.8 or later and
upstream's app.llm_providers, nothing else of upstream.
SPDX-License-Identifier: Apache-2.0
"""
import asyncio
import collections
import contextlib
import hmac
import json
import logging
import os
import resource
import ssl
import sys
import time
from urllib.parse import unquote, urlsplit

from aiohttp import web

import effective as configuration
from providers import ProviderError, Providers, candidates

BUCKETS = (.1, .5, 1, 2, 5, 10, 30, 60, 120)
PROBE_EVERY_S = 15
REDIS_TIMEOUT_S = 3
BODY_MAX_BYTES = 1024 * 1024
STATUS_OF = {"no_key": 400, "no_model": 404, "unavailable": 503, "failed": 502}
log = logging.getLogger("gateway")


class JsonLog(logging.Formatter):
    def format(self, record):
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname.lower(), "logger": record.name,
                "message": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def escape(value):
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def sample(name, labels, value):
    inner = ",".join(f'{key}="{escape(text)}"' for key, text in labels)
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


class Metrics:
    """Counters and one histogram, written out in Prometheus' text format."""

    def __init__(self):
        self.counters = collections.defaultdict(float)
        self.durations = {}

    def add(self, name, amount=1, **labels):
        self.counters[name, tuple(labels.items())] += amount

    def observe(self, seconds, provider):
        counts, total = self.durations.get(provider, ([0] * (len(BUCKETS) + 1), 0.0))
        for index, bound in enumerate(BUCKETS + (float("inf"),)):
            counts[index] += seconds <= bound
        self.durations[provider] = counts, total + seconds

    def lines(self):
        last = None
        for (name, labels), value in sorted(self.counters.items()):
            if name != last:
                yield f"# TYPE {name} counter"
            last = name
            yield sample(name, labels, f"{value:g}")
        name = "localagent_request_duration_seconds"
        yield f"# TYPE {name} histogram"
        for provider, (counts, total) in sorted(self.durations.items()):
            for bound, count in zip([f"{b:g}" for b in BUCKETS] + ["+Inf"], counts):
                yield sample(name + "_bucket", (("provider", provider), ("le", bound)), count)
            yield sample(name + "_sum", (("provider", provider),), f"{total:.6f}")
            yield sample(name + "_count", (("provider", provider),), counts[-1])


def process_lines():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "# TYPE process_cpu_seconds_total counter"
    yield f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}"
    with contextlib.suppress(OSError):  # Linux
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        yield "# TYPE process_resident_memory_bytes gauge"
        yield f"process_resident_memory_bytes {pages * resource.getpagesize()}"
        yield "# TYPE process_open_fds gauge"
        yield f"process_open_fds {len(os.listdir('/proc/self/fd'))}"


def redis_command(*words):
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(f"${len(data)}\r\n".encode() + data + b"\r\n")
    return b"".join(parts)


async def ping_redis(url):
    """Raises when Redis does not answer PONG."""
    parts = urlsplit(url)
    tls = ssl.create_default_context() if parts.scheme == "rediss" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379, ssl=tls)
    try:
        if parts.password:
            user = [unquote(parts.username)] if parts.username else []
            writer.write(redis_command("AUTH", *user, unquote(parts.password)))
            if not (await reader.readline()).startswith(b"+OK"):
                raise ConnectionError("redis refuses the password")
        writer.write(redis_command("PING"))
        answer = await reader.readline()
        if not answer.startswith(b"+PONG"):
            raise ConnectionError(f"redis answers {answer.decode(errors='replace').strip()!r}")
    finally:
        writer.close()


class Gateway:
    def __init__(self, effective, environ=os.environ):
        self.effective = effective
        self.metrics = Metrics()
        self.providers = Providers(effective)
        self.health = {}
        self.token = configuration.read_secret("LOCALAGENT_API_TOKEN", environ)
        is_default = effective.sources[("mcp", "redis_url")] == "default"
        self.redis_url = None if is_default else effective.get("mcp", "redis_url")
        self.build = {"commit": environ.get("LOCALAGENT_COMMIT", "unknown"),
                      "colour": environ.get("DEPLOYMENT_COLOR", "none"),
                      "deployment": environ.get("DEPLOYMENT_ID", "none")}

    async def probe(self, name):
        start = time.monotonic()
        health = dict(await self.providers.health(name))
        health["latency_seconds"] = round(time.monotonic() - start, 3)
        self.health[name] = health
        return health

    async def probe_for_ever(self):
        while True:
            try:
                await asyncio.gather(*(self.probe(name) for name in self.providers.names()))
            except Exception:
                log.exception("a probe failed")
            await asyncio.sleep(PROBE_EVERY_S)

    async def context(self, _app):
        async with self.providers:
            task = asyncio.create_task(self.probe_for_ever())
            yield
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def get_health(self, _request):
        return web.json_response({"status": "alive"})

    async def get_ready(self, _request):
        checks = {}
        name = self.effective.get("default_provider")
        health = await self.probe(name)
        checks[name] = "ok" if health.get("healthy") else health.get("error") or "no answer"
        if self.redis_url:
            try:
                await asyncio.wait_for(ping_redis(self.redis_url), REDIS_TIMEOUT_S)
                checks["redis"] = "ok"
            except asyncio.TimeoutError:
                checks["redis"] = f"no answer within {REDIS_TIMEOUT_S} s"
            except (OSError, ValueError) as error:
                checks["redis"] = str(error) or type(error).__name__
        is_ready = set(checks.values()) == {"ok"}
        return web.json_response({"ready": is_ready, "checks": checks},
                                 status=200 if is_ready else 503)

    def provider_lines(self):
        rows = (("localagent_provider_up", lambda h: int(bool(h.get("healthy")))),
                ("localagent_provider_latency_seconds", lambda h: h["latency_seconds"]),
                ("localagent_provider_models", lambda h: h.get("models_available", 0)))
        for metric, value in rows:
            yield f"# TYPE {metric} gauge"
            for name, health in sorted(self.health.items()):
                yield sample(metric, (("provider", name),), value(health))

    def text(self, *parts):
        lines = [line for part in parts for line in part]
        return web.Response(text="\n".join(lines) + "\n",
                            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def get_metrics(self, _request):
        labels = (("commit", self.build["commit"]), ("colour", self.build["colour"]))
        info = ("# TYPE localagent_build_info gauge", sample("localagent_build_info", labels, 1))
        return self.text(info, self.metrics.lines(), self.provider_lines(), process_lines())

    async def get_provider_metrics(self, _request):
        return self.text(self.provider_lines())

    async def get_version(self, _request):
        return web.json_response(self.build)

    async def get_providers(self, _request):
        return web.json_response({"default": self.effective.get("default_provider"),
                                  "providers": self.health})

    async def get_models(self, _request):
        models = {}
        for name in self.providers.names():
            health = await self.probe(name)
            models[name] = await self.providers.models(name) if health.get("healthy") else []
        return web.json_response({"models": models})

    async def post_complete(self, request):
        try:
            messages, options, preferred = read_body(await request.json())
        except (ValueError, UnicodeDecodeError) as error:
            return refuse(400, "bad_request", str(error))
        order = candidates(self.effective, preferred, fallback=True)
        start = time.monotonic()
        try:
            answer = await self.providers.complete(messages, options, order)
        except ProviderError as error:
            self.metrics.add("localagent_requests_total", provider=error.provider, model="",
                             status="error")
            self.metrics.add("localagent_errors_total", provider=error.provider, type=error.kind)
            return refuse(STATUS_OF.get(error.kind, 502), error.kind, str(error))
        seconds = time.monotonic() - start
        self.count(answer, seconds)
        return web.json_response({"provider": answer.provider, "model": answer.model,
                                  "content": answer.content, "usage": answer.usage,
                                  "cost": answer.cost, "citations": answer.citations,
                                  "seconds": round(seconds, 3)})

    def count(self, answer, seconds):
        labels = {"provider": answer.provider, "model": answer.model}
        self.metrics.add("localagent_requests_total", status="ok", **labels)
        self.metrics.observe(seconds, answer.provider)
        for kind, tokens in (answer.usage or {}).items():
            if kind.endswith("_tokens") and isinstance(tokens, (int, float)):
                self.metrics.add("localagent_tokens_total", tokens, **labels,
                                 kind=kind[:-len("_tokens")])
        self.metrics.add("localagent_cost_usd_total", answer.cost or 0, **labels)

    @web.middleware
    async def guard(self, request, handler):
        start = time.monotonic()
        status = 500
        try:
            if request.path.startswith("/v1/") and not self.is_allowed(request):
                response = refuse(401, "unauthorized", "send Authorization: Bearer TOKEN")
            else:
                response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            return refuse(status, "http", error.reason)
        except Exception:
            log.exception("a request failed")
            return refuse(500, "internal", "see the log")
        finally:
            level = logging.DEBUG if request.path in QUIET else logging.INFO
            log.log(level, "request", extra={"fields": {
                "method": request.method, "path": request.path, "status": status,
                "seconds": round(time.monotonic() - start, 3)}})

    def is_allowed(self, request):
        given = request.headers.get("Authorization", "")
        wanted = f"Bearer {self.token}"
        return not self.token or hmac.compare_digest(given.encode(), wanted.encode())

    def application(self):
        app = web.Application(middlewares=[self.guard], client_max_size=BODY_MAX_BYTES)
        app.cleanup_ctx.append(self.context)
        app.router.add_get("/health", self.get_health)
        app.router.add_get("/ready", self.get_ready)
        app.router.add_get("/metrics", self.get_metrics)
        app.router.add_get("/metrics/providers", self.get_provider_metrics)
        app.router.add_get("/version", self.get_version)
        app.router.add_get("/v1/providers", self.get_providers)
        app.router.add_get("/v1/models", self.get_models)
        app.router.add_post("/v1/complete", self.post_complete)
        return app


QUIET = ("/health", "/ready", "/metrics", "/metrics/providers")


def refuse(status, kind, message):
    return web.json_response({"error": {"type": kind, "message": message}}, status=status)


def read_messages(body):
    if ("prompt" in body) == ("messages" in body):
        raise ValueError("send either prompt or messages")
    if "prompt" in body:
        messages = [{"role": "user", "content": body["prompt"]}]
    else:
        messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise ValueError("messages is not a list with something in it")
    for message in messages:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise ValueError("a message has exactly role and content")
        if message["role"] not in ("system", "user", "assistant"):
            raise ValueError("role is system, user or assistant")
        if not isinstance(message["content"], str) or not message["content"].strip():
            raise ValueError("a message's text is empty or no text")
    return messages


def read_body(body):
    """Returns messages, options and the provider that was asked for; ValueError says what is wrong."""
    known = {"prompt", "messages", "provider", "model", "max_tokens", "temperature"}
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    unknown = set(body) - known
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    provider, model = body.get("provider"), body.get("model")
    tokens, temperature = body.get("max_tokens"), body.get("temperature", 0.7)
    if provider is not None and provider not in configuration.PROVIDERS:
        raise ValueError("provider is one of " + ", ".join(configuration.PROVIDERS))
    if model is not None and (not isinstance(model, str) or not 0 < len(model) <= 200):
        raise ValueError("model is a text of 1 to 200 characters")
    if tokens is not None and (type(tokens) is not int or not 0 < tokens <= 1_000_000):
        raise ValueError("max_tokens is a number from 1 to 1000000")
    if type(temperature) not in (int, float) or not 0 <= temperature <= 2:
        raise ValueError("temperature is a number from 0 to 2")
    options = {"model": model, "max_tokens": tokens, "temperature": temperature}
    return read_messages(body), options, provider


def main():
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLog())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("aiohttp.access").disabled = True
    try:
        effective = configuration.load()
        gateway = Gateway(effective)
        host = os.environ.get("LOCALAGENT_GATEWAY_HOST") or "127.0.0.1"
        port = int(os.environ.get("LOCALAGENT_GATEWAY_PORT") or 8000)
    except (configuration.ConfigError, ValueError) as error:
        log.error(str(error))
        return 78
    logging.getLogger().setLevel(effective.get("log_level"))
    for text in effective.warnings:
        log.warning(text)
    if not gateway.token and not host.startswith("127."):
        log.warning("no LOCALAGENT_API_TOKEN: whoever reaches this port may use the providers")
    log.info("listening", extra={"fields": {"host": host, "port": port, **gateway.build}})
    web.run_app(gateway.application(), host=host, port=port, print=None, handle_signals=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
