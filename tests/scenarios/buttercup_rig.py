"""Stack buttercup on a test's engine: the supervisor and the nested engine are Debian's, the stack's own small
programs are those that users get, and everything else is tests/scenarios/stack_stand_in.py.
"""
import re

import stack_rig
import upstream
from stack_rig import GRAFANA, POSTGRES, PROMETHEUS, REDIS

STACK = stack_rig.STACKS / "buttercup"
# Upstream's, whose stand-in has their names.
PROGRAMS = ("buttercup-task-server", "buttercup-task-downloader", "buttercup-scheduler",
            "buttercup-pov-reproducer", "buttercup-scratch-cleaner", "buttercup-ui", "buttercup-fuzzer-builder",
            "buttercup-fuzzer", "buttercup-coverage-bot", "buttercup-tracer-bot", "buttercup-corpus-merger",
            "buttercup-program-model", "buttercup-patcher", "seed-gen")
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
WORKER = f"""ADD lib /usr/local/lib/buttercup/
ADD stand-in /usr/local/bin/
RUN for name in {' '.join(PROGRAMS)}; do ln -s stand-in /usr/local/bin/$name; done
"""
DOCKERFILES = {
    "postgres": POSTGRES, "redis": REDIS, "prometheus": PROMETHEUS, "grafana": GRAFANA, "worker": WORKER,
    "dind": "ADD dind-entry /usr/local/bin/dockerd-entrypoint.sh\nENTRYPOINT [\"dockerd-entrypoint.sh\"]\n",
    "litellm": "ADD stand-in /usr/local/bin/litellm\n",
    "orchestrator": WORKER + "ADD orchestrator.conf /etc/buttercup/supervisord.conf\n"
                             "RUN install -d -o 1000 -g 1000 /ui_data\n",
    "fuzzer": WORKER + "ADD unified-fuzzer.conf /etc/buttercup/supervisord.conf\n",
}
IMAGES = {"REDIS": "redis", "POSTGRES": "postgres", "LITELLM": "litellm", "DIND": "dind",
          "PROMETHEUS": "prometheus", "GRAFANA": "grafana", "ORCHESTRATOR": "orchestrator", "FUZZER": "fuzzer",
          "PROGRAM_MODEL": "worker", "PATCHER": "worker", "SEED_GEN": "worker"}


def image(role):
    return f"buttercup-test-{role}:1"


def make_images(engine):
    # The stand-ins are there at once, and what ends is given up sooner.
    files = {name: re.sub(r"(startsecs|startretries) = \d+", r"\1 = 2", (STACK / "images" / name).read_text())
             for name in ("orchestrator.conf", "unified-fuzzer.conf")}
    stack_rig.make_images(engine, {image(role): text for role, text in DOCKERFILES.items()},
                          {**files, "lib": STACK / "images", "dind-entry": DIND_ENTRY})


def make_stack(place, top, interval=2):
    """A copy of the definition for the stand-ins, with repositories below `top`; returns options for install."""
    values = {name: "1" for name in re.findall(r"^(BC_[A-Z_]+_CPUS)=", (STACK / "compose/env").read_text(), re.M)}
    values.update({f"BC_{name}_IMAGE": image(role) for name, role in IMAGES.items()})
    stack_rig.copy_definition(STACK, place, "compose", {
        **values, "BC_DIND_MEMORY": "2g", "BC_FUZZER_MEMORY": "2g"}, interval)
    for path in (place / "compose").glob("*.yaml"):
        path.write_text(path.read_text().replace("    privileged: true\n", PRIVILEGED).replace(
            "      - dind-docker:/var/lib/docker\n",
            "      - dind-docker:/var/lib/docker\n      - /sys/fs/cgroup:/sys/fs/cgroup:rw\n"))
    upstream.write(top / "source", STACK)
    upstream.write(top / "cscope", files={"configure.ac": "# stand-in\n"})
    ini = place / "stack.ini"
    text = ini.read_text()
    for name, section in (("source", "[source]"), ("cscope", "[step cscope]")):
        revision = upstream.commit(top / name)
        text = re.sub(rf"({re.escape(section)}\n(?:\S.*\n)*?url = ).*\nrevision = .*",
                      rf"\g<1>file://{top}/{name}\nrevision = {revision}", text)
    ini.write_text(text)
    return list(stack_rig.SMALL)
