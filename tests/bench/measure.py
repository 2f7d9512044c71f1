#!/usr/bin/env python3
"""Documents a second from a real Elasticsearch to a counting engine, and what each process spends
on a document.

    measure.py BINARIES [--documents 1000000] [--passes 2]

Indexes generated Packetbeat documents (dns 45 %, flow 40 %, http 8 %, tls 7 %), then starts
the stages on the backlog and
waits until the engine has all of it. Correctness is checked in the same run: nothing lost,
nothing twice, or exit 1.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))
from pipeline import ROOT, Pipeline  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
NAMES = ["elasticsearch", "es-reader", "scorer", "ae-forwarder", "fake-engine"]
DELIVERY_SECONDS = 600


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0


def get(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)


def fill(pipeline, elasticsearch, documents):
    print("indexing %d documents" % documents, flush=True)
    subprocess.run(
        [
            os.path.join(pipeline.binaries, "tests/tools/generate"),
            "--url",
            elasticsearch,
            "--template",
            os.path.join(ROOT, "tests/data/captures/index-template.json"),
            "--count",
            str(documents),
            "--refresh",
            "5s",
            "--bulk",
            "2000",
        ],
        check=True,
    )
    for path in ("_refresh", "_flush"):
        call = urllib.request.Request(
            "%s/packetbeat-*/%s" % (elasticsearch, path), method="POST", data=b""
        )
        urllib.request.urlopen(call, timeout=120).close()


def deliver(pipeline, elasticsearch, documents):
    """One pass over the whole backlog, with fresh stages and a fresh engine; True: exact."""
    engine = pipeline.start_fake_engine()
    pipeline.reader = "  start: earliest\n"
    before = cpu_seconds(pipeline.pids["elasticsearch"])
    began = time.time()
    pipeline.start_stages(elasticsearch, engine)
    stats = {"accepted": 0}
    while stats["accepted"] < documents and time.time() - began < DELIVERY_SECONDS:
        time.sleep(0.05)
        stats = get(engine + "/fake/stats")
    seconds = time.time() - began
    rate = stats["accepted"] / seconds
    print("\n%d documents in %.2f s: %.0f documents/s" % (stats["accepted"], seconds, rate))
    print("%-14s %12s %10s" % ("process", "CPU us/doc", "peak MiB"))
    stages = 0.0
    for name in NAMES:
        pid = pipeline.pids[name]
        cpu = cpu_seconds(pid) - (before if name == "elasticsearch" else 0)
        print("%-14s %12.2f %10.1f" % (name, cpu * 1e6 / documents, peak_mib(pid)))
        if name in ("es-reader", "scorer", "ae-forwarder"):
            stages += peak_mib(pid)
    print("reader + scorer + forwarder: %.1f MiB" % stages)
    stats = get(engine + "/fake/stats")
    lost, repeated = documents - stats["distinct"], stats["accepted"] - stats["distinct"]
    print("lost %d, repeated %d, posts %d" % (lost, repeated, stats["posts"]), flush=True)
    return lost == 0 and repeated == 0


def run(pipeline, documents, passes):
    elasticsearch = pipeline.start_elasticsearch("1g")
    fill(pipeline, elasticsearch, documents)
    time.sleep(5)  # merges that indexing left behind
    exact = True
    for _ in range(passes):
        exact = deliver(pipeline, elasticsearch, documents) and exact
        pipeline.stop_stages()
    return exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--documents", type=int, default=1000000)
    parser.add_argument("--passes", type=int, default=2, help="the first one warms the node up")
    options = parser.parse_args()
    pipeline = Pipeline(options.binaries)
    try:
        return 0 if run(pipeline, options.documents, options.passes) else 1
    finally:
        pipeline.stop()


if __name__ == "__main__":
    sys.exit(main())
