#!/usr/bin/env python3
"""Runs every `opensearch` block of the documents: a real OpenSearch with its security plugin, TLS
and passwords on https://localhost:9200, documents of a sensor in it, and the programs on PATH.

    opensearch_test.py BINARIES [DOCUMENT ...]

The rights that docs/hardening.md grants are proved: with them a sensor writes by _bulk, and
the reader reads every document to an outcome; es-reader is READY with no error.
"""

import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import blocks  # noqa: E402
import namespace  # noqa: E402
from stand import ROOT, Stand  # noqa: E402

SCRIPT = os.path.join(ROOT, "tests/docs/opensearch/opensearch.sh")
DOCUMENTS = 500
READ_SECONDS = 60
CONFIG = """engine: {host: local}
inputs:
  elastic:
    enabled: true
    hosts: [https://localhost:9200]
    ca_file: /etc/nightjar/elastic-ca.pem
    username: nightjar
    password: "${file:/etc/nightjar/secrets/elastic_password}"
    searches:
      - {event_type: dns, indices: [packetbeat-*]}
reader: {start: earliest}
"""


def start_opensearch(stand, folder):
    data = os.path.join(folder, "opensearch")
    done = stand.run(SCRIPT, "start", "9200", data)
    if done.returncode:
        raise RuntimeError(done.stdout)
    ca = os.path.join(data, "config/ca.pem")
    shutil.copy(ca, os.path.join(stand.folder, "ca.pem"))
    shutil.copy(ca, "/etc/nightjar/elastic-ca.pem")
    stand.environment["ADMIN_PASSWORD"] = "admin"


def write_as_sensor(stand):
    """New documents by _bulk, into an index that does not exist yet."""
    with open("/etc/nightjar/secrets/sensor_password", encoding="utf-8") as file:
        user = "sensor-1:" + file.read()
    document = '{"@timestamp":"2026-01-01T00:00:%02dZ","event":{"dataset":"dns"},"type":"dns",'
    document += '"source":{"ip":"10.0.0.5"},"dns":{"question":{"name":"host%d.example.org"}}}\n'
    lines = ('{"create":{}}\n' + document % (number % 60, number) for number in range(DOCUMENTS))
    stand.write(os.path.join(stand.folder, "bulk.ndjson"), "".join(lines))
    url = "https://localhost:9200/packetbeat-7.17.29-2026.01.02/_bulk"
    arguments = ["--data-binary", "@bulk.ndjson", "-H", "Content-Type: application/x-ndjson"]
    done = stand.run("curl", "-sS", "--cacert", "ca.pem", "-u", user, url, *arguments)
    if done.returncode or json.loads(done.stdout)["errors"]:
        raise RuntimeError("the sensor's key cannot write: %s" % done.stdout[:1000])


def await_documents(stand):
    deadline = time.time() + READ_SECONDS
    while True:
        done = stand.run("nightjar", "status", "--json")
        try:
            stages = json.loads(done.stdout)["stages"]
            reader = next(s["status"] for s in stages if s["stage"] == "es-reader")
        except (ValueError, KeyError, StopIteration):
            reader = {}
        ended = int(reader.get("read_events", 0)) - int(reader.get("in_flight_events", 0))
        if ended >= DOCUMENTS and reader.get("state") == "STATE_READY":
            return reader
        if time.time() > deadline:
            raise RuntimeError("the reader's rights do not do: %s" % done.stdout[:2000])
        time.sleep(0.5)


def main():
    if namespace.MARK not in os.environ:
        subprocess.run([SCRIPT, "fetch"], check=True)
    folder = namespace.enter()
    if folder is None:
        print("NOT RUN: no namespaces here, and documents use ports and folders of the system")
        return
    documents = [os.path.realpath(path) for path in sys.argv[2:]] or blocks.documents(ROOT)
    stand = Stand(sys.argv[1], folder, "")
    stand.write("/etc/nightjar/config.yml", CONFIG)
    start_opensearch(stand, folder)
    ran = sum(blocks.run(path, "opensearch", stand.folder, stand.environment) for path in documents)
    write_as_sensor(stand)
    reader = await_documents(stand)
    if reader.get("last_error"):
        raise RuntimeError("es-reader met an error: %s" % reader["last_error"])
    print("%d opensearch blocks ran; %s" % (ran, json.dumps(reader)[:500]))
    if not ran:
        sys.exit("no blocks were found")


if __name__ == "__main__":
    main()
