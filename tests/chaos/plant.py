"""Every stage on this machine, each to be stopped and started by itself, between loads and ends
that keep count.

Events: generator -> Elasticsearch -> es-reader -> scorer -> ae-forwarder -> counting engine.
Alerts: a client of the API -> analytics-engine -> alert-poller -> file.
"""

import collections
import glob
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
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))
from load import AlertLoad, EventLoad  # noqa: E402
from pipeline import API_KEY, ROOT, Pipeline  # noqa: E402

INDEX = "packetbeat-7.17.29-rolling"
# Sinks first: a stage finds the ones before it.
EVENT_STAGES = ["ae-forwarder", "scorer", "es-reader"]
ALERT_STAGES = ["analytics-engine", "alert-poller"]
STAGES = EVENT_STAGES + ALERT_STAGES
STOP_SECONDS_MAX = 25
START_SECONDS_MAX = 30
HEAP = "768m"  # of Elasticsearch
SOURCE = re.compile(r'"srcIP":"([^"]*)"')
CLOSING_BOOKS = re.compile(r" stopped: read (\d+) = (.*)$", re.MULTILINE)


class Stage:
    """One stage at one address, whatever binary it is of. Appends what goes wrong to `faults`."""

    def __init__(self, plant, name, config):
        self.plant = plant
        self.name = name
        self.config = config
        self.process = None
        self.of_today = True  # not a binary of an older release
        self.address_file = os.path.join(plant.folder, name + ".addresses.json")
        self.log_read = 0

    def launch(self, binaries):
        """Starts it without a wait."""
        self.of_today = binaries == self.plant.binaries
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
        """Starts it and waits until it serves."""
        began = time.time()
        self.launch(binaries)
        while not os.path.exists(self.address_file):
            if self.process.poll() is not None or time.time() - began > START_SECONDS_MAX:
                sys.exit("%s does not start:\n%s" % (self.name, self.new_log()[-2000:]))
            time.sleep(0.02)

    def stop(self):
        """Asks it to end and waits for that; the seconds it took."""
        began = time.time()
        self.process.send_signal(signal.SIGTERM)
        return self.await_end(began)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.new_log()
        return 0.0

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
        self.check_books(must_be_there=code == 0 and self.of_today)
        return seconds

    def check_books(self, must_be_there=False):
        """What it said with its last line: read = everything that ended + in flight."""
        log = self.new_log()
        if must_be_there and " %s stopped" % self.name not in log:
            self.fault("said nothing at the end")
        closing = CLOSING_BOOKS.findall(log)
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


class Host(Pipeline):
    """Places for all stages: ports of their own, and one configuration each."""

    def __init__(self, binaries):
        super().__init__(binaries)
        self.faults = []
        self.books_closed = 0
        self.listen = {name: "127.0.0.1:%d" % free_port() for name in STAGES}
        self.api = "127.0.0.1:%d" % free_port()
        self.alerts_file = os.path.join(self.folder, "alerts.json")
        self.alerts_state = os.path.join(self.folder, "alerts-state")

    def services(self):
        return "services:\n" + "".join(
            '  %s: {address: "%s"}\n' % (name.replace("-", "_"), address)
            for name, address in self.listen.items()
        )

    def write_alerts_config(self, more_outputs=""):
        """With an engine of this host, alerts to a file and `more_outputs`."""
        path = os.path.join(self.folder, "alerts.yml")
        names = os.path.join(self.folder, "c2.txt")
        with open(names, "w", encoding="utf-8") as file:
            file.write("*.c2-rolling.example\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                "engine: {host: local, alerts: {poll_interval: 5s}}\n"
                + 'analytics_engine: {listen: "%s"}\n' % self.api
                + 'scoring: {lists: [{name: c2, file: "%s"}]}\n' % names
                + 'outputs: {file: "%s"%s}\n' % (self.alerts_file, more_outputs)
                + 'data: {dir: "%s"}\n' % self.alerts_state
                + self.services()
            )
        return path

    def delivered_sources(self):
        """The source of every alert in the sink's file, and how often."""
        if not os.path.exists(self.alerts_file):
            return collections.Counter()
        with open(self.alerts_file, encoding="utf-8") as file:
            return sources_of(file)


class Plant(Host):
    """Elasticsearch, both engines and every stage."""

    def __init__(self, binaries, more_outputs=""):
        super().__init__(binaries)
        self.index = INDEX
        self.quiet = threading.Lock()  # who holds it has no documents being written
        self.id_log = os.path.join(self.folder, "accepted-ids")
        self.fake_engine_url = self.start_fake_engine("--id_log", self.id_log)
        self.elasticsearch = self.start_elasticsearch(HEAP)
        self.put_template()
        events, alerts = self.write_events_config(), self.write_alerts_config(more_outputs)
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

    def write_events_config(self):
        self.addresses = {}  # services() names them all
        path = self.write_config(
            self.elasticsearch,
            'engine: {host: "%s", api_key: %s}\noutputs: {enabled: false}\n%s'
            % (self.fake_engine_url, API_KEY, self.services()),
        )
        return path

    def use_tls(self):
        """Mutual TLS between the stages of the event path, as it is off loopback."""
        folder = os.path.join(self.folder, "certificates")
        script = os.path.join(ROOT, "deploy/certificates/certificates.sh")
        subprocess.run([script, folder], check=True, stdout=subprocess.DEVNULL)
        for name in EVENT_STAGES:
            with open(self.stages[name].config, encoding="utf-8") as file:
                text = file.read()
            files = {"ca_file": "ca.crt", "certificate_file": "tls.crt", "key_file": "tls.key"}
            for key, file_name in files.items():
                files[key] = os.path.join(folder, name, file_name)
            security = dict(files, flow_peers=["es-reader", "scorer"])
            self.stages[name].config = os.path.join(self.folder, name + ".yml")
            with open(self.stages[name].config, "w", encoding="utf-8") as file:
                file.write(text + "security: %s\n" % json.dumps(security))

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

    def show_logs(self):
        for path in sorted(glob.glob(os.path.join(self.folder, "*.log"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                print("--- %s\n%s" % (os.path.basename(path), file.read()[-4000:]))


def sources_of(lines):
    """How often each source stands in lines of alerts; a line without end does not count."""
    return collections.Counter(
        SOURCE.search(line).group(1) for line in lines if line.endswith("\n")
    )


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
