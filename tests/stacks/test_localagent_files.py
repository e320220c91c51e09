"""The files of stack localagent fit together.  SPDX-License-Identifier: Apache-2.0"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import stack_files
import yaml

STACK = stack_files.STACKS / "localagent"
# Of `slipway deploy`: not compose's.
TUNABLES = {"TRAFFIC_STEPS": "10,50,100", "TRAFFIC_STEP_SECONDS": "30", "MAX_STEP_ERRORS": "3",
            "HEALTH_CHECK_TIMEOUT": "300", "ROLLBACK_TIMEOUT": "600", "BACKUP_RETENTION_DAYS": "7",
            "AUTO_ROLLBACK": "true"}


def parse(path):
    return yaml.safe_load((STACK / path).read_text())


class Files(stack_files.Files, unittest.TestCase):
    top = STACK
    containers = "containers"

    @classmethod
    def environment(cls):
        """What compose is given: of the two files, what is not for somebody else."""
        lines = (STACK / "containers/deployment.env").read_text().splitlines()
        deployment = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        return {name: value for name, value in {**super().environment(), **deployment}.items()
                if name not in TUNABLES and name != "COMPOSE_PROFILES"}

    def test_b8_whatever_is_generated_parses(self):
        for path in STACK.rglob("*"):
            with self.subTest(path.name):
                if path.suffix in (".yaml", ".yml"):
                    self.assertIsInstance(yaml.safe_load(path.read_text()), dict)
                elif path.suffix == ".json":
                    json.loads(path.read_text())
                elif path.suffix == ".sh":
                    subprocess.run(["sh", "-n", path], check=True)

    def test_dashboard_asks_for_metrics_that_exist(self):
        known = (STACK / "python" / "gateway.py").read_text()
        board = json.loads((STACK / "containers" / "monitoring" / "dashboard.json").read_text())
        rules = (STACK / "containers" / "monitoring" / "rules.yml").read_text()
        texts = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        for name in re.findall(r"(?:localagent|process)_[a-z_]+", " ".join(texts + [rules])):
            with self.subTest(name):
                self.assertIn(name.removesuffix("_bucket"), known)


class Production(unittest.TestCase):
    """The proxy, the colours, and what `slipway deploy` reads and writes."""

    def test_the_tunables_are_in_env(self):
        env = dict(line.split("=", 1) for line in (STACK / "containers/env").read_text().splitlines()
                   if line and not line.startswith("#"))
        self.assertEqual({name: env[name] for name in TUNABLES}, TUNABLES)

    def test_a_colour_is_the_gateway(self):
        gateway = parse("containers/compose.yaml")["services"]["localagent"]
        services = parse("containers/compose.production.yaml")["services"]
        for colour in ("blue", "green"):
            own, upper = services[f"localagent-{colour}"], colour.upper()
            self.assertEqual(set(own) ^ set(gateway), {"build", "ports", "profiles", "pull_policy"})
            self.assertEqual((own["profiles"], own["pull_policy"]), ([colour], "never"))
            self.assertEqual(own["image"], gateway["image"].replace("LA_IMAGE", f"LA_{upper}_IMAGE"))
            self.assertEqual(own["volumes"], [f"{one}:ro" if "la-config" in one else one for one in gateway["volumes"]])
            self.assertEqual({**own["environment"], "DEPLOYMENT_COLOR": None, "DEPLOYMENT_ID": None},
                             {**gateway["environment"], "DEPLOYMENT_COLOR": None, "DEPLOYMENT_ID": None})
            self.assertEqual(own["environment"]["DEPLOYMENT_COLOR"], colour)
            self.assertRegex(own["environment"]["DEPLOYMENT_ID"], rf"^\$\{{LA_{upper}_ID:-")
            self.assertIn("/ready", own["healthcheck"]["test"][-1])
            for name in set(own) & set(gateway) - {"image", "volumes", "environment", "healthcheck"}:
                self.assertEqual(own[name], gateway[name], name)

    def test_the_proxy_has_both_colours_and_the_weights(self):
        text = (STACK / "containers/proxy/servers.cfg").read_text()
        found = re.findall(r"^    server (\w+) (\S+) weight (\d+)$", text, re.M)
        self.assertEqual(found, [("blue", "localagent-blue:8000", "100"), ("green", "localagent-green:8000", "0")])
        for words in ("backend app", "balance roundrobin", "option httpchk GET /ready",
                      "check inter 2s fall 3 rise 2 resolvers docker init-addr none"):
            self.assertIn(words, text)
        lines = {line.strip() for line in (STACK / "containers/proxy/haproxy.cfg").read_text().splitlines()}
        self.assertLessEqual({
            "stats socket ipv4@0.0.0.0:9999 level admin", "mode http", "timeout connect 5s", "timeout client 120s",
            "timeout server 300s", "option redispatch 1", "retries 2", "nameserver engine 127.0.0.11:53", "bind :8080",
            "default_backend app", "bind :8404", "monitor-uri /haproxy-alive"}, lines)

    def test_the_admin_port_is_on_loopback_whatever_the_others_are(self):
        ports = parse("containers/compose.production.yaml")["services"]["proxy"]["ports"]
        self.assertEqual([port for port in ports if port.endswith(":9999")],
                         ["127.0.0.1:${LA_PROXY_ADMIN_PORT:-9999}:9999"])

    def test_the_section_names_what_there_is(self):
        deploy = Files.definition()["deploy"]
        steps = {step["path"]: step for step in Files.sections("step").values() if "path" in step}
        for key in ("variables", "servers"):
            self.assertEqual(steps[deploy[key]]["mutable"], "yes")
        variables = (STACK / steps[deploy["variables"]]["from"]).read_text()
        for name in (*deploy["images"].split(), *deploy["ids"].split(), "COMPOSE_PROFILES"):
            self.assertRegex(variables, rf"(?m)^{name}=.")
        volumes = parse("containers/compose.yaml")["volumes"]
        self.assertLessEqual(set(deploy["backup"].split()), set(volumes))
        self.assertIn(deploy["admin"], Files.sections("port"))


class Workflow(unittest.TestCase):
    """dev/ci-workflow.yml: sheet, 8."""
    file = parse("dev/ci-workflow.yml")
    jobs = file["jobs"]

    def steps(self):
        return [(name, step) for name, job in self.jobs.items() for step in job["steps"]]

    def test_it_runs_where_upstream_is(self):
        on = self.file[True]  # YAML's word for "on"
        self.assertEqual(on["push"], {"branches": ["master", "develop"], "tags": ["v*"]})
        self.assertIn("pull_request", on)
        self.assertEqual(self.jobs["quality"]["strategy"]["matrix"], {"python": ["3.12", "3.13"]})

    def test_jobs_wait_for_their_gates(self):
        self.assertEqual(self.jobs["image"]["needs"], ["quality", "integration", "security"])
        self.assertEqual((self.jobs["deploy"]["needs"], self.jobs["release"]["needs"]), ("image", "image"))
        self.assertEqual(self.file["permissions"], {"contents": "read"})
        for name, job in self.jobs.items():
            self.assertLessEqual(job["timeout-minutes"], 60, name)

    def test_no_gate_is_open(self):
        text = (STACK / "dev/ci-workflow.yml").read_text()
        for words in ("|| true", "continue-on-error", "@master", "@main", ":latest", "--exit-zero"):
            self.assertNotIn(words, text)
        runs = " ".join(step.get("run", "") for _, step in self.steps())
        for tool in ("black --check", "isort --check-only", "flake8", "mypy app", "bandit", "pip-audit",
                     "--cov-fail-under"):
            self.assertIn(tool, runs)
        scans = [step["with"] for _, step in self.steps() if "trivy" in step.get("uses", "")]
        self.assertEqual([scan["exit-code"] for scan in scans], ["1", "1"])

    def test_what_it_uses_is_pinned(self):
        for name, step in self.steps():
            if "uses" in step:
                self.assertRegex(step["uses"], r"^[\w-]+/[\w/-]+@v?\d+(\.\d+)*$", name)
            if "pip install" in step.get("run", ""):
                for package in re.findall(r'"([^" ]+)"', step["run"]):
                    self.assertRegex(package, r"^[a-z0-9-]+==[0-9.]+$")
        images = {one["image"] for one in self.jobs["integration"]["services"].values()}
        text = (STACK / "containers/compose.yaml").read_text()
        for image in images:
            self.assertIn(image, text)

    def test_its_commands_parse(self):
        for name, step in self.steps():
            if "run" in step:
                with self.subTest(job=name, step=step.get("name", step["run"][:40])):
                    text = re.sub(r"\$\{\{.*?\}\}", "x", step["run"])
                    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
                    self.assertNotIn("${{", step["run"])  # what somebody else wrote is no command

    def test_the_image_is_for_both_architectures_and_tried_before(self):
        builds = [step["with"] for _, step in self.steps() if "build-push" in step.get("uses", "")]
        self.assertEqual((builds[0]["load"], builds[1]["platforms"]), (True, "linux/amd64,linux/arm64"))
        self.assertEqual(builds[1]["push"], "${{ github.event_name == 'push' }}")


class Wrapper(unittest.TestCase):
    """The shell file, with its names filled in, on a machine with and without slipway."""

    def run_wrapper(self, has_slipway):
        with tempfile.TemporaryDirectory() as name:
            prefix = pathlib.Path(name, "a prefix")
            (prefix / "venv" / "bin").mkdir(parents=True)
            for program in ("slipway", "venv/bin/python"):
                path = prefix / program
                path.write_text('#!/bin/sh\nprintf "%s|" "$0" "$LOCALAGENT_CONFIG_DIR" "$@"\n')
                path.chmod(0o755)
            if not has_slipway:
                (prefix / "slipway").unlink()
            text = (STACK / "native" / "localagent.sh").read_text()
            for key, value in (("prefix", prefix), ("slipway", prefix / "slipway")):
                text = text.replace(f"@{key}@", str(value))
            wrapper = pathlib.Path(name, "localagent")
            wrapper.write_text(text)
            done = subprocess.run(["sh", wrapper, "complete", "two words"], text=True, check=True,
                                  capture_output=True, env={"PATH": os.environ["PATH"]})
            return done.stdout.replace(str(prefix), "P").split("|")[:-1]

    def test_keys_come_through_slipway(self):
        self.assertEqual(self.run_wrapper(True), [
            "P/slipway", "P", "keys", "exec", "--stack", "localagent", "--optional", "--",
            "P/venv/bin/python", "P/lib/launcher.py", "complete", "two words"])

    def test_works_without_slipway(self):
        self.assertEqual(self.run_wrapper(False), [
            "P/venv/bin/python", "P", "P/lib/launcher.py", "complete", "two words"])


if __name__ == "__main__":
    unittest.main()
