"""Stack octollm on a test's engine: Qdrant, Grafana, the orchestrator, the reflex layer and the executor are
tests/scenarios/stack_stand_in.py.  The arms and the two Rust services are built from the stack's own
Dockerfiles.
"""
import re
import shutil

import stack_rig
import upstream
from stack_rig import GRAFANA, POSTGRES, PROMETHEUS, REDIS

STACK = stack_rig.STACKS / "octollm"
CRATES = {"reflex": "reflex-layer", "executor": "executor-arm"}
ARMS = {"planner": 8001, "retriever": 8002, "coder": 8003, "judge": 8004, "safety-guardian": 8005}
CARGO = """#!/bin/sh
# cargo build --release --locked -p CRATE
set -eu
[ "$1 $2 $3 $4" = "build --release --locked -p" ] && [ -f Cargo.lock ] && [ -f services/reflex-layer/src/main.rs ]
mkdir -p target/release
printf '#!/bin/sh\\nexec stand-in %s \"$@\"\\n' "$5" >"target/release/$5"
"""
ADD = "ADD stand-in /usr/local/bin/\n"
DOCKERFILES = {
    "postgres": POSTGRES, "redis": REDIS, "prometheus": PROMETHEUS, "grafana": GRAFANA,
    "qdrant": ADD + "RUN mkdir -p /qdrant/storage\nWORKDIR /qdrant\n"
              "RUN printf '#!/bin/sh\\nexec stand-in qdrant \"$@\"\\n' >entrypoint.sh && chmod 755 entrypoint.sh\n"
              "CMD [\"./entrypoint.sh\"]\n",
    # A compiler that knows two crates: what they make is started by the stack's own Dockerfile.
    "rust": "ADD cargo /usr/local/bin/\n",
    "debian": ADD,
    "orchestrator": ADD + "ADD start.sh /app/start\nADD quick_test.py /app/\n"
                    "RUN printf '#!/bin/sh\\nexec stand-in orchestrator\\n' >/usr/local/bin/uvicorn"
                    " && chmod 755 /usr/local/bin/uvicorn\nUSER 1000:1000\nENTRYPOINT [\"/app/start\"]\n",
}
UPSTREAM = {
    "Cargo.toml": "# stand-in\n", "Cargo.lock": "# stand-in\n", "shared/rust/README": "stand-in\n",
    "services/arms/executor/Cargo.toml": "# stand-in\n", "services/orchestrator/app/__init__.py": "# stand-in\n",
    **{f"services/arms/{arm}/README.md": "stand-in\n" for arm in ARMS}}


def image(role):
    return f"octollm-test-{role}:1"


def make_images(engine, has_ours=True):
    """Those that the stack's own Dockerfiles make only if `has_ours`: where they are not there, a start makes
    them."""
    stack_rig.make_images(engine, {image(role): text for role, text in DOCKERFILES.items()}, {
        "cargo": CARGO, "start.sh": STACK / "images/start.sh", "quick_test.py": STACK / "images/quick_test.py"})
    if not has_ours:
        return
    context = make_context(engine.top / "octollm-context")
    for arm, port in ARMS.items():
        stack_rig.build(engine, context, image(arm), *dockerfile(context, "arm", ARM=arm, PORT=port))
    for role, crate in CRATES.items():
        stack_rig.build(engine, context, image(role), *dockerfile(context, "rust", CRATE=crate))


def make_context(place):
    """What the images are built from, as an installation has it."""
    upstream.write(place / "src", STACK, UPSTREAM)
    shutil.copytree(STACK / "images", place / "images")
    shutil.copy(STACK / "images/dockerignore", place / ".dockerignore")
    return place


def dockerfile(context, name, **arguments):
    """The options that build from one of the stack's Dockerfiles, on stand-ins."""
    path = context / f"images/{name}.Dockerfile"
    words = ["-f", str(path)]
    for key, value in {**arguments, **BASES}.items():
        if key in path.read_text():
            words += ["--build-arg", f"{key}={value}"]
    return words


BASES = {"OCTO_PYTHON_IMAGE": stack_rig.DEBIAN, "OCTO_RUST_IMAGE": image("rust"), "OCTO_DEBIAN_IMAGE": image("debian")}


def make_stack(place, top, ports=None, interval=2):
    """A copy of the definition for the stand-ins, with these numbers for the variables of its ports, and a
    repository in `top`; returns options for install."""
    roles = ("postgres", "redis", "qdrant", "prometheus", "grafana", "reflex", "orchestrator", "executor", *ARMS)
    stack_rig.copy_definition(STACK, place, "compose", {
        **BASES, **{f"OCTO_{role.upper().replace('-', '_')}_IMAGE": image(role) for role in roles}}, interval)
    ini = place / "stack.ini"
    text = ini.read_text()
    for name, value in (ports or {}).items():
        text = re.sub(rf"^number = \d+\nvariable = {name}$", f"number = {value}\nvariable = {name}", text, flags=re.M)
    ini.write_text(text)
    upstream.write(top, STACK, UPSTREAM)
    return [*stack_rig.SMALL, "--set", f"source.url=file://{top},source.revision={upstream.commit(top)}"]
