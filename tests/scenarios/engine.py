"""A Docker engine of the test's own: private socket, directory and mounts; images from packages.

The engine runs in a mount namespace in which /run is in memory, as on a machine that was started by
systemd, and /etc/systemd/system is empty.  Commands that have to see what it sees run in there too.
"""
import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import rig

PLUGIN = rig.CACHE / "docker-compose"
# Of unstable: 2.40 where that of Debian 13 is 2.26.
NEWER_PLUGIN = rig.CACHE / "newer/docker-compose"
BUILDX = rig.CACHE / "docker-buildx"
PACKAGES = ("docker.io", "iptables", "mmdebstrap", "util-linux")
# Each call of the plugin leaves its environment; "hold" makes "up" wait for ever.
WRAPPER = """#!/bin/sh
cat /proc/$$/environ >>@log@/environ
printf '%s ' "$@" >>@log@/arguments
case " $* " in
*" up "*) if [ -e @log@/hold ]; then : >@log@/held; exec sleep 1000; fi ;;
esac
exec @plugin@ "$@"
"""
MOUNTS = """
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/systemd/system /run/user
mkdir -p /etc/systemd/system
mount -t tmpfs -o mode=755 units /etc/systemd/system
echo ready
exec sleep 100000
"""


LOST_COUNT = "has active endpoints"


def left_in_place(document):
    """What an uninstall says that it left, but for the keystore and networks of which the engine has lost count."""
    return [text for text in document["left_in_place"]
            if "/.local/share" not in text and "the engine counts a container on it that is gone" not in text]


@rig.made_once
def fetch_plugin(plugin=PLUGIN, suite="trixie"):
    """A plugin of Debian 13, or of a later suite, which runs on Debian 12 as it is; unpacked, not installed."""
    if plugin.exists():
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        place = pathlib.Path(name)
        for part in ("lists/partial", "cache/archives/partial"):
            (place / part).mkdir(parents=True)
        (place / "sources.list").write_text(
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            f"{rig.mirror()} {suite} main\n")
        options = ["-o", f"Dir::Etc::sourcelist={place}/sources.list",
                   "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State::lists={place}/lists",
                   "-o", f"Dir::Cache={place}/cache", "-o", "APT::Get::List-Cleanup=0",
                   "-o", "Acquire::Languages=none", "-o", "APT::Sandbox::User=root"]
        rig.run(["apt-get", *options, "update", "-qq"])
        rig.run(["apt-get", *options, "download", "-qq", plugin.name], cwd=place)
        rig.run(["dpkg", "-x", *map(str, place.glob("*.deb")), str(place / "unpacked")])
        plugin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(place / "unpacked/usr/libexec/docker/cli-plugins" / plugin.name, plugin)


def relay(target, place, answer):
    """A socket at `place` that passes requests on to the engine at `target`, one on each connection, but those to
    which `answer` has a status and a document.  Returns what ends it."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(client):
        with client, socket.socket(socket.AF_UNIX) as behind:
            request = client.recv(65536)
            if said := answer(request):
                body = json.dumps(said[1]).encode()
                client.sendall(f"HTTP/1.1 {said[0]}\r\nContent-Type: application/json\r\nConnection: close\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                return
            if b"\r\nUpgrade:" not in request:
                request = request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            behind.connect(str(target))
            behind.sendall(request)
            back = threading.Thread(target=pump, args=(behind, client), daemon=True)
            back.start()
            pump(client, behind)
            back.join()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server.close


class Engine(contextlib.ExitStack):
    spaces = {"mount": "mnt"}
    network = ["--bridge", "none"]

    def __init__(self):
        super().__init__()
        self.enter_context(self.alone())
        rig.install(PACKAGES)
        fetch_plugin()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="slipway-engine-", dir="/var/tmp"))
        self.callback(shutil.rmtree, self.top, ignore_errors=True)
        self.top.chmod(0o755)
        self.socket = self.top / "docker.sock"
        self.calls = self.top / "calls"
        self.calls.mkdir()
        self.calls.chmod(0o777)
        plugins = self.top / "config/cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").write_text(
            WRAPPER.replace("@log@", str(self.calls)).replace("@plugin@", str(PLUGIN.resolve())))
        (plugins / "docker-compose").chmod(0o755)
        self.holder = subprocess.Popen(
            ["unshare", *(f"--{name}" for name in self.spaces), "--propagation", "private",
             "sh", "-ec", MOUNTS],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.callback(self._end, self.holder)
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("no mount namespace")
        self.holder.stdout.close()
        self.daemon = None
        self.start()
        self.callback(self.complain)
        self.callback(self.stop)
        self.callback(self.empty)

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.terminate()
        process.wait(60)

    @staticmethod
    def alone():
        return rig.held("engine")  # their networks would meet

    def inside(self, argv):
        return ["nsenter", *(f"--{name}=/proc/{self.holder.pid}/ns/{file}"
                             for name, file in self.spaces.items()), "--", *map(str, argv)]

    def start(self):
        with open(self.top / "dockerd.log", "ab") as log:
            self.daemon = subprocess.Popen(self.inside(
                ["dockerd", "--debug", "--host", f"unix://{self.socket}",
                 "--data-root", self.top / "data", "--exec-root", self.top / "exec",
                 "--pidfile", self.top / "pid", *self.network, "--iptables=false",
                 "--ip6tables=false"]), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(600):
            if self.docker("version", check=False).returncode == 0:
                self.socket.chmod(0o666)
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("no engine:\n" + (self.top / "dockerd.log").read_text()[-2000:])

    def stop(self):
        """Ends the engine, as a machine does that goes down: its containers end with it."""
        self._end(self.daemon)
        netns = self.top / "exec/netns"
        for path in netns.iterdir() if netns.is_dir() else ():
            subprocess.run(self.inside(["umount", path]), check=False, capture_output=True)

    def complain(self):
        """What the engine found wrong: a run that fails says it, too."""
        lines = (self.top / "dockerd.log").read_text(errors="replace").splitlines()
        print(*[line[:400] for line in lines if re.search(r"level=(error|fatal)", line)][-40:],
              sep="\n", flush=True)

    def empty(self):
        ids = self.docker("ps", "-aq").stdout.split()
        if ids:
            self.docker("rm", "-f", "-v", *ids)
        volumes = self.docker("volume", "ls", "-q").stdout.split()
        if volumes:
            self.docker("volume", "rm", *volumes)
        # The bridge of one that is left outlives the engine, and takes an address range away.
        custom = ("network", "ls", "-q", "--filter", "type=custom")
        for one in self.docker(*custom).stdout.split():
            self.docker("network", "rm", one, check=False)
        if lost := self.docker(*custom).stdout.split():
            self.stop()
            self.start()
            self.docker("network", "rm", *lost)

    def networks(self, *options):
        """Ids of those that are nobody's default, but for those of which the engine has lost count."""
        found = self.docker("network", "ls", "-q", "--filter", "type=custom", *options).stdout.split()
        return [one for one in found if not self.has_lost_count_of(one)]

    def has_lost_count_of(self, network):
        """Whether it cannot be removed although nothing is on it: moby/moby#42119, engines before 28.1.  One that
        can be removed is one that somebody forgot, and is removed here."""
        shown = self.docker("network", "inspect", "--format", "{{len .Containers}}", network).stdout.strip()
        return shown == "0" and LOST_COUNT in self.docker("network", "rm", network, check=False).stderr

    def environment(self, **more):
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root", "LANG": "C.UTF-8", "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": str(self.top / "config"), **more}

    def run(self, argv, check=True, env=None, text=True, **options):
        done = subprocess.run(self.inside(argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=text, env=env or self.environment(), **{
                                  "stdin": None if "input" in options else subprocess.DEVNULL,
                                  "timeout": 600, **options})
        if check and done.returncode != 0:
            raise RuntimeError(f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def docker(self, *arguments, **options):
        return self.run(["docker", *arguments], **options)

    def make_image(self, name, packages, files, suite="bookworm"):
        """An image of Debian packages, with `files` (path -> (text, mode)) put into it."""
        root = rig.root_of(suite, *packages)
        self.run(["sh", "-c", f"tar -C {root} -c . | docker import - {name}-base >/dev/null"])
        build = self.top / "build"
        for path, (text, mode) in files.items():
            target = build / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
        self.run(["sh", "-c", f"tar -C {build} -c --owner=0 --group=0 . >{self.top}/files.tar"])
        (self.top / "image").mkdir()
        (self.top / "files.tar").rename(self.top / "image/files.tar")
        (self.top / "image/Dockerfile").write_text(f"FROM {name}-base\nADD files.tar /\n")
        self.docker("build", "-q", "--network", "none", "-t", name, str(self.top / "image"),
                    env=self.environment(DOCKER_BUILDKIT="0"))
        shutil.rmtree(build)
        shutil.rmtree(self.top / "image")


class NetworkEngine(Engine):
    """One with a network of its own: its ports are nobody else's, and images are built on a bridge."""
    spaces = {"mount": "mnt", "net": "net"}
    network = []

    def __init__(self):
        fetch_plugin(BUILDX)
        super().__init__()
        shutil.copy2(BUILDX, self.top / "config/cli-plugins")

    @staticmethod
    def alone():
        return contextlib.nullcontext()

    def start(self):
        self.run(["ip", "link", "set", "lo", "up"])
        super().start()
