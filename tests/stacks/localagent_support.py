"""What the tests of LocalAgent's Python share: stand-ins for upstream and for absent packages.

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import sys
import types

TOP = pathlib.Path(__file__).resolve().parents[2]
STACK = TOP / "payload" / "stacks" / "localagent"
sys.dont_write_bytecode = True
sys.path[:0] = [str(STACK / "python"), str(TOP / "tests" / "scenarios")]
from localagent_providers import Answer, CompletionRequest  # noqa: E402 pylint: disable=wrong-import-position


class FakeProvider:
    """Answers with its name; is_up and fault decide how."""

    chatters = False

    def __init__(self, name):
        self.name = name
        self.is_up = True
        self.fault = None
        self.requests = []

    async def health_check(self):
        if FakeProvider.chatters:
            print("upstream chatters on standard output")
        return {"healthy": self.is_up, "provider": self.name, "models_available": 1}

    async def list_models(self):
        return [types.SimpleNamespace(name="llama3.2:3b"), types.SimpleNamespace(name="m:latest")]

    async def complete(self, request):
        self.requests.append(request)
        if self.fault:
            raise self.fault
        return Answer(f"{self.name} says hello", request.model, self.name, {"total_tokens": 3}, 0.0)

    async def stream_complete(self, request):
        self.requests.append(request)
        for piece in ("one ", "two"):
            yield piece
        if self.fault:
            raise self.fault


class FakeManager:
    made = None

    def __init__(self, config):
        self.config = config
        self.providers = {}
        FakeManager.made = self

    async def initialize_providers(self):
        for name, provider in self.config.items():
            if name == "ollama" or provider["api_key"]:
                self.providers[name] = FakeProvider(name)

    def get_provider(self, name):
        return self.providers.get(name)


class HTTPException(Exception):
    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason


class Response:
    def __init__(self, text="", status=200, headers=None):
        self.text, self.status, self.headers = text, status, headers


def json_response(data, status=200):
    return Response(json.dumps(data), status)


def _module(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


def install_stand_ins():
    """Upstream and aiohttp are always stood in for; yaml only where it is not installed."""
    _module("app")
    _module("app.llm_providers")
    _module("app.llm_providers.base_provider", CompletionRequest=CompletionRequest)
    _module("app.llm_providers.provider_manager", ProviderManager=FakeManager)
    web = types.SimpleNamespace(middleware=lambda handler: handler, HTTPException=HTTPException,
                                Response=Response, json_response=json_response)
    _module("aiohttp", web=web)
    try:
        import yaml  # noqa: F401
    except ImportError:
        _module("yaml", YAMLError=json.JSONDecodeError, safe_load=lambda file: json.load(file))


install_stand_ins()
