"""A place with releases of Ollama, in which the program is a stand-in: ollama_standin.c.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import io
import pathlib
import platform
import subprocess
import tarfile

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def compile_standin(target, options=("-static",)):
    """A static program runs in any root."""
    subprocess.run(["cc", "-O1", *options, "-D_GNU_SOURCE", "-o", str(target),
                    str(pathlib.Path(__file__).with_name("ollama_standin.c"))], check=True)


def _add(archive, name, data, mode):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    archive.addfile(info, io.BytesIO(data))


class Releases:
    """Releases below `place`, to be named as release = ..."""

    def __init__(self, place, standin):
        self.place = pathlib.Path(place)
        self.program = pathlib.Path(standin).read_bytes()

    def add(self, version, behaviour="", pull="", bad_digest=False):
        """One that has .tgz files, as those before 0.14 do."""
        top = self.place / f"v{version}"
        top.mkdir(parents=True)
        path = top / f"ollama-linux-{ARCH}.tgz"
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            _add(archive, "./bin/ollama", self.program, 0o755)
            _add(archive, "./lib/ollama/libggml-base.so", f"library {version}\n".encode(), 0o644)
            for name, text in (("version", version), ("behaviour", behaviour), ("pull", pull)):
                if text:
                    _add(archive, f"./{name}", f"{text}\n".encode(), 0o644)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if bad_digest:
            digest = digest[::-1]
        (top / "sha256sum.txt").write_text(f"{'0' * 64}  ./install.sh\n{digest}  ./{path.name}\n")
        return digest
