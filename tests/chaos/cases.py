#!/usr/bin/env python3
"""What NFR loses, done to Nightjar: live and late documents, outages, kills, on a real
Elasticsearch.

    cases.py BINARIES [CASE ...]

Each case starts the stages with their defaults on an index of its own, writes numbered documents,
hurts something, and
compares what was written with what the engine accepted. Prints a line a case; exits 1 when a
document was lost, or when more
came twice than the case allows.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))
from pipeline import ROOT, STAGES, Pipeline, end_pid  # noqa: E402

INDEX = "packetbeat-7.17.29-case"
BODIES_PER_KILL = 4 * 5000  # a killed forwarder repeats at most this many events
ARRIVAL_SECONDS = 240


class Case:
    """One pipeline of its own between the shared Elasticsearch and an engine of its own."""

    def __init__(self, binaries, elasticsearch):
        self.binaries = binaries
        self.elasticsearch = elasticsearch
        self.pipeline = Pipeline(binaries)
        self.engine = self.pipeline.start_fake_engine()

    def start(self):
        self.pipeline.start_stages(self.elasticsearch.url, self.engine)

    def kill(self, name):
        os.kill(self.pipeline.pids[name], signal.SIGKILL)
        folder = dict(STAGES)[name]
        self.pipeline.start_stage(
            name, folder, self.pipeline.write_config(self.elasticsearch.url, self.pipeline.engine)
        )

    def generate(self, count, *arguments, first=1, wait=True):
        process = subprocess.Popen(
            [
                os.path.join(self.binaries, "tests/tools/generate"),
                "--url",
                self.elasticsearch.url,
                "--index",
                INDEX,
                "--first",
                str(first),
                "--count",
                str(count),
                *map(str, arguments),
            ],
            stdout=subprocess.DEVNULL,
        )
        if wait and process.wait() != 0:
            sys.exit("cases: the generator failed")
        return process

    def stats(self):
        with urllib.request.urlopen(self.engine + "/fake/stats", timeout=30) as reply:
            return json.load(reply)

    def await_distinct(self, count):
        deadline = time.time() + ARRIVAL_SECONDS
        while self.stats()["distinct"] < count and time.time() < deadline:
            time.sleep(0.1)

    def engine_fails(self, seconds):
        os.kill(self.pipeline.pids["fake-engine"], signal.SIGUSR1)
        time.sleep(seconds)
        os.kill(self.pipeline.pids["fake-engine"], signal.SIGUSR2)

    def finish(self, count):
        """(lost, repeated) once everything has arrived, or time is up, and nothing more comes."""
        self.await_distinct(count)
        time.sleep(2)
        stats = self.stats()
        return count - stats["distinct"], stats["accepted"] - stats["distinct"]

    def balanced(self):
        for name, _ in STAGES:
            read, ended, _, in_flight = self.pipeline.totals(name)
            if read != ended + in_flight:
                return False
        return True


class Elasticsearch:
    def __init__(self, binaries):
        self.home = Pipeline(binaries)
        self.url = self.home.start_elasticsearch("1g")
        self.call(
            "PUT",
            "/_index_template/packetbeat",
            open(os.path.join(ROOT, "tests/data/captures/index-template.json"), "rb").read(),
        )

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=body, headers={"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).close()

    def restart(self):
        pid = self.home.pids["elasticsearch"]
        os.kill(pid, signal.SIGKILL)
        end_pid(pid)
        script = os.path.join(ROOT, "deploy/local/elasticsearch/elasticsearch.sh")
        done = subprocess.run(
            [
                script,
                "start",
                self.url.rsplit(":", 1)[1],
                os.path.join(self.home.folder, "elasticsearch"),
            ],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            env=dict(os.environ, ES_HEAP="1g"),
        )
        self.home.pids["elasticsearch"] = int(done.stdout.split()[-1])
        self.home.running[0] = ("elasticsearch", self.home.pids["elasticsearch"])


def live(count, *arguments):
    def run(case):
        case.start()
        case.generate(count, *arguments)
        return count, 0

    return run


def n5_late(case):
    case.start()
    case.generate(12000, "--rate", 1000, "--late", 1000)
    return 12000, 0


def n6_standalone(case):
    case.start()
    case.generate(16000, "--no_ingested")
    case.generate(2000, "--no_ingested", "--type", "http", first=16001)
    return 18000, 0


def n7_engine_away(seconds):
    def run(case):
        case.generate(100000)
        case.start()
        case.await_distinct(10000)
        case.engine_fails(seconds)
        return 100000, 0

    return run


def n8_kill(case):
    case.generate(245000, "--whole_seconds")
    case.start()
    case.await_distinct(60000)
    for name, _ in STAGES:
        case.kill(name)
    return 245000, BODIES_PER_KILL


def n9_restart(case):
    case.generate(100000, "--whole_seconds")
    case.start()
    case.await_distinct(10000)
    case.elasticsearch.restart()
    return 100000, 0


def n11_old(case):
    case.generate(45000, "--age_seconds", 17 * 60)
    case.start()
    return 45000, 0


def kills(case):
    """20 kills spread over the stages while 200,000 documents flow."""
    case.start()
    writer = case.generate(200000, "--rate", 4000, wait=False)
    order = [name for name, _ in STAGES] * 7
    random.Random(1).shuffle(order)
    order = order[:20]
    for i, name in enumerate(order):
        case.await_distinct((i + 1) * 9000)
        case.kill(name)
    if writer.wait() != 0:
        sys.exit("cases: the generator failed")
    return 200000, order.count("ae-forwarder") * BODIES_PER_KILL


CASES = {
    "N1": ("live 2,500/s, 1 shard, refresh 1 s", live(50000, "--rate", 2500)),
    "N2": ("the same, whole-second stamps", live(50000, "--rate", 2500, "--whole_seconds")),
    "N3": (
        "live 2,500/s, 3 shards, 4 writers, refresh 5 s",
        live(50000, "--rate", 2500, "--shards", 3, "--writers", 4, "--refresh", "5s"),
    ),
    "N4a": ("833/s, 3 shards", live(50000, "--rate", 833, "--shards", 3)),
    "N4b": ("500/s, whole seconds", live(50000, "--rate", 500, "--whole_seconds")),
    "N5": ("1,000 of 12,000 documents 30 s late", n5_late),
    "N6": ("no event.ingested; HTTP with url.full only", n6_standalone),
    "N7a": ("backlog of 100,000, engine answers 503 for 4 s", n7_engine_away(4)),
    "N7b": ("the same for 30 s", n7_engine_away(30)),
    "N8": ("kill -9 of every stage in the middle of 245,000", n8_kill),
    "N9": ("Elasticsearch killed and restarted mid-read", n9_restart),
    "N11": ("first start, data 17 minutes old", n11_old),
    "K20": ("20 kills -9 over the stages while 200,000 flow", kills),
}


def run_case(name, binaries, elasticsearch):
    title, body = CASES[name]
    case = Case(binaries, elasticsearch)
    try:
        expected, repeated_max = body(case)
        lost, repeated = case.finish(expected)
        balanced = case.balanced()
    finally:
        case.pipeline.stop()
        elasticsearch.call("DELETE", "/" + INDEX)
    good = lost == 0 and 0 <= repeated <= repeated_max and balanced
    print(
        "%-4s %-52s expected %6d  lost %d  twice %d (allowed %d)%s  %s"
        % (
            name,
            title,
            expected,
            lost,
            repeated,
            repeated_max,
            "" if balanced else "  BOOKS OFF",
            "ok" if good else "FAILED",
        ),
        flush=True,
    )
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("cases", nargs="*", help="names, default all: " + " ".join(CASES))
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error("no such case: %s" % " ".join(unknown))
    elasticsearch = Elasticsearch(options.binaries)
    try:
        results = [
            run_case(name, options.binaries, elasticsearch) for name in options.cases or CASES
        ]
    finally:
        elasticsearch.home.stop()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
