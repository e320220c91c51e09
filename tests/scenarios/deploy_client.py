"""Somebody who uses the gateway while it is deployed: asks the proxy for PATH every INTERVAL seconds, each time over
a new connection, and the proxy itself who gets how much.  Writes a line of JSON for each answer, and for each change.

Usage: deploy_client.py PORT ADMIN_PORT PATH INTERVAL
"""
import http.client
import json
import socket
import sys
import threading
import time


def say(**what):
    sys.stdout.write(json.dumps({"at": time.monotonic(), "time": time.time(), **what}) + "\n")
    sys.stdout.flush()


def ask(port, path):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        return {"status": answer.status, "version": body.get("commit"), "colour": body.get("colour")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": 0, "error": repr(error)}


def read_weights(port):
    """colour -> weight; nothing while the proxy is away."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as admin:
            admin.sendall(b"show servers state app\n")
            text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
    except OSError:
        return {}
    rows = [line.split(" ") for line in text.splitlines() if " app " in line]
    return {row[3]: int(row[7]) for row in rows}


def watch(port):
    last = None
    while True:
        weights = read_weights(port)
        if weights and weights != last:
            say(weights=weights)
            last = weights
        time.sleep(0.05)


def main():
    port, admin, path, interval = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    threading.Thread(target=watch, args=(admin,), daemon=True).start()
    due = time.monotonic()
    while True:
        say(**ask(port, path))
        due = max(due + interval, time.monotonic())
        time.sleep(max(due - time.monotonic(), 0))


if __name__ == "__main__":
    main()
