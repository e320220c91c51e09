"""A stand-in for LocalAgent's repository: our own files in upstream's layout.

It has the branch and the places that the stack's edits look for, and nothing else of upstream; its
commit is another one, so tests pass --set source.revision=REVISION.
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


def anchors():
    """file -> the texts that edits look for in it."""
    found = {}
    for edit in sorted((STACK / "edits").glob("*.edit")):
        text = edit.read_text()
        name = re.search(r"^file: (\S+)$", text, re.M).group(1)
        found.setdefault(name, []).extend(
            re.findall(r"^--- find\n(.*?)^--- replace$", text, re.M | re.S))
    return found


def make(directory):
    """Makes the repository in `directory`/zvirb/LocalAgent; returns the id of its commit."""
    top = pathlib.Path(directory) / "zvirb/LocalAgent"
    files = {"README.md": "stand-in\n", "app/__init__.py": "__version__ = '2.0.0'\n",
             "app/llm_providers/__init__.py": "", "app/cli/__init__.py": ""}
    for name, texts in anchors().items():
        files[name] = "# stand-in\n" + "# between\n".join(texts)
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "stand-in")
    return git(top, "rev-parse", "HEAD")
