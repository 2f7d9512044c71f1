"""What goes into a plant, and the oracle that compares it with what comes out."""

import base64
import http.client
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request

FED_AT_ONCE_SECONDS = 4  # of documents, by one run of the generator
ARRIVAL_SECONDS = 180


class EventLoad(threading.Thread):
    """Writes documents with the ids 1, 2, ... until told to stop."""

    def __init__(self, plant, rate):
        super().__init__(daemon=True)
        self.plant = plant
        self.rate = rate
        self.written = 0
        self.seconds = 0.0
        self.stopping = threading.Event()
        self.failed = False

    def run(self):
        count = self.rate * FED_AT_ONCE_SECONDS
        while not self.stopping.is_set():
            began = time.time()
            with self.plant.quiet:
                done = subprocess.run(
                    [
                        os.path.join(self.plant.binaries, "tests/tools/generate"),
                        *("--url", self.plant.elasticsearch, "--index", self.plant.index),
                        *("--first", str(self.written + 1), "--count", str(count)),
                        *("--rate", str(self.rate)),
                    ],
                    stdout=subprocess.DEVNULL,
                    check=False,
                )
            if done.returncode != 0:
                self.failed = True
                return
            self.written += count
            self.seconds += time.time() - began

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
        pause = 0.25
        count = max(1, int(self.rate * pause))
        while not self.stopping.is_set():
            self.raise_alerts(self.written, count)
            self.written += count
            time.sleep(pause)

    def raise_alerts(self, first, count):
        """Of the sources with these numbers."""
        with open(
            os.path.join(self.plant.alerts_state, "analytics_engine/local.key"), encoding="utf-8"
        ) as file:
            token = base64.b64encode((file.read().strip() + ":").encode()).decode()
        body = "".join(
            '{"ts":"%s","srcIP":"%s","query":"a.c2-rolling.example","qtype":"A"}\n'
            % (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), source(number))
            for number in range(first, first + count)
        )
        while not self.post(body.encode(), token):
            time.sleep(0.1)

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
