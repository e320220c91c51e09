"""Bare machines for the scenarios: a Debian root of its own, slipway carried in, nothing else.

A root is made once with mmdebstrap from the mirror that this machine's apt uses, kept under
build/cache, and never changed: each Machine is an overlay on it, with its changes in memory.  The
program is the static one, a single file: the machine needs to have nothing for it.

Needs root, Linux, and the packages that install() names.
"""
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

# A shell that starts us in the background, or nohup, ignores these, and so would all that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

TOP = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("SLIPWAY_TEST_CACHE", TOP / "build/cache"))
PROGRAM = pathlib.Path(os.environ.setdefault("SLIPWAY", str(TOP / "build/static/slipway")))
SUITES = ("bookworm", "trixie")
PACKAGES = ("mmdebstrap", "strace", "git", "python3-venv", "openssl", "qemu-user-static")

# What changes on a running machine by itself, or is not on a disk.
PASSING = ("proc", "sys", "dev", "run", "tmp")


@contextlib.contextmanager
def held(name):
    """One at a time, of the modules that run side by side."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(make):
    """Who wants what another process is just making waits for it."""
    @functools.wraps(make)
    def alone(*arguments, **options):
        key = hashlib.sha256(repr((arguments, options)).encode()).hexdigest()[:12]
        with held(f"{make.__name__}-{key}"):
            return make(*arguments, **options)
    return alone


def free_ports(count):
    """That many of 127.0.0.1, below those that the kernel gives to connections: a port that was free
    stays so until the test takes it."""
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = []
    for port in random.sample(range(first_given // 2, first_given), 100 * count):
        with socket.socket() as probe:
            if len(ports) < count and probe.connect_ex(("127.0.0.1", port)) != 0:
                ports.append(port)
    return ports


def install(names=PACKAGES):
    """Installs what the rig needs; the scenarios are for machines that may be changed."""
    missing = [name for name in names if subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
        capture_output=True, text=True).stdout != "installed"]
    if missing:
        with held("apt"):
            run(["apt-get", "update", "-q"])
            run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def run(argv, **options):
    """Runs a command of the rig itself; it has to succeed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def mirror():
    """The URL of the distribution's mirror, as this machine's own apt sources name it."""
    for path in [pathlib.Path("/etc/apt/sources.list"),
                 *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text()
        found = re.search(r"^URIs:\s*(\S+/debian)/?\s*$", text, re.M) or re.search(
            r"^deb\s+(?:\[.*?\]\s+)?(\S+/debian)/?\s", text, re.M)
        if found:
            return found.group(1)
    raise RuntimeError("this machine's apt sources name no Debian mirror")


@made_once
def root_of(suite, *extra):
    """A minimal root of that suite, made once; `extra` packages give a root of its own."""
    name = "-".join([suite, *extra])
    if len(name) > 100:
        name = f"{suite}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    root = CACHE / f"root-{name}"
    if root.exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    work = root.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    options = ["--aptopt=APT::Install-Recommends \"0\"", "--variant=minbase", "--mode=root",
               "--skip=cleanup/apt/cache"]
    if suite == "sid":  # its Release is good for a week, and a clock may be ahead
        options.append("--aptopt=Acquire::Check-Valid-Until \"false\"")
    if extra:
        options.append("--include=" + ",".join(extra))
    run(["mmdebstrap", *options, suite, str(work), f"deb {mirror()} {suite} main"])
    (work / "etc/dpkg/dpkg.cfg.d/speed").write_text("force-unsafe-io\n")
    work.rename(root)
    return root


@made_once
def repository(suite, *names, extra=()):
    """A directory for `lower` in which apt finds these packages, with all that they need on that
    root, and no others.  Loaded once from the mirror; apt reads ninety entries, not sixty thousand."""
    status = (root_of(suite, *extra) / "var/lib/dpkg/status").read_bytes()
    key = hashlib.sha256(status + " ".join(names).encode()).hexdigest()[:12]
    place = CACHE / f"repository-{suite}-{key}"
    if place.exists():
        return place
    work = place.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    packages = work / "srv/packages"
    packages.mkdir(parents=True)
    with Machine(suite, extra=extra) as machine:
        machine.run(["apt-get", "update", "-q"], check=True)
        machine.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only",
                     *names], check=True)
        for archive in (machine.root / "var/cache/apt/archives").glob("*.deb"):
            shutil.copy(archive, packages)
    index = "".join(_stanza(archive) for archive in sorted(packages.iterdir())).encode()
    (packages / "Packages").write_bytes(index)
    (packages / "Release").write_text(
        f"SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} Packages\n")
    sources = work / "etc/apt/sources.list"
    sources.parent.mkdir(parents=True)
    sources.write_text("deb [trusted=yes] file:/srv/packages ./\n")
    work.rename(place)
    return place


def _stanza(archive):
    """What an index says of one package."""
    return (run(["dpkg-deb", "-f", str(archive)]).rstrip() + f"\nFilename: ./{archive.name}\n"
            f"Size: {archive.stat().st_size}\n"
            f"SHA256: {hashlib.sha256(archive.read_bytes()).hexdigest()}\n\n")


@made_once
def busybox():
    """The root of a machine that has BusyBox and nothing else; made once."""
    root = CACHE / "root-busybox"
    if root.exists():
        return root
    work = root.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    for name in ("proc", "sys", "dev", "run", "tmp", "etc", "root", "srv", "sbin", "usr/bin",
                 "usr/sbin"):
        (work / name).mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        run(["apt-get", "download", "busybox-static"], cwd=place)
        run(["dpkg-deb", "-x", *pathlib.Path(place).glob("*.deb"), str(work)])
    run(["chroot", str(work), "/bin/busybox", "--install", "-s"])
    work.rename(root)
    return root


def carry(target):
    """Puts the program, and the CA certificates of this machine, below `target`."""
    program = pathlib.Path(target) / "usr/local/bin/slipway"
    bundle = pathlib.Path(target) / "opt/slipway/ca.crt"
    for path in (program, bundle):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(PROGRAM, program)
    shutil.copy(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"), bundle)


class Machine(contextlib.ExitStack):
    """A bare machine.  `lower`: directories laid over the root, topmost first; `base`: another
    root than that of the suite."""

    def __init__(self, suite="bookworm", lower=(), extra=(), has_program=True, base=None):
        super().__init__()
        self.prefix = []  # what each command line in here begins with
        base = self.base = base or root_of(suite, *extra)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="slipway-rig-"))
        self.callback(shutil.rmtree, self.work, ignore_errors=True)
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "rig", str(self.work)])
        self.callback(run, ["umount", "-l", str(self.work)])
        layers = [*map(str, lower)]
        if has_program:
            program = self.work / "program"
            carry(program)
            layers.append(str(program))
        self.layers = [*layers, str(base)]
        for name in ("upper", "index", "root"):
            (self.work / name).mkdir()
        self.root = self.work / "root"
        run(["mount", "-t", "overlay", "machine", "-o",
             f"lowerdir={':'.join(self.layers)},upperdir={self.work}/upper,workdir={self.work}/index",
             str(self.root)])
        self.callback(_unmount, self.root)
        run(["mount", "-t", "proc", "proc", str(self.root / "proc")])
        self.callback(_unmount, self.root / "proc")
        self.callback(self.end_processes)
        self._devices()
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        if not (self.root / "etc/hosts").exists():
            self.write("/etc/hosts", "127.0.0.1 localhost\n")

    def _devices(self):
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "dev", str(self.root / "dev")])
        self.callback(_unmount, self.root / "dev")
        for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            os.mknod(self.root / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            os.chmod(self.root / "dev" / name, 0o666)
        os.symlink("/proc/self/fd", self.root / "dev/fd")

    def freeze(self):
        """Stops using the machine, so that fork() can build on it."""
        self.wait_for_processes()
        for name in ("dev", "proc", ""):
            run(["umount", "-l", str(self.root / name)])

    def fork(self):
        """Another machine that goes on from where this one was frozen."""
        return Machine(lower=[self.work / "upper", *self.layers[:-1]], base=self.base,
                       has_program=False)

    def end_processes(self):
        """Ends what still runs in here, by pid; each was started by this machine."""
        for _ in range(50):
            pids = [int(entry.name) for entry in pathlib.Path("/proc").iterdir()
                    if entry.name.isdigit() and _link(entry / "root") == str(self.root)]
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def wait_for_processes(self, seconds=120):
        """Waits until nothing runs in here any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not any(_link(entry / "root") == str(self.root)
                       for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()):
                return
            time.sleep(0.05)
        raise RuntimeError("processes go on in the machine")

    def write(self, path, text, mode=0o644):
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def add_user(self, name="dev"):
        """An ordinary user who may use sudo without a password (the root needs sudo)."""
        self.run(["/usr/sbin/useradd", "-m", name], check=True)
        self.write("/etc/sudoers.d/dev", f"{name} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        return name

    def command(self, argv, user=None, env=None, has_network=True):
        """The command line that runs `argv` in here, in a clean environment."""
        home = f"/home/{user}" if user else "/root"
        values = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  "HOME": home, "LANG": "C.UTF-8", "SSL_CERT_FILE": "/opt/slipway/ca.crt",
                  **(env or {})}
        line = ["env", "-i", *(f"{key}={value}" for key, value in values.items())]
        if not has_network:
            line = ["unshare", "--net", *line]
        options = [f"--userspec={user}"] if user else []
        return [*self.prefix, *_before(line), "chroot", *options, str(self.root), *_after(line), *argv]

    def run(self, argv, user=None, env=None, has_network=True, timeout=900, check=False):
        done = subprocess.run(self.command(argv, user, env, has_network), timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def slipway(self, *arguments, **options):
        return self.run(["/usr/local/bin/slipway", *arguments], **options)

    def document(self, *arguments, **options):
        """Runs slipway with --json; the answer is (status, the one document)."""
        done = self.slipway(*arguments, "--json", **options)
        return done.returncode, json.loads(done.stdout)

    def tree(self, *without):
        """Every file: path -> (type, mode, owner, content digest or link target)."""
        skip = {str(self.root / name) for name in PASSING} | {
            str(self.root / path.lstrip("/")) for path in without}
        found = {}
        for directory, names, files in os.walk(self.root):
            names[:] = [name for name in names if os.path.join(directory, name) not in skip]
            for name in names + files:
                path = os.path.join(directory, name)
                if path not in skip:
                    found[path[len(str(self.root)):]] = _describe(path)
        return found

    def packages(self):
        return self.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\n"],
                        check=True).stdout.splitlines()


def _unmount(path):
    if os.path.ismount(path):
        run(["umount", "-l", str(path)])


def _before(line):
    return line[:2] if line[0] == "unshare" else []


def _after(line):
    line = line[2:] if line[0] == "unshare" else line
    return ["/usr/bin/env", *line[1:]]


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


_digests = {}


def _digest(path, info):
    """A file of the root below is the same file on every machine: it is read once."""
    key = (path.split("/root/", 1)[-1], info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    if key not in _digests:
        with open(path, "rb") as file:
            _digests[key] = hashlib.sha256(file.read()).hexdigest()
    return _digests[key]


def _describe(path):
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    what = ""
    if stat.S_ISLNK(info.st_mode):
        what = os.readlink(path)
    elif stat.S_ISREG(info.st_mode):
        what = _digest(path, info)
    return (kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, what)


def differences(before, after):
    """Paths that are not the same in both trees, with what became of them."""
    lines = []
    for path in sorted(set(before) | set(after)):
        if path not in after:
            lines.append(f"gone     {path}")
        elif path not in before:
            lines.append(f"new      {path}")
        elif before[path] != after[path]:
            lines.append(f"changed  {path}: {before[path]} -> {after[path]}")
    return lines


def is_below(path, tops):
    return any(path == top or path.startswith(top.rstrip("/") + "/") for top in tops)


def user_id(name):
    return pwd.getpwnam(name).pw_uid
