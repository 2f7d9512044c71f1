"""What stands around the cluster: an Elasticsearch and a counting engine on this machine, telemetry
that is recorded or numbered, and how both compare."""

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request

from cluster import HOST, ROOT

sys.path.insert(0, os.path.join(ROOT, "deploy/local"))
import pipeline  # noqa: E402

RECORDINGS = os.path.join(ROOT, "tests/data/captures")
TEMPLATE = os.path.join(RECORDINGS, "index-template.json")
GENERATED = "packetbeat-7.17.29-generated"


def relay(port):
    """Lets pods reach what listens on this machine's loopback only, at HOST and the same port."""
    listener = socket.create_server((HOST, port), backlog=64)

    def pump(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass  # an end that goes away ends the other
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve():
        while True:
            client, _ = listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", port))
            except OSError:
                client.close()
                continue
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


class Surroundings(pipeline.Pipeline):
    """Elasticsearch and counting engine; `stop()` ends both and every writer."""

    def begin(self):
        self.elasticsearch = self.start_elasticsearch()
        self.counting = self.start_fake_engine()
        for url in (self.elasticsearch, self.counting):
            relay(int(url.rsplit(":", 1)[1]))

    def for_pods(self, url):
        return url.replace("127.0.0.1", HOST)

    def play(self, speed):
        """Plays every recording once in the background; the process, whose last line is how many
        documents it indexed."""
        command = [sys.executable, os.path.join(ROOT, "deploy/local/replay.py")]
        command += ["--url", self.elasticsearch, "--speed", str(speed), "--template", TEMPLATE]
        names = sorted(name for name in os.listdir(RECORDINGS) if name.endswith(".ndjson.gz"))
        player = subprocess.Popen(
            command + [os.path.join(RECORDINGS, name) for name in names],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.running.append(("replay", player))
        return player

    def write(self, first, count, rate):
        """Writes numbered documents in the background."""
        command = [os.path.join(self.binaries, "tests/tools/generate")]
        command += ["--url", self.elasticsearch, "--template", TEMPLATE, "--shards", "4"]
        command += ["--first", str(first), "--count", str(count), "--rate", str(rate)]
        return self.start("generate", command + ["--index", GENERATED])

    def count(self, index):
        """Documents that searches see, after a refresh."""
        with urllib.request.urlopen(self.elasticsearch + "/%s/_refresh" % index, b"", 30):
            pass
        url = "%s/%s/_count?allow_no_indices=true" % (self.elasticsearch, index)
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["count"]

    def counted(self):
        """{"accepted": bodies' events, "distinct": numbers} of the counting engine."""
        with urllib.request.urlopen(self.counting + "/fake/stats", timeout=30) as reply:
            return json.load(reply)


def books(text):
    """(read, ended, in flight) from the metrics of a stage."""
    read = ended = in_flight = 0
    for line in text.splitlines():
        match = pipeline.SAMPLE.match(line)
        if match and match.group(1) == "nightjar_events_total":
            value = int(float(match.group(3)))
            if 'outcome="read"' in match.group(2):
                read += value
            else:
                ended += value
        elif match and match.group(1) == "nightjar_inflight_events":
            in_flight = int(float(match.group(3)))
    return read, ended, in_flight
