#!/usr/bin/env python3
"""How long it takes to know how a stack of thirteen services is, beside docker compose in the same run.

Usage: bench_status.py BENCH_RUN [ROUNDS]

A real engine, thirteen containers.  All commands in turn, medians; ends with status 1 when a bound is
broken: "slipway status" takes at most 20 ms and is 8 times as fast as "docker compose ps"; "slipway up"
of what is up takes at most 100 ms and makes no container anew.
"""
import os
import pathlib
import sys

import rig
import test_lifecycle

SERVICES = 13
BOUNDS_MS = {"status": 20, "up": 100}
RATIO = 8


class Bench(test_lifecycle.Life):
    def runTest(self):  # pylint: disable=invalid-name
        pass

    def make(self):
        more = [f"more{number}" for number in range(SERVICES - 3)]
        self.write(test_lifecycle.COMPOSE.replace("volumes:\n  data: {}", "".join(
            f"  {name}:\n    <<: *common\n    command: [\"sleep\", \"100000\"]\n"
            f"    healthcheck: {{test: [\"CMD\", \"true\"], interval: 10s}}\n"
            for name in more) + "\nvolumes:\n  data: {}"), wait_s=90)
        ini = self.stack / "stack.ini"
        ini.write_text(ini.read_text().replace("[port web]", "".join(
            f"[service {name}]\nrole = sleeps\n\n" for name in more) + "[port web]"))
        self.install()

    def medians(self, bench, rounds, commands):
        """command -> milliseconds."""
        done = test_lifecycle.ENGINE.run(
            ["env", "-C", self.home, bench, str(rounds), *commands], env=self.environment())
        return {command: float(line.split()[0]) / 1000
                for command, line in zip(commands, done.stdout.splitlines())}


def main():
    bench = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    test_lifecycle.setUpModule()
    case = Bench()
    try:
        case.setUp()
        case.make()
        before = case.containers()
        ours = {name: f"{rig.PROGRAM} {name} life" for name in BOUNDS_MS}
        peer = f"/usr/local/bin/docker compose -p {case.project} ps"
        if not os.path.exists("/usr/local/bin/docker"):
            peer = peer.replace("/usr/local", "/usr")
        took = case.medians(bench, rounds, [*ours.values(), peer])
        same = case.containers() == before and len(before) == SERVICES
    finally:
        case.doCleanups()
        test_lifecycle.unittest.case.doModuleCleanups()
    for command, milliseconds in took.items():
        print(f"{milliseconds:8.1f} ms  {command}")
    ratio = took[peer] / took[ours["status"]]
    print(f"docker compose ps / slipway status: {ratio:.1f}")
    broken = [name for name, bound in BOUNDS_MS.items() if took[ours[name]] > bound]
    if broken or ratio < RATIO or not same:
        print(f"over the bound: {broken}, ratio {ratio:.1f} (at least {RATIO}), unchanged: {same}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
