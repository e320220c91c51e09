"""A stand-in for upstream's app.llm_providers.provider_manager: the part of it that the gateway and the
command use, for Ollama alone.  None of it is upstream's.
"""
import dataclasses
import types


@dataclasses.dataclass
class CompletionRequest:
    messages: list
    model: str
    temperature: float = 0.7
    max_tokens: int = None
    stream: bool = False


@dataclasses.dataclass
class Answer:
    content: str
    model: str
    provider: str
    usage: dict
    cost: float = None
    citations: list = None


class Ollama:
    def __init__(self, config):
        self.url = config["base_url"]

    async def _ask(self, method, path, **options):
        import aiohttp  # pylint: disable=import-outside-toplevel # not there where the stack's Python alone is tested

        async with aiohttp.ClientSession(raise_for_status=True) as session:
            async with session.request(method, self.url + path, **options) as answer:
                return await answer.json(content_type=None)

    async def list_models(self):
        return [types.SimpleNamespace(name=model["name"])
                for model in (await self._ask("GET", "/api/tags"))["models"]]

    async def health_check(self):
        return {"healthy": True, "provider": "ollama",
                "models_available": len(await self.list_models())}

    async def complete(self, request):
        said = await self._ask("POST", "/api/chat", json={
            "model": request.model, "messages": request.messages, "stream": False})
        usage = {"prompt_tokens": said["prompt_eval_count"], "completion_tokens": said["eval_count"]}
        return Answer(said["message"]["content"], request.model, "ollama", usage)


class ProviderManager:
    def __init__(self, config):
        self.config = config
        self.providers = {}

    async def initialize_providers(self):
        self.providers = {"ollama": Ollama(self.config["ollama"])}

    def get_provider(self, name):
        return self.providers.get(name)
