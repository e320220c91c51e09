"""litellm.py COMMAND [ARGUMENT]... - LiteLLM, configured for the keys that are there.

Reads the files /run/secrets/NAME, writes a configuration that names the models of those providers only,
and becomes COMMAND with `--config` behind it.  Keys are in the environment of that process, and nowhere
else; the configuration only says which variable each model's key is in.

`litellm.py --test` asks a LiteLLM that runs: no list of models without the key, and one with it.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pathlib
import sys
import urllib.error
import urllib.request

KEYS = pathlib.Path(os.environ.get("BUTTERCUP_KEYS_DIR", "/run/secrets"))
CONFIGURATION = pathlib.Path(os.environ.get("BUTTERCUP_LITELLM_CONFIG", "/tmp/litellm.yaml"))
PROVIDERS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_API_KEY")
# The names that Buttercup asks for, and the provider's own; with limits per minute: tokens, requests.
MODELS = (
    ("openai-gpt-4o", "openai/gpt-4o", "OPENAI_API_KEY", 30000000, 10000),
    ("openai-gpt-4o-mini", "openai/gpt-4o-mini", "OPENAI_API_KEY", 150000000, 30000),
    ("openai-o3-mini", "openai/o3-mini", "OPENAI_API_KEY", 150000000, 30000),
    ("openai-o1", "openai/o1", "OPENAI_API_KEY", 30000000, 10000),
    ("openai-o3", "openai/o3", "OPENAI_API_KEY", 30000000, 10000),
    ("openai-gpt-4.1", "openai/gpt-4.1", "OPENAI_API_KEY", 30000000, 10000),
    ("openai-gpt-4.1-mini", "openai/gpt-4.1-mini", "OPENAI_API_KEY", 150000000, 30000),
    ("openai-gpt-4.1-nano", "openai/gpt-4.1-nano", "OPENAI_API_KEY", 150000000, 30000),
    ("claude-3.5-sonnet", "anthropic/claude-3-5-sonnet-20241022", "ANTHROPIC_API_KEY", 400000, 4000),
    ("claude-3.7-sonnet", "anthropic/claude-3-7-sonnet-20250219", "ANTHROPIC_API_KEY", 125000, 6250),
    ("claude-4-sonnet", "anthropic/claude-sonnet-4-20250514", "ANTHROPIC_API_KEY", 400000, None),
    ("gemini-pro", "gemini/gemini-pro", "GEMINI_API_KEY", 2000000, 150),
    ("gemini-2.5-flash", "gemini/gemini-2.5-flash", "GEMINI_API_KEY", 4000000, 2000),
    ("gemini-2.5-flash-exp", "gemini/gemini-2.5-flash-exp", "GEMINI_API_KEY", 4000000, 2000),
    ("azure-gpt-4o", "azure/gpt-4o", "AZURE_API_KEY", 30000, 1800),
    ("azure-gpt-4o-mini", "azure/gpt-4o-mini", "AZURE_API_KEY", 50000, 5000),
    ("azure-o3-mini", "azure/o3-mini", "AZURE_API_KEY", 50000, 50),
    ("azure-o1", "azure/o1", "AZURE_API_KEY", 30000, 50),
)
AZURE_VERSIONS = {"azure-o3-mini": "2024-12-01-preview", "azure-o1": "2024-12-01-preview"}


def read_key(name):
    """Returns a key; "" for one that is not there."""
    try:
        return (KEYS / name).read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return ""


def need_key(name):
    return read_key(name) or sys.exit(f"litellm: the key {name} is not there: slipway keys sync buttercup")


def hosted(alias, model, key, tokens, requests):
    """One model of a provider whose key is there."""
    parameters = {"model": model, "api_key": f"os.environ/{key}", "tpm": tokens}
    if requests:
        parameters["rpm"] = requests
    if key == "AZURE_API_KEY":
        parameters["api_base"] = "os.environ/AZURE_API_BASE"
    if alias in AZURE_VERSIONS:
        parameters["api_version"] = AZURE_VERSIONS[alias]
    return {"model_name": alias, "litellm_params": parameters}


def local(alias, base, model):
    """The same name, answered by a model of Ollama: for trying things out, not for finding bugs."""
    return {"model_name": alias, "litellm_params": {"model": f"ollama_chat/{model}", "api_base": base}}


def configuration(keys, settings):
    """`keys`: the providers' keys that are there; `settings`: the environment."""
    if "AZURE_API_KEY" in keys and not settings.get("AZURE_API_BASE"):
        sys.exit("litellm: AZURE_API_KEY is there, but AZURE_API_BASE is not: set it in compose/env")
    models = [hosted(*row) for row in MODELS if row[2] in keys]
    base = settings.get("BC_OLLAMA_API_BASE")
    if base:
        names = {row["model_name"] for row in models}
        models += [local(row[0], base, settings["BC_OLLAMA_MODEL"]) for row in MODELS if row[0] not in names]
    if not models:
        sys.exit(f"litellm: no key of a language model is there: slipway keys set {PROVIDERS[0]}")
    budget = {}
    if float(settings.get("LITELLM_MAX_BUDGET") or 0) > 0:
        budget = {"max_budget": float(settings["LITELLM_MAX_BUDGET"]),
                  "budget_duration": settings.get("LITELLM_BUDGET_DURATION") or "30d"}
    return {"model_list": models, "general_settings": {"master_key": "os.environ/BUTTERCUP_LITELLM_KEY"},
            "litellm_settings": {"telemetry": False, **budget}}


def start(command):
    keys = {name: value for name in PROVIDERS if (value := read_key(name))}
    # JSON is YAML, too.
    CONFIGURATION.write_text(json.dumps(configuration(keys, os.environ), indent=1), encoding="utf-8")
    os.environ.update(keys, BUTTERCUP_LITELLM_KEY=need_key("BUTTERCUP_LITELLM_KEY"))
    password = need_key("LITELLM_DB_PASSWORD")
    os.environ["DATABASE_URL"] = f"postgresql://litellm_user:{password}@litellm-db:5432/litellm"
    os.execvp(command[0], [*command, "--config", str(CONFIGURATION)])


def ask(headers):
    """Returns the status, and the names of the models, of a LiteLLM in this container."""
    request = urllib.request.Request("http://127.0.0.1:8080/v1/models", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, {one["id"] for one in json.load(answer)["data"]}
    except urllib.error.HTTPError as error:
        return error.code, set()


def test():
    status, _ = ask({})
    if status != 401:
        sys.exit(f"without a key, LiteLLM answers {status}, not 401")
    status, found = ask({"Authorization": f"Bearer {need_key('BUTTERCUP_LITELLM_KEY')}"})
    wanted = {row["model_name"] for row in json.loads(CONFIGURATION.read_text(encoding="utf-8"))["model_list"]}
    if status != 200 or not wanted <= found:
        sys.exit(f"with the key, LiteLLM answers {status}; it lacks {', '.join(sorted(wanted - found)) or 'nothing'}")
    print(f"{len(wanted)} models")


if __name__ == "__main__":
    if sys.argv[1:] == ["--test"]:
        test()
    else:
        start(sys.argv[1:])
