#!/usr/bin/env python3
"""The whole pipeline on this machine: a real Elasticsearch, every service, recorded telemetry played into it.

    demo.py BINARIES [--once] [--folder FOLDER] [--speed 20]

BINARIES is the folder of built programs (bazel-bin). Without --once everything stays up until Ctrl-C. With --once it exits 0
when every document was delivered and every stage's books balance, else 1.
"""
import argparse
import glob
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
# Name, folder under services/, the sources last: each finds the one before it.
STAGES = [("ae-forwarder", "ae_forwarder"), ("scorer", "scorer"), ("es-reader", "es_reader")]
API_KEY = "demo-key"
SETTLE_SECONDS = 120
SAMPLE = re.compile(r'^(\w+)\{([^}]*)\} (\S+)$')


class Demo:
    def __init__(self, options):
        self.options = options
        self.folder = options.folder or tempfile.mkdtemp(prefix="nightjar-demo-")
        self.running = []  # (name, Popen or pid), in the order of their start
        self.addresses = {}

    def say(self, text):
        print(text, flush=True)

    def start(self, name, arguments, ready_line=False):
        """Starts a program with its log in the folder; returns its first line of output if asked."""
        log = open(os.path.join(self.folder, name + ".log"), "a", encoding="utf-8")
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=log, text=True,
                                   stdout=subprocess.PIPE if ready_line else log,
                                   start_new_session=True)
        self.running.append((name, process))
        return process.stdout.readline().strip() if ready_line else process

    def start_elasticsearch(self):
        port = free_port_pair(100)
        script = os.path.join(ROOT, "deploy/local/elasticsearch/elasticsearch.sh")
        data = os.path.join(self.folder, "elasticsearch")
        done = subprocess.run([script, "start", str(port), data], check=True, text=True,
                              stdout=subprocess.PIPE)
        self.running.append(("elasticsearch", int(done.stdout.split()[-1])))
        return "http://127.0.0.1:%d" % port

    def write_config(self, elasticsearch, engine):
        searches = "".join("      - {event_type: %s, indices: [packetbeat-*], index_schema: ecs}\n" % kind
                           for kind in ("dns", "ip", "http", "tls"))
        services = "".join("  %s: {address: \"%s\"}\n" % (folder, self.addresses[name]["grpc"])
                           for name, folder in STAGES if name in self.addresses)
        path = os.path.join(self.folder, "config.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("engine: {host: \"%s\", api_key: %s}\n" % (engine, API_KEY)
                       + "inputs:\n  elastic:\n    enabled: true\n    hosts: [\"%s\"]\n" % elasticsearch
                       + "    searches:\n" + searches
                       + "outputs: {enabled: false}\n"
                       + "data: {dir: \"%s\"}\n" % os.path.join(self.folder, "state")
                       + ("services:\n" + services if services else ""))
        return path

    def start_stage(self, name, folder, config):
        address_file = os.path.join(self.folder, name + ".addresses.json")
        process = self.start(name, [
            os.path.join(self.options.binaries, "services", folder, name), "--config", config,
            "--listen", "127.0.0.1:0", "--address_file", address_file])
        deadline = time.time() + 20
        while not os.path.exists(address_file):
            if process.poll() is not None or time.time() > deadline:
                with open(os.path.join(self.folder, name + ".log"), encoding="utf-8") as log:
                    sys.exit("demo: %s does not start:\n%s" % (name, log.read()[-2000:]))
            time.sleep(0.05)
        with open(address_file, encoding="utf-8") as file:
            self.addresses[name] = dict(re.findall(r'"(\w+)":\s*"([^"]*)"', file.read()))

    def start_all(self):
        self.say("state and logs: %s" % self.folder)
        elasticsearch = self.start_elasticsearch()
        self.say("elasticsearch:  %s" % elasticsearch)
        engine = self.start("fake-engine", [
            os.path.join(self.options.binaries, "tests/fakes/fake-engine"), "--api_key", API_KEY],
            ready_line=True)
        self.say("engine:         %s (counts what it is sent)" % engine)
        for name, folder in STAGES:
            self.start_stage(name, folder, self.write_config(elasticsearch, engine))
            self.say("%-15s gRPC %s, http://%s/metrics" % (
                name + ":", self.addresses[name]["grpc"], self.addresses[name]["http"]))
        return elasticsearch

    def books(self, name):
        """Counts by (outcome, reason, type) and what is in flight, from the stage's metrics."""
        with urllib.request.urlopen("http://%s/metrics" % self.addresses[name]["http"], timeout=5) as page:
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

    def play(self, elasticsearch):
        """Plays the recordings, with a line of progress every two seconds; returns how many were indexed."""
        recordings = sorted(glob.glob(os.path.join(ROOT, "tests/data/captures/*.ndjson.gz")))
        arguments = [sys.executable, os.path.join(ROOT, "deploy/local/replay.py"), "--url", elasticsearch,
                     "--speed", str(self.options.speed), "--template",
                     os.path.join(ROOT, "tests/data/captures/index-template.json")] + recordings
        self.say("\nplaying %d recordings, %g times faster than they happened" % (
            len(recordings), self.options.speed))
        player = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.running.append(("replay", player))
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
        self.say("  indexed %6d   read %6d   accepted by the engine %6d" % (indexed, read, accepted))

    def settle(self, indexed):
        """Waits until everything indexed has ended. False when it does not come to that."""
        deadline = time.time() + SETTLE_SECONDS
        while time.time() < deadline:
            read, ended, _, in_flight = self.totals("es-reader")
            if read >= indexed and in_flight == 0 and ended == read:
                return True
            time.sleep(0.5)
        return False

    def report(self, indexed):
        """Prints where every event went; True when the books balance."""
        counts, _, _ = self.books("es-reader")
        self.say("\n%-6s %9s %9s   %s" % ("type", "read", "accepted", "the rest"))
        for kind in sorted({key[2] for key in counts}):
            read = counts.get(("read", "", kind), 0)
            accepted = counts.get(("accepted", "", kind), 0)
            rest = ", ".join("%s(%s) %d" % (outcome, reason, n)
                             for (outcome, reason, of), n in sorted(counts.items())
                             if of == kind and outcome not in ("read", "accepted") and n)
            self.say("%-6s %9d %9d   %s" % (kind, read, accepted, rest))
        _, _, signals = self.books("scorer")
        self.say("\n%-24s %s" % ("signal", "events"))
        for name, count in sorted(signals.items(), key=lambda item: -item[1]):
            self.say("%-24s %6d" % (name, count))
        balanced = True
        self.say("")
        for name, _ in reversed(STAGES):
            read, ended, _, in_flight = self.totals(name)
            balanced = balanced and read == ended + in_flight
            self.say("%-13s read %6d = ended %6d + in flight %d%s" % (
                name, read, ended, in_flight, "" if read == ended + in_flight else "   DOES NOT BALANCE"))
        read, _, _, _ = self.totals("es-reader")
        self.say("indexed %d, read %d: %s" % (indexed, read, "nothing lost" if read == indexed else "NOT EQUAL"))
        return balanced and read == indexed

    def stop(self):
        """Sources first; every stage drains. Elasticsearch last."""
        for name, process in reversed(self.running):
            if isinstance(process, int):
                end_pid(process)
                continue
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    self.say("demo: %s does not stop, killed" % name)
                    process.kill()
        if not self.options.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


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
        good = demo.report(indexed) and settled
        if options.once:
            return 0 if good else 1
        demo.say("\nup until Ctrl-C. Look further: curl http://%s/metrics" % demo.addresses["scorer"]["http"])
        signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        demo.stop()


if __name__ == "__main__":
    sys.exit(main())
