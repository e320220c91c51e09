"""The `localagent` command.  SPDX-License-Identifier: Apache-2.0"""
import contextlib
import io
import json
import os
import pathlib
import tempfile
import types
import unittest
from unittest import mock

import localagent_support as support
import launcher


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "src" / "app").mkdir(parents=True)
        patches = (
            mock.patch.object(launcher, "SOURCE", self.directory / "src"),
            mock.patch.dict(os.environ, {"LOCALAGENT_CONFIG_DIR": str(self.directory)}, clear=True),
        )
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)

    def run_it(self, *arguments, stdin=""):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), \
                mock.patch("sys.stdin", io.StringIO(stdin)):
            try:
                status = launcher.main(list(arguments))
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), err.getvalue()

    def config(self, **values):
        (self.directory / "config.json").write_text(json.dumps(values))


class Complete(Case):
    def test_only_the_answer_is_on_standard_output(self):
        with mock.patch.object(support.FakeProvider, "chatters", True):
            status, out, err = self.run_it("complete", "hi")
        self.assertEqual((status, out), (0, "ollama says hello\n"))
        self.assertIn("chatters", err)

    def test_prompt_from_standard_input_with_a_system_text(self):
        self.assertEqual(self.run_it("complete", "--system", "be short", "-", stdin="hi\n")[0], 0)
        request = support.FakeManager.made.providers["ollama"].requests[0]
        self.assertEqual([m["role"] for m in request.messages], ["system", "user"])

    def test_stream(self):
        self.assertEqual(self.run_it("complete", "--stream", "hi")[:2], (0, "one two\n"))

    def test_json(self):
        status, out, _ = self.run_it("complete", "--json", "hi")
        self.assertEqual((status, json.loads(out)["provider"]), (0, "ollama"))

    def test_failures_say_what_helps(self):
        table = (
            (("complete", "-m", "big", "hi"), 1, "ollama pull big"),
            (("complete", "-p", "openai", "hi"), 1, "slipway keys set OPENAI_API_KEY"),
            (("complete", "  "), 2, "prompt is empty"),
            (("complete", "-p", "nobody", "hi"), 2, "invalid choice"),
            (("complete",), 2, "prompt"),
        )
        for arguments, status, text in table:
            with self.subTest(arguments):
                got, out, err = self.run_it(*arguments)
                self.assertEqual((got, out), (status, ""))
                self.assertIn(text, err)

    def test_fallback_asks_only_providers_that_are_enabled(self):
        self.config(default_provider="openai", providers={"gemini": {"enabled": True}})
        os.environ.update(OPENAI_API_KEY="a", GEMINI_API_KEY="b", PERPLEXITY_API_KEY="c")
        with mock.patch.object(support.FakeProvider, "complete", autospec=True,
                               side_effect=RuntimeError("boom")) as complete:
            status, _, err = self.run_it("complete", "--fallback", "hi")
        self.assertEqual((status, [call.args[0].name for call in complete.call_args_list]),
                         (1, ["openai", "ollama", "gemini"]))
        self.assertIn("provider openai failed: boom", err)

    def test_chat_remembers(self):
        status, out, _ = self.run_it("chat", stdin="first\nsecond\n")
        self.assertEqual((status, out), (0, "one two\none two\n"))
        messages = support.FakeManager.made.providers["ollama"].requests[-1].messages
        self.assertEqual([m["content"] for m in messages[:3]], ["first", "one two", "second"])


class Report(Case):
    def test_providers(self):
        status, out, _ = self.run_it("providers", "--json")
        rows = json.loads(out)["providers"]
        self.assertEqual((status, rows["ollama"]["healthy"], rows["openai"]["healthy"]),
                         (0, True, None))

    def test_list_contacts_nobody(self):
        rows = json.loads(self.run_it("providers", "--list", "--json")[1])["providers"]
        self.assertIsNone(rows["ollama"]["healthy"])

    def test_health_fails_when_the_default_provider_is_down(self):
        async def down(_):
            return {"healthy": False}

        with mock.patch.object(support.FakeProvider, "health_check", down):
            self.assertEqual(self.run_it("providers", "--health")[0], 1)
            self.assertEqual(self.run_it("providers")[0], 0)
            status, _, err = self.run_it("models")
        self.assertEqual(status, 1)
        self.assertIn("no provider answered", err)

    def test_models(self):
        self.assertEqual(self.run_it("models")[1], "ollama\tllama3.2:3b\nollama\tm:latest\n")

    def test_config(self):
        os.environ["OPENAI_API_KEY"] = "canary"
        status, out, err = self.run_it("config")
        self.assertEqual(status, 0)
        self.assertNotIn("canary", out + err)
        self.assertEqual(self.run_it("config", "--validate")[0], 0)
        self.config(default_provider="gemini")
        status, _, err = self.run_it("config", "--validate")
        self.assertEqual(status, 78)
        self.assertIn("GEMINI_API_KEY", err)

    def test_wrong_configuration_stops_every_command(self):
        self.config(log_levle="INFO")
        for command in (("config", "--validate"), ("providers",), ("complete", "hi"), ("tools",)):
            with self.subTest(command):
                status, _, err = self.run_it(*command)
                self.assertEqual(status, 78)
                self.assertIn("did you mean log_level?", err)


class Upstream(Case):
    """What ours does not know goes to upstream, with the effective configuration in its hands."""

    def run_upstream(self, *arguments):
        seen = {}

        class Manager:
            pass

        def upstream_main():
            import asyncio
            import sys
            manager = Manager()
            seen["argv"] = sys.argv
            seen["values"] = dict(manager._get_default_config())
            seen["values"].update(manager._load_from_environment())
            seen["values"].update(asyncio.run(manager._load_from_files()))

        modules = {
            "app.cli": types.ModuleType("app.cli"),
            "app.cli.core": types.ModuleType("app.cli.core"),
            "app.cli.core.config": types.SimpleNamespace(ConfigurationManager=Manager),
            "app.cli.core.app": types.SimpleNamespace(main=upstream_main),
        }
        with mock.patch.dict("sys.modules", modules), mock.patch("sys.argv", []):
            return (*self.run_it(*arguments), seen)

    def test_gets_the_merged_configuration(self):
        self.config(log_level="DEBUG")
        os.environ["LOCALAGENT_OPENAI_API_KEY"] = "k"
        status, _, _, seen = self.run_upstream("tools", "search", "x")
        self.assertEqual((status, seen["argv"]),
                         (0, ["localagent", "--no-plugins", "tools", "search", "x"]))
        self.assertEqual(seen["values"]["log_level"], "DEBUG")
        self.assertEqual(seen["values"]["providers"]["openai"]["api_key"], "k")
        self.assertEqual(sorted(seen["values"]["providers"]), ["ollama", "openai"])
        self.assertEqual(os.environ["LOCALAGENT_OLLAMA_BASE_URL"], "http://localhost:11434")

    def test_hollow_commands_are_called_so(self):
        _, _, err, _ = self.run_upstream("workflow", "do it")
        self.assertIn("runs no agent", err)

    def test_plugins_are_loaded_when_asked_for(self):
        self.assertEqual(self.run_upstream("plugins")[3]["argv"], ["localagent", "plugins"])

    def test_reaches_upstreams_own_help(self):
        seen = self.run_upstream("upstream", "--help")[3]
        self.assertEqual(seen["argv"], ["localagent", "--no-plugins", "--help"])

    def test_missing_source_is_no_traceback(self):
        with mock.patch.object(launcher, "SOURCE", pathlib.Path("/nonexistent")):
            status, _, err = self.run_it("--help")
        self.assertEqual(status, 1)
        self.assertIn("slipway install localagent", err)

    def test_help_needs_no_upstream(self):
        status, out, _ = self.run_it("--help")
        self.assertEqual(status, 0)
        self.assertIn("complete", out)


if __name__ == "__main__":
    unittest.main()
