"""Stack localagent on a test's engine: images named as the definition names them.

Redis, Prometheus and Python are Debian's; Python's packages are those of the stack's lock file, from the
package index, loaded once.  Ollama and Grafana are tests/scenarios/localagent_stand_in.py, and so are
upstream's providers: a few lines that speak Ollama's API, in upstream's layout.  The gateway's image is
built by the Dockerfile that users get.
"""
import pathlib
import shutil

import rig
import upstream
import wheels

HERE = pathlib.Path(__file__).parent
STACK = rig.TOP / "payload/stacks/localagent"
PACKAGES = ("redis-server", "prometheus", "python3", "python3-venv", "curl", "busybox-static")
MODEL = "llama3.2:3b"
REPOSITORY = "https://github.com/zvirb/LocalAgent"

# As the image of Redis does it.
REDIS_ENTRY = """#!/bin/sh
set -e
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  chown redis /data
  exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
exec "$@"
"""
STAND_IN = "ADD stand-in.py /usr/bin/stand-in\nRUN chmod 755 /usr/bin/stand-in\n"
DOCKERFILES = {
    "redis:7.2-alpine":
        "ADD redis-entry /usr/local/bin/docker-entrypoint.sh\nRUN mkdir /data\nWORKDIR /data\n"
        'ENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["redis-server"]\n',
    "prom/prometheus:v2.53.0":
        "RUN ln -s /bin/busybox /bin/wget && mkdir /prometheus && chown 65534:65534 /prometheus\n"
        'USER 65534\nENTRYPOINT ["/usr/bin/prometheus"]\n',
    "grafana/grafana:11.4.0":
        STAND_IN + "RUN mkdir -p /var/lib/grafana && chown 472:472 /var/lib/grafana\n"
        'USER 472\nENTRYPOINT ["stand-in", "grafana"]\n',
    "ollama/ollama:0.33.2":
        STAND_IN + 'RUN mv /usr/bin/stand-in /usr/bin/ollama\nENTRYPOINT ["ollama"]\nCMD ["serve"]\n',
    # pip finds what the lock file names, and nothing else.
    "python:3.12-slim-bookworm":
        "ADD wheels /wheels\n"
        "RUN printf '[global]\\nno-index = true\\nfind-links = /wheels\\n' >/etc/pip.conf\n",
}


def make_images(engine, names=None):
    """Those of `names`, else all, on one root of Debian."""
    root = rig.root_of("bookworm", *PACKAGES)
    engine.run(["sh", "-c", f"tar -C {root} --exclude ./var/cache --exclude ./var/lib/apt -c . | "
                            "docker import - localagent-test-base >/dev/null"])
    for name in names or DOCKERFILES:
        place = engine.top / "image"
        place.mkdir()
        (place / "Dockerfile").write_text(f"FROM localagent-test-base\n{DOCKERFILES[name]}")
        shutil.copy(HERE / "localagent_stand_in.py", place / "stand-in.py")
        (place / "redis-entry").write_text(REDIS_ENTRY)
        (place / "redis-entry").chmod(0o755)
        if name.startswith("python:"):
            wheels.fill("bookworm", place / "wheels")
        engine.docker("build", "-q", "--network", "none", "-t", name, str(place),
                      env=engine.environment(DOCKER_BUILDKIT="0"))
        shutil.rmtree(place)


def make_repository(top):
    """Upstream's repository in `top`/zvirb/LocalAgent; returns the id of its commit."""
    upstream.make(top)
    place = pathlib.Path(top) / "zvirb/LocalAgent"
    for name in ("agents", "workflows", "config"):
        (place / name).mkdir(exist_ok=True)
        (place / name / "README.md").write_text("stand-in\n")
    shutil.copy(HERE / "localagent_providers.py", place / "app/llm_providers/provider_manager.py")
    (place / "app/llm_providers/base_provider.py").write_text(
        "from app.llm_providers.provider_manager import CompletionRequest  # noqa: F401\n")
    upstream.git(place, "add", "-A")
    upstream.git(place, "commit", "-q", "-m", "providers")
    return upstream.git(place, "rev-parse", "HEAD")


def make_stack(place):
    """The definition, for an engine with few processors."""
    shutil.copytree(STACK, place)
    env = place / "containers/env"
    text = env.read_text()
    assert "LA_OLLAMA_CPUS=4\n" in text
    env.write_text(text.replace("LA_OLLAMA_CPUS=4\n", "LA_OLLAMA_CPUS=1\n"))


def options(top, commit):
    """What "install" needs to take the repository in `top` for upstream's, on a small machine."""
    return ["--mirror", f"https://github.com/={top}/", "--set", f"source.revision={commit}",
            "--ignore", "engine.cpus,engine.memory,engine.disk,cpu.count,mem.total,disk.space"]
