"""What the tests of the embedded stacks share: images on one Debian root, a copy of a definition for small
machines, and a home in which a stack lives.

PostgreSQL, Redis and Prometheus are Debian's, started as their own images start them; what else an image
is, the rig of its stack says.
"""
import functools
import graphlib
import json
import pathlib
import re
import secrets
import shutil
import time
import unittest

import engine
import rig

STACKS = rig.TOP / "payload/stacks"
DEBIAN = "stack-test-debian:1"
PACKAGES = ("redis-server", "postgresql", "prometheus", "supervisor", "docker.io", "iptables", "python3",
            "python3-venv", "python3-argon2", "python3-psycopg", "curl", "wget", "procps")
LEFT_OUT = ("./var/cache", "./var/lib/apt", "./usr/share/doc", "./usr/share/javascript", "./usr/share/locale",
            "./usr/share/man")
# What a real stack needs and this machine may lack.
SMALL = ("--ignore", "engine.cpus,engine.memory,engine.disk,engine.version,cpu.count,mem.total,disk.space")

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
    --auth-host=scram-sha-256 --no-sync ${POSTGRES_INITDB_ARGS-}" >/dev/null
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
POSTGRES = """ADD postgres-entry /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
STOPSIGNAL SIGINT
"""
REDIS = """ADD redis-entry /usr/local/bin/docker-entrypoint.sh
RUN mkdir /data && chown redis /data
WORKDIR /data
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
"""
PROMETHEUS = """RUN mkdir /prometheus && chown 65534:65534 /prometheus
USER 65534
ENTRYPOINT ["/usr/bin/prometheus"]
"""
GRAFANA = """RUN mkdir -p /var/lib/grafana && chown 472:472 /var/lib/grafana
ADD stand-in /usr/local/bin/grafana
USER 472
ENTRYPOINT ["grafana"]
"""

FILES = {"postgres-entry": POSTGRES_ENTRY, "redis-entry": REDIS_ENTRY,
         "stand-in": pathlib.Path(__file__).with_name("stack_stand_in.py")}


class Engine(engine.NetworkEngine):
    """One that has its images and volumes in memory, as a Machine has its changes."""

    def start(self):
        data = self.top / "data"
        if not data.exists():
            data.mkdir()
            self.run(["mount", "-t", "tmpfs", "-o", "mode=711", "data", data])
        super().start()


def start_engine(make_images):
    """For setUpModule: an engine that ends with the module, with what `make_images` puts on it."""
    started = Engine()
    unittest.addModuleCleanup(started.close)
    make_images(started)
    Stack.engine = started
    return started


def make_images(on, images, files):
    """`images`: tag -> Dockerfile, without FROM that of Debian.  `files`: name -> text or path of what they add."""
    if on.docker("image", "inspect", DEBIAN, check=False).returncode != 0:
        root = rig.root_of("bookworm", *PACKAGES)
        without = " ".join(f"--exclude {path}" for path in LEFT_OUT)
        on.run(["sh", "-c", f"tar -C {root} {without} -c . | docker import - {DEBIAN} >/dev/null"])
    for tag, dockerfile in images.items():
        place = on.top / "image"
        place.mkdir()
        (place / "Dockerfile").write_text(f"FROM {DEBIAN}\n{dockerfile}")
        for name, source in {**FILES, **files}.items():
            if f"ADD {name} " in dockerfile:
                add(place / name, source)
        build(on, place, tag, has_buildkit=False)  # its cache would stay in memory
        shutil.rmtree(place)


def add(target, source):
    if isinstance(source, pathlib.Path) and source.is_dir():
        shutil.copytree(source, target)
        return
    target.write_text(source if isinstance(source, str) else source.read_text())
    target.chmod(0o755)


def build(on, context, tag, *options, has_buildkit=True, **more):
    return on.docker("build", "--network", "none", "-t", tag, *options, str(context),
                     env=on.environment(DOCKER_BUILDKIT=str(int(has_buildkit))), **more)


def set_values(path, values):
    """Each of them stands in the file once, whatever its value is there."""
    text = path.read_text()
    for name, value in values.items():
        text, found = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
        assert found == 1, name
    path.write_text(text)


def copy_definition(stack, place, containers, values, interval):
    """The definition, with these values in its env; without tools, which are not what is tested, and without the
    digests of images, which a stand-in does not have.  `interval`: seconds between two health checks, and two
    collections, where the definition has more."""
    shutil.copytree(stack, place)
    for path in (place / containers / "env", *place.rglob("*Dockerfile"), *place.rglob("*.yaml")):
        path.write_text(re.sub(r"@sha256:[0-9a-f]{64}\b", "", path.read_text()))
    set_values(place / containers / "env", values)
    ini = place / "stack.ini"
    ini.write_text(re.sub(r"^\[tool \S+\]\n(?:\S.*\n)*", "", ini.read_text(), flags=re.M))
    for path in (*(place / containers).glob("*.yaml"), *place.rglob("prometheus.yml")):
        path.write_text(re.sub(r"(\b|scrape_|evaluation_)(interval|scrape_timeout): (\d+)s", lambda one:
                               f"{one[1]}{one[2]}: {min(int(one[3]), interval)}s", path.read_text()))


def wait_for(what, seconds=120):
    """Waits until `what` returns something true, which is returned."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.2)
    return found


class Files(unittest.TestCase):
    """What docker compose makes of the compose files that users get, in the directory `place`."""
    place = None
    privileged = frozenset()
    # Those that keep their capabilities.
    unconfined = frozenset()

    def config(self, *files, profile=None):
        words = [word for file in files for word in ("-f", file)] + (["--profile", profile] if profile else [])
        done = Stack.engine.run(["env", "-C", self.place, "docker", "compose", *words, "config", "--format", "json"],
                                check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), files)
        self.assert_newer_compose_agrees(words, json.loads(done.stdout))
        return json.loads(done.stdout)

    def assert_newer_compose_agrees(self, words, project):
        engine.fetch_plugin(engine.NEWER_PLUGIN, "sid")
        done = Stack.engine.run(["env", "-C", self.place, engine.NEWER_PLUGIN, *words, "config", "--format", "json"],
                                check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        for name, service in json.loads(done.stdout)["services"].items():
            for key, value in project["services"].pop(name).items():
                self.assertEqual(service.get(key), value, f"{name}: {key}")
        self.assertEqual(project["services"], {})

    @functools.cached_property
    def everything(self):
        return self.config("compose.yaml", "compose.monitoring.yaml")

    @functools.cached_property
    def services(self):
        return self.everything["services"]

    def test_each_service_is_watched_limited_and_confined(self):
        built = {service["image"] for service in self.services.values() if "build" in service}
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertTrue(service["healthcheck"]["test"])
                self.assertEqual(service["restart"], "unless-stopped")
                self.assertLessEqual({"memory", "cpus"}, set(service["deploy"]["resources"]["limits"]))
                self.assertEqual(service.get("privileged", False), name in self.privileged)
                if name not in self.privileged:
                    self.assertEqual(service.get("cap_drop"), None if name in self.unconfined else ["ALL"])
                    self.assertIn("no-new-privileges:true", service["security_opt"])
                self.assertNotIn("container_name", service)
                self.assertRegex(service["image"], r":(?!latest\b)[^:/]+" + (
                    "$" if service["image"] in built else "@sha256:[0-9a-f]{64}$"))
                self.assertLessEqual({port["host_ip"] for port in service.get("ports", ())}, {"127.0.0.1"})

    def test_who_waits_for_whom(self):
        graph = {name: service.get("depends_on", {}) for name, service in self.services.items()}
        self.assertEqual(set(graphlib.TopologicalSorter(graph).static_order()), set(self.services))
        for needs in graph.values():
            self.assertLessEqual({need["condition"] for need in needs.values()}, {"service_healthy"})

    def test_no_key_is_in_it(self):
        self.assertEqual([f"{name} {variable}" for name, service in self.services.items()
                          for variable, value in service.get("environment", {}).items()
                          if re.search(r"(API_KEY|TOKEN|PASSWORD|_PAT|^DATABASE_URL)$", variable) and value], [])


class Stack(unittest.TestCase):
    """A home, in which a class of tests installs the stack `name`."""
    engine = None
    name = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.top = cls.engine.top / f"home-{secrets.token_hex(3)}"
        cls.home = cls.top / "home"
        cls.home.mkdir(parents=True)
        cls.prefix = cls.home / f".{cls.name}"
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.addClassCleanup(cls.engine.run, ["sh", "-c", "rm -rf /run/slipway /etc/systemd/system/*"])
        cls.addClassCleanup(cls.engine.empty)
        (cls.home / "key").write_bytes(secrets.token_bytes(32))
        (cls.home / "key").chmod(0o600)

    @classmethod
    def slipway(cls, *arguments, status=0, env=None, **options):
        """Runs it with that home; any status is right when `status` is None."""
        done = cls.engine.run(
            ["env", "-C", str(cls.home), str(rig.PROGRAM), *map(str, arguments)], check=False,
            env=cls.engine.environment(HOME=str(cls.home), SLIPWAY_KEY_FILE=str(cls.home / "key"),
                                       **(env or {})), **options)
        if status not in (None, done.returncode):
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    @classmethod
    def document(cls, *arguments, **options):
        return json.loads(cls.slipway(*arguments, "--json", **options).stdout)

    @classmethod
    def containers(cls):
        """service -> id."""
        lines = cls.engine.docker(
            "ps", "-a", "--no-trunc", "--filter", f"label=com.docker.compose.project={cls.name}",
            "--format", '{{.Label "com.docker.compose.service"}} {{.ID}}').stdout.split("\n")
        return dict(line.split() for line in lines if line)

    @classmethod
    def inspect(cls, service):
        return json.loads(cls.engine.docker("inspect", cls.containers()[service]).stdout)[0]

    @classmethod
    def inside(cls, service, *words, check=True):
        return cls.engine.docker("exec", cls.containers()[service], *words, check=check)

    @classmethod
    def health(cls, service):
        return cls.inspect(service)["State"]["Health"]["Status"]

    @classmethod
    def started(cls, service):
        """When: the text of a time with as many digits each time."""
        return cls.inspect(service)["State"]["StartedAt"].rstrip("Z").ljust(29, "0")

    @classmethod
    def wait_until(cls, service, health):
        wait_for(lambda: cls.health(service) == health)

    @classmethod
    def ask(cls, port, path, *options):
        """Status and text of a page, as somebody on this machine gets it; status 0: there is none."""
        done = cls.engine.run(["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *options,
                               f"http://127.0.0.1:{port}{path}"], check=False)
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    @classmethod
    def key(cls, name):
        return cls.slipway("keys", "get", name).stdout.strip()

    @classmethod
    def logs(cls):
        """What all of them have said."""
        return "".join(done.stdout + done.stderr for done in (
            cls.engine.docker("logs", one) for one in cls.containers().values()))

    def assert_not_in_layers(self, texts):
        """No container has written one of these."""
        layers = [one["GraphDriver"]["Data"]["UpperDir"]
                  for one in json.loads(self.engine.docker("inspect", *self.containers().values()).stdout)]
        found = self.engine.run(["grep", "-rlsF", *(f"-e{text}" for text in texts), *layers], check=False)
        self.assertEqual((found.returncode, found.stdout), (1, ""), found.stderr)

    def assert_all_are_well(self, services):
        found = self.document("status", self.name)["stacks"][self.name]["services"]
        self.assertEqual({one["service"]: one["state"] for one in found}, dict.fromkeys(services, "healthy"))

    def assert_tests_pass(self, count=None):
        tests = self.document("test", self.name)["tests"]
        self.assertEqual([one for one in tests if one["verdict"] != "pass"], [])
        self.assertIn(len(tests), {count or len(tests)})
        return {one["name"] for one in tests}
