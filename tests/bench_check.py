#!/usr/bin/env python3
"""How long it takes to judge a machine, beside what else says something about one, in the same run.

A real engine.  All commands in turn, and the engine's /info among them, medians.  Ends with 1 when a bound is broken: reading the machine takes
3 ms at most where no engine is asked; the whole process 10 ms, or 4 ms more than the engine takes for /info;
and the shell script, which asks the same questions as the usual installers do, takes 20 times as long.

Root; installs Docker and neofetch.  Usage: bench_check.py SLIPWAY BENCH_RUN [ROUNDS]

SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import shutil
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "scenarios"))
import rig  # noqa: E402 pylint: disable=wrong-import-position
from engine import PLUGIN, NetworkEngine  # noqa: E402 pylint: disable=wrong-import-position

MAX_LOCAL_MS = 3
MAX_PROCESS_MS = 10
MAX_OVER_INFO_MS = 4
MIN_RATIO = 20
# What installers of such stacks ask, in the way in which they ask it.
SCRIPT = """#!/bin/sh
bad=0
need() { [ "${2:-0}" -ge "$3" ] || { echo "$1: ${2:-unknown}, needed: $3"; bad=1; }; }
. /etc/os-release
echo "$PRETTY_NAME $(uname -m) $(uname -r)"
need memory "$(free -m | awk '/^Mem:/ { print $2 }')" 8192
need available "$(free -m | awk '/^Mem:/ { print $7 }')" 8192
need swap "$(free -m | awk '/^Swap:/ { print $2 }')" 0
need processors "$(nproc)" 4
for directory in / /tmp "$HOME"; do
  need "disk of $directory" "$(df -Pk "$directory" | awk 'NR == 2 { print $4 }')" 20971520
  need "inodes of $directory" "$(df -Pi "$directory" | awk 'NR == 2 { print $4 }')" 5000
done
grep -qw avx /proc/cpuinfo || echo "no AVX"
for tool in git curl python3 docker; do
  command -v "$tool" >/dev/null || { echo "no $tool"; bad=1; }
done
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python is too old"; bad=1; }
docker info >/dev/null 2>&1 || { echo "Docker does not run"; bad=1; }
need "Docker's memory" "$(docker info --format '{{.MemTotal}}' | awk '{ print int($1 / 1048576) }')" 8192
need "Docker's processors" "$(docker info --format '{{.NCPU}}')" 4
docker version --format '{{.Server.Version}}'
docker compose version --short || bad=1
for port in 6379 8080 8000 1323 31323; do
  ! ss -ltn | grep -q ":$port " || { echo "port $port is in use"; bad=1; }
done
! fuser /var/lib/dpkg/lock-frontend 2>/dev/null || echo "apt is at work"
[ -z "$(dpkg --audit)" ] || echo "dpkg was interrupted"
exit $bad
"""


class Bench:
    def __init__(self, engine, program, bench, rounds):
        self.engine, self.bench, self.rounds = engine, bench, rounds
        self.program = engine.top / "slipway"
        shutil.copy(program, self.program)
        self.script = engine.top / "classic.sh"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)
        triple = engine.top / "free.sh"
        triple.write_text("#!/bin/sh\nfree; df; nproc\n")
        triple.chmod(0o755)
        self.commands = {
            "the engine's answer to /info": f"unix:{engine.socket}",
            "slipway check buttercup": f"{self.program} check buttercup",
            "slipway check localagent": f"{self.program} check localagent",
            "docker info": f"{shutil.which('docker')} info",
            "sh -c 'free; df; nproc'": str(triple),
            "neofetch": "/usr/bin/neofetch --stdout",
            "a shell script of the same questions": str(self.script),
        }
        (engine.top / "config/cli-plugins/docker-compose").write_bytes(PLUGIN.read_bytes())

    def environment(self, **more):
        return self.engine.environment(HOME=str(self.engine.top), **more)

    def medians(self):
        """Name of a command -> milliseconds."""
        done = self.engine.run([self.bench, str(self.rounds), *self.commands.values()], env=self.environment())
        return {name: float(line.split()[0]) / 1000
                for name, line in zip(self.commands, done.stdout.splitlines(), strict=True)}

    def local_ms(self):
        """What the program says that reading took, where nobody answers."""
        took = []
        for _ in range(self.rounds):
            done = self.engine.run([self.program, "check", "buttercup", "--json"], check=False,
                                   env=self.environment(DOCKER_HOST="unix:///nonexistent/docker.sock"))
            took.append(json.loads(done.stdout)["elapsed_us"] / 1000)
        return statistics.median(took)


def measure(engine, program, bench, rounds):
    case = Bench(engine, program, bench, rounds)
    checks = json.loads(engine.run([case.program, "check", "buttercup", "--json"], check=False,
                                   env=case.environment()).stdout)["checks"]
    local = case.local_ms()
    took = case.medians()
    info = took.pop("the engine's answer to /info")
    ours = took["slipway check buttercup"]
    allowed = max(MAX_PROCESS_MS, info + MAX_OVER_INFO_MS)

    print(f"{len(checks)} findings; medians of {rounds} rounds")
    print(f"{local:8.1f} ms  reading the machine, no engine asked (at most {MAX_LOCAL_MS})")
    print(f"{info:8.1f} ms  the engine's answer to /info")
    for name, milliseconds in took.items():
        bound = f" (at most {allowed:.1f})" if milliseconds == ours else ""
        print(f"{milliseconds:8.1f} ms  {milliseconds / ours:6.1f} x  {name}{bound}")
    ratio = took["a shell script of the same questions"] / ours
    broken = [text for text, is_broken in (
        (f"reading takes {local:.1f} ms", local > MAX_LOCAL_MS),
        (f"the process takes {ours:.1f} ms, allowed are {allowed:.1f}", ours > allowed),
        (f"the script takes {ratio:.1f} times as long, not {MIN_RATIO}", ratio < MIN_RATIO)) if is_broken]
    print("; ".join(broken) or "within bounds")
    return 1 if broken else 0


def main():
    program, bench = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    rig.install(("neofetch", "procps", "iproute2", "psmisc"))
    with NetworkEngine() as engine:
        return measure(engine, program, bench, rounds)


if __name__ == "__main__":
    sys.exit(main())
