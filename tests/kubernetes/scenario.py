#!/usr/bin/env python3
"""Nightjar on a real Kubernetes of two nodes, on this machine.

    scenario.py BINARIES [--images FOLDER] [--next FOLDER] [--seed N] [--only single|ha] [--keep]

The commands are those of deploy/kubernetes/README.md. First `single` with the engine that comes
with Nightjar and recorded telemetry, up to a detection in the sink; then `ha` with numbered
telemetry into a counting engine, while stages are rolled, upgraded, deleted, drained and lose a
node. A line for each step, then "N passed, N failed". Needs root; ends what it started.
"""

import argparse
import glob
import os
import random
import shutil
import signal
import sys
import tempfile
import time

import cluster as cluster_module
import load
from cluster import ROOT, Cluster, image_archives, retagged, wait_until
from disturbances import Disturbances
from load import Telemetry

sys.path.insert(0, os.path.join(ROOT, "tests/docs"))
import blocks  # noqa: E402

README = "deploy/kubernetes/README.md"
STAGES = {"es-reader": 7501, "scorer": 7502, "ae-forwarder": 7503, "alert-poller": 7504}
STAGES["analytics-engine"] = 7505
ARRIVAL_SECONDS = 180
EXPECTED = "outbound_port_scan"  # of the recordings, without any list


class Scenario:
    """Steps in order; each is a method whose return value is what the line says."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="nightjar-kubernetes-")
        self.cluster = Cluster(self.folder)
        self.around = load.Surroundings(options.binaries, os.path.join(self.folder, "around"))
        self.telemetry = Telemetry(self.around, self.cluster)
        self.disturb = Disturbances(self.cluster, self.telemetry, random.Random(options.seed))
        self.passed = self.failed = 0

    def step(self, name, action, *arguments):
        began = time.time()
        try:
            said = action(*arguments)
            self.passed += 1
            word = "ok"
        except Exception as problem:  # whatever it is, the other steps have something to tell
            said, word = problem, "FAILED"
            self.failed += 1
        print("%-6s %6.1f s  %s: %s" % (word, time.time() - began, name, said), flush=True)
        return word == "ok"

    # Steps: the commands of the document.

    def begin(self):
        self.cluster.start()
        self.cluster.script("node", "1")
        archives = image_archives(self.options.images)
        self.cluster.script("load", *archives)
        services = self.around.begin()
        self.cluster.kubectl(
            "apply", "-f", os.path.join(ROOT, "deploy/kubernetes/base/namespace.yaml")
        )
        self.cluster.kubectl("apply", "-f", "-", text=services)
        self.finish(self.around.play(1000, ["irc-login.ndjson.gz"]))  # so that there is an index
        for path in ("deploy/kubernetes", "deploy/certificates"):
            shutil.copytree(os.path.join(ROOT, path), os.path.join(self.folder, path))
        self.cluster.environment.update(
            ELASTIC_HOST="https://elasticsearch:%d" % load.port_of(self.around.elasticsearch),
            ELASTIC_PASSWORD="unused",
            ELASTIC_CA=os.path.join(self.around.certificates, "ca.crt"),
        )
        return "2 nodes, %d images, Elasticsearch outside" % len(archives)

    def section(self, title):
        """Runs the commands under a heading of the README."""
        with open(os.path.join(ROOT, README), encoding="utf-8") as file:
            lines = file.read().splitlines()
        first = lines.index("## " + title)
        last = next(
            (n for n in range(first + 1, len(lines)) if lines[n].startswith("## ")), len(lines)
        )
        ran = 0
        for block in blocks.blocks(os.path.join(ROOT, README)):
            if block.harness == "kubernetes" and first < int(block.where.rsplit(":", 1)[1]) < last:
                blocks.run_block(block, self.folder, self.cluster.environment)
                ran += 1
        return "%d blocks of the README" % ran

    # Steps: single.

    def detect(self):
        self.finish(self.around.play(speed=40))
        indexed = self.around.count("packetbeat-*")
        self.settle(indexed)
        wait_until("a detection in the sink", 60, lambda: EXPECTED in self.sink())
        alerts = [line for line in self.sink().splitlines() if line.startswith("{")]
        return "%d documents, all ended; %d alerts in the sink, %s among them" % (
            indexed,
            len(alerts),
            EXPECTED,
        )

    def finish(self, writer):
        if writer.wait(600) != 0:
            raise RuntimeError("documents could not be written: " + self.around.log("replay"))

    def sink(self):
        return self.cluster.kubectl("-n", "nightjar", "logs", "alert-poller-0", check=False)

    def settle(self, indexed):
        """The reader has read what is indexed, and everything it read has ended."""

        def settled():
            read, ended, in_flight = self.books_of("es-reader-0", 7501)
            return read == indexed and ended == read and in_flight == 0

        wait_until("%d read and ended" % indexed, ARRIVAL_SECONDS, settled)

    def books_of(self, pod, port):
        text = self.cluster.metrics(pod, port)
        return load.books(text) if text else (0, 0, 0)

    def roll_everything(self):
        """README "Changes" while recordings are played again."""
        before = self.around.count("packetbeat-*")
        player = self.around.play(speed=20)
        said = self.section("Changes")
        self.finish(player)
        self.no_lag()
        return "%s, while %d documents came" % (said, self.around.count("packetbeat-*") - before)

    def no_lag(self):
        """The position covers every operation of every shard."""

        def covered():
            text = self.cluster.metrics("es-reader-0", 7501)
            lags = [
                float(line.rsplit(" ", 1)[1])
                for line in text.splitlines()
                if line.startswith("nightjar_reader_lag_operations{")
            ]
            return lags and not any(lags)

        wait_until("no lag", ARRIVAL_SECONDS, covered)

    # Steps: ha.

    def count_instead(self):
        """From here on the engine is one that counts, so that every number can be accounted for."""
        literals = [
            "ENGINE_HOST=https://counting-engine:%d" % load.port_of(self.around.counting),
            "ENGINE_KIND=alphasoc",
            "ENGINE_CA_FILE=/run/secrets/engine_ca.crt",
        ]
        path = os.path.join(self.folder, "site/kustomization.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                text.replace(
                    "literals:\n", "literals:\n      - " + "\n      - ".join(literals) + "\n"
                )
            )
        secret = os.path.join(self.folder, "site/secrets/engine_key")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(self.around.key)
        authority = self.cluster.environment["ELASTIC_CA"]
        self.replace_secret("engine", secret, "engine_ca.crt=" + authority)
        self.forget_alerts()
        said = self.section("More than one node")
        nodes = set(node for name, node in self.cluster.pods().items() if "scorer" in name)
        if len(nodes) != 2:
            raise RuntimeError("the scorers are all on %s" % nodes)
        return said + ", scorers on " + " and ".join(sorted(nodes))

    def forget_alerts(self):
        """The bookmark of one engine means nothing to another."""
        self.cluster.kubectl("-n", "nightjar", "scale", "statefulset/alert-poller", "--replicas=0")
        self.cluster.kubectl("-n", "nightjar", "wait", "--for=delete", "pod/alert-poller-0")
        for folder in glob.glob(os.path.join(self.folder, "volumes/*/alert_poller")):
            shutil.rmtree(folder)

    def replace_secret(self, name, *files):
        command = ["-n", "nightjar", "create", "secret", "generic", name, "--dry-run=client"]
        command += ["--from-file=" + file for file in files] + ["-o", "yaml"]
        self.cluster.kubectl("replace", "-f", "-", text=self.cluster.kubectl(*command))

    def upgrade(self):
        """Without --next to the same programs under another tag."""
        for archive in image_archives(self.options.next or self.options.images):
            copy, old = retagged(archive, "next", self.folder)
            self.cluster.script("load", copy)
            os.remove(copy)
        return "%s -> next: %s" % (old, self.disturb.upgrade("next"))

    def disturbed(self, disturb):
        """Disturbs under load, and accounts for every number when all is well again."""
        self.telemetry.flow()
        said = disturb()
        self.cluster.ready()
        said = "%s; %s" % (said, self.telemetry.account())
        self.balance()
        return said

    def balance(self):
        """The books of every pod."""
        for pod in self.cluster.pods():
            stage = next((stage for stage in STAGES if pod.startswith(stage)), None)
            if stage:
                read, ended, in_flight = self.books_of(pod, STAGES[stage])
                if read != ended + in_flight:
                    raise RuntimeError("%s: %d != %d + %d" % (pod, read, ended, in_flight))

    def no_crashes(self):
        restarts = self.cluster.restarts()
        if restarts:
            raise RuntimeError("containers were started again: %s" % restarts)
        return "no container crashed or failed its probes"

    def end(self):
        if not self.options.keep:
            self.cluster.stop()
        self.around.stop()
        if not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self):
        print("seed %d, state in %s" % (self.options.seed, self.folder), flush=True)
        single = [
            ("cluster", self.begin),
            ("single: from zero to running", self.section, "From zero to running"),
            ("single: telemetry to alert", self.detect),
            ("single: looking", self.section, "Looking"),
            ("single: secrets replaced, every stage rolled", self.roll_everything),
            ("single: no crashes", self.no_crashes),
        ]
        ha = [
            ("ha: more than one node", self.count_instead),
            ("ha: every stage rolled", self.disturbed, self.disturb.roll),
            ("ha: every stage upgraded", self.disturbed, self.upgrade),
            ("ha: pods deleted and killed", self.disturbed, self.disturb.delete),
            ("ha: a node drained", self.disturbed, self.disturb.drain),
            ("ha: no crashes", self.no_crashes),
            ("ha: a node lost", self.disturbed, self.disturb.lose_node),
        ]
        steps = {"single": single, "ha": single[:2] + ha}.get(self.options.only, single + ha)
        for name, *action in steps:
            if not self.step(name, *action) and name == "cluster":
                break
        self.step("uninstalling", self.section, "Uninstalling")
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        return 0 if self.failed == 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--images", default=os.path.join(cluster_module.CACHE, "../images"))
    parser.add_argument("--next", help="folder of images to upgrade to")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", choices=["single", "ha"])
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scenario.py: namespaces and mounts of a cluster need root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scenario = Scenario(options)
    try:
        return scenario.run()
    finally:
        scenario.end()


if __name__ == "__main__":
    sys.exit(main())
