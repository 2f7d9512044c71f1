"""What is done to the stages under load. Each method returns in words what it did, when the cluster
is whole again."""

import time

WORKLOADS = {
    "scorer": "deployment/scorer",
    "ae-forwarder": "statefulset/ae-forwarder",
    "es-reader": "statefulset/es-reader",
    "alert-poller": "statefulset/alert-poller",
    "analytics-engine": "statefulset/analytics-engine",
}
GONE = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
PAUSE_SECONDS_MAX = 6  # between two deletions


class Disturbances:
    """`telemetry` keeps flowing meanwhile."""

    def __init__(self, cluster, telemetry, random):
        self.cluster = cluster
        self.telemetry = telemetry
        self.random = random

    def kubectl(self, *command):
        self.telemetry.during(lambda: self.cluster.kubectl("-n", "nightjar", *command))

    def whole(self):
        self.telemetry.during(self.cluster.ready)

    def roll(self):
        return self.one_by_one(lambda stage, workload: self.kubectl("rollout", "restart", workload))

    def upgrade(self, tag):
        return self.one_by_one(
            lambda stage, workload: self.kubectl(
                "set", "image", workload, "stage=nightjar/%s:%s" % (stage, tag)
            )
        )

    def one_by_one(self, change):
        seconds = []
        for stage, workload in WORKLOADS.items():
            began = time.time()
            change(stage, workload)
            self.kubectl("rollout", "status", workload, "--timeout=200s")
            seconds.append("%s %.0f s" % (stage, time.time() - began))
        return ", ".join(seconds)

    def delete(self):
        """A pod of every stage drains, and one of every stage is killed, in any order."""
        deletions = [(stage, kill) for stage in WORKLOADS for kill in (False, True)]
        self.random.shuffle(deletions)
        for stage, kill in deletions:
            pod = self.random.choice([name for name in self.pods() if name.startswith(stage)])
            self.kubectl("delete", "pod", pod, *(["--grace-period=0", "--force"] if kill else []))
            self.telemetry.during(lambda: time.sleep(self.random.uniform(1, PAUSE_SECONDS_MAX)))
            self.telemetry.until("pods of " + stage, 90, lambda: self.has_pod(stage))
        self.whole()
        return "of every stage one deleted and one killed: " + ", ".join(
            stage + (" killed" if kill else "") for stage, kill in deletions
        )

    def has_pod(self, stage):
        return any(name.startswith(stage) for name in self.pods())

    def pods(self):
        return sorted(self.cluster.pods())

    def drain(self):
        on_it = self.pods_on("node1")
        self.kubectl("drain", "node1", "--delete-emptydir-data", "--timeout=150s")
        self.whole()
        if self.pods_on("node1"):
            raise RuntimeError("still on node1: %s" % self.pods_on("node1"))
        self.cluster.kubectl("uncordon", "node1")
        return "node1 drained of " + ", ".join(on_it)

    def pods_on(self, node):
        return sorted(name for name, where in self.cluster.pods().items() if where == node)

    def lose_node(self):
        """A node goes as by a power cut, with the reader and a forwarder on it."""
        self.cluster.kubectl("cordon", "node0")
        self.kubectl("delete", "pod", "es-reader-0", "ae-forwarder-1")
        self.whole()
        self.cluster.kubectl("uncordon", "node0")
        lost = self.pods_on("node1")
        if not {"es-reader-0", "ae-forwarder-1"} <= set(lost):
            raise RuntimeError("on node1 are only %s" % lost)
        self.cluster.script("lose", "1")
        self.kubectl("wait", "--for=condition=Ready=Unknown", "node/node1", "--timeout=60s")
        self.kubectl("taint", "nodes", "node1", GONE)
        self.telemetry.until("everything on node0", 180, lambda: not self.pods_on("node1"))
        self.whole()
        return "node1 lost with " + ", ".join(lost)
