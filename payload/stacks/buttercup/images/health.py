"""health.py [--supervisor CONFIGURATION] [--url URL]... [--fresh PROGRAM=SECONDS]...

The health check of a container.  Status 1, with a line for each trouble on standard error, unless every
supervised program runs, every URL answers, and every program has said within its time that it is alive.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

ALIVE = pathlib.Path(os.environ.get("BUTTERCUP_HEALTH_DIR", "/tmp/health"))


def programs(configuration):
    """The program table of supervisorctl, whose status is not 0 when one of them does not run."""
    done = subprocess.run(["supervisorctl", "-c", configuration, "status"], capture_output=True,
                          text=True, timeout=8, check=False)
    lines = [line for line in done.stdout.splitlines() if line.split()[1:2] != ["RUNNING"]]
    return lines or ([] if done.returncode == 0 else [done.stdout + done.stderr])


def pages(urls):
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=4):
                pass
        except OSError as error:
            yield f"{url}: {error}"


def silent(limits):
    for limit in limits:
        program, _, seconds = limit.partition("=")
        try:
            age = time.time() - (ALIVE / program).stat().st_mtime
        except OSError:
            yield f"{program} has never said that it is alive"
            continue
        if age > float(seconds):
            yield f"{program} has not said for {age:.0f} s that it is alive"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--supervisor")
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("--fresh", action="append", default=[])
    options = parser.parse_args()
    troubles = [*(programs(options.supervisor) if options.supervisor else ()),
                *pages(options.url), *silent(options.fresh)]
    if troubles:
        sys.exit("\n".join(troubles))
    print("healthy")


if __name__ == "__main__":
    main()
