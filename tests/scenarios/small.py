"""A machine that changes below /home alone, and a stack with every kind of step that takes no time.

So that a kill costs milliseconds: everything but /home is read-only, which the kernel enforces, and
the whole of it is compared.  The engine, docker and Python are stand-ins, named as such, that do
nothing but keep a state which has to come back too; git, the archive and all files are real.
"""
import contextlib
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import shutil
import socketserver
import stat
import subprocess
import tarfile
import threading

import rig
import upstream

USER = 1000
HOME = "home/dev"
ENGINE = "home/engine"
STATE = ".local/state/slipway"
PASSING = (f"dev/{STATE}/log", f"dev/{STATE}/lock")
# Another one each time: a token, a random key, git's index with its times.
VARYING = ("/.slipway-step", "/.slipway-complete", "/.git/index", "/keystore.key", ".seen", ".audit",
           "/keystore.lock", "/share/slipway/keystore", "/receipt.json", "/files.json", "/history")
# Names that hold a token or count the runs.
NAMES = ((re.compile(r"(/listings/\w+-)[0-9a-f]{8}"), r"\1TOKEN"), (re.compile(r"/gen/\d+"), "/gen/N"),
         (re.compile(r"/txn/\d{8}T\d{6}Z-[0-9a-f]{8}"), "/txn/ID"))
# What a run that was taken back may leave; what the next change of the keystore removes; and its
# audit log and its note of the version that was seen here, which are written as well as can be.
REMAINS = re.compile(rf"dev/(\.local/state|{STATE}|{STATE}/history|{STATE}/\.keystore-\w+\.seen\.\w+\.tmp|"
                     rf"{STATE}/keystore-\w+\.seen|\.local/share/slipway/keystore\.audit)$")

PYTHON = """#!/bin/sh
# A stand-in for Python: its environment is three files.
top=${0%/bin/python}
case "$*" in
*--version) echo "Python 3.14.0" ;;
*"import venv"*) ;;
"-I -m venv "*) mkdir -p "$4/bin" && ln -s /usr/local/bin/python3.14 "$4/bin/python" ;;
*" pip install "*) mkdir -p "$top/lib" && echo installed >"$top/lib/package" ;;
*sysconfig*) echo "$top/lib" ;;
*) echo "stand-in: $*" >&2; exit 64 ;;
esac
"""
DOCKER = """#!/bin/sh
# A stand-in for docker and its compose plugin: a project runs while a file is there.
# Arguments: compose --ansi never -p PROJECT [--project-directory D] [-f FILE] WORD ...
project=$5
case "$*" in
*" version --short"*) echo 2.29.0 ;;
*" up "*) mkdir -p /home/engine && printf '%s\\n%s' "$7" "$9" >"/home/engine/$project" ;;
*" ps "*) echo '{"Service":"one","State":"running","Health":""}' ;;
*" down "*) rm -f "/home/engine/$project" ;;
*) echo "stand-in: $*" >&2; exit 64 ;;
esac
"""
STACK = """\
[stack]
schema = 1
name = small
title = Small
version = @version@
summary = every kind of step, at once
prefix = ~/small

[source]
url = https://mirror.invalid/zvirb/LocalAgent
revision = @revision@

[profile all]
title = the only one
default = yes

[tool git]

[key SMALL_TOKEN]
kind = generated
title = a key
size = 32

[step prefix]
kind = directory
path = @prefix@
mode = 0755

[step deep]
kind = directory
after = prefix
path = @prefix@/a/b/c
mode = 0700

[step source]
kind = source
after = prefix
path = @prefix@/src

[step python]
kind = python
after = prefix
path = @prefix@/venv
requirements = requirements.txt
python = 3.11

[step note]
kind = file
after = prefix
path = @prefix@/note
from = note
mode = 0644

[step outside]
kind = file
path = @bin@/small.conf
from = note
mode = 0600

[step archive]
kind = archive
after = prefix
url = https://mirror.invalid/small-@version@.tar.gz
sha256 = @sha256@
path = @prefix@/tool

[step command]
kind = wrapper
after = source python
path = @bin@/small
from = wrapper
template = yes
mode = 0755

[step token]
kind = key
name = SMALL_TOKEN

[step unit]
kind = unit
name = small
run = keys sync small --at-boot

[step compose]
kind = file
after = prefix
path = @prefix@/compose/compose.yaml
from = compose.yaml
mode = 0644

[step containers]
kind = compose
after = compose token
project = small
directory = @prefix@/compose
files = compose.yaml
wait_s = 5

[test command]
title = the command answers
run = @bin@/small
needs = command
"""


class Engine(socketserver.ThreadingUnixStreamServer):
    """A stand-in for the engine's API: one container for each project that docker has started."""
    daemon_threads = True

    def __init__(self, root):
        self.place = root / ENGINE
        super().__init__(str(root / "run/engine.sock"), Answer)
        os.chmod(root / "run/engine.sock", 0o666)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def containers(self):
        found = []
        for project in self.place.iterdir() if self.place.is_dir() else ():
            directory, files = project.read_text().split("\n")
            found.append({"State": "running", "Status": "Up 1 second", "Labels": {
                "com.docker.compose.project": project.name,
                "com.docker.compose.service": "one",
                "com.docker.compose.config-hash": "0",
                "com.docker.compose.project.working_dir": directory,
                "com.docker.compose.project.config_files": files}})
        return found


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = {"ServerVersion": "27.3.1", "OperatingSystem": "stand-in"} if "/info" in self.path else {"Volumes": []}
        if "/containers/json" in self.path:
            answer = self.server.containers()
        body = json.dumps(answer).encode()
        with contextlib.suppress(BrokenPipeError):  # who asked was killed
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def make_archive(place, version):
    """Returns the digest of the archive that the stack loads."""
    path = place / f"srv/mirror/small-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("bin/tool", f"tool {version}\n"), ("share/doc", "words\n" * 500)):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_stack(place, version, revision):
    stack = place / f"srv/small-{version}"
    text = STACK
    for name, value in (("version", version), ("revision", revision),
                        ("sha256", make_archive(place, version))):
        text = text.replace(f"@{name}@", value)
    write(stack / "stack.ini", text)
    write(stack / "note", f"the note of {version}\n")
    write(stack / "requirements.txt", f"# {version}\n")
    write(stack / "wrapper", f"#!/bin/sh\n# of {version}\ntest -d @prefix@/src\n")
    write(stack / "compose.yaml", f"# {version}\nservices: {{}}\n")


def make_layer(place):
    """What lies over the root: stand-ins, tracer, mirror, the stack in two versions."""
    write(place / "usr/local/bin/python3.14", PYTHON, 0o755)
    write(place / "usr/local/bin/docker", DOCKER, 0o755)
    (place / "opt").mkdir()
    rig.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", str(place / "opt/killpoint"),
             str(pathlib.Path(__file__).with_name("killpoint.c"))])
    revision = upstream.make(place / "srv/mirror")
    for version in ("1.0.0", "2.0.0"):
        make_stack(place, version, revision)


def install_line(version="1.0.0"):
    return ["/usr/local/bin/slipway", "install", f"/srv/small-{version}", "--yes", "--add-to-path", "--mirror",
            "https://mirror.invalid/=/srv/mirror/"]


class Small(contextlib.ExitStack):
    """The machine.  `layer`: a directory that make_layer() filled."""

    def __init__(self, layer):
        super().__init__()
        self.machine = self.enter_context(
            rig.Machine("bookworm", lower=[layer], extra=("git", "python3", "python3-venv")))
        self.root = self.machine.root
        (self.root / "home").mkdir(exist_ok=True)
        for name in ("home", "run", "tmp"):
            rig.run(["mount", "-t", "tmpfs", "-o", "mode=1777,size=2g", name, str(self.root / name)])
            self.callback(rig.run, ["umount", "-l", str(self.root / name)])
        rig.run(["mount", "-o", "remount,ro", str(self.root)])
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.home = self.root / HOME
        engine = Engine(self.root)
        self.callback(engine.server_close)
        self.callback(engine.shutdown)
        self.kept = self.machine.work / "kept"
        self.kept.mkdir()
        self.reset()

    def reset(self):
        """A home as a person has it."""
        self.clear()
        write(self.home / ".profile", "# mine\n")
        write(self.home / "etc/other", "mine\n", 0o640)
        (self.home / ".local/bin").mkdir(parents=True)
        write(self.home / ".local/bin/other", "#!/bin/sh\n", 0o755)
        (self.root / ENGINE).mkdir()
        rig.run(["chown", "-R", f"{USER}:{USER}", str(self.home), str(self.root / ENGINE)])

    def clear(self):
        """A mount in there stays."""
        for entry in [*self.home.glob("*"), *self.home.glob(".*")] + [self.root / ENGINE]:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.exists() or entry.is_symlink():
                entry.unlink()
        self.home.mkdir(exist_ok=True)

    def keep(self, name):
        """Remembers what is in /home now."""
        shutil.rmtree(self.kept / name, ignore_errors=True)
        rig.run(["cp", "-a", str(self.root / "home"), str(self.kept / name)])

    def bring_back(self, name):
        self.clear()
        rig.run(["cp", "-a", str(self.kept / name) + "/.", str(self.root / "home")])

    def run(self, argv, env=None):
        values = {"HOME": "/home/dev", "DOCKER_HOST": "unix:///run/engine.sock", **(env or {})}
        return self.machine.run(argv, user=f"{USER}:{USER}", env=values, timeout=120)

    def kill(self, point, argv, env=None):
        values = {"HOME": "/home/dev", "DOCKER_HOST": "unix:///run/engine.sock",
                  "KILLPOINT_USER": str(USER), **(env or {})}
        return self.machine.run(["/opt/killpoint", str(point), *argv], env=values, timeout=60)

    def recover(self, verb, argv):
        """`rollback`, or `resume`: a kill before the journal leaves nothing to go on with, and then
        the installation starts anew."""
        done = self.run(["/usr/local/bin/slipway", verb])
        if done.returncode == 0 and verb == "resume" and (
                "Nothing to resume" in done.stdout or "had not begun" in done.stdout):
            done = self.run(argv)
        return done

    def counts(self, argv):
        """How many calls change something, need room, and synchronize."""
        done = self.kill("none", argv, {"KILLPOINT_COUNTS": "/tmp/counts"})
        assert done.returncode == 0, done.stderr
        return [int(word) for word in (self.root / "tmp/counts").read_text().split()]

    def journals(self):
        return list((self.home / STATE).glob("txn/*/journal"))

    def tree(self):
        """Everything below /home but logs: path -> what it is; and that nothing is below /tmp."""
        found = {}
        top = str(self.root / "home")
        for directory, names, files in os.walk(top):
            for name in names + files:
                path = os.path.join(directory, name)
                short = path[len(top) + 1:]
                if not short.startswith(PASSING):
                    found[short] = describe(path)
        for pattern, name in NAMES:
            found = {pattern.sub(name, path): what for path, what in found.items()}
        litter = [name for name in os.listdir(self.root / "tmp") if name != "counts"]
        return {**found, **{f"/tmp/{name}": "litter" for name in litter}}


def describe(path):
    info = os.lstat(path)
    what = ""
    if stat.S_ISLNK(info.st_mode):
        what = os.readlink(path) if not path.endswith("/slipway/current") else ""
    elif stat.S_ISREG(info.st_mode) and not path.endswith(VARYING):
        what = pathlib.Path(path).read_bytes()
    return (info.st_mode, info.st_uid, info.st_gid, what)


def differences(want, have):
    """What is not as it should be, but for what every run may leave."""
    return [line for line in rig.differences(want, have) if not REMAINS.search(line)]


def install_rig():
    rig.install((*rig.PACKAGES, "gcc", "libc6-dev"))
    assert subprocess.run(["uname", "-s"], capture_output=True, check=True).stdout == b"Linux\n"
