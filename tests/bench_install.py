#!/usr/bin/env python3
"""An installation whose steps take a known time, side by side and one after another, and the run that
finds nothing to do.  Prints ratios; ends with 1 when a bound is broken.

Real: git with a checkout over TLS, Python with an environment from an index, an archive, every file.
Stand-ins, on this machine alone: the servers, which answer late, and Ollama (common/ollama_standin.c),
whose pull takes ten seconds.  No package is installed: it would be on the machine that is measured.
The time of a chain is that of its own run, alone.

Usage: bench_install.py PROGRAM
Environment: WHERE it works (TMPDIR, else /dev/shm).

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import hashlib
import io
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "common"))
from ollama_release import Releases, compile_standin  # noqa: E402 pylint: disable=wrong-import-position
from tls_server import Authority, Server  # noqa: E402 pylint: disable=wrong-import-position

WHERE = os.environ.get("WHERE") or os.environ.get("TMPDIR") or "/dev/shm"
MAX_OF_CHAIN = 1.1
MIN_SPEEDUP = 2.0
MAX_NOTHING_MS = 50
NOTHING_RUNS = 20

ARCHIVE_SECONDS, CHECKOUT_SECONDS, WHEEL_SECONDS = 8, 7, 5
# Calls that write, or speak with somebody.
WRITES = re.compile(r"\b(?:write|pwrite64|writev|mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|"
                    r"link|linkat|symlink|symlinkat|ftruncate|fallocate|chmod|fchmod|fchmodat)\(")
STACK = """\
[stack]
schema = 1
name = bench
title = Bench
version = 1
summary = steps that take a known time
prefix = ~/bench

[source]
url = {url}/repo.git
revision = {revision}

[profile all]
title = the only one
default = yes

[step prefix]
kind = directory
path = @prefix@
mode = 0755

[step archive]
kind = archive
after = prefix
url = {url}/thing.tar.gz
sha256 = {sha256}
path = @prefix@/tool

[step source]
kind = source
after = prefix
path = @prefix@/src

[step python]
kind = python
after = prefix
path = @prefix@/venv
requirements = requirements.txt
python = 3.9

[step ollama]
kind = ollama
version = 0.13.0
release = {releases}
path = @prefix@/ollama
host = 127.0.0.1:{port}
minimum = 0.9.0
wait_s = 5
own = yes

[step model]
kind = model
after = ollama
name = small:1b
host = 127.0.0.1:{port}
registry = http://127.0.0.1:{registry}
"""
# What stands alone, with what it needs: the chains of the plan.
CHAINS = ("archive", "source", "python", "model")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def late(body, seconds):
    """In pieces, so that it is slow and not silent."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command == "HEAD":
            return
        step = len(body) // 20 + 1
        for at in range(0, len(body), step):
            time.sleep(seconds * min(step, len(body) - at) / len(body))
            handler.wfile.write(body[at:at + step])
    return answer


def archive():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        member = tarfile.TarInfo("thing/data")
        member.size = 400_000
        file.addfile(member, io.BytesIO(os.urandom(member.size)))
    return content.getvalue()


def wheel():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("late.py", "")
        file.writestr("late-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: late\nVersion: 1\n")
        file.writestr("late-1.dist-info/WHEEL",
                      "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("late-1.dist-info/RECORD", "late.py,,\nlate-1.dist-info/METADATA,,\n"
                      "late-1.dist-info/WHEEL,,\nlate-1.dist-info/RECORD,,\n")
    return content.getvalue()


class Bench:
    def __init__(self, program, place):
        self.program, self.place = program, pathlib.Path(place)
        self.authority = Authority(self.place / "authority")
        self.server = Server(self.authority.issue())
        compile_standin(self.place / "ollama", options=())
        self.releases = Releases(self.place / "releases", self.place / "ollama")
        self.releases.add("0.13.0", pull="slow")
        self.registry = free_port()
        self.number = 0
        self.values = {"url": self.server.url, "releases": self.releases.place, "registry": self.registry,
                       "revision": self.repository(), "sha256": self.files()}

    def files(self):
        """On the server: archive and index.  Returns: the digest of the archive."""
        body, package = archive(), wheel()
        self.server.routes.update({
            "/thing.tar.gz": late(body, ARCHIVE_SECONDS),
            "/simple/late/": lambda handler: handler.send(
                200, b'<a href="late-1-py3-none-any.whl">late-1-py3-none-any.whl</a>', kind="text/html"),
            "/simple/late/late-1-py3-none-any.whl": late(package, WHEEL_SECONDS)})
        self.requirements = f"late==1 --hash=sha256:{hashlib.sha256(package).hexdigest()}\n"
        return hashlib.sha256(body).hexdigest()

    def git(self, *words):
        return subprocess.run(
            ["git", "-C", self.place / "repo", "-c", "user.name=x", "-c", "user.email=x@x", *words],
            check=True, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": str(self.place)}
        ).stdout.decode().strip()

    def repository(self):
        """As files on the server, of which the pack is late.  Returns: its commit."""
        (self.place / "repo").mkdir()
        self.git("init", "-q", "-b", "main")
        (self.place / "repo/file").write_bytes(os.urandom(100_000))
        self.git("add", ".")
        self.git("commit", "-qm", "one")
        self.git("repack", "-adq")
        self.git("update-server-info")
        top = self.place / "repo/.git"
        for path in top.rglob("*"):
            if path.is_file():
                name, body = f"/repo.git/{path.relative_to(top)}", path.read_bytes()
                answer = late(body, CHECKOUT_SECONDS) if path.suffix == ".pack" else body
                self.server.routes[name] = self.server.routes[f"{name}?service=git-upload-pack"] = answer
        return self.git("rev-parse", "HEAD")

    def environment(self, home):
        return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8",
                "SLIPWAY_SERVICE_MANAGER": "process", "SLIPWAY_YES": "yes",
                "SLIPWAY_CA_BUNDLE": str(self.authority.bundle),
                "SLIPWAY_PYTHON_INDEX": f"{self.server.url}/simple/"}

    def run(self, home, *words):
        begun = time.monotonic()
        done = subprocess.run([self.program, *words], env=self.environment(home), cwd=home,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"slipway {' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
        return time.monotonic() - begun, done.stdout

    @contextlib.contextmanager
    def home(self):
        """A new one, with a stack; what runs there ends with it."""
        self.number += 1
        home = self.place / f"home{self.number}"
        (home / "stack").mkdir(parents=True)
        (home / "stack/stack.ini").write_text(STACK.format(port=free_port(), **self.values))
        (home / "stack/requirements.txt").write_text(self.requirements)
        try:
            yield home
        finally:
            self.run(home, "uninstall", "bench")
            shutil.rmtree(home)

    def install(self, *options):
        with self.home() as home:
            return self.run(home, "install", "./stack", *options)

    @contextlib.contextmanager
    def registry_server(self):
        """A server that has manifests: the stand-in too."""
        place = self.place / "registry"
        (place / "bin").mkdir(parents=True)
        shutil.copy(self.place / "ollama", place / "bin/ollama")
        (place / "version").write_text("0.0.0\n")
        server = subprocess.Popen([place / "bin/ollama", "serve"], env={
            "HOME": str(place), "OLLAMA_HOST": f"127.0.0.1:{self.registry}"})
        try:
            yield
        finally:
            server.kill()
            server.wait()

    def parallel(self):
        alone = {}
        for step in CHAINS:
            alone[step], _ = self.install("--only", step)
            print(f"{step} and what it needs alone: {alone[step]:.2f} s")
        at_once, said = self.install()
        print(re.findall(r"(?m)^Took .*", said)[-1])
        in_turn, _ = self.install("--jobs", "1")
        longest = max(alone.values())
        ratio, speedup = at_once / longest, in_turn / at_once
        print(f"all at once {at_once:.2f} s: {ratio:.2f} x the longest chain (bound {MAX_OF_CHAIN}); "
              f"one after another {in_turn:.2f} s: {speedup:.2f} x as fast (bound {MIN_SPEEDUP}); "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        return ratio <= MAX_OF_CHAIN and speedup >= MIN_SPEEDUP

    def nothing_to_do(self):
        with self.home() as home:
            self.run(home, "install", "./stack")
            times = sorted(self.run(home, "install", "./stack")[0] for _ in range(NOTHING_RUNS))
            trace = home / "trace"
            subprocess.run(["strace", "-f", "-o", trace, self.program, "install", "./stack"], cwd=home,
                           env=self.environment(home), stdout=subprocess.DEVNULL, check=True)
            calls = [line.split(None, 1)[1] for line in trace.read_text().splitlines()]
        milliseconds = times[len(times) // 2] * 1000
        sockets = [call for call in calls if call.startswith("connect(")]
        writes = [call for call in calls if WRITES.match(call) and not call.startswith(("write(1,", "write(2,"))]
        writes += [call for call in calls if re.match(r"open(at)?\(.*O_(WRONLY|RDWR|CREAT)", call)
                   and '"/dev/null"' not in call]
        print(f"nothing to do: median of {NOTHING_RUNS} {milliseconds:.1f} ms, best {times[0] * 1000:.1f} ms "
              f"(bound {MAX_NOTHING_MS}); {len(sockets)} connections, {len(writes)} writes (bounds 0)")
        for call in sockets + writes:
            print(f"  {call}")
        return times[0] * 1000 <= MAX_NOTHING_MS and not sockets and not writes


def main():
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", dir=WHERE) as place:
        bench = Bench(os.path.abspath(sys.argv[1]), place)
        with bench.registry_server():
            results = [bench.nothing_to_do(), bench.parallel()]
        bench.server.close()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
