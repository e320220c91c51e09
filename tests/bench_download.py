#!/usr/bin/env python3
"""A large archive, unpacked while it is loaded from a TLS server on this machine, against
curl | zstd | tar in the same run; and from a server that limits each connection, against one
connection.  Prints ratios; ends with 1 when a bound is broken.

Usage: bench_download.py DRIVER, which is built/tests/drive_payload_download
Environment: BYTES of the archive (1,500,000,000), ROUNDS (3), WHERE it works (TMPDIR, else /dev/shm:
in memory neither side waits for a disk, which we sync and the peer does not).

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import http.server
import mmap
import os
import pathlib
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "common"))
from tls_server import Authority  # noqa: E402 pylint: disable=wrong-import-position

BYTES = int(os.environ.get("BYTES", 1_500_000_000))
ROUNDS = int(os.environ.get("ROUNDS", 3))
WHERE = os.environ.get("WHERE") or os.environ.get("TMPDIR") or "/dev/shm"
LIMIT = 20_000_000  # bytes each second and connection
LIMITED_BYTES = 300_000_000

MAX_RATIO = 1.05
MAX_RESIDENT_MIB = 200
MIN_SPEEDUP = 3.0

FILE_BYTES = (200_000_000, 50_000_000, 3_000_000, 20_000, 1_000)
# Forty letters: zstd leaves about two thirds of it.
LETTERS = bytes(number % 40 for number in range(256))
SHRINKS_TO = 0.672


class Content:
    """A file for a tar archive that is never in memory as a whole."""

    def __init__(self, left):
        self.left = left

    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return os.urandom(size).translate(LETTERS)


def make_archive(path, size_bytes):
    """About that large; with the window of 128 MiB that the level for releases has."""
    left, number = int(size_bytes / SHRINKS_TO), 0
    with open(path, "wb") as file, subprocess.Popen(
            ["zstd", "-q", "-T0", "-3", "--long=27"], stdin=subprocess.PIPE, stdout=file) as zstd:
        with tarfile.open(fileobj=zstd.stdin, mode="w|", bufsize=1 << 20) as archive:
            while left > 0:
                member = tarfile.TarInfo(f"lib/d{number % 7}/file-{number}")
                member.size = min(FILE_BYTES[number % len(FILE_BYTES)], left)
                archive.addfile(member, Content(member.size))
                left, number = left - member.size, number + 1
        zstd.stdin.close()
        if zstd.wait() != 0:
            sys.exit("zstd failed")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, limit = self.server.body, self.server.limit
        found = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range") or "")
        first, end = 0, len(body)
        if found:
            first, end = int(found[1]), int(found[2] or end - 1) + 1
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(body)}")
        self.send_header("Content-Length", str(end - first))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"one"')
        self.end_headers()
        step = 65536 if limit else 1 << 20
        begun = time.monotonic()
        for at in range(first, end, step):
            self.connection.sendall(body[at:min(at + step, end)])
            if limit:
                time.sleep(max(0, begun + (at + step - first) / limit - time.monotonic()))

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        request.do_handshake()
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


def serve(archive, certificate, limit):
    """In a process of its own; prints its port."""
    listener = Listener(("127.0.0.1", 0), Handler)
    with open(archive, "rb") as file:
        listener.body = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
    listener.limit = int(limit)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener.socket = context.wrap_socket(listener.socket, server_side=True,
                                          do_handshake_on_connect=False)
    print(listener.server_address[1], flush=True)
    listener.serve_forever()


def used_seconds():
    """Of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def best(runs):
    return tuple(min(column) for column in zip(*runs))


class Bench:
    def __init__(self, driver, place):
        self.driver, self.place = driver, pathlib.Path(place)
        self.authority = Authority(self.place / "authority")
        self.certificate = self.authority.issue()
        self.environment = {"PATH": os.environ["PATH"], "CURL_CA_BUNDLE": str(self.authority.bundle)}

    def start(self, archive, limit=0):
        server = subprocess.Popen([sys.executable, __file__, "--serve", archive, self.certificate,
                                   str(limit)], stdout=subprocess.PIPE, text=True)
        return server, f"https://localhost:{server.stdout.readline().strip()}/x.tar.zst"

    def timed(self, command):
        """Into a fresh tree, which is removed.  Returns: seconds, stdout, seconds of processors."""
        tree = self.place / "tree"
        begun, used = time.monotonic(), used_seconds()
        done = subprocess.run([str(word) for word in command(tree)], env=self.environment,
                              stdout=subprocess.PIPE, check=True)
        seconds = time.monotonic() - begun
        used = used_seconds() - used
        shutil.rmtree(tree)
        return seconds, done.stdout, used

    def peer(self, url):
        return self.timed(lambda tree: [
            "sh", "-ec", 'mkdir "$2"; curl -sf "$1" | zstd -qd --long=27 | tar x -C "$2"', "sh", url,
            tree])[::2]

    def ours(self, url, digest, *connections):
        seconds, out, used = self.timed(
            lambda tree: [self.driver, url, digest, tree, *connections])
        return seconds, used, int(out) / 1024

    def archive(self, name, size_bytes):
        path = self.place / name
        make_archive(path, size_bytes)
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        return path, digest.hexdigest()

    def compare(self):
        archive, digest = self.archive("large", BYTES)
        server, url = self.start(archive)
        peer, ours, resident = [], [], 0
        for _ in range(ROUNDS):
            peer.append(self.peer(url))
            seconds, used, mib = self.ours(url, digest)
            ours.append((seconds, used))
            resident = max(resident, mib)
        server.kill()
        server.wait()
        size = archive.stat().st_size / 1e6
        archive.unlink()
        (peer_wall, peer_used), (wall, used) = map(best, (peer, ours))
        ratio = wall / peer_wall
        print(f"{size:.0f} MB in {WHERE}, best of {ROUNDS}: curl | zstd | tar {peer_wall:.2f} s, "
              f"ours, verified, {wall:.2f} s: {ratio:.2f} x (bound {MAX_RATIO}); "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        print(f"time of processors: {peer_used:.2f} s, ours {used:.2f} s: {used / peer_used:.2f} x")
        print(f"resident {resident:.0f} MiB (bound {MAX_RESIDENT_MIB})")
        return ratio <= MAX_RATIO and resident <= MAX_RESIDENT_MIB

    def limited(self):
        archive, digest = self.archive("limited", LIMITED_BYTES)
        server, url = self.start(archive, LIMIT)
        one = self.ours(url, digest, 1)[0]
        several = self.ours(url, digest)[0]
        server.kill()
        server.wait()
        print(f"{archive.stat().st_size / 1e6:.0f} MB at {LIMIT / 1e6:.0f} MB/s for each connection: "
              f"one {one:.2f} s, up to four {several:.2f} s: {one / several:.2f} x as fast "
              f"(bound {MIN_SPEEDUP})")
        return one / several >= MIN_SPEEDUP


def main():
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", dir=WHERE) as place:
        bench = Bench(os.path.abspath(sys.argv[1]), place)
        results = [bench.compare(), bench.limited()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(*sys.argv[2:])
    else:
        sys.exit(main())
