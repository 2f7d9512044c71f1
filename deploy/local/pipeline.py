"""Elasticsearch, an engine and every stage as processes on this machine: what demo and
measurements share."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Name, folder under services/; the sources last: each finds the ones before it.
STAGES = [("ae-forwarder", "ae_forwarder"), ("scorer", "scorer"), ("es-reader", "es_reader")]
API_KEY = "local-key"
START_SECONDS = 20
STOP_SECONDS = 40
SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} (\S+)$")


class Pipeline:
    """Not restartable; stop() ends everything and removes a temporary folder."""

    def __init__(self, binaries, folder=None):
        self.binaries = binaries
        self.temporary = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="nightjar-")
        self.running = []  # (name, Popen or pid), in the order of their start
        self.addresses = {}
        self.pids = {}
        self.reader = ""  # further lines of the reader section
        self.engine = ""
        os.makedirs(self.folder, exist_ok=True)

    def start(self, name, arguments, ready_line=False):
        """Starts a program with its log in the folder; returns its first line of output if
        asked."""
        with open(os.path.join(self.folder, name + ".log"), "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stderr=log,
                text=True,
                stdout=subprocess.PIPE if ready_line else log,
                start_new_session=True,
            )
        self.running.append((name, process))
        self.pids[name] = process.pid
        return process.stdout.readline().strip() if ready_line else process

    def start_elasticsearch(self, heap="512m"):
        return self.launch_elasticsearch(free_port_pair(100), heap)

    def launch_elasticsearch(self, port, heap):
        """Goes on with the data of a node before it in this folder."""
        script = os.path.join(ROOT, "deploy/local/elasticsearch/elasticsearch.sh")
        data = os.path.join(self.folder, "elasticsearch")
        done = subprocess.run(
            [script, "start", str(port), data],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            env=dict(os.environ, ES_HEAP=heap),
        )
        pid = int(done.stdout.split()[-1])
        self.running.append(("elasticsearch", pid))
        self.pids["elasticsearch"] = pid
        return "http://127.0.0.1:%d" % port

    def start_fake_engine(self, *arguments):
        return self.start(
            "fake-engine",
            [
                os.path.join(self.binaries, "tests/fakes/fake-engine"),
                "--api_key",
                API_KEY,
                *arguments,
            ],
            ready_line=True,
        )

    def write_config(self, elasticsearch, engine):
        """`engine` is YAML: the engine section and whatever else differs."""
        searches = "".join(
            "      - {event_type: %s, indices: [packetbeat-*], index_schema: ecs}\n" % kind
            for kind in ("dns", "ip", "http", "tls")
        )
        services = "".join(
            '  %s: {address: "%s"}\n' % (name.replace("-", "_"), address["grpc"])
            for name, address in self.addresses.items()
        )
        path = os.path.join(self.folder, "config.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                engine
                + "inputs:\n  elastic:\n    enabled: true\n"
                + '    hosts: ["%s"]\n    searches:\n%s' % (elasticsearch, searches)
                + 'data: {dir: "%s"}\n' % os.path.join(self.folder, "state")
                + ("reader:\n" + self.reader if self.reader else "")
                + ("services:\n" + services if services else "")
            )
        return path

    def start_stage(self, name, folder, config):
        address_file = os.path.join(self.folder, name + ".addresses.json")
        if os.path.exists(address_file):
            os.remove(address_file)
        listen = self.addresses[name]["grpc"] if name in self.addresses else "127.0.0.1:0"
        process = self.start(
            name,
            [
                os.path.join(self.binaries, "services", folder, name),
                "--config",
                config,
                "--listen",
                listen,
                "--address_file",
                address_file,
            ],
        )
        deadline = time.time() + START_SECONDS
        while not os.path.exists(address_file):
            if process.poll() is not None or time.time() > deadline:
                sys.exit("%s does not start:\n%s" % (name, self.log(name)[-2000:]))
            time.sleep(0.05)
        with open(address_file, encoding="utf-8") as file:
            self.addresses[name] = dict(re.findall(r'"(\w+)":\s*"([^"]*)"', file.read()))

    def start_stages(self, elasticsearch, engine):
        """The three stages between Elasticsearch and an engine at the URL `engine`."""
        self.engine = 'engine: {host: "%s", api_key: %s}\noutputs: {enabled: false}\n' % (
            engine,
            API_KEY,
        )
        for name, folder in STAGES:
            self.start_stage(name, folder, self.write_config(elasticsearch, self.engine))

    def log(self, name):
        with open(
            os.path.join(self.folder, name + ".log"), encoding="utf-8", errors="replace"
        ) as file:
            return file.read()

    def books(self, name):
        """Counts by (outcome, reason, type) and what is in flight, from the stage's metrics."""
        with urllib.request.urlopen(
            "http://%s/metrics" % self.addresses[name]["http"], timeout=5
        ) as page:
            counts, in_flight, signals = {}, 0, {}
            for line in page.read().decode().splitlines():
                match = SAMPLE.match(line)
                if not match:
                    continue
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2)))
                if match.group(1) == "nightjar_events_total":
                    key = (labels["outcome"], labels["reason"], labels["type"])
                    counts[key] = int(float(match.group(3)))
                elif match.group(1) == "nightjar_inflight_events":
                    in_flight = int(float(match.group(3)))
                elif match.group(1) == "nightjar_scorer_signals_total":
                    signals[labels["signal"]] = int(float(match.group(3)))
        return counts, in_flight, signals

    def totals(self, name):
        counts, in_flight, _ = self.books(name)
        read = sum(n for (outcome, _, _), n in counts.items() if outcome == "read")
        ended = sum(n for (outcome, _, _), n in counts.items() if outcome != "read")
        accepted = sum(n for (outcome, _, _), n in counts.items() if outcome == "accepted")
        return read, ended, accepted, in_flight

    def stop_stages(self):
        """Ends engine and stages and forgets what they have read; Elasticsearch stays."""
        self.end(lambda name: name != "elasticsearch")
        self.addresses = {}
        shutil.rmtree(os.path.join(self.folder, "state"), ignore_errors=True)

    def stop(self):
        self.end(lambda name: True)
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, wanted):
        """Sources first, so that every stage can drain."""
        for name, process in reversed(self.running):
            if not wanted(name):
                continue
            if isinstance(process, int):
                end_pid(process)
            elif process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    print("%s does not stop, killed" % name, file=sys.stderr)
                    process.kill()
        self.running = [entry for entry in self.running if not wanted(entry[0])]


def end_pid(pid):
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def free_port_pair(distance):
    """A free port whose number plus `distance` is free too (Elasticsearch's transport)."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + distance))
                return port
            except (OSError, OverflowError):
                continue
