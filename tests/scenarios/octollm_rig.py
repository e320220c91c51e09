"""Stack octollm on a test's engine: images of Debian packages and stand-ins of ours, a stand-in for
upstream's repository, and a copy of the definition that uses them.

PostgreSQL, Redis, Prometheus and Python are Debian's; Qdrant, Grafana, the orchestrator, the reflex layer
and the executor are tests/scenarios/octollm_stand_in.py.  The arms and the two Rust services are built from
the stack's own Dockerfiles.
"""
import pathlib
import re
import shutil
import subprocess

import rig

STACK = rig.TOP / "payload/stacks/octollm"
STAND_IN = pathlib.Path(__file__).with_name("octollm_stand_in.py")
PACKAGES = ("redis-server", "postgresql", "prometheus", "python3", "python3-venv", "python3-psycopg",
            "curl", "wget", "procps")
CRATES = {"reflex": "reflex-layer", "executor": "executor-arm"}
ARMS = {"planner": 8001, "retriever": 8002, "coder": 8003, "judge": 8004, "safety-guardian": 8005}

# As the image of PostgreSQL does it.
POSTGRES_ENTRY = """#!/bin/sh
set -eu
export PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres: "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -s "$POSTGRES_PASSWORD_FILE" ] || { echo "no $POSTGRES_PASSWORD_FILE" >&2; exit 1; }
  eval "initdb -U '$POSTGRES_USER' --pwfile='$POSTGRES_PASSWORD_FILE' --auth-local=trust \\
    --auth-host=scram-sha-256 --no-sync $POSTGRES_INITDB_ARGS" >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
  psql -U "$POSTGRES_USER" -d postgres -qc "create database \\"$POSTGRES_DB\\""
  pg_ctl -m fast -w stop >/dev/null
fi
exec postgres -c listen_addresses='*'
"""
# As the image of Redis does it.
REDIS_ENTRY = """#!/bin/sh
set -e
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis {} +
  exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
exec "$@"
"""
CARGO = """#!/bin/sh
# cargo build --release --locked -p CRATE
set -eu
[ "$1 $2 $3 $4" = "build --release --locked -p" ] && [ -f Cargo.lock ] && [ -f services/reflex-layer/src/main.rs ]
mkdir -p target/release
printf '#!/bin/sh\\nexec python3 /stand-in.py %s \"$@\"\\n' "$5" >"target/release/$5"
"""
DOCKERFILES = {
    "postgres": "ADD postgres-entry /usr/local/bin/docker-entrypoint.sh\n"
                "ENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"postgres\"]\nSTOPSIGNAL SIGINT\n",
    "redis": "ADD redis-entry /usr/local/bin/docker-entrypoint.sh\nRUN mkdir /data && chown redis /data\n"
             "WORKDIR /data\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"redis-server\"]\n",
    "qdrant": "RUN mkdir -p /qdrant/storage\nWORKDIR /qdrant\nADD stand-in.py /\n"
              "RUN printf '#!/bin/sh\\nexec python3 /stand-in.py qdrant \"$@\"\\n' >entrypoint.sh && chmod 755 entrypoint.sh\n"
              "CMD [\"./entrypoint.sh\"]\n",
    "prometheus": "RUN mkdir /prometheus && chown 65534:65534 /prometheus\nUSER 65534\n"
                  "ENTRYPOINT [\"/usr/bin/prometheus\"]\n",
    "grafana": "RUN mkdir -p /var/lib/grafana && chown 472:472 /var/lib/grafana\nADD stand-in.py /\n"
               "USER 472\nENTRYPOINT [\"python3\", \"/stand-in.py\", \"grafana\"]\n",
    # A compiler that knows two crates: what they make is started by the stack's own Dockerfile.
    "rust": "ADD cargo /usr/local/bin/\n",
    "debian": "ADD stand-in.py /\n",
    "orchestrator": "ADD start.sh /app/start\nADD stand-in.py quick_test.py /app/\n"
                    "RUN printf '#!/bin/sh\\nexec python3 /app/stand-in.py orchestrator\\n' >/usr/local/bin/uvicorn"
                    " && chmod 755 /usr/local/bin/uvicorn /app/start\n"
                    "USER 1000:1000\nENTRYPOINT [\"/app/start\"]\n",
}


def image(role):
    return f"octollm-test-{role}:1"


def build(engine, directory, tag, *options):
    engine.docker("build", "-q", "--network", "none", "-t", tag, *options, str(directory),
                  env=engine.environment(DOCKER_BUILDKIT="0"))


def make_images(engine, has_ours=True):
    """All on one root of Debian.  Those that the stack's own Dockerfiles make only if `has_ours`: where they
    are not there, a start makes them."""
    root = rig.root_of("bookworm", *PACKAGES)
    engine.run(["sh", "-c", f"tar -C {root} --exclude ./var/cache --exclude ./var/lib/apt -c . | "
                            f"docker import - {image('base')} >/dev/null"])
    place = engine.top / "octollm"
    for role, text in DOCKERFILES.items():
        at = place / role
        at.mkdir(parents=True)
        (at / "Dockerfile").write_text(f"FROM {image('base')}\n{text}")
        shutil.copy(STAND_IN, at / "stand-in.py")
        for name in ("start.sh", "quick_test.py"):
            shutil.copy(STACK / "images" / name, at)
        for name, entry in (("postgres-entry", POSTGRES_ENTRY), ("redis-entry", REDIS_ENTRY),
                            ("cargo", CARGO)):
            (at / name).write_text(entry)
            (at / name).chmod(0o755)
        build(engine, at, image(role))
    if not has_ours:
        return
    context = make_context(place / "context")
    for arm, port in ARMS.items():
        build(engine, context, image(arm), *dockerfile(context, "arm", ARM=arm, PORT=port))
    for role, crate in CRATES.items():
        build(engine, context, image(role), *dockerfile(context, "rust", CRATE=crate))


def make_context(place):
    """What the images are built from, as an installation has it."""
    make_source(place / "src")
    shutil.copytree(STACK / "images", place / "images")
    shutil.copy(STACK / "images/dockerignore", place / ".dockerignore")
    return place


def dockerfile(context, name, **arguments):
    """The options that build from one of the stack's Dockerfiles, on stand-ins."""
    words = ["-f", str(context / f"images/{name}.Dockerfile")]
    for key, value in {**arguments, "OCTO_PYTHON_IMAGE": image("base"), "OCTO_RUST_IMAGE": image("rust"),
                       "OCTO_DEBIAN_IMAGE": image("debian")}.items():
        if key in (context / f"images/{name}.Dockerfile").read_text():
            words += ["--build-arg", f"{key}={value}"]
    return words


def anchors():
    """file -> the texts that edits look for in it."""
    found = {}
    for edit in sorted((STACK / "edits").glob("*.edit")):
        text = edit.read_text()
        name = re.search(r"^file: (\S+)$", text, re.M).group(1)
        found.setdefault(name, []).extend(re.findall(r"^--- find\n(.*?)^--- replace$", text, re.M | re.S))
    return found


def make_source(top):
    """Our own files in upstream's layout: the places that edits and Dockerfiles look for, no code."""
    files = {"Cargo.toml": "# stand-in\n", "Cargo.lock": "# stand-in\n", "shared/rust/README": "stand-in\n",
             "services/arms/executor/Cargo.toml": "# stand-in\n",
             "services/orchestrator/app/__init__.py": "# stand-in\n"}
    files.update({f"services/arms/{arm}/README.md": "stand-in\n" for arm in ARMS})
    for name, texts in anchors().items():
        files[name] = "# stand-in\n" + "# between\n".join(texts)
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_repository(top):
    """Returns: the id of the commit."""
    def git(*arguments):
        return subprocess.run(
            ["git", "-c", "user.name=rig", "-c", "user.email=rig@localhost", "-c",
             "init.defaultBranch=main", "-C", str(top), *arguments],
            check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.strip()

    make_source(top)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "stand-in")
    return git("rev-parse", "HEAD")


def images():
    """variable of compose/.env -> the stand-in."""
    roles = ("postgres", "redis", "qdrant", "prometheus", "grafana", "rust", "debian", "reflex",
             "orchestrator", "executor", *ARMS)
    return {"OCTO_PYTHON_IMAGE": image("base"),
            **{f"OCTO_{role.upper().replace('-', '_')}_IMAGE": image(role) for role in roles}}


def make_stack(place, ports=None):
    """A copy of the definition for the stand-ins, with these numbers for the variables of its ports; without
    tools, which are not what is tested, and with health checks each second, so that a start takes no
    minute."""
    shutil.copytree(STACK, place)
    env = place / "compose/env"
    text = env.read_text()
    for name, value in images().items():
        text, found = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
        assert found == 1, name
    env.write_text(text)
    ini = place / "stack.ini"
    text = re.sub(r"^\[tool \S+\]\n(?:\S.*\n)*", "", ini.read_text(), flags=re.M)
    for name, value in (ports or {}).items():
        text = re.sub(rf"^number = \d+\nvariable = {name}$", f"number = {value}\nvariable = {name}", text, flags=re.M)
    ini.write_text(text)
    for file in (place / "compose").glob("*.yaml"):
        text = re.sub(r"\binterval: \d+s", "interval: 1s", file.read_text())
        file.write_text(re.sub(r"\bretries: \d+", "retries: 30", text))
    return place
