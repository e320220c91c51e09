"""Stand-ins for upstream's repositories: our own files in their layout.

One has the places that the stack's edits look for, and nothing else of upstream; its commit is another
one, so tests pass --set source.revision=REVISION.
"""
import pathlib
import re
import subprocess

STACK = pathlib.Path(__file__).resolve().parents[2] / "payload/stacks/localagent"
# What its tools are called there.
PACKAGES = ("ca-certificates", "git", "python3", "python3-venv")


def git(directory, *arguments):
    return subprocess.run(
        ["git", "-c", "user.name=rig", "-c", "user.email=rig@localhost", "-c",
         "init.defaultBranch=master", "-C", str(directory), *arguments],
        check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.strip()


def anchors(stack):
    """file -> the texts that the edits of the definition in `stack` look for in it."""
    found = {}
    for edit in sorted((stack / "edits").glob("*.edit")):
        name = None
        for part in re.findall(r"^file: (\S+)$|^--- find\n(.*?)^--- replace$", edit.read_text(), re.M | re.S):
            name = part[0] or name
            if part[1]:
                found.setdefault(name, []).append(part[1])
    return found


def write(top, stack=None, files=()):
    """Writes what the edits of `stack` look for, and `files`: name -> text."""
    texts = {name: "# stand-in\n" + "# between\n".join(parts)
             for name, parts in (anchors(stack) if stack else {}).items()}
    for name, text in {**dict(files), **texts}.items():
        path = pathlib.Path(top) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(directory):
    """Makes a repository of what lies in it, or a commit in the one that it is; returns the commit's id."""
    git(directory, "init", "-q")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "stand-in")
    return git(directory, "rev-parse", "HEAD")


def make(directory):
    """Makes LocalAgent's repository in `directory`/zvirb/LocalAgent; returns the id of its commit."""
    top = pathlib.Path(directory) / "zvirb/LocalAgent"
    write(top, STACK, {"README.md": "stand-in\n", "app/__init__.py": "__version__ = '2.0.0'\n",
                       "app/llm_providers/__init__.py": "", "app/cli/__init__.py": ""})
    return commit(top)
