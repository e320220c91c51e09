"""A Docker engine of the test's own: private socket, directory and mounts; images from packages.

The engine runs in a mount namespace in which /run is in memory, as on a machine that was started by
systemd, and /etc/systemd/system is empty.  Commands that have to see what it sees run in there too.
"""
import contextlib
import pathlib
import shutil
import subprocess
import tempfile
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

    def empty(self):
        ids = self.docker("ps", "-aq").stdout.split()
        if ids:
            self.docker("rm", "-f", "-v", *ids)
        volumes = self.docker("volume", "ls", "-q").stdout.split()
        if volumes:
            self.docker("volume", "rm", *volumes)
        # The bridge of one that is left outlives the engine, and takes an address range away.
        networks = self.docker("network", "ls", "-q", "--filter", "type=custom").stdout.split()
        if networks:
            self.docker("network", "rm", *networks)

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
