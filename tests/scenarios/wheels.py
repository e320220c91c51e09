"""The wheels of the stack's lock file, loaded once with pip for the Python of each suite."""
import pathlib
import re
import shutil
import sys

import rig

PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
LOCK = rig.TOP / "payload/stacks/localagent/requirements.txt"


@rig.made_once
def fetch(suite):
    """A directory with the wheels."""
    cache = rig.CACHE / f"wheels-{suite}-{rig.hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not cache.exists():
        work = pathlib.Path(f"{cache}.new")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        # Markers would be judged by the Python that runs here; all wheels are loaded instead.
        lock = work / "requirements.txt"
        lock.write_text(re.sub(r" ?;[^\\\n]*", " ", LOCK.read_text()))
        rig.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                 "--only-binary", ":all:", "--python-version", PYTHON[suite], "--dest", str(work),
                 "--platform", "manylinux_2_17_x86_64", "--platform", "manylinux_2_28_x86_64",
                 "--platform", "manylinux_2_12_x86_64", "--platform", "manylinux1_x86_64",
                 "--platform", "any", "-r", str(lock)])
        lock.unlink()
        work.rename(cache)
    return cache


def fill(suite, target):
    """Puts the wheels into `target`."""
    shutil.copytree(fetch(suite), target)
