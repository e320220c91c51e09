"""quick_test.py task-server | shared - what `slipway test buttercup` asks inside a container.

task-server: /status/ with the right token, 401 with a wrong one.  shared: writes a file that the nested
engine's container then has to see.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import pathlib
import sys
import urllib.error
import urllib.request
import uuid

KEYS = pathlib.Path(os.environ.get("BUTTERCUP_KEYS_DIR", "/run/secrets"))


def status_of(token):
    user = uuid.UUID((KEYS / "CRS_KEY_ID").read_text(encoding="utf-8").strip())
    basic = base64.b64encode(f"{user}:{token}".encode()).decode()
    request = urllib.request.Request("http://127.0.0.1:8000/status/", headers={"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def task_server():
    token = (KEYS / "CRS_KEY_TOKEN").read_text(encoding="utf-8").strip()
    found = status_of(token), status_of(token[::-1])
    return None if found == (200, 401) else f"200 and 401 were expected, not {found[0]} and {found[1]}"


def shared():
    place = pathlib.Path(os.environ["NODE_DATA_DIR"]) / "scratch/.slipway-test"
    place.write_text("seen\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    trouble = {"task-server": task_server, "shared": shared}[sys.argv[1]]()
    if trouble:
        sys.exit(trouble)
    print("passed")
