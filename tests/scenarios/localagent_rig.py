"""Stack localagent on a test's engine: images named as the definition names them.

Python's packages are those of the stack's lock file, from the package index, loaded once.  Ollama and Grafana
are tests/scenarios/stack_stand_in.py; upstream's providers are localagent_providers.py, a few lines that
speak Ollama's API, in upstream's layout.  The gateway's image is built by the Dockerfile that users get.
"""
import json
import pathlib
import shutil

import stack_rig
import upstream
import wheels

STACK = stack_rig.STACKS / "localagent"
MODEL = "llama3.2:3b"
IMAGE = "localagent:e75e46a470cb"
COMMIT = "e75e46a470cb0f40f5233b94654e296370a2f322"  # what it says of itself
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


# As the image of HAProxy does it.
PROXY_ENTRY = """#!/bin/sh
set -e
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
"""
PROXY = "haproxy:3.2-alpine"
EDIT = """import pathlib, sys
path = pathlib.Path("/app/lib/gateway.py")
old, new = sys.argv[1:]
text = path.read_text()
assert text.count(old) == 1, old
path.write_text(text.replace(old, new))"""


def make_images(engine):
    stack_rig.make_images(engine, DOCKERFILES, {"wheels": wheels.fetch("bookworm")})


def make_proxy(engine):
    """HAProxy is Debian's, of the suite that has the image's branch."""
    engine.make_image(f"{PROXY}-debian", ("haproxy", "wget"),
                      {"/usr/local/bin/docker-entrypoint.sh": (PROXY_ENTRY, 0o755)}, "sid")
    place = engine.top / "image"
    place.mkdir()
    (place / "Dockerfile").write_text(f"FROM {PROXY}-debian\nUSER haproxy\nSTOPSIGNAL SIGUSR1\n"
                                      'ENTRYPOINT ["docker-entrypoint.sh"]\n')
    stack_rig.build(engine, place, PROXY, has_buildkit=False)
    shutil.rmtree(place)


def make_version(engine, name, *edits):
    """`localagent:NAME`: the gateway's image with another commit, and `edits` (old, new) made in the gateway."""
    place = engine.top / "image"
    place.mkdir()
    lines = [f"FROM {IMAGE}", "USER 0", f"ENV LOCALAGENT_COMMIT={name}"]
    for old, new in edits:
        lines.append("RUN " + json.dumps(["python3", "-c", EDIT, old, new]))
    (place / "Dockerfile").write_text("\n".join([*lines, "USER 1000:1000", ""]))
    stack_rig.build(engine, place, f"localagent:{name}", has_buildkit=False)
    shutil.rmtree(place)


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


def make_stack(place, top, interval=2, values=()):
    """A copy of the definition for an engine with few processors, with `values` in its env and a repository below
    `top`; returns options for install."""
    stack_rig.copy_definition(STACK, place, "containers", {"LA_OLLAMA_CPUS": "1", **dict(values)}, interval)
    ini = place / "stack.ini"  # the engine has its images in memory
    ini.write_text(ini.read_text().replace("\ndisk = 10 GiB\n", "\ndisk = 1 GiB\n"))
    return [*stack_rig.SMALL, "--mirror", f"https://github.com/={top}/",
            "--set", f"source.revision={make_repository(top)}"]
