"""Stack localagent on a test's engine: images named as the definition names them.

Python's packages are those of the stack's lock file, from the package index, loaded once.  Ollama and Grafana
are tests/scenarios/stack_stand_in.py; upstream's providers are localagent_providers.py, a few lines that
speak Ollama's API, in upstream's layout.  The gateway's image is built by the Dockerfile that users get.
"""
import pathlib
import shutil

import stack_rig
import upstream
import wheels

STACK = stack_rig.STACKS / "localagent"
MODEL = "llama3.2:3b"
DOCKERFILES = {
    "redis:7.2-alpine": stack_rig.REDIS,
    "prom/prometheus:v2.53.0": stack_rig.PROMETHEUS,
    "grafana/grafana:11.4.0": stack_rig.GRAFANA,
    "ollama/ollama:0.33.2": "ADD stand-in /usr/bin/ollama\nENTRYPOINT [\"ollama\"]\nCMD [\"serve\"]\n",
    # pip finds what the lock file names, and nothing else.
    "python:3.12-slim-bookworm":
        "ADD wheels /wheels\n"
        "RUN printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' >/etc/pip.conf\n",
}


def make_images(engine):
    stack_rig.make_images(engine, DOCKERFILES, {"wheels": wheels.fetch("bookworm")})


def make_repository(top):
    """Upstream's repository in `top`/zvirb/LocalAgent; returns the id of its commit."""
    upstream.make(top)
    place = pathlib.Path(top) / "zvirb/LocalAgent"
    upstream.write(place, files={
        **{f"{name}/README.md": "stand-in\n" for name in ("agents", "workflows", "config")},
        "app/llm_providers/base_provider.py":
            "from app.llm_providers.provider_manager import CompletionRequest  # noqa: F401\n"})
    shutil.copy(pathlib.Path(__file__).with_name("localagent_providers.py"),
                place / "app/llm_providers/provider_manager.py")
    return upstream.commit(place)


def make_stack(place, top, interval=2):
    """A copy of the definition for an engine with few processors, with a repository below `top`; returns options
    for install."""
    stack_rig.copy_definition(STACK, place, "containers", {"LA_OLLAMA_CPUS": "1"}, interval)
    return [*stack_rig.SMALL, "--mirror", f"https://github.com/={top}/",
            "--set", f"source.revision={make_repository(top)}"]
