"""What stands around the cluster: an Elasticsearch and a counting engine on this machine, telemetry
that is recorded or numbered, and how both compare."""

import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from cluster import HOST, ROOT, wait_until

sys.path.insert(0, os.path.join(ROOT, "deploy/local"))
import pipeline  # noqa: E402

RECORDINGS = os.path.join(ROOT, "tests/data/captures")
TEMPLATE = os.path.join(RECORDINGS, "index-template.json")
RATE = 500  # documents a second
FED = 4000  # documents by one run of the generator
ARRIVAL_SECONDS = 180
GENERATED = "packetbeat-7.17.29-generated"
# A name in the cluster for what is outside.
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: %(name)s, namespace: nightjar}
spec: {clusterIP: None, ports: [{port: %(port)d}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: %(name)s
  namespace: nightjar
  labels: {kubernetes.io/service-name: %(name)s}
addressType: IPv4
endpoints: [{addresses: ["%(host)s"]}]
ports: [{port: %(port)d}]
---
"""


def port_of(url):
    return int(url.rsplit(":", 1)[1])


def certificates(folder):
    """An authority of its own, and certificates for the names by which pods find the two."""
    script = os.path.join(ROOT, "deploy/certificates/certificates.sh")
    names = ["elasticsearch", "counting-engine"]
    subprocess.run([script, folder, *names], check=True, stdout=subprocess.DEVNULL)


def relay(port, folder):
    """Lets pods reach, over TLS at HOST and the same port, what listens on this machine's loopback
    in plain text."""
    listener = socket.create_server((HOST, port), backlog=64)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key"))

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

    def join(client):
        try:
            client = context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.close()
            return
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)

    def serve():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=join, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


class Surroundings(pipeline.Pipeline):
    """Elasticsearch and counting engine; `stop()` ends both and every writer."""

    def begin(self):
        """Both are up; the names and ports by which pods reach them, as a Service each."""
        self.elasticsearch = self.start_elasticsearch()
        program = os.path.join(self.binaries, "tests/fakes/fake-engine")
        self.key = secrets.token_hex(32)
        arguments = [program, "--api_key", self.key]
        self.counting = self.start("fake-engine", arguments, ready_line=True)
        self.certificates = os.path.join(self.folder, "certificates")
        certificates(self.certificates)
        services = ""
        for name, url in (
            ("elasticsearch", self.elasticsearch),
            ("counting-engine", self.counting),
        ):
            port = port_of(url)
            relay(port, os.path.join(self.certificates, name))
            services += SERVICE % {"name": name, "port": port, "host": HOST}
        return services

    def play(self, speed, recordings=None):
        """Plays recordings, by default all, once in the background."""
        command = [sys.executable, os.path.join(ROOT, "deploy/local/replay.py")]
        command += ["--url", self.elasticsearch, "--speed", str(speed), "--template", TEMPLATE]
        names = recordings or os.listdir(RECORDINGS)
        paths = [os.path.join(RECORDINGS, name) for name in names if name.endswith(".ndjson.gz")]
        return self.start("replay", command + sorted(paths))

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


class Telemetry:
    """Numbered documents for the counting engine. flow() starts them; they go on within during()
    and until(), and account() ends them."""

    def __init__(self, around, cluster):
        self.around = around
        self.cluster = cluster
        self.written = 0
        self.writer = None

    def feed(self):
        if self.writer is None or self.writer.poll() is not None:
            self.check_writer()
            self.writer = self.around.write(self.written + 1, FED, RATE)
            self.written += FED

    def check_writer(self):
        if self.writer is not None and self.writer.wait(120) != 0:
            raise RuntimeError("documents could not be written: " + self.around.log("generate"))

    def until(self, what, seconds, condition):
        def check():
            self.feed()
            return condition()

        wait_until(what, seconds, check)

    def during(self, action):
        """Runs it beside the load; what it raises is raised here."""
        outcome = []

        def run():
            try:
                action()
            except Exception as problem:
                outcome.append(problem)

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():
            self.feed()
            thread.join(0.2)
        if outcome:
            raise outcome[0]

    def flow(self):
        """Waits until documents arrive at the engine."""
        enough = self.around.counted()["distinct"] + RATE
        self.until("arrivals", 90, lambda: self.around.counted()["distinct"] > enough)

    def account(self):
        """Every number that was written has been accepted; says what came twice."""
        self.check_writer()
        indexed = self.around.count(GENERATED)
        if indexed != self.written:
            raise RuntimeError("%d written, but %d indexed" % (self.written, indexed))
        deadline = time.time() + ARRIVAL_SECONDS
        while (counts := self.around.counted())["distinct"] < indexed and time.time() < deadline:
            time.sleep(0.5)
        said = "%d indexed, %d lost, %d twice" % (
            indexed,
            indexed - counts["distinct"],
            counts["accepted"] - counts["distinct"],
        )
        if counts["distinct"] != indexed:
            raise RuntimeError(said)
        return said


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
