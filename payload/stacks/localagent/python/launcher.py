"""The `localagent` command: our working commands first, everything else is upstream's.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import asyncio
import json
import os
import pathlib
import sys

import effective as configuration

OK, FAILED, USAGE, BAD_CONFIG, INTERRUPTED = 0, 1, 2, 78, 130
PREFIX = pathlib.Path(__file__).resolve().parent.parent
SOURCE = PREFIX / "src"
EPILOGUE = """\
configuration: defaults < --config FILE or config.yaml < LOCALAGENT_* variables
keys:          slipway keys set OPENAI_API_KEY (GEMINI_API_KEY, PERPLEXITY_API_KEY)
statuses:      0 done, 1 no answer, 2 usage, 78 configuration

Every other command is upstream's; `localagent upstream --help` lists them."""
# Said before upstream runs them, because upstream does not.
HOLLOW = {
    "workflow": "runs no agent: it walks its phases without asking a provider",
    "web-terminal": "only prints a line: there is no web terminal",
    "health": "contacts no provider; use: localagent providers --health",
    "init": "saves no keys here; use: slipway keys set NAME",
}


def say(text):
    print(f"localagent: {text}", file=sys.stderr)


def make_parser():
    parser = argparse.ArgumentParser(
        prog="localagent", description="Talk to local and hosted language models.",
        epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    complete = commands.add_parser("complete", help="ask once; '-' reads the prompt from stdin")
    complete.add_argument("prompt")
    complete.add_argument("--system", metavar="TEXT", help="instructions that come first")
    complete.add_argument("--stream", action="store_true", help="print the answer as it comes")
    complete.add_argument("--fallback", action="store_true", help="let enabled providers stand in")
    complete.add_argument("--json", action="store_true", help="one JSON document")
    chat = commands.add_parser("chat", help="ask line by line; the conversation is remembered")
    for command in (complete, chat):
        command.add_argument("-p", "--provider", choices=configuration.PROVIDERS)
        command.add_argument("-m", "--model")
        command.add_argument("--max-tokens", type=int, metavar="N")
        command.add_argument("--temperature", type=float, default=0.7, metavar="T")

    models = commands.add_parser("models", help="models of each provider that can be used")
    models.add_argument("-p", "--provider", choices=configuration.PROVIDERS)
    models.add_argument("--json", action="store_true")
    providers = commands.add_parser("providers", help="providers and whether they answer")
    providers.add_argument("-l", "--list", action="store_true", help="do not contact them")
    providers.add_argument("--health", action="store_true", help="fail if the default one is down")
    providers.add_argument("--json", action="store_true")
    config = commands.add_parser("config", help="the effective configuration")
    config.add_argument("--validate", action="store_true")
    config.add_argument("--show", action="store_true", help="each value and its source (default)")
    config.add_argument("--json", action="store_true")
    commands.add_parser("upstream", help="upstream's command line, as it is", add_help=False)
    return parser


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def cmd_config(args, effective):
    errors = effective.problems()
    if args.json:
        print(json.dumps({"schema": 1, "file": str(effective.file) if effective.file else None,
                          "values": effective.public(), "warnings": effective.warnings,
                          "errors": errors}, indent=2))
    elif not args.validate or args.show:
        public = configuration.Effective()
        public.values = effective.public()
        table([("setting", "value", "source")]
              + [(".".join(path), "" if public.get(*path) is None else str(public.get(*path)), source)
                 for path, source in effective.sources.items()])
    if not args.validate:
        return OK
    for text in effective.warnings:
        say(f"warning: {text}")
    for text in errors:
        say(f"error: {text}")
    if not args.json and not errors:
        print(f"configuration is valid ({effective.file or 'no file'})")
    return BAD_CONFIG if errors else OK


async def cmd_providers(args, effective):
    from providers import Providers

    rows = {}
    async with Providers(effective) as providers:
        for name in configuration.PROVIDERS:
            has_needs = name in providers.names()
            health = {} if args.list or not has_needs else await providers.health(name)
            rows[name] = {
                "default": name == effective.get("default_provider"),
                "enabled": effective.get("providers", name, "enabled"),
                "configured": has_needs,
                "healthy": health.get("healthy"),
                "models": health.get("models_available"),
                "error": health.get("error"),
                "model": effective.get("providers", name, "default_model"),
            }
    if args.json:
        print(json.dumps({"schema": 1, "providers": rows}, indent=2))
    else:
        words = {None: "-", True: "yes", False: "no"}
        table([("provider", "default", "enabled", "key", "answers", "models", "default model")]
              + [(name, words[row["default"]], words[row["enabled"]],
                  "none needed" if name == "ollama" else words[row["configured"]],
                  words[row["healthy"]], str(row["models"]) if row["healthy"] else "-", row["model"])
                 for name, row in rows.items()])
    is_down = args.health and not rows[effective.get("default_provider")]["healthy"]
    return FAILED if is_down else OK


async def cmd_models(args, effective):
    from providers import Providers, ProviderError

    async with Providers(effective) as providers:
        names = [args.provider] if args.provider else providers.names()
        found = {}
        for name in names:
            health = await providers.health(name)
            if health.get("healthy"):
                found[name] = await providers.models(name)
            else:
                say(f"provider {name} is not available: {health.get('error') or 'no answer'}")
    if args.json:
        print(json.dumps({"schema": 1, "models": found}, indent=2))
    else:
        for name, models in found.items():
            for model in models:
                print(f"{name}\t{model}")
    if not found:
        raise ProviderError("no provider answered")
    return OK


def options_of(args):
    return {"model": args.model, "max_tokens": args.max_tokens, "temperature": args.temperature}


async def print_stream(pieces):
    text = ""
    async for piece in pieces:
        text += piece
        print(piece, end="", flush=True)
    print()
    return text


async def cmd_complete(args, effective):
    from providers import Providers, candidates

    prompt = sys.stdin.read() if args.prompt == "-" else args.prompt
    if not prompt.strip():
        say("the prompt is empty")
        return USAGE
    messages = [{"role": "system", "content": args.system}] if args.system else []
    messages.append({"role": "user", "content": prompt})
    order = candidates(effective, args.provider, args.fallback)
    async with Providers(effective) as providers:
        if args.stream and not args.json:
            await print_stream(providers.stream(messages, options_of(args), order[0]))
            return OK
        answer = await providers.complete(messages, options_of(args), order)
    if args.json:
        print(json.dumps({"schema": 1, "provider": answer.provider, "model": answer.model,
                          "content": answer.content, "usage": answer.usage, "cost": answer.cost,
                          "citations": answer.citations}, indent=2))
    else:
        print(answer.content)
    return OK


async def cmd_chat(args, effective):
    from providers import Providers, ProviderError, candidates

    name = candidates(effective, args.provider)[0]
    messages = []
    if sys.stdin.isatty():
        say(f"talking to {name}; an empty line or Ctrl-D ends it")
    async with Providers(effective) as providers:
        while True:
            if sys.stdin.isatty():
                print("> ", end="", file=sys.stderr, flush=True)
            line = (await asyncio.to_thread(sys.stdin.readline)).strip()
            if not line:
                return OK
            messages.append({"role": "user", "content": line})
            try:
                text = await print_stream(providers.stream(messages, options_of(args), name))
            except ProviderError as error:
                if not sys.stdin.isatty():
                    raise
                say(f"error: {error}")
                messages.pop()
                continue
            messages.append({"role": "assistant", "content": text})


def hand_over(effective):
    """Makes upstream take the effective configuration as it is: in memory, no key on disk."""
    from app.cli.core.config import ConfigurationManager

    default = effective.get("default_provider")
    in_use = {name: provider for name, provider in effective.get("providers").items()
              if provider["enabled"] or provider["api_key"] or name == default}
    values = dict(effective.values, config_dir=pathlib.Path(effective.get("config_dir")),
                  providers=in_use)

    async def no_file(_):
        return {}

    ConfigurationManager._get_default_config = lambda _: values
    ConfigurationManager._load_from_environment = lambda _: {}
    ConfigurationManager._load_from_files = no_file


def run_upstream(arguments, explicit):
    effective = configuration.load(explicit)
    os.environ["LOCALAGENT_OLLAMA_BASE_URL"] = effective.get("providers", "ollama", "base_url")
    command = next((word for word in arguments if not word.startswith("-")), None)
    is_help = "--help" in arguments or "-h" in arguments
    if command in HOLLOW and not is_help:
        say(f"note: upstream's {command} {HOLLOW[command]}")
    # Upstream ships stale entry points; half of its own plugins fail to load.
    if command != "plugins" and not effective.get("plugins", "auto_load_plugins"):
        arguments = ["--no-plugins"] + arguments
    hand_over(effective)
    from app.cli.core.app import main as upstream_main

    sys.argv = ["localagent"] + arguments
    upstream_main()
    return OK


COMMANDS = {"config": cmd_config, "providers": cmd_providers, "models": cmd_models,
            "complete": cmd_complete, "chat": cmd_chat}


def split(arguments):
    """The --config FILE before the command, the command's name, and the words for upstream."""
    explicit, rest = None, list(arguments)
    while rest and rest[0].startswith("--config"):
        word = rest.pop(0)
        if word.startswith("--config="):
            explicit = word.partition("=")[2]
        elif word == "--config" and rest:
            explicit = rest.pop(0)
        else:
            return None, None, arguments
    return explicit, rest[0] if rest else None, rest


def run(arguments):
    explicit, command, rest = split(arguments)
    if command == "upstream":
        return run_upstream(rest[1:], explicit)
    if command not in COMMANDS and command not in (None, "-h", "--help"):
        return run_upstream(rest, explicit)
    args = make_parser().parse_args(arguments or ["--help"])
    effective = configuration.load(args.config)
    os.environ["LOCALAGENT_OLLAMA_BASE_URL"] = effective.get("providers", "ollama", "base_url")
    answer = COMMANDS[args.command](args, effective)
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


def main(arguments):
    sys.path.insert(1, str(SOURCE))
    if not (SOURCE / "app").is_dir():
        say(f"error: {SOURCE} is missing or not whole; run: slipway install localagent")
        return FAILED
    try:
        return run(arguments)
    except configuration.ConfigError as error:
        for message in error.messages:
            say(f"error: {message}")
        return BAD_CONFIG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except Exception as error:
        if type(error).__name__ != "ProviderError":
            raise
        say(f"error: {error}")
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
