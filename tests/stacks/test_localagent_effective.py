"""The configuration hierarchy of LocalAgent.  SPDX-License-Identifier: Apache-2.0"""
import json
import pathlib
import tempfile
import unittest

import localagent_support  # noqa: F401
import effective


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def load(self, file=None, **environ):
        if file is not None:
            text = file if isinstance(file, (str, bytes)) else json.dumps(file)
            data = text if isinstance(text, bytes) else text.encode()
            (self.directory / "config.json").write_bytes(data)
        return effective.load(None, {"LOCALAGENT_CONFIG_DIR": str(self.directory), **environ})

    def errors(self, file=None, **environ):
        with self.assertRaises(effective.ConfigError) as caught:
            self.load(file, **environ)
        return caught.exception.messages


class Hierarchy(Case):
    def test_defaults_stand_without_a_file(self):
        config = self.load()
        self.assertEqual(config.get("providers", "ollama", "base_url"), "http://localhost:11434")
        self.assertIsNone(config.file)
        self.assertEqual(config.sources[("log_level",)], "default")

    def test_environment_wins_over_file_wins_over_default(self):
        file = {"log_level": "debug", "providers": {"ollama": {"timeout": 60}}}
        config = self.load(file, LOCALAGENT_LOG_LEVEL="ERROR")
        self.assertEqual(config.get("log_level"), "ERROR")
        self.assertEqual(config.get("providers", "ollama", "timeout"), 60)
        self.assertEqual(config.get("default_provider"), "ollama")

    def test_one_provider_variable_leaves_the_others_alone(self):
        config = self.load(LOCALAGENT_OPENAI_API_KEY="k")
        self.assertEqual(config.get("providers", "ollama", "base_url"), "http://localhost:11434")
        self.assertEqual(config.get("providers", "openai", "api_key"), "k")

    def test_empty_variable_is_no_setting(self):
        self.assertEqual(self.load(LOCALAGENT_LOG_LEVEL="").get("log_level"), "INFO")

    def test_explicit_file_is_the_only_one(self):
        self.load({"log_level": "DEBUG"})
        other = self.directory / "other.json"
        other.write_text('{"log_level": "ERROR"}')
        config = effective.load(str(other), {"LOCALAGENT_CONFIG_DIR": str(self.directory)})
        self.assertEqual(config.get("log_level"), "ERROR")

    def test_null_in_the_file_is_the_default(self):
        self.assertEqual(self.load({"log_level": None}).get("log_level"), "INFO")

    def test_defaults_are_not_shared(self):
        self.load().get("plugins", "enabled_plugins").append("x")
        self.assertEqual(self.load().get("plugins", "enabled_plugins"), [])


class Mistakes(Case):
    def test_each_is_named(self):
        table = (
            ({"log_level": "LOUD"}, "log_level: 'LOUD' is none of DEBUG"),
            ({"log_levle": "INFO"}, "log_levle: unknown key; did you mean log_level?"),
            ({"providers": {"olama": {}}}, "providers.olama: unknown key; did you mean ollama?"),
            ({"providers": {"ollama": {"timout": 1}}}, "did you mean timeout?"),
            ({"providers": {"ollama": {"timeout": 601}}}, "601 is not within 1 to 600"),
            ({"providers": {"ollama": {"timeout": "x"}}}, "'x' is not a whole number"),
            ({"providers": {"ollama": {"timeout": 1.5}}}, "1.5 is not a whole number"),
            ({"providers": {"ollama": {"timeout": True}}}, "True is not a whole number"),
            ({"providers": {"ollama": {"base_url": "localhost:11434"}}}, "is not a URL"),
            ({"providers": {"ollama": {"base_url": "http://"}}}, "is not a URL"),
            ({"providers": {"ollama": {"base_url": "http://h:99999"}}}, "is not a URL"),
            ({"providers": {"ollama": {"default_model": 3}}}, "is not a text"),
            ({"providers": {"ollama": {"enabled": "maybe"}}}, "neither true nor false"),
            ({"providers": ["ollama"]}, "providers: is not a section"),
            ({"mcp": {"redis_url": "http://h"}}, "redis:// or rediss://"),
            ({"plugins": {"enabled_plugins": "one"}}, "is not a list of texts"),
            ({"default_provider": "llamafile"}, "'llamafile' is none of ollama"),
        )
        for file, expected in table:
            with self.subTest(expected):
                self.assertIn(expected, "\n".join(self.errors(file)))

    def test_all_are_reported_at_once(self):
        self.assertEqual(len(self.errors({"log_level": "LOUD", "nothing": 1},
                                         LOCALAGENT_MAX_PARALLEL_AGENTS="99")), 3)

    def test_environment_names_the_variable(self):
        message = self.errors(LOCALAGENT_MAX_PARALLEL_AGENTS="many")[0]
        self.assertEqual(message, "environment: LOCALAGENT_MAX_PARALLEL_AGENTS: "
                                  "'many' is not a whole number")

    def test_broken_files(self):
        for text in ('{"a": ', "[1]", b"\xff\xfe\x00"):
            with self.subTest(text):
                self.assertIn("config.json", self.errors(text)[0])

    def test_named_file_that_is_absent(self):
        with self.assertRaises(effective.ConfigError) as caught:
            effective.load("/nonexistent/config.yaml", {})
        self.assertIn("No such file", str(caught.exception))

    def test_dead_names_are_pointed_out(self):
        config = self.load(OLLAMA_BASE_URL="http://h")
        self.assertEqual(config.get("providers", "ollama", "base_url"), "http://localhost:11434")
        self.assertIn("use LOCALAGENT_OLLAMA_BASE_URL", config.warnings[0])


class Keys(Case):
    def test_order_of_the_sources(self):
        keys = self.directory / "keys"
        keys.mkdir()
        (keys / "OPENAI_API_KEY").write_text("from-directory\n")
        file = {"providers": {"openai": {"api_key": "from-file"}}}
        directory = {"LOCALAGENT_KEYS_DIR": str(keys)}
        table = (
            ({}, "from-file"),
            (directory, "from-directory"),
            ({**directory, "OPENAI_API_KEY": "plain"}, "plain"),
            ({**directory, "OPENAI_API_KEY": "plain", "LOCALAGENT_OPENAI_API_KEY": "own"}, "own"),
        )
        for environ, expected in table:
            with self.subTest(expected):
                self.assertEqual(self.load(file, **environ).get("providers", "openai", "api_key"),
                                 expected)

    def test_key_in_the_file_is_warned_about_and_never_shown(self):
        config = self.load({"providers": {"openai": {"api_key": "canary"}}})
        self.assertIn("in the clear", config.warnings[0])
        self.assertNotIn("canary", json.dumps(config.public()) + str(config.warnings))
        self.assertEqual(config.get("providers", "openai", "api_key"), "canary")

    def test_provider_in_use_without_key_is_a_problem(self):
        self.assertEqual(self.load().problems(), [])
        problems = self.load(LOCALAGENT_DEFAULT_PROVIDER="openai").problems()
        self.assertIn("slipway keys set OPENAI_API_KEY", problems[0])
        self.assertEqual(self.load(LOCALAGENT_DEFAULT_PROVIDER="openai", OPENAI_API_KEY="k").problems(),
                         [])

    def test_key_that_is_a_directory_is_an_error(self):
        (self.directory / "OPENAI_API_KEY").mkdir()
        self.assertIn("cannot be read",
                      self.errors(LOCALAGENT_KEYS_DIR=str(self.directory))[0])


if __name__ == "__main__":
    unittest.main()
