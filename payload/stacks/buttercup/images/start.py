"""start.py [VARIABLE=[HOW:]KEY]... -- COMMAND [ARGUMENT]...

Starts a program of Buttercup inside its container: makes the directories that all of them share, takes
its keys from the files /run/secrets/KEY into its environment, and becomes COMMAND.

HOW is "argon2" (the digest that the task server compares with), "uuid" (a key written as a UUID),
"optional" (no such file, no such variable), or "github" (optional, too: a header that git sends to GitHub
alone, so that the token is in no URL, argument or message).  Else a file that is missing is an error.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import pathlib
import sys
import uuid

KEYS = pathlib.Path(os.environ.get("BUTTERCUP_KEYS_DIR", "/run/secrets"))
SHARED = ("scratch", "crs_scratch", "tasks_storage")
OPTIONAL = ("optional", "github")


def digest_of(token):
    """As upstream's buttercup-auth-tool makes it."""
    import argon2  # pylint: disable=import-outside-toplevel

    return argon2.PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, hash_len=32,
                                 salt_len=16, type=argon2.Type.ID).hash(token)


def value_of(how, key):
    """Returns the value for a variable; None for an optional key that is not there."""
    path = KEYS / key
    if how in OPTIONAL and not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        sys.exit(f"buttercup: the key {key} is not there ({error.strerror}): slipway keys sync buttercup")
    if how == "argon2":
        return digest_of(text)
    if how == "uuid":
        return str(uuid.UUID(text))
    if how == "github" and text:
        os.environ["GIT_CONFIG_COUNT"] = "1"
        os.environ["GIT_CONFIG_KEY_0"] = "http.https://github.com/.extraHeader"
        return "Authorization: Basic " + base64.b64encode(f"x-access-token:{text}".encode()).decode()
    return text or None


def main(words):
    end = words.index("--")
    for word in words[:end]:
        variable, _, source = word.partition("=")
        how, _, key = source.rpartition(":")
        value = value_of(how, key)
        if value is not None:
            os.environ[variable] = value
    for name in SHARED if os.environ.get("NODE_DATA_DIR") else ():
        os.makedirs(os.path.join(os.environ["NODE_DATA_DIR"], name), exist_ok=True)
    if os.environ.get("BUTTERCUP_HEALTH_FILE"):
        alive = pathlib.Path(os.environ["BUTTERCUP_HEALTH_FILE"])
        alive.parent.mkdir(parents=True, exist_ok=True)
        alive.unlink(missing_ok=True)  # that of before a restart
    command = words[end + 1:]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
