"""Upstream's providers, asked one at a time, with errors that say what to do.

SPDX-License-Identifier: Apache-2.0
"""
import asyncio
import contextlib
import sys

from app.llm_providers.base_provider import CompletionRequest
from app.llm_providers.provider_manager import ProviderManager

HEALTH_TIMEOUT_S = 10


class ProviderError(Exception):
    """No answer could be had; the text says why and what helps."""

    def __init__(self, message, provider="none", kind="unavailable"):
        super().__init__(message)
        self.provider = provider
        self.kind = kind


def candidates(effective, preferred=None, fallback=False):
    """Providers to ask, in order.  Only enabled ones stand in for the first: prompts do not go to
    a vendor that nobody switched on."""
    first = preferred or effective.get("default_provider")
    order = [first]
    if fallback:
        order += [name for name, provider in effective.get("providers").items()
                  if name != first and provider["enabled"]
                  and (name == "ollama" or provider["api_key"])]
    return order


class Providers:
    """An asynchronous context: the providers that have what they need."""

    def __init__(self, effective):
        self.effective = effective
        self.manager = ProviderManager(effective.get("providers"))

    async def __aenter__(self):
        # Upstream reports with print(); standard output is the answer's.
        with contextlib.redirect_stdout(sys.stderr):
            await self.manager.initialize_providers()
        return self

    async def __aexit__(self, *_):
        for provider in self.manager.providers.values():
            session = getattr(provider, "_session", None) or getattr(provider, "client", None)
            if session is not None:
                await session.close()

    def names(self):
        return list(self.manager.providers)

    def get(self, name):
        provider = self.manager.get_provider(name)
        if provider is None:
            raise ProviderError(f"provider {name} has no key; "
                                f"run: slipway keys set {name.upper()}_API_KEY", name, "no_key")
        return provider

    async def health(self, name):
        """Upstream's answer, {"healthy": bool, …}; never raises, never takes longer than 10 s."""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return await asyncio.wait_for(self.get(name).health_check(), HEALTH_TIMEOUT_S)
        except asyncio.TimeoutError:
            return {"healthy": False, "provider": name, "error": "no answer within 10 s"}
        except Exception as error:
            return {"healthy": False, "provider": name, "error": str(error)}

    async def models(self, name):
        with contextlib.redirect_stdout(sys.stderr):
            return [model.name for model in await self.get(name).list_models()]

    async def _check(self, name, model):
        self.get(name)
        health = await self.health(name)
        if not health.get("healthy"):
            url = self.effective.get("providers", name, "base_url")
            why = health.get("error") or "it does not answer"
            where = f" at {url}" if url else ""
            raise ProviderError(f"provider {name}{where} is not available: {why}", name)
        if name != "ollama":
            return
        installed = await self.models(name)
        if model not in installed and f"{model}:latest" not in installed:
            have = ", ".join(installed) or "none"
            raise ProviderError(f"ollama has no model {model} (it has: {have}); "
                                f"run: ollama pull {model}", name, "no_model")

    async def _request(self, name, messages, options):
        model = options.get("model") or self.effective.get("providers", name, "default_model")
        await self._check(name, model)
        return CompletionRequest(messages=messages, model=model,
                                 temperature=options.get("temperature", 0.7),
                                 max_tokens=options.get("max_tokens"),
                                 stream=bool(options.get("stream")))

    async def complete(self, messages, options, order):
        """Asks the providers of @order until one answers.  A model that was asked for by name is
        the first provider's; the others use their own."""
        last = None
        for name in order:
            try:
                request = await self._request(name, messages, options)
                with contextlib.redirect_stdout(sys.stderr):
                    return await self.get(name).complete(request)
            except ProviderError as error:
                last = last or error
            except Exception as error:
                text = str(error) or type(error).__name__
                last = last or ProviderError(f"provider {name} failed: {text}", name, "failed")
            options = {**options, "model": None}
        raise last

    async def stream(self, messages, options, name):
        """Yields the answer in pieces."""
        request = await self._request(name, messages, {**options, "stream": True})
        try:
            async for piece in self.get(name).stream_complete(request):
                yield piece
        except ProviderError:
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise ProviderError(f"provider {name} failed: {text}", name, "failed") from error
