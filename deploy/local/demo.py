#!/usr/bin/env python3
"""The whole pipeline on this machine: a real Elasticsearch, every service, recorded telemetry.

    demo.py BINARIES [--once] [--folder FOLDER] [--speed 20]

BINARIES is the folder of built programs (bazel-bin). Without --once everything stays up until
Ctrl-C. With --once it exits 0 when every document was delivered, every stage's books balance, the
expected detections are there and nobody benign has one of severity 4 or 5; else 1.
"""

import argparse
import base64
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from pipeline import ROOT, STAGES, Pipeline

SETTLE_SECONDS = 120
ALERT_SECONDS = 30
EVERYTHING = (
    [("analytics-engine", "analytics_engine")] + STAGES + [("alert-poller", "alert_poller")]
)
# What the recordings hold that the engine can tell by now (tests/data/README.md).
EXPECTED = {
    ("10.20.0.21", "multiple_long_hostnames"),
    ("10.20.0.22", "multiple_long_hostnames"),
    ("10.20.0.52", "multiple_long_hostnames"),
    ("10.20.0.25", "outbound_port_scan"),
    ("10.20.0.36", "outbound_port_scan"),
    ("10.20.0.49", "outbound_port_scan"),
    ("10.20.0.46", "imposter_domain"),
    ("10.20.0.47", "c2_communication"),
    ("10.20.0.50", "sinkholed_destination"),
}
BENIGN = {"10.20.0.%d" % number for number in list(range(11, 21)) + [40]}


class Demo(Pipeline):
    def __init__(self, options):
        super().__init__(options.binaries, options.folder)
        self.options = options
        self.api = "http://127.0.0.1:%d" % free_port()
        self.alerts_file = os.path.join(self.folder, "alerts.json")

    def say(self, text):
        print(text, flush=True)

    def start_all(self):
        self.say("state and logs: %s" % self.folder)
        elasticsearch = self.start_elasticsearch()
        self.say("%-17s %s" % ("elasticsearch:", elasticsearch))
        lists = "".join(
            '    - {name: %s, file: "%s"}\n'
            % (name, os.path.join(ROOT, "deploy/local/lists", name + ".txt"))
            for name in ("c2", "imposter", "sinkhole")
        )
        self.engine = (
            "engine: {host: local, alerts: {poll_interval: 5s}}\n"
            + "analytics_engine: {listen: %s}\n" % self.api.split("//")[1]
            + "scoring:\n  lists:\n%s" % lists
            + 'outputs: {file: "%s"}\n' % self.alerts_file
        )
        for name, folder in EVERYTHING:
            self.start_stage(name, folder, self.write_config(elasticsearch, self.engine))
            address = self.addresses[name]
            self.say(
                "%-17s gRPC %s, http://%s/metrics" % (name + ":", address["grpc"], address["http"])
            )
        self.config = self.write_config(elasticsearch, self.engine)  # now with every address
        return elasticsearch

    def play(self, elasticsearch):
        """Plays the recordings with a line of progress every two seconds; how many were indexed."""
        recordings = sorted(glob.glob(os.path.join(ROOT, "tests/data/captures/*.ndjson.gz")))
        template = os.path.join(ROOT, "tests/data/captures/index-template.json")
        player = subprocess.Popen(
            [
                sys.executable,
                os.path.join(ROOT, "deploy/local/replay.py"),
                "--url",
                elasticsearch,
                "--speed",
                str(self.options.speed),
                "--template",
                template,
            ]
            + recordings,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.running.append(("replay", player))
        self.say(
            "\nplaying %d recordings, %g times faster than they happened"
            % (len(recordings), self.options.speed)
        )
        indexed, shown = 0, 0
        for line in player.stdout:
            indexed = int(line)
            if time.time() - shown > 2:
                shown = time.time()
                self.progress(indexed)
        if player.wait() != 0:
            sys.exit("demo: the recordings could not be indexed")
        return indexed

    def progress(self, indexed):
        read, _, accepted, _ = self.totals("es-reader")
        self.say(
            "  indexed %6d   read %6d   accepted %6d   alerts %4d"
            % (indexed, read, accepted, len(self.delivered()))
        )

    def settle(self, indexed):
        """Waits until everything indexed has ended. False when it does not come to that."""
        deadline = time.time() + SETTLE_SECONDS
        while time.time() < deadline:
            read, ended, _, in_flight = self.totals("es-reader")
            if read >= indexed and in_flight == 0 and ended == read:
                return True
            time.sleep(0.5)
        return False

    def delivered(self):
        """The alerts in the sink's file, one a line."""
        if not os.path.exists(self.alerts_file):
            return []
        with open(self.alerts_file, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def alerts(self):
        """Every alert of the engine, page by page, and the threats they name."""
        with open(
            os.path.join(self.folder, "state/analytics_engine/local.key"), encoding="utf-8"
        ) as file:
            token = base64.b64encode((file.read().strip() + ":").encode()).decode()
        alerts, threats, follow = [], {}, ""
        while True:
            call = urllib.request.Request(
                self.api + "/v1/alerts?threats=all&follow=" + follow,
                headers={"Authorization": "Basic " + token},
            )
            with urllib.request.urlopen(call, timeout=10) as reply:
                page = json.load(reply)
            alerts += page["alerts"]
            threats.update(page["threats"])
            follow = page["follow"]
            if not page["more"]:
                return alerts, threats

    def await_delivery(self):
        """Waits until the sink's file holds as many alerts as the engine has."""
        deadline = time.time() + ALERT_SECONDS
        while True:
            alerts, threats = self.alerts()
            if len(self.delivered()) >= len(alerts) or time.time() > deadline:
                return alerts, threats
            time.sleep(0.5)

    def report_books(self, indexed):
        """Prints where every event went; True when nothing is missing."""
        counts, _, _ = self.books("es-reader")
        self.say("\n%-6s %9s %9s   %s" % ("type", "read", "accepted", "the rest"))
        for kind in sorted({key[2] for key in counts}):
            rest = ", ".join(
                "%s(%s) %d" % (outcome, reason, count)
                for (outcome, reason, of), count in sorted(counts.items())
                if of == kind and outcome not in ("read", "accepted") and count
            )
            self.say(
                "%-6s %9d %9d   %s"
                % (
                    kind,
                    counts.get(("read", "", kind), 0),
                    counts.get(("accepted", "", kind), 0),
                    rest,
                )
            )
        self.say("")
        good = True
        for name, _ in reversed(STAGES):
            read, ended, _, in_flight = self.totals(name)
            good = good and read == ended + in_flight
            self.say(
                "%-13s read %6d = ended %6d + in flight %d%s"
                % (
                    name,
                    read,
                    ended,
                    in_flight,
                    "" if read == ended + in_flight else "   DOES NOT BALANCE",
                )
            )
        read, _, _, _ = self.totals("es-reader")
        self.say(
            "indexed %d, read %d: %s"
            % (indexed, read, "nothing lost" if read == indexed else "NOT EQUAL")
        )
        return good and read == indexed

    def report_detections(self):
        """Prints the detections; True when all expected are there and no benign one is high."""
        alerts, threats = self.await_delivery()
        found = {}
        for alert in alerts:
            for detection in alert["detections"]:
                key = (alert["event"]["srcIP"], detection["threat"], detection["key"])
                if key not in found or found[key]["severity"] < detection["severity"]:
                    found[key] = detection
        self.say("\n%-13s %-3s %-24s %s" % ("source", "sev", "threat", "evidence"))
        shown = sorted(found.items(), key=lambda item: (-item[1]["severity"], item[0]))
        for (source, threat, key), detection in shown:
            if detection["severity"] >= 3:
                evidence = "%s: %s" % (key, detection["measure"])
                if detection["threshold"] > 1:  # 1: one record is enough
                    evidence += ": %(value)g, threshold %(threshold)g" % detection
                self.say("%-13s %-3d %-24s %s" % (source, detection["severity"], threat, evidence))
        low = sum(1 for _, detection in shown if detection["severity"] < 3)
        self.say(
            "and %d of severity 1 and 2; %d alerts, %d of them in %s"
            % (low, len(alerts), len(self.delivered()), self.alerts_file)
        )
        missing = EXPECTED - {(source, threat) for source, threat, _ in found}
        for source, threat in sorted(missing):
            self.say("MISSING: %s %s" % (source, threat))
        wrong = [
            (source, threat)
            for (source, threat, _), detection in found.items()
            if source in BENIGN and detection["severity"] >= 4
        ]
        for source, threat in wrong:
            self.say("FALSE ALARM: %s %s" % (source, threat))
        undelivered = len(alerts) - len(self.delivered())
        if undelivered:
            self.say("NOT DELIVERED: %d alerts" % undelivered)
        return not missing and not wrong and not undelivered

    def look_further(self):
        nightjar = os.path.join(self.binaries, "services/cli/nightjar")
        self.say("\nup until Ctrl-C. Look further:")
        self.say("  %s status -c %s" % (nightjar, self.config))
        self.say("  %s tap scorer --score 30 -c %s" % (nightjar, self.config))
        self.say("  tail -f %s" % self.alerts_file)
        self.say("  grpcurl -plaintext %s list" % self.addresses["scorer"]["grpc"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--once", action="store_true", help="exit when everything has arrived")
    parser.add_argument("--folder", help="keep state and logs here (default: a temporary folder)")
    parser.add_argument("--speed", type=float, default=20)
    options = parser.parse_args()
    demo = Demo(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        indexed = demo.play(demo.start_all())
        settled = demo.settle(indexed)
        good = demo.report_books(indexed) and settled
        good = demo.report_detections() and good
        if options.once:
            return 0 if good else 1
        demo.look_further()
        signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        demo.stop()


if __name__ == "__main__":
    sys.exit(main())
