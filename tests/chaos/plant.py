"""Every stage on this machine under load, each to be stopped and started by itself, and the oracle
that compares what went in with what came out.

Events: generator -> Elasticsearch -> es-reader -> scorer -> ae-forwarder -> counting engine.
Alerts: a client of the API -> analytics-engine -> alert-poller -> file.
"""

import base64
import collections
import glob
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))
from pipeline import API_KEY, ROOT, Pipeline  # noqa: E402

INDEX = "packetbeat-7.17.29-rolling"
# Sinks first: a stage finds the ones before it.
EVENT_STAGES = ["ae-forwarder", "scorer", "es-reader"]
ALERT_STAGES = ["analytics-engine", "alert-poller"]
STAGES = EVENT_STAGES + ALERT_STAGES
STOP_SECONDS_MAX = 25
START_SECONDS_MAX = 30
ARRIVAL_SECONDS = 180
HEAP = "768m"  # of Elasticsearch
FED_AT_ONCE_SECONDS = 4  # of documents, by one run of the generator
SOURCE = re.compile(r'"srcIP":"([^"]*)"')
CLOSING_BOOKS = re.compile(r" stopped: read (\d+) = (.*)$", re.MULTILINE)


class Stage:
    """One stage at one address, whatever binary it is of. Appends what goes wrong to `faults`."""

    def __init__(self, plant, name, config):
        self.plant = plant
        self.name = name
        self.config = config
        self.process = None
        self.address_file = os.path.join(plant.folder, name + ".addresses.json")
        self.log_read = 0

    def launch(self, binaries):
        """Starts it without a wait."""
        if os.path.exists(self.address_file):
            os.remove(self.address_file)
        self.process = self.plant.start(
            self.name,
            [
                os.path.join(binaries, "services", self.name.replace("-", "_"), self.name),
                "--config",
                self.config,
                "--listen",
                self.plant.listen[self.name],
                "--address_file",
                self.address_file,
            ],
        )

    def start(self, binaries):
        """Starts it and waits until it serves; the seconds that took."""
        began = time.time()
        self.launch(binaries)
        while not os.path.exists(self.address_file):
            if self.process.poll() is not None or time.time() - began > START_SECONDS_MAX:
                sys.exit("%s does not start:\n%s" % (self.name, self.new_log()[-2000:]))
            time.sleep(0.02)
        return time.time() - began

    def stop(self, number=signal.SIGTERM):
        """Asks it to end and waits for that; the seconds it took."""
        began = time.time()
        self.process.send_signal(number)
        return self.await_end(began)

    def await_end(self, began, code=0):
        try:
            ended = self.process.wait(STOP_SECONDS_MAX + 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            ended = self.process.wait()
        seconds = time.time() - began
        if ended != code:
            self.fault("exit code %d instead of %d" % (ended, code))
        if seconds > STOP_SECONDS_MAX:
            self.fault("took %.1f s to stop" % seconds)
        self.check_books()
        return seconds

    def check_books(self):
        """What it said with its last line: read = everything that ended + in flight."""
        closing = CLOSING_BOOKS.findall(self.new_log())
        for read, parts in closing:
            if int(read) != sum(map(int, re.findall(r"\d+", parts))):
                self.fault("books off: read %s = %s" % (read, parts))
        self.plant.books_closed += len(closing)

    def new_log(self):
        with open(os.path.join(self.plant.folder, self.name + ".log"), "rb") as file:
            file.seek(self.log_read)
            text = file.read()
        self.log_read += len(text)
        return text.decode("utf-8", "replace")

    def fault(self, text):
        self.plant.faults.append("%s: %s" % (self.name, text))


class Plant(Pipeline):
    """Elasticsearch, both engines, and every stage with ports and state of its own."""

    def __init__(self, binaries):
        super().__init__(binaries)
        self.faults = []
        self.books_closed = 0
        self.quiet = threading.Lock()  # who holds it has no documents being written
        self.listen = {name: "127.0.0.1:%d" % free_port() for name in STAGES}
        self.api = "127.0.0.1:%d" % free_port()
        self.id_log = os.path.join(self.folder, "accepted-ids")
        self.alerts_file = os.path.join(self.folder, "alerts.json")
        self.fake_engine_url = self.start_fake_engine("--id_log", self.id_log)
        self.elasticsearch = self.start_elasticsearch(HEAP)
        self.put_template()
        events, alerts = self.write_events_config(), self.write_alerts_config()
        self.stages = {
            name: Stage(self, name, events if name in EVENT_STAGES else alerts) for name in STAGES
        }

    def put_template(self):
        template = os.path.join(ROOT, "tests/data/captures/index-template.json")
        with open(template, "rb") as file:
            body = file.read()
        request = urllib.request.Request(
            self.elasticsearch + "/_index_template/packetbeat",
            method="PUT",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()

    def services(self):
        return "services:\n" + "".join(
            '  %s: {address: "%s"}\n' % (name.replace("-", "_"), address)
            for name, address in self.listen.items()
        )

    def write_events_config(self):
        self.addresses = {}  # services() names them all
        path = self.write_config(
            self.elasticsearch,
            'engine: {host: "%s", api_key: %s}\noutputs: {enabled: false}\n%s'
            % (self.fake_engine_url, API_KEY, self.services()),
        )
        return path

    def write_alerts_config(self):
        path = os.path.join(self.folder, "alerts.yml")
        names = os.path.join(self.folder, "c2.txt")
        with open(names, "w", encoding="utf-8") as file:
            file.write("*.c2-rolling.example\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                "engine: {host: local, alerts: {poll_interval: 5s}}\n"
                + 'analytics_engine: {listen: "%s"}\n' % self.api
                + 'scoring: {lists: [{name: c2, file: "%s"}]}\n' % names
                + 'outputs: {file: "%s"}\n' % self.alerts_file
                + 'data: {dir: "%s"}\n' % os.path.join(self.folder, "alerts-state")
                + self.services()
            )
        return path

    def start_all(self, binaries):
        for name in STAGES:
            self.stages[name].start(binaries)

    def start_load(self, events_per_second, alerts_per_second):
        """Returns once the first event has gone the whole way."""
        load = EventLoad(self, events_per_second), AlertLoad(self, alerts_per_second)
        for half in load:
            half.start()
        while os.path.getsize(self.id_log) == 0:
            if load[0].failed:
                sys.exit("the generator failed")
            time.sleep(0.1)
        return load

    def stop_all(self):
        """In order, sources first; the longest time one took."""
        return max(self.stages[name].stop() for name in reversed(STAGES))

    def crash_elasticsearch(self):
        os.kill(self.pids["elasticsearch"], signal.SIGKILL)

    def start_elasticsearch_again(self):
        """On the same port, with the same data."""
        self.launch_elasticsearch(int(self.elasticsearch.rsplit(":", 1)[1]), HEAP)
        health = "/_cluster/health?wait_for_status=yellow&timeout=60s"
        urllib.request.urlopen(self.elasticsearch + health, timeout=70).close()

    def stop_stages_of(self, names):
        for name in reversed(names):
            self.stages[name].stop()

    def restart(self, name, binaries):
        """SIGTERM, end, start; the seconds until it had ended."""
        seconds = self.stages[name].stop()
        self.stages[name].start(binaries)
        return seconds

    def indexed(self):
        """How many documents Elasticsearch holds."""
        url = "%s/%s" % (self.elasticsearch, INDEX)
        urllib.request.urlopen(url + "/_refresh", timeout=60).close()
        with urllib.request.urlopen(url + "/_count", timeout=60) as reply:
            return json.load(reply)["count"]

    def accepted_ids(self):
        with open(self.id_log, encoding="ascii") as file:
            return collections.Counter(map(int, file))

    def delivered_sources(self):
        """The source of every alert in the sink's file, and how often."""
        if not os.path.exists(self.alerts_file):
            return collections.Counter()
        with open(self.alerts_file, encoding="utf-8") as file:
            return collections.Counter(
                SOURCE.search(line).group(1) for line in file if line.endswith("\n")
            )

    def show_logs(self):
        for path in sorted(glob.glob(os.path.join(self.folder, "*.log"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                print("--- %s\n%s" % (os.path.basename(path), file.read()[-4000:]))


class EventLoad(threading.Thread):
    """Writes documents with the ids 1, 2, ... until told to stop."""

    def __init__(self, plant, rate):
        super().__init__(daemon=True)
        self.plant = plant
        self.rate = rate
        self.written = 0
        self.stopping = threading.Event()
        self.failed = False

    def run(self):
        count = self.rate * FED_AT_ONCE_SECONDS
        while not self.stopping.is_set():
            with self.plant.quiet:
                done = subprocess.run(
                    [
                        os.path.join(self.plant.binaries, "tests/tools/generate"),
                        *("--url", self.plant.elasticsearch, "--index", INDEX),
                        *("--first", str(self.written + 1), "--count", str(count)),
                        *("--rate", str(self.rate), "--bulk", "100"),
                    ],
                    stdout=subprocess.DEVNULL,
                    check=False,
                )
            if done.returncode != 0:
                self.failed = True
                return
            self.written += count

    def stop(self):
        self.stopping.set()
        self.join()


class AlertLoad(threading.Thread):
    """Posts DNS queries for a listed name, each from a source of its own, so that each is an alert.
    What is not answered with 200 is posted again, as a forwarder would."""

    def __init__(self, plant, rate):
        super().__init__(daemon=True)
        self.plant = plant
        self.rate = rate
        self.written = 0
        self.stopping = threading.Event()
        self.reposted = 0  # bodies of which no one knows whether they were taken

    def run(self):
        with open(
            os.path.join(self.plant.folder, "alerts-state/analytics_engine/local.key"),
            encoding="utf-8",
        ) as file:
            token = base64.b64encode((file.read().strip() + ":").encode()).decode()
        pause = 0.25
        while not self.stopping.is_set():
            count = max(1, int(self.rate * pause))
            body = "".join(
                '{"ts":"%s","srcIP":"%s","query":"a.c2-rolling.example","qtype":"A"}\n'
                % (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), source(number))
                for number in range(self.written, self.written + count)
            )
            while not self.post(body.encode(), token):
                time.sleep(0.1)
            self.written += count
            time.sleep(pause)

    def post(self, body, token):
        request = urllib.request.Request(
            "http://%s/v1/events/dns" % self.plant.api,
            data=body,
            headers={"Authorization": "Basic " + token},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                counts = json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                self.plant.faults.append("analytics-engine: HTTP %d" % error.code)
            return False
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            self.reposted += not isinstance(reason, ConnectionRefusedError)
            return False
        if counts["accepted"] != counts["received"]:
            self.plant.faults.append("analytics-engine: accepted %s" % counts)
        return True

    def stop(self):
        self.stopping.set()
        self.join()


class Watch(threading.Thread):
    """How long the engine at the end of the events got nothing, at most."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.longest = 0.0
        self.stopping = threading.Event()

    def run(self):
        size, grown_at = os.path.getsize(self.path), time.time()
        while not self.stopping.wait(0.02):
            now, grown = time.time(), os.path.getsize(self.path)
            if grown != size:
                self.longest = max(self.longest, now - grown_at)
                size, grown_at = grown, now

    def stop(self):
        self.stopping.set()
        self.join()


class Verdict:
    """What is missing at the ends, and what came more than once."""

    def __init__(self, plant, events, alerts):
        """Waits until everything has arrived, or time is up, and nothing more comes."""
        deadline = time.time() + ARRIVAL_SECONDS
        while time.time() < deadline and (
            len(plant.accepted_ids()) < events or len(plant.delivered_sources()) < alerts
        ):
            time.sleep(0.5)
        time.sleep(3)
        self.indexed = plant.indexed()
        self.events = compare(plant.accepted_ids(), range(1, events + 1))
        self.alerts = compare(plant.delivered_sources(), map(source, range(alerts)))


def compare(arrived, expected):
    """(lost, twice, unexpected)"""
    expected = set(expected)
    return (
        sum(1 for key in expected if key not in arrived),
        sum(arrived.values()) - len(arrived),
        sum(1 for key in arrived if key not in expected),
    )


def source(number):
    """An inside address for each number."""
    return "10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255)


def free_port():
    """A port, and the one 100 above it, that nobody has and that the system gives to nobody."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        try:
            for number in (port, port + 100):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue
