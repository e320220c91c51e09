"""All three embedded stacks on one machine at once; octollm with its monitoring.  What is a stand-in is said
in localagent_rig.py, buttercup_rig.py and octollm_rig.py.

The engine has a network of its own, in which a route to somebody's company takes a range that the engine
would like to give away.
"""
import collections
import ipaddress
import json
import pathlib
import secrets
import shutil
import unittest

import buttercup_rig
import engine
import localagent_rig
import octollm_rig
import rig

COMPANY = ipaddress.ip_network("172.18.0.0/16")
RIGS = {"localagent": localagent_rig, "octollm": octollm_rig, "buttercup": buttercup_rig}


def setUpModule():
    global ENGINE
    ENGINE = engine.NetworkEngine()
    unittest.addModuleCleanup(ENGINE.close)
    for one in RIGS.values():
        one.make_images(ENGINE)
    ENGINE.run(["ip", "link", "add", "company", "type", "bridge"])
    ENGINE.run(["ip", "address", "add", str(COMPANY[1]) + "/16", "dev", "company"])
    ENGINE.run(["ip", "link", "set", "company", "up"])


class ThreeStacks(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.top = ENGINE.top / "three"
        self.home = self.top / "home"
        self.home.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, self.top)
        self.addCleanup(ENGINE.run, ["sh", "-c", "rm -rf /run/slipway /etc/systemd/system/*"])
        self.addCleanup(ENGINE.empty)
        (self.home / "key").write_bytes(secrets.token_bytes(32))
        (self.home / "key").chmod(0o600)

    def slipway(self, *arguments, status=0, **options):
        done = ENGINE.run(
            ["env", "-C", str(self.home), str(rig.PROGRAM), *map(str, arguments)], check=False,
            env=ENGINE.environment(HOME=str(self.home), SLIPWAY_KEY_FILE=str(self.home / "key")), **options)
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def document(self, *arguments, **options):
        return json.loads(self.slipway(*arguments, "--json", **options).stdout)

    def install_all(self):
        """name -> what was said of it."""
        profiles = {"localagent": "containers", "octollm": "monitoring", "buttercup": "core"}
        # Four seconds: that many programs more often are a processor.
        options = {name: one.make_stack(self.top / name, self.top / f"{name}-upstream", interval=4)
                   for name, one in RIGS.items()}
        self.slipway("keys", "set", "OPENAI_API_KEY", "--stdin", input="sk-" + secrets.token_hex(16))
        return {name: self.document("install", self.top / name, "--yes", "--profile", profiles[name], *options[name])
                for name in RIGS}

    @staticmethod
    def labelled(kind, *options):
        """project -> names of all that the engine has of it."""
        found = collections.defaultdict(set)
        form = '{{.Label "com.docker.compose.project"}} {{%s}}' % (".ID" if kind == "ps" else ".Name")
        words = [kind] if kind == "ps" else [kind, "ls"]
        for line in ENGINE.docker(*words, *options, "--format", form).stdout.splitlines():
            project, _, name = line.partition(" ")
            if project and not (kind == "network" and ENGINE.has_lost_count_of(name)):
                found[project].add(name)
        return found

    def everything(self):
        """project -> containers with the moment of their start, networks, volumes, keys in memory."""
        found = {}
        containers, networks, volumes = (self.labelled("ps", "-a", "--no-trunc"), self.labelled("network"),
                                         self.labelled("volume"))
        for name in RIGS:
            started = [] if not containers[name] else json.loads(
                ENGINE.docker("inspect", *sorted(containers[name])).stdout)
            keys = ENGINE.run(["sh", "-c", f"cd /run/slipway/secrets/{name} 2>/dev/null && "
                                           "find . -type f -exec sha256sum {} + | sort || true"]).stdout
            found[name] = ({one["Id"]: one["State"]["StartedAt"] for one in started}, networks[name],
                           volumes[name], keys)
        return found

    def assert_apart(self):
        """Nothing of one is called as something of another, or reaches into its addresses."""
        networks = self.labelled("network")
        ranges = {}
        for project, names in networks.items():
            for one in json.loads(ENGINE.docker("network", "inspect", *sorted(names)).stdout):
                ranges[one["Name"]] = [ipaddress.ip_network(part["Subnet"]) for part in one["IPAM"]["Config"]]
                self.assertTrue(one["Name"].startswith(project), one["Name"])
        taken = [COMPANY, *(one for parts in ranges.values() for one in parts)]
        for number, one in enumerate(taken):
            self.assertFalse([other for other in taken[:number] if one.overlaps(other)], ranges)
        for project, names in self.labelled("volume").items():
            self.assertEqual({name for name in names if not name.startswith(f"{project}_")}, set())

    def assert_all_are_well(self, *names):
        for name in names:
            services = self.document("status", name)["stacks"][name]["services"]
            self.assertEqual({one["service"]: one["state"] for one in services},
                             dict.fromkeys((one["service"] for one in services), "healthy"))

    def test_side_by_side(self):
        said = self.install_all()
        numbers = [number for one in said.values() for number in one["ports"].values()]
        self.assertEqual(len(numbers), len(set(numbers)), numbers)
        # 9090 belongs to localagent, should it ever be monitored; 8000, which octollm leaves, is buttercup's.
        self.assertEqual({name: one["port_taken"] for name, one in said.items()},
                         {"localagent": None, "octollm": "9090", "buttercup": None})
        self.assertEqual(said["octollm"]["ports"]["orchestrator"], 18000)
        self.assertEqual(said["buttercup"]["ports"]["task-server"], 8000)

        status = self.document("status")["stacks"]
        self.assertEqual(set(status), set(RIGS))
        counts = {name: len(status[name]["services"]) for name in RIGS}
        self.assertEqual(counts, {"localagent": 3, "octollm": 13, "buttercup": 10})
        self.assert_all_are_well(*RIGS)
        self.assert_apart()
        for name in RIGS:
            tests = self.document("test", name)["tests"]
            self.assertEqual([one for one in tests if one["verdict"] == "fail"], [], name)
        available = int(pathlib.Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0])
        print(f"  {sum(counts.values())} services, {available >> 10} MiB of memory left", flush=True)

        before = self.everything()
        self.slipway("down", "octollm")
        self.assert_left_alone(before, "localagent", "buttercup")
        after = self.everything()["octollm"]
        self.assertEqual((after[0], after[1], after[3]), ({}, set(), ""))
        self.assertEqual(after[2], before["octollm"][2])

        self.slipway("reset", "octollm", "--yes")
        self.assert_left_alone(before, "localagent", "buttercup")
        self.assertEqual(self.everything()["octollm"], ({}, set(), set(), ""))

        self.slipway("up", "octollm")
        self.assert_all_are_well(*RIGS)
        self.assert_left_alone(before, "localagent", "buttercup")
        for name in RIGS:
            self.slipway("uninstall", name, "--yes")
        self.assertEqual(ENGINE.docker("ps", "-aq").stdout, "")

    def assert_left_alone(self, before, *names):
        now = self.everything()
        for name in names:
            self.assertEqual(now[name], before[name], name)


if __name__ == "__main__":
    unittest.main()
