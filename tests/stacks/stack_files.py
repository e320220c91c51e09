"""What the files of every embedded stack have to keep; the tests of each add what is its own.

SPDX-License-Identifier: Apache-2.0
"""
import ast
import configparser
import itertools
import json
import pathlib
import posixpath
import re

STACKS = pathlib.Path(__file__).resolve().parents[2] / "payload/stacks"
REQUIREMENT = re.compile(r"[a-z0-9-]+==[0-9.]+( ;[^\\]*)?( +--hash=sha256:[0-9a-f]{64})+")
# What asks an https server in a line of a Dockerfile.
ASKS = re.compile(r"\b(pip install|cargo build|uv (sync|pip|python)|urlretrieve|curl|wget|git clone|npm)\b")
CA_BUNDLE = re.compile(r"--mount=type=secret,id=ca_bundle,target=/run/ca\.crt "
                       r"+if \[ -s /run/ca\.crt \]; then export \w+=/run/ca\.crt; fi\b")
# What a variable of an image or an argument of a Dockerfile stands for; an image with its digest.
IMAGE = re.compile(r"\w*_IMAGE(?:=|:-)([^\s}$]+)")
PINNED = re.compile(r"([\w./-]+:[\w.-]+)@sha256:([0-9a-f]{64})\b")
UNWANTED = ("container_name", "subnet", "start_interval", ":latest", "docker.sock", "network_mode", "2375:")


class Definition:
    """The definition in the directory `top`, whose compose files are in its `containers`."""
    top = None
    containers = "compose"

    @classmethod
    def definition(cls):
        ini = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#", ";"))
        ini.optionxform = str
        ini.read(cls.top / "stack.ini")
        return ini

    @classmethod
    def sections(cls, kind):
        """name -> members of the sections of that kind."""
        ini = cls.definition()
        return {name.removeprefix(f"{kind} "): ini[name] for name in ini.sections() if name.startswith(f"{kind} ")}

    @classmethod
    def texts(cls):
        return {path.name: path.read_text() for path in sorted((cls.top / cls.containers).glob("*.yaml"))}

    @classmethod
    def text(cls):
        return "".join(cls.texts().values())

    @classmethod
    def environment(cls):
        lines = (cls.top / cls.containers / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Files(Definition):
    # Not written by a step, and not for people.
    not_installed = {"stack.ini"}
    # Images of others whose digest nobody says.
    unpinned = frozenset()

    def test_every_member_is_there_and_used(self):
        ini = self.definition()
        named = {word for section in ini.sections() for key in ("from", "edits", "requirements", "shims")
                 for word in ini.get(section, key, fallback="").split()}
        there = {str(path.relative_to(self.top)) for path in self.top.rglob("*") if path.is_file()}
        self.assertEqual(named - there, set())
        for_people = {name for name in there if name.startswith(("docs/", "dev/"))}
        self.assertEqual(there - named - for_people, self.not_installed)

    def test_images_of_others_have_a_tag_and_one_digest(self):
        texts = {path: path.read_text() for path in self.top.rglob("*") if path.is_file() and path.suffix != ".md"}
        images = {image for text in texts.values() for image in IMAGE.findall(text)
                  if not image.startswith(self.top.name)}
        self.assertEqual({image for image in images if not PINNED.fullmatch(image)}, self.unpinned)
        pinned = {pair for text in texts.values() for pair in PINNED.findall(text)}
        digests = dict(pinned)
        self.assertEqual(len(digests), len(pinned), "an image has two digests")
        self.assertLessEqual({image.partition("@")[0] for image in images - self.unpinned}, set(digests))
        for path, text in texts.items():
            for image in digests:
                self.assertNotRegex(text, rf"(?<![\w./]){re.escape(image)}(?![\w.@-])", path)

    def test_compose_runs_on_what_its_steps_wait_for(self):
        steps = self.sections("step")
        for name, step in steps.items():
            if step["kind"] != "compose":
                continue
            written = {steps[one].get("path", "") for one in step["after"].split()}
            files = step["files"].split()
            wanted = {*files, step["env_file"], *(path for file in files for path in re.findall(
                r'(?:[ "]|:-)(\.\.?/[\w./-]*\w)(?::/|}$)', self.texts()[file], re.M))}
            for path in wanted:
                whole = posixpath.normpath(f"{step['directory']}/{path}")
                with self.subTest(step=name, path=whole):
                    self.assertTrue(any(one.startswith(whole) for one in written))

    def test_steps_wait_only_for_steps_of_their_own_profiles(self):
        steps = self.sections("step")
        everything = " ".join(self.sections("profile"))
        for name, step in steps.items():
            for other in step.get("after", "").split():
                with self.subTest(step=name, after=other):
                    self.assertLessEqual(set(step.get("profiles", everything).split()),
                                         set(steps[other].get("profiles", everything).split()))

    def test_generated_keys_are_made_before_they_are_wanted(self):
        steps = self.sections("step")
        for name, step in steps.items():
            if step["kind"] == "compose":
                profile = step["profiles"]
                made = {steps[one]["name"] for one in step["after"].split() if steps[one]["kind"] == "key"}
                generated = {key for key, row in self.sections("key").items()
                             if row["kind"] == "generated" and profile in row.get("profiles", profile).split()}
                self.assertEqual(made, generated, name)

    def test_edits_are_well_formed(self):
        for path in sorted((self.top / "edits").iterdir()):
            with self.subTest(path.name):
                marks = " ".join(line.split(": ")[0] for line in path.read_text().splitlines()
                                 if line.startswith(("file: ", "--- ")))
                self.assertRegex(marks + " ", r"^(file (--- find --- replace --- end )+)+$")

    def test_python_files_parse_on_3_11(self):
        for path in self.top.rglob("*.py"):
            with self.subTest(path.name):
                ast.parse(path.read_text(), feature_version=(3, 11))

    def test_requirements_are_pinned_with_digests_and_name_no_index(self):
        found = [*self.top.rglob("*requirements*.txt"), *self.top.rglob("supervisor.txt")]
        self.assertTrue(found)
        for path in found:
            for line in path.read_text().replace("\\\n", "").splitlines():
                with self.subTest(path.name, line=line.split(" ")[0]):
                    self.assertTrue(line.startswith("#") or not line or REQUIREMENT.fullmatch(line.rstrip()))

    def test_no_trouble_is_invited(self):
        for word in UNWANTED:
            self.assertNotIn(word, self.text())

    def test_every_port_is_on_loopback_and_movable(self):
        found = set()
        for port in re.findall(r'(?:ports: \[|^ +- )"([^"]*:\d+)"', self.text(), re.M):
            match = re.fullmatch(r"\$\{\w+_BIND:-127\.0\.0\.1\}:\$\{(\w+_PORT):-(\d+)\}:\d+|"
                                 r"127\.0\.0\.1:\$\{(\w+_PORT):-(\d+)\}:\d+", port)
            self.assertTrue(match, port)
            found.add((match[1] or match[3], match[2] or match[4]))
        declared = {name: (port["variable"], port["number"]) for name, port in self.sections("port").items()}
        self.assertEqual({one for one in found if "SCANTRON" not in one[0]}, set(declared.values()))
        for name, (variable, _) in declared.items():
            self.assertEqual(self.environment()[variable], f"@port_{name.replace('-', '_')}@")

    def test_env_and_compose_agree(self):
        """What env has is what compose takes without it."""
        defaults = {name: value for name, value in re.findall(r"\$\{(\w+):-([^}]*)\}", self.text())
                    if "SCANTRON" not in name}
        env = self.environment()
        self.assertEqual(set(env) - {"COMPOSE_PROJECT_NAME"}, set(defaults))
        for name, default in defaults.items():
            with self.subTest(name):
                self.assertTrue(env[name].startswith("@") or env[name] == default)

    def test_builds_trust_the_ca_that_a_person_named(self):
        found = [line for path in self.top.rglob("*Dockerfile")
                 for line in re.findall(r"^RUN (.*)$", path.read_text().replace("\\\n", ""), re.M)]
        self.assertTrue(any(map(ASKS.search, found)))
        for line in found:
            with self.subTest(line):
                self.assertEqual(bool(ASKS.search(line)), bool(CA_BUNDLE.search(line)))
        self.assertEqual(len(re.findall(r"^ +context: ", self.text(), re.M)),
                         len(re.findall(r"^ +secrets: \[ca_bundle\]$", self.text(), re.M)))
        self.assertEqual((self.top / self.containers / "ca.crt").read_bytes(), b"")

    def test_no_key_is_in_a_file(self):
        for path in (*(self.top / self.containers).glob("*.yaml"), self.top / self.containers / "env"):
            with self.subTest(path.name):
                self.assertEqual(re.findall(r"^ *\w*(?:API_KEY|TOKEN|PASSWORD|SECRET_KEY|_PAT)(?:=|: +)[A-Za-z0-9].*$",
                                            path.read_text(), re.M), [])

    def test_dashboards_are_what_grafana_takes(self):
        boards = [path for path in self.top.rglob("*.json") if "monitoring" in path.parts]
        source = re.search(r"uid: (\S+)", next(self.top.rglob("datasources/prometheus.yml")).read_text())[1]
        self.assertTrue(boards)
        for path in boards:
            self.assertLess(path.stat().st_size, 8192)  # it is in the program
            board = json.loads(path.read_text())
            self.assertLessEqual({"uid", "title", "schemaVersion", "version", "refresh", "time"}, set(board))
            for name in ("id", "title"):
                self.assertEqual(len({panel[name] for panel in board["panels"]}), len(board["panels"]))
            for panel in board["panels"]:
                self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": source})
                self.assertIn(panel["type"], ("stat", "gauge", "bargauge", "timeseries", "state-timeline"))
                self.assertTrue(panel["targets"] and all(one["expr"] and one["refId"] for one in panel["targets"]))
                self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24)
            for one, other in itertools.combinations((panel["gridPos"] for panel in board["panels"]), 2):
                self.assertTrue(any(first[at] + first[size] <= second[at] for first, second in (
                    (one, other), (other, one)) for at, size in ("xw", "yh")), (path.name, one, other))

    def test_the_pin_is_what_is_built(self):
        self.assertIn(self.definition()["source"]["revision"], self.text())
