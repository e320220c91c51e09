"""Stack buttercup on a test's engine: images of Debian packages and stand-ins of ours, stand-ins for
upstream's repositories, and a copy of the definition that uses them.

PostgreSQL, Redis, Prometheus, the supervisor and the nested engine are Debian's; the stack's own small
programs are those that users get; everything else is tests/scenarios/buttercup_stand_in.py.
"""
import pathlib
import re
import shutil
import subprocess

import rig
from octollm_rig import POSTGRES_ENTRY, REDIS_ENTRY

STACK = rig.TOP / "payload/stacks/buttercup"
STAND_IN = pathlib.Path(__file__).with_name("buttercup_stand_in.py")
PACKAGES = ("redis-server", "postgresql", "prometheus", "supervisor", "docker.io", "iptables", "git",
            "python3", "python3-argon2", "curl", "wget", "procps")
PROGRAMS = ("buttercup-task-server", "buttercup-task-downloader", "buttercup-scheduler",
            "buttercup-pov-reproducer", "buttercup-scratch-cleaner", "buttercup-ui", "buttercup-fuzzer-builder",
            "buttercup-fuzzer", "buttercup-coverage-bot", "buttercup-tracer-bot", "buttercup-corpus-merger",
            "buttercup-program-model", "buttercup-patcher", "seed-gen", "litellm", "grafana")
# As the image of a nested engine does it; without networks, of which this machine's kernel may lack parts.
DIND_ENTRY = """#!/bin/sh
set -e
exec dockerd --host=unix:///var/run/docker.sock --host=tcp://0.0.0.0:2375 --bridge=none --iptables=false \\
  --ip6tables=false "$@"
"""
# What a privileged container may, as far as a machine without CAP_SYS_RESOURCE can give it.
PRIVILEGED = """    cap_add: [ALL]
    cap_drop: [SYS_RESOURCE]
    security_opt: ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"]
    device_cgroup_rules: ["a *:* rwm"]
"""
OURS = "ADD lib /usr/local/lib/buttercup/\n"
DOCKERFILES = {
    "base": f"ADD stand-in /usr/local/bin/\nRUN for name in {' '.join(PROGRAMS)}; do"
            " ln -s stand-in /usr/local/bin/$name; done\n",
    "postgres": "ENV POSTGRES_INITDB_ARGS=\nADD postgres-entry /usr/local/bin/docker-entrypoint.sh\n"
                "ENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"postgres\"]\nSTOPSIGNAL SIGINT\n",
    "redis": "ADD redis-entry /usr/local/bin/docker-entrypoint.sh\nRUN mkdir /data && chown redis /data\n"
             "WORKDIR /data\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"redis-server\"]\n",
    "dind": "ADD dind-entry /usr/local/bin/dockerd-entrypoint.sh\nENTRYPOINT [\"dockerd-entrypoint.sh\"]\n",
    "prometheus": "RUN mkdir /prometheus && chown 65534:65534 /prometheus\nUSER 65534\n"
                  "ENTRYPOINT [\"/usr/bin/prometheus\"]\n",
    "grafana": "RUN mkdir -p /var/lib/grafana && chown 472:472 /var/lib/grafana\nUSER 472\n"
               "ENTRYPOINT [\"grafana\"]\n",
    "litellm": "",
    "orchestrator": OURS + "ADD orchestrator.conf /etc/buttercup/supervisord.conf\n"
                           "RUN install -d -o 1000 -g 1000 /ui_data\n",
    "fuzzer": OURS + "ADD unified-fuzzer.conf /etc/buttercup/supervisord.conf\n",
    "worker": OURS,
}
IMAGES = {"REDIS": "redis", "POSTGRES": "postgres", "LITELLM": "litellm", "DIND": "dind",
          "PROMETHEUS": "prometheus", "GRAFANA": "grafana", "ORCHESTRATOR": "orchestrator", "FUZZER": "fuzzer",
          "PROGRAM_MODEL": "worker", "PATCHER": "worker", "SEED_GEN": "worker"}


def image(role):
    return f"buttercup-test-{role}:1"


def build(engine, place, role):
    text = DOCKERFILES[role]
    place.mkdir(parents=True)
    (place / "Dockerfile").write_text(f"FROM {image('debian' if role == 'base' else 'base')}\n{text}")
    shutil.copytree(STACK / "images", place / "lib")
    for name in ("orchestrator.conf", "unified-fuzzer.conf"):
        text = (STACK / "images" / name).read_text()
        (place / name).write_text(text.replace("startsecs = 30", "startsecs = 10"))  # stand-ins load faster
    for name, entry in (("postgres-entry", POSTGRES_ENTRY), ("redis-entry", REDIS_ENTRY), ("dind-entry", DIND_ENTRY),
                        ("stand-in", "#!/usr/bin/python3\n" + STAND_IN.read_text())):
        (place / name).write_text(entry)
        (place / name).chmod(0o755)
    engine.docker("build", "-q", "--network", "none", "-t", image(role), str(place),
                  env=engine.environment(DOCKER_BUILDKIT="0"))


def make_images(engine):
    """All of them, on one root of Debian."""
    root = rig.root_of("bookworm", *PACKAGES)
    engine.run(["sh", "-c", f"tar -C {root} --exclude ./var/cache --exclude ./var/lib/apt -c . | "
                            f"docker import - {image('debian')} >/dev/null"])
    for role in DOCKERFILES:
        build(engine, engine.top / "buttercup" / role, role)


def anchors():
    """file -> the texts that edits look for in it."""
    found = {}
    for edit in sorted((STACK / "edits").glob("*.edit")):
        name = None
        for part in re.findall(r"^file: (\S+)$|^--- find\n(.*?)^--- replace$", edit.read_text(), re.M | re.S):
            name = part[0] or name
            if part[1]:
                found.setdefault(name, []).append(part[1])
    return found


def make_repository(top, files):
    """Returns: the id of the commit."""
    def git(*arguments):
        return subprocess.run(
            ["git", "-c", "user.name=rig", "-c", "user.email=rig@localhost", "-c",
             "init.defaultBranch=main", "-C", str(top), *arguments],
            check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.strip()

    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "stand-in")
    return git("rev-parse", "HEAD")


def make_repositories(top):
    """Our own files in upstream's layout: the places that edits look for, no code.  Returns: name -> id."""
    files = {name: "# stand-in\n" + "# between\n".join(texts) for name, texts in anchors().items()}
    return {"source": make_repository(top / "source", files),
            "cscope": make_repository(top / "cscope", {"configure.ac": "# stand-in\n"})}


def make_stack(place, upstream, values, is_quick=True):
    """A copy of the definition whose env says `values`, from the repositories below `upstream`; without
    tools, which are not what is tested.  `is_quick`: its health is asked every five seconds."""
    ids = make_repositories(upstream)
    shutil.copytree(STACK, place)
    env = place / "compose/env"
    text = env.read_text()
    cpus = {name: "1" for name in re.findall(r"^(BC_[A-Z_]+_CPUS)=", text, re.M)}
    images = {f"BC_{name}_IMAGE": image(role) for name, role in IMAGES.items()}
    for name, value in {**cpus, **images, "BC_DIND_MEMORY": "2g", "BC_FUZZER_MEMORY": "2g", **values}.items():
        text, found = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
        assert found == 1, name
    env.write_text(text)
    for path in (place / "compose").glob("*.yaml"):
        text = path.read_text().replace("    privileged: true\n", PRIVILEGED).replace(
            "      - dind-docker:/var/lib/docker\n",
            "      - dind-docker:/var/lib/docker\n      - /sys/fs/cgroup:/sys/fs/cgroup:rw\n")
        if is_quick:
            text = re.sub(r"interval: \d\d+s", "interval: 5s", text)
        path.write_text(text)
    ini = place / "stack.ini"
    text = re.sub(r"^\[tool \S+\]\n(?:\S.*\n)*", "", ini.read_text(), flags=re.M)
    for name, section in (("source", r"\[source\]"), ("cscope", r"\[step cscope\]")):
        text = re.sub(rf"({section}\n(?:\S.*\n)*?url = ).*\nrevision = .*", rf"\g<1>file://{upstream}/{name}\n"
                      rf"revision = {ids[name]}", text)
    ini.write_text(text)
    return place
