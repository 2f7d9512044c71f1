#!/usr/bin/env python3
"""Nightjar on a real Kubernetes of two nodes, on this machine.

    scenario.py BINARIES [--images FOLDER] [--seed N] [--only single] [--keep]

The commands are those of deploy/kubernetes/README.md. First `single` with the engine that comes
with Nightjar and recorded telemetry, up to a detection in the sink; then `ha` with numbered
telemetry into a counting engine, while stages are rolled, upgraded, deleted, drained and lose a
node. A line for each step, then "N passed, N failed". Needs root; ends what it started.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time

import cluster as cluster_module
import load
from cluster import ROOT, Cluster, image_archives, retagged, wait_until

sys.path.insert(0, os.path.join(ROOT, "tests/docs"))
import blocks  # noqa: E402

README = "deploy/kubernetes/README.md"
STAGES = {"es-reader": 7501, "scorer": 7502, "ae-forwarder": 7503, "alert-poller": 7504}
STAGES["analytics-engine"] = 7505
WORKLOADS = ["deployment/scorer"] + ["statefulset/" + name for name in STAGES if name != "scorer"]
RATE = 500  # documents a second
FED = 4000  # documents by one run of the generator
ARRIVAL_SECONDS = 180
BODY_EVENTS = 5000  # of a body, and 4 of them in flight: what a killed forwarder may send again
EXPECTED = "outbound_port_scan"  # of the recordings, without any list


class Scenario:
    """Steps in order; each is a method whose return value is what the line says."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.folder = tempfile.mkdtemp(prefix="nightjar-kubernetes-")
        self.cluster = Cluster(self.folder)
        self.around = load.Surroundings(options.binaries, os.path.join(self.folder, "around"))
        self.passed = self.failed = 0
        self.written = 0
        self.feeding = None

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
        self.around.begin()
        for path in ("deploy/kubernetes", "deploy/certificates"):
            shutil.copytree(os.path.join(ROOT, path), os.path.join(self.folder, path))
        self.cluster.environment.update(
            ELASTIC_HOST=self.around.for_pods(self.around.elasticsearch), ELASTIC_PASSWORD="unused"
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
        player = self.around.play(speed=40)
        for indexed in player.stdout:
            pass
        if player.wait() != 0:
            raise RuntimeError("the recordings could not be indexed")
        self.settle(int(indexed))
        wait_until("a detection in the sink", 60, lambda: EXPECTED in self.sink())
        alerts = [line for line in self.sink().splitlines() if line.startswith("{")]
        return "%d documents, all ended; %d alerts in the sink, %s among them" % (
            int(indexed),
            len(alerts),
            EXPECTED,
        )

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
        player = self.around.play(speed=20)
        said = self.section("Changes")
        for indexed in player.stdout:
            pass
        if player.wait() != 0:
            raise RuntimeError("the recordings could not be indexed")
        self.no_lag()
        return "%s, while %d documents came" % (said, int(indexed))

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
        path = os.path.join(self.folder, "site/kustomization.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        host = "ENGINE_HOST=" + self.around.for_pods(self.around.counting)
        text = text.replace("literals: [", "literals: [%s, ENGINE_KIND=alphasoc, " % host)
        text = text.replace("ENGINE_KIND=alphasoc", "ENGINE_KIND=alphasoc, ENGINE_CA_FILE=")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        secret = os.path.join(self.folder, "site/secrets/engine_key")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(load.pipeline.API_KEY)
        self.replace_secret("engine", secret)
        said = self.section("More than one node")
        nodes = set(node for name, node in self.cluster.pods().items() if "scorer" in name)
        if len(nodes) != 2:
            raise RuntimeError("the scorers are all on %s" % nodes)
        return said + ", scorers on " + " and ".join(sorted(nodes))

    def replace_secret(self, name, path):
        kubectl = self.cluster.kubectl
        made = kubectl(
            "-n",
            "nightjar",
            "create",
            "secret",
            "generic",
            name,
            "--from-file=" + path,
            "--dry-run=client",
            "-o",
            "yaml",
        )
        kubectl("replace", "-f", "-", text=made)

    def feed(self):
        """Keeps numbered documents coming until account()."""
        if self.feeding is None or self.feeding.poll() is not None:
            if self.feeding is not None and self.feeding.returncode != 0:
                raise RuntimeError("documents could not be written")
            self.feeding = self.around.write(self.written + 1, FED, RATE)
            self.written += FED

    def fed_until(self, what, seconds, condition):
        def check():
            self.feed()
            return condition()

        wait_until(what, seconds, check)

    def account(self):
        """Every number written has been accepted; says what came twice."""
        if self.feeding.wait(120) != 0:
            raise RuntimeError("documents could not be written")
        indexed = self.around.count(load.GENERATED)
        if indexed != self.written:
            raise RuntimeError("%d written, %d indexed" % (self.written, indexed))
        arrived = lambda: self.around.counted()["distinct"] == self.written  # noqa: E731
        try:
            wait_until("all accepted", ARRIVAL_SECONDS, arrived)
        finally:
            counts = self.around.counted()
            twice = counts["accepted"] - counts["distinct"]
            said = "%d indexed = %d accepted, %d lost, %d twice" % (
                indexed,
                counts["distinct"],
                indexed - counts["distinct"],
                twice,
            )
            print("       " + said, flush=True)
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

    def loaded(self, disturb, *arguments):
        """Disturbs under load, waits until all is well again, and accounts for every number."""
        before = self.around.counted()["distinct"]
        self.fed_until(
            "documents arriving", 90, lambda: self.around.counted()["distinct"] > before + RATE
        )
        said = disturb(*arguments)
        return "%s; %s" % (said, self.account())

    def while_fed(self, *command):
        """Runs kubectl in the background of the load."""
        import threading

        outcome = []

        def run():
            try:
                outcome.append(self.cluster.kubectl("-n", "nightjar", *command))
            except Exception as problem:
                outcome.append(problem)

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():
            self.feed()
            thread.join(0.2)
        if isinstance(outcome[0], Exception):
            raise outcome[0]

    def roll(self):
        seconds = {}
        for workload in WORKLOADS:
            began = time.time()
            self.while_fed("rollout", "restart", workload)
            self.while_fed("rollout", "status", workload, "--timeout=200s")
            seconds[workload.split("/")[1]] = time.time() - began
        return ", ".join("%s %.0f s" % item for item in seconds.items())

    def upgrade(self):
        tag = "next"
        old = ""
        for archive in image_archives(self.options.images):
            copy, old = retagged(archive, tag, self.folder)
            self.cluster.script("load", copy)
            os.remove(copy)
        for workload in WORKLOADS:
            image = "nightjar/%s:%s" % (workload.split("/")[1], tag)
            self.while_fed("set", "image", workload, "stage=" + image)
            self.while_fed("rollout", "status", workload, "--timeout=200s")
        return "%s -> %s, every stage" % (old, tag)

    def delete(self, count=8):
        """Pods at random: drained ones and, every other time, killed ones."""
        deleted = []
        for number in range(count):
            pods = sorted(name for name in self.cluster.pods() if not name.startswith("operator"))
            pod = self.random.choice(pods)
            kill = ["--grace-period=0", "--force"] if number % 2 else []
            self.while_fed("delete", "pod", pod, *kill)
            deleted.append(
                pod.split("-")[0] + "-" + pod.split("-")[1] + (" (killed)" if kill else "")
            )
            until = time.time() + self.random.uniform(1, 6)
            self.fed_until("a while", 60, lambda: time.time() > until)
        self.while_fed("rollout", "status", "statefulset,deployment", "--timeout=200s")
        return ", ".join(deleted)

    def drain(self):
        self.while_fed(
            "drain", "node1", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s"
        )
        self.while_fed("rollout", "status", "statefulset,deployment", "--timeout=200s")
        left = [name for name, node in self.cluster.pods().items() if node == "node1"]
        if left:
            raise RuntimeError("still on node1: %s" % left)
        self.cluster.kubectl("uncordon", "node1")
        return "node1 drained"

    def lose_node(self):
        """A node with the reader on it goes, as by a power cut."""
        self.cluster.kubectl("cordon", "node0")
        self.while_fed("delete", "pod", "es-reader-0", "ae-forwarder-1")
        self.fed_until(
            "the reader on node1", 120, lambda: self.cluster.pods().get("es-reader-0") == "node1"
        )
        self.while_fed("rollout", "status", "statefulset", "--timeout=200s")
        self.cluster.kubectl("uncordon", "node0")
        victims = sorted(name for name, node in self.cluster.pods().items() if node == "node1")
        self.cluster.script("lose", "1")
        self.while_fed("wait", "--for=condition=Ready=Unknown", "node/node1", "--timeout=60s")
        self.cluster.kubectl(
            "taint", "nodes", "node1", "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
        )
        moved = (
            lambda: set(victims) - set(self.cluster.pods())
            <= {name for name in victims if name.startswith(("scorer", "operator"))}  # noqa: E731
            and "node1" not in self.cluster.pods().values()
        )
        self.fed_until("everything on node0", 180, moved)
        self.while_fed("rollout", "status", "statefulset,deployment", "--timeout=200s")
        return "node1 lost with " + ", ".join(victims)

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
            ("ha: every stage rolled", self.loaded, self.roll),
            ("ha: every stage upgraded", self.loaded, self.upgrade),
            ("ha: pods deleted and killed", self.loaded, self.delete),
            ("ha: a node drained", self.loaded, self.drain),
            ("ha: no crashes", self.no_crashes),
            ("ha: a node lost", self.loaded, self.lose_node),
        ]
        for name, *action in single + ([] if self.options.only == "single" else ha):
            if not self.step(name, *action) and name == "cluster":
                break
        self.step("uninstalling", self.section, "Uninstalling")
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        return 0 if self.failed == 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--images", default=os.path.join(cluster_module.CACHE, "../images"))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--only", choices=["single"])
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    scenario = Scenario(parser.parse_args())
    try:
        return scenario.run()
    finally:
        scenario.end()


if __name__ == "__main__":
    sys.exit(main())
