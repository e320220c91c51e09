"""The effective configuration of LocalAgent: defaults < file < environment, merged key by key.

SPDX-License-Identifier: Apache-2.0
"""
import copy
import difflib
import os
import pathlib
from collections import namedtuple
from urllib.parse import urlsplit

PROVIDERS = ("ollama", "openai", "gemini", "perplexity")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FILE_NAMES = ("config.yaml", "config.yml", "config.json")
# Names that older set-ups use and nothing reads.
DEAD_NAMES = {
    "OLLAMA_BASE_URL": "LOCALAGENT_OLLAMA_BASE_URL",
    "MCP_MEMORY_URL": "LOCALAGENT_MCP_REDIS_URL",
    "MCP_COORDINATION_URL": "LOCALAGENT_MCP_REDIS_URL",
    "LOCALAGENT_SECURE_KEYSTORE": None,
    "LOCALAGENT_CACHE_ENABLED": None,
    "LOCALAGENT_DEBUG_PROVIDERS": None,
    "LOCALAGENT_LOG_FILE": None,
    "UNIFIED_WORKFLOW_ENABLED": None,
}

# One row, one setting; rule is a range, a tuple of choices, or None.
Setting = namedtuple("Setting", "path variable kind rule default")


def _provider_settings(name):
    prefix = f"LOCALAGENT_{name.upper()}_"
    is_local = name == "ollama"
    models = {"ollama": "llama3.2:3b", "openai": "gpt-4o-mini", "gemini": "gemini-1.5-flash",
              "perplexity": "sonar"}
    url = "http://localhost:11434" if is_local else None
    return [
        Setting(("providers", name, "base_url"), prefix + "BASE_URL", "url", None, url),
        Setting(("providers", name, "api_key"), prefix + "API_KEY", "text", None, None),
        Setting(("providers", name, "default_model"), prefix + "DEFAULT_MODEL", "text", None,
                models[name]),
        Setting(("providers", name, "timeout"), prefix + "TIMEOUT", "number", range(1, 601), 120),
        Setting(("providers", name, "rate_limit"), None, "number", range(1, 1_000_001), None),
        Setting(("providers", name, "enabled"), prefix + "ENABLED", "flag", None, is_local),
    ]


SETTINGS = [
    Setting(("config_dir",), "LOCALAGENT_CONFIG_DIR", "text", None, "~/.localagent"),
    Setting(("log_level",), "LOCALAGENT_LOG_LEVEL", "choice", LEVELS, "INFO"),
    Setting(("debug_mode",), "LOCALAGENT_DEBUG_MODE", "flag", None, False),
    Setting(("default_provider",), "LOCALAGENT_DEFAULT_PROVIDER", "choice", PROVIDERS, "ollama"),
    *[setting for name in PROVIDERS for setting in _provider_settings(name)],
    Setting(("orchestration", "max_parallel_agents"), "LOCALAGENT_MAX_PARALLEL_AGENTS", "number",
            range(1, 51), 10),
    Setting(("orchestration", "max_workflow_iterations"), "LOCALAGENT_MAX_WORKFLOW_ITERATIONS",
            "number", range(1, 11), 3),
    Setting(("orchestration", "enable_evidence_collection"),
            "LOCALAGENT_ENABLE_EVIDENCE_COLLECTION", "flag", None, True),
    Setting(("orchestration", "enable_cross_session_continuity"),
            "LOCALAGENT_ENABLE_CROSS_SESSION_CONTINUITY", "flag", None, True),
    Setting(("orchestration", "default_timeout"), None, "number", range(30, 3601), 300),
    Setting(("mcp", "redis_url"), "LOCALAGENT_MCP_REDIS_URL", "redis", None,
            "redis://localhost:6379"),
    Setting(("mcp", "memory_retention_days"), "LOCALAGENT_MCP_MEMORY_RETENTION_DAYS", "number",
            range(1, 366), 7),
    Setting(("mcp", "enable_timeline"), None, "flag", None, True),
    Setting(("mcp", "enable_context_compression"), None, "flag", None, True),
    Setting(("plugins", "enabled_plugins"), None, "list", None, []),
    Setting(("plugins", "auto_load_plugins"), None, "flag", None, False),
    Setting(("plugins", "plugin_directories"), None, "list", None, ["~/.localagent/plugins"]),
    Setting(("plugins", "allow_dev_plugins"), None, "flag", None, False),
]
BY_PATH = {setting.path: setting for setting in SETTINGS}


class ConfigError(Exception):
    """The messages of everything that is wrong, one for each line."""

    def __init__(self, messages):
        super().__init__("\n".join(messages))
        self.messages = messages


class Effective:
    """values: nested dictionaries; sources: path -> where the value came from."""

    def __init__(self):
        self.values = {}
        self.sources = {}
        self.warnings = []
        self.file = None

    def get(self, *path):
        node = self.values
        for key in path:
            node = node[key]
        return node

    def put(self, path, value, source):
        node = self.values
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
        self.sources[path] = source

    def public(self):
        """A copy in which keys are not shown."""
        values = copy.deepcopy(self.values)
        for provider in values["providers"].values():
            if provider["api_key"]:
                provider["api_key"] = "(set)"
        return values

    def problems(self):
        """What is wrong with the combination, as messages."""
        default = self.get("default_provider")
        found = []
        for name in PROVIDERS:
            is_used = name == default or self.get("providers", name, "enabled")
            if name != "ollama" and is_used and not self.get("providers", name, "api_key"):
                found.append(f"provider {name} is in use but has no key; "
                             f"run: slipway keys set {name.upper()}_API_KEY")
        return found


def _flag(value):
    if isinstance(value, bool):
        return value
    answer = {"true": True, "yes": True, "1": True, "on": True,
              "false": False, "no": False, "0": False, "off": False}.get(str(value).lower())
    if answer is None:
        raise ValueError(f"{value!r} is neither true nor false")
    return answer


def _number(value, allowed):
    try:
        if isinstance(value, (bool, float)):
            raise ValueError
        number = int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a whole number") from None
    if number not in allowed:
        raise ValueError(f"{number} is not within {allowed.start} to {allowed.stop - 1}")
    return number


def _url(value, schemes):
    try:
        parts = urlsplit(str(value))
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError(f"{value!r} is not a URL that starts with "
                         + " or ".join(scheme + "://" for scheme in schemes))
    return str(value).rstrip("/")


def _choice(value, choices):
    for choice in choices:
        if str(value).lower() == choice.lower():
            return choice
    raise ValueError(f"{value!r} is none of {', '.join(choices)}")


def _list(value):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("is not a list of texts")
    return value


def _text(value):
    if not isinstance(value, str):
        raise ValueError("is not a text; put it into quotes")
    return value


def convert(setting, value):
    """Returns the value in its type; ValueError says what is wrong with it."""
    if value is None:
        return setting.default
    readers = {
        "flag": lambda: _flag(value),
        "number": lambda: _number(value, setting.rule),
        "choice": lambda: _choice(value, setting.rule),
        "url": lambda: _url(value, ("http", "https")),
        "redis": lambda: _url(value, ("redis", "rediss")),
        "list": lambda: _list(value),
        "text": lambda: _text(value),
    }
    return readers[setting.kind]()


def _unknown(path):
    known = sorted({known[len(path) - 1] for known in BY_PATH
                    if len(known) >= len(path) and known[:len(path) - 1] == path[:-1]})
    near = difflib.get_close_matches(str(path[-1]), known, 1)
    hint = f"did you mean {near[0]}?" if near else "known here: " + ", ".join(known)
    return f"unknown key; {hint}"


def _read_file(path):
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            data = yaml.safe_load(file)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise ConfigError([f"{place}: {getattr(error, 'problem', None) or error}"]) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError([f"{path}: is not a mapping of keys to values"])
    return data


def _apply_file(effective, node, path, errors):
    for key, value in node.items():
        here = path + (str(key),)
        place = f"{effective.file}: {'.'.join(here)}"
        is_section = any(known[:len(here)] == here and len(known) > len(here) for known in BY_PATH)
        if here in BY_PATH:
            try:
                effective.put(here, convert(BY_PATH[here], value), str(effective.file))
            except ValueError as error:
                errors.append(f"{place}: {error}")
        elif not is_section:
            errors.append(f"{place}: {_unknown(here)}")
        elif isinstance(value, dict):
            _apply_file(effective, value, here, errors)
        elif value is not None:
            errors.append(f"{place}: is not a section")


def _apply_environment(effective, environ, errors):
    for setting in SETTINGS:
        text = environ.get(setting.variable) if setting.variable else None
        if not text:
            continue
        try:
            effective.put(setting.path, convert(setting, text), setting.variable)
        except ValueError as error:
            errors.append(f"environment: {setting.variable}: {error}")


def read_secret(name, environ):
    """The secret NAME: its variable, else the file of that name in LOCALAGENT_KEYS_DIR, else None."""
    if environ.get(name):
        return environ[name]
    directory = environ.get("LOCALAGENT_KEYS_DIR")
    if not directory:
        return None
    try:
        return pathlib.Path(directory, name).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{directory}/{name}: cannot be read: {error}"]) from None


def _apply_keys(effective, environ):
    for name in PROVIDERS[1:]:
        path = ("providers", name, "api_key")
        variable = f"{name.upper()}_API_KEY"
        if effective.sources[path].startswith("LOCALAGENT_"):
            continue
        secret = read_secret(variable, environ)
        if secret:
            effective.put(path, secret, variable)
        elif effective.get(*path):
            effective.warnings.append(f"{effective.file}: {'.'.join(path)}: a key in the clear; "
                                      f"run: slipway keys set {variable}")


def find_file(explicit, environ):
    """The configuration file, or None: the one that was named, else the first in the directory."""
    if explicit:
        return pathlib.Path(explicit).expanduser()
    directory = pathlib.Path(environ.get("LOCALAGENT_CONFIG_DIR") or "~/.localagent").expanduser()
    return next((directory / name for name in FILE_NAMES if (directory / name).is_file()), None)


def load(explicit=None, environ=os.environ):
    """Returns the effective configuration; ConfigError lists everything that is wrong."""
    effective = Effective()
    errors = []
    for setting in SETTINGS:
        effective.put(setting.path, copy.copy(setting.default), "default")
    effective.file = find_file(explicit, environ)
    if effective.file:
        _apply_file(effective, _read_file(effective.file), (), errors)
    _apply_environment(effective, environ, errors)
    _apply_keys(effective, environ)
    if errors:
        raise ConfigError(errors)
    for name, instead in DEAD_NAMES.items():
        if environ.get(name):
            effective.warnings.append(f"environment: {name} is not read"
                                      + (f"; use {instead}" if instead else ""))
    effective.put(("config_dir",), str(pathlib.Path(effective.get("config_dir")).expanduser()),
                  effective.sources[("config_dir",)])
    return effective
