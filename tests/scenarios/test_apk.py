"""The packages step in apk: the real one where SLIPWAY_TEST_APK names its program, else a stand-in.

No distribution that packages can be had from here has apk.  The stand-in, apk_stand_in.py, was held
against apk 2.14.10 and 3.0.6 by this table of cases; packages and indexes are in the real format.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import shutil
import unittest

import alpine
import managers
import package_cases

REAL = os.environ.get("SLIPWAY_TEST_APK")
SCRIPT = "#!/bin/sh\n{}\n"


class Apk(managers.Managed):
    manager, suite = "apk", "trixie"
    root_packages = ("dnf", "zypper", "rpm", "sudo")  # the root of other managers, with a Python
    books = ("/usr/lib/apk", "/var/cache/apk", "/var/log/apk.log", "/etc/apk/repositories", "/apk")
    install = "apk add"
    program = "/usr/sbin/apk"
    ask = "apk update"
    mark = "apk add"
    list_command = ("apk", "info", "-v")

    def fill(self):
        key, other = alpine.Key(self.work, "test"), alpine.Key(self.work, "other")
        for name, signer in (("old", key), ("good", key), ("unsigned", None), ("others", other),
                             ("moved", key)):
            repository = alpine.Repository(self.root / "srv" / name, signer)
            for package in managers.PACKAGES:
                if name != "old" or package[:2] == ("beside", "1"):
                    self.pack(repository, *package, release=int(name == "moved"))
            repository.write_index()
        (self.root / "etc/apk/keys").mkdir(parents=True)
        shutil.copy(key.public, self.root / "etc/apk/keys")

    @staticmethod
    def pack(repository, name, version, needs, script, release=0):
        files = {f"usr/bin/{name}": f"#!/bin/sh\necho {name} version {version}\n",
                 f"etc/{name}.conf": "setting\n",
                 **{f"usr/share/{name}/{i}": "\n".join(map(str, range(400))) for i in range(1, 201)}}
        repository.add(name, f"{version}-r{release}", files, needs.replace("(", "").replace(")", ""),
                       scripts={".post-install": SCRIPT.format(script)} if script else None)

    def set_up(self):
        self.write("/etc/os-release", "ID=alpine\nVERSION_ID=3.21\n")
        self.write("/etc/apk/arch", "x86_64\n")
        self._carry_program()
        self.use("old")
        self.sh("mkdir -p /lib/apk/db && touch /lib/apk/db/installed /etc/apk/world && apk add beside")
        self.use("good")
        self.sh("apk update")

    def _carry_program(self):
        if not REAL:
            program = pathlib.Path(__file__).with_name("apk_stand_in.py")
            shutil.copy(program, self.root / "usr/sbin/apk")
            (self.root / "usr/sbin/apk").chmod(0o755)
            return
        place = self.root / "apk"
        (place / "lib").mkdir(parents=True)
        shutil.copy(REAL, place / "apk")
        os.environ["LD_LIBRARY_PATH"] = str(pathlib.Path(REAL).parent)
        for path in managers._libraries(REAL):
            shutil.copy(path, place / ("ld.so" if "/ld-" in path else "lib"))
        del os.environ["LD_LIBRARY_PATH"]
        self.write("/usr/sbin/apk", '#!/bin/sh\nexec /apk/ld.so --library-path /apk/lib /apk/apk "$@"\n',
                   0o755)

    def use(self, repository, key="file"):
        self.write("/etc/apk/repositories", f"{self.url}/{repository if key == 'file' else 'others'}\n")

    def forget(self):
        self.sh("rm -rf /var/cache/apk/*")

    def damage_index(self):
        self.write("/srv/good/x86_64/APKINDEX.tar.gz", "damaged")

    def archive(self, name):
        return next((self.root / "srv/good").glob(f"*/{name}-[0-9]*.apk"))

    def listed(self):
        names = [line.rsplit("-", 2) for line in super().listed()]
        return [*(f"{name} {version}" for name, version, _ in names), "world:",
                *sorted(self.sh("cat /etc/apk/world").split())]


class ApkTest(package_cases.Cases, unittest.TestCase):
    kind = Apk
    index_status = 69


if __name__ == "__main__":
    unittest.main()
