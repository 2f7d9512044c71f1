"""What the documents' commands find when they run: a real Elasticsearch with telemetry arriving,
the programs on PATH, /etc/nightjar and default ports. Inside namespace.enter() only."""

import glob
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy/local"))
import replay  # noqa: E402

ELASTICSEARCH = "http://localhost:9200"
CAPTURES = os.path.join(ROOT, "tests/data/captures")
# Ten office clients for the ordinary, the others for alerts.
RECORDINGS = ("office", "dns-tunnel-txt", "port-scan")
SPEED = 40  # times faster than recorded
# A few documents that make an alert at once, again and again.
ALERT_RECORDING, ALERT_EVERY_SECONDS = "flightsim-c2", 2
# One alert an hour for the same finding: each round comes from other addresses.
NETWORK = '"10.20.0.'
PROGRAMS = {
    "nightjar": "cli",
    "es-reader": "es_reader",
    "scorer": "scorer",
    "ae-forwarder": "ae_forwarder",
    "alert-poller": "alert_poller",
    "analytics-engine": "analytics_engine",
}
NFR_CONFIG = "services/common/config/testdata/nfr.yml"
NFR_KEY = "YOUR_ALPHASOC_API_KEY"  # as the file has it
READY_SECONDS = 60
STOP_SECONDS = 60

CONFIG = """engine: {host: local}
inputs:
  elastic:
    enabled: true
    hosts: [http://localhost:9200]
    searches:
      - {event_type: dns, indices: [packetbeat-*]}
      - {event_type: ip, indices: [packetbeat-*]}
      - {event_type: http, indices: [packetbeat-*]}
      - {event_type: tls, indices: [packetbeat-*]}
scoring: {lists: [{name: c2, file: %s/deploy/local/lists/c2.txt}]}
outputs: {file: /var/lib/nightjar/alerts.json}
"""


def documents_from(names, network):
    """(time, line) of recordings, with another network in the place of the recorded one."""
    paths = [path for name in names for path in glob.glob("%s/%s.*" % (CAPTURES, name))]
    return [(at, line.replace(NETWORK, network)) for at, line in replay.load(paths)]


def play_network():
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # its progress
    for network in range(256):
        replay.play(ELASTICSEARCH, documents_from(RECORDINGS, '"10.20.%d.' % network), SPEED)


def play_alerts():
    for network in range(256):
        documents = documents_from([ALERT_RECORDING], '"10.21.%d.' % network)
        replay.bulk(ELASTICSEARCH, documents, time.time() - documents[-1][0])
        time.sleep(ALERT_EVERY_SECONDS)


class Stand:
    """`binaries` is a folder as bazel-bin; `folder` is where commands run."""

    def __init__(self, binaries, folder, grpcurl):
        self.folder = os.path.join(folder, "home")
        self.bin = os.path.join(folder, "bin")
        self.libexec = os.path.join(folder, "libexec")
        for path in (self.folder, self.bin, self.libexec, "/etc/nightjar", "/var/lib/nightjar"):
            os.makedirs(path)
        for name, service in PROGRAMS.items():
            program = os.path.join(os.path.realpath(binaries), "services", service, name)
            os.symlink(program, os.path.join(self.libexec, name))
            os.symlink(program, os.path.join(self.bin, name))
        os.remove(os.path.join(self.bin, "nightjar"))
        os.symlink(os.path.join(ROOT, "tests/docs/nightjar.sh"), os.path.join(self.bin, "nightjar"))
        if grpcurl:
            os.symlink(grpcurl, os.path.join(self.bin, "grpcurl"))
        os.symlink(os.path.join(ROOT, "deploy"), os.path.join(self.folder, "deploy"))
        self.environment = dict(
            os.environ,
            PATH=self.bin + ":" + os.environ["PATH"],
            NIGHTJAR_LIBEXEC=self.libexec,
            ES_PASSWORD="unused",
        )

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *command):
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def start_elasticsearch(self):
        script = os.path.join(ROOT, "deploy/local/elasticsearch/elasticsearch.sh")
        done = self.run(script, "start", "9200", os.path.join(self.folder, "..", "elasticsearch"))
        if done.returncode:
            raise RuntimeError("Elasticsearch does not start:\n" + done.stdout)

    def start_telemetry(self):
        """Recordings, again and again, until the process ends."""
        with open(CAPTURES + "/index-template.json", encoding="utf-8") as template:
            replay.request("PUT", ELASTICSEARCH + "/_index_template/packetbeat", template.read())
        for player in (play_network, play_alerts):
            multiprocessing.get_context("fork").Process(target=player, daemon=True).start()

    def start_nightjar(self):
        """Anew, from nothing, until there is an alert."""
        self.stop_nightjar()
        shutil.rmtree("/var/lib/nightjar", ignore_errors=True)
        os.mkdir("/var/lib/nightjar")
        self.write("/etc/nightjar/config.yml", CONFIG % ROOT)
        shutil.copy("/etc/nightjar/config.yml", self.folder)
        done = self.run("nightjar", "start", "-c", "/etc/nightjar/config.yml")
        if done.returncode:
            raise RuntimeError(done.stdout)
        self.await_alerts()

    def start_nfr(self, binaries):
        """What a machine has on which NFR ran: its configuration and its bookmarks. The engine that
        it names is a fake one."""
        engine = subprocess.Popen(
            [os.path.join(binaries, "tests/fakes/fake-engine"), "--api_key", NFR_KEY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        with open(os.path.join(ROOT, NFR_CONFIG), encoding="utf-8") as file:
            config = file.read().replace(
                "https://api.alphasoc.net", engine.stdout.readline().strip()
            )
        os.makedirs("/etc/nfr")
        os.makedirs("/run/nfr/data")
        self.write("/etc/nfr/config.yml", config)
        ingested = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime(time.time() - 600))
        self.write("/run/nfr/data/elastic-1f2e3d4c5b6a7988", ingested)
        self.write("/run/nfr.data", "page-0")

    def await_alerts(self):
        deadline = time.time() + READY_SECONDS
        while not os.path.exists("/var/lib/nightjar/alerts.json"):
            if time.time() > deadline:
                raise RuntimeError(
                    "no alert in %d s:\n%s" % (READY_SECONDS, self.run("nightjar", "status").stdout)
                )
            time.sleep(0.2)

    def stop_nightjar(self):
        pid_file = os.path.join(self.libexec, "start.pid")
        if not os.path.exists(pid_file):
            return
        with open(pid_file, encoding="utf-8") as file:
            pid = int(file.read())
        os.remove(pid_file)
        deadline = time.time() + STOP_SECONDS
        if os.path.exists("/proc/%d/exe" % pid):
            os.kill(pid, signal.SIGTERM)
        while os.path.exists("/proc/%d/exe" % pid) and time.time() < deadline:
            time.sleep(0.1)
