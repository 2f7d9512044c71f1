"""The compose stack with real containers: telemetry to alert, a stage killed, every stage renewed
under load with nothing lost, the commands of the README, and nothing left behind."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from stack import ENGINE, ROOT, Stack, check, output_of

sys.path.insert(0, os.path.join(ROOT, "tests/docs"))
import blocks  # noqa: E402

PROJECT = "nightjar-compose-test"
SINKS_FIRST = ["analytics-engine", "alert-poller", "ae-forwarder", "scorer", "es-reader"]
CLOSING_BOOKS = re.compile(r" stopped: read (\d+) = (.*)$", re.M)
ALERT_SECONDS = 120
SETTLE_SECONDS = 120
# Every source is in scope, so that only what has no addresses is filtered.
SCOPE = 'groups: {all: {in_scope: ["0.0.0.0/0", "::/0"]}}'
NO_ADDRESS = {
    "query": {
        "bool": {
            "should": [
                {"bool": {"must_not": {"exists": {"field": name + ".ip"}}}}
                for name in ("source", "destination")
            ]
        }
    }
}
EXPECTED_THREATS = {"outbound_port_scan", "multiple_long_hostnames"}


def eventually(seconds, probe):
    """The first true answer of `probe`, or its last one."""
    deadline = time.time() + seconds
    while True:
        answer = probe()
        if answer or time.time() > deadline:
            return answer
        time.sleep(1)


class Test(Stack):
    def __init__(self, engine):
        super().__init__(PROJECT, ["compose.yaml", "compose.offline.yaml"], engine)
        self.read, self.accepted = {}, {}  # by stage, of the containers that have ended

    def elastic(self, path, query=None):
        context = ssl.create_default_context(
            cafile=os.path.join(self.folder, "certificates/ca.crt")
        )
        with open(os.path.join(self.folder, "secrets/elastic_password"), encoding="utf-8") as file:
            password = file.read().strip()
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        url = "https://localhost:%s" % self.environment["SEARCH_PORT"]
        passwords.add_password(None, url, "elastic", password, is_authenticated=True)
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPBasicAuthHandler(passwords),
        )
        call = urllib.request.Request(url + path, headers={"Content-Type": "application/json"})
        call.data = json.dumps(query).encode() if query else None
        with opener.open(call, timeout=30) as reply:
            return json.load(reply)

    def indexed(self):
        self.elastic("/packetbeat-*/_refresh")
        return self.elastic("/packetbeat-*/_count")["count"]

    def prometheus(self, path):
        url = "http://localhost:%s/api/v1/%s" % (self.environment["PROMETHEUS_PORT"], path)
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["data"]

    def query(self, expression):
        """{stage: value} of an expression by stage."""
        found = self.prometheus("query?query=" + urllib.parse.quote(expression))["result"]
        return {entry["metric"]["stage"]: float(entry["value"][1]) for entry in found}

    def widen_scope(self):
        """As the comment in the configuration says."""
        path = os.path.join(self.folder, "etc/config.yml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check("# scope: {file" in text, "the configuration tells how to set a scope")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("# scope: {file", "scope: {file"))
        with open(os.path.join(self.folder, "etc/scope.yml"), "w", encoding="utf-8") as file:
            file.write(SCOPE)

    def container(self, stage):
        return self.compose("ps", "--all", "--quiet", stage).strip()

    def inspect(self, stage, what):
        return self.run("docker", "inspect", "--format", "{{%s}}" % what, self.container(stage))

    def alerts(self):
        """Every alert that alert-poller wrote to its output."""
        lines = self.compose("logs", "--no-log-prefix", "alert-poller").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def threats(self):
        return {threat for alert in self.alerts() for threat in alert["threats"]}

    def log(self, stage, *options):
        """The running command that prints what the stage says."""
        return subprocess.Popen(
            ["docker", "logs", *options, self.container(stage)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def renew(self, stage):
        """A new container for a stage, with the closing books of the one before it."""
        with self.log(stage, "--follow", "--tail", "1") as log:
            self.compose("up", "--detach", "--no-deps", "--force-recreate", "--wait", stage)
            self.close_books(stage, log.communicate(timeout=60)[0])

    def close_books(self, stage, log):
        if stage == "alert-poller":  # no events pass it
            return
        closing = CLOSING_BOOKS.findall(log)
        check(len(closing) == 1, "%s says its books when it ends: %s" % (stage, log.strip()[-200:]))
        read, parts = closing[0]
        check(
            int(read) == sum(map(int, re.findall(r"\d+", parts))) and parts.endswith("flight 0"),
            "%s: %s = %s" % (stage, read, parts),
        )
        accepted = re.search(r"accepted (\d+)", parts)
        self.read[stage] = self.read.get(stage, 0) + int(read)
        self.accepted[stage] = self.accepted.get(stage, 0) + int(accepted[1] if accepted else 0)


def check_detections(test):
    eventually(ALERT_SECONDS, lambda: EXPECTED_THREATS <= test.threats())
    found = test.threats()
    check(EXPECTED_THREATS <= found, "alerts on the output of alert-poller: %s" % sorted(found))
    scored = json.loads(
        test.compose("run", "--rm", "nightjar", "tap", "scorer", "--score", "20", "--count", "1")
    )
    check(scored, "nightjar taps a scored event: %s" % json.dumps(scored)[:200])


def check_status(test):
    text = test.compose("run", "--rm", "nightjar", "status")  # exit code 1 unless all are READY
    print(text)
    ready = re.findall(r"^(\S+) +READY ", text, re.M)
    check(sorted(ready) == sorted(SINKS_FIRST), "nightjar sees all READY over mutual TLS")
    refused = subprocess.run(
        ["docker", "compose", "run", "--rm", "-v", "./certificates/scorer:/etc/nightjar/tls:ro"]
        + ["nightjar", "status"],
        cwd=test.folder,
        env=test.environment,
        capture_output=True,
        text=True,
    )
    check(
        refused.returncode == 1 and "does not have the role view" in refused.stdout,
        "the certificate of a stage is no operator's",
    )


def check_prometheus(test):
    def up():
        targets = test.prometheus("targets?state=active")["activeTargets"]
        return sorted(entry["labels"]["job"] for entry in targets if entry["health"] == "up")

    eventually(60, lambda: up() == sorted(SINKS_FIRST))
    check(up() == sorted(SINKS_FIRST), "Prometheus scrapes %s" % " ".join(up()))
    books = (
        'sum by (stage) (nightjar_events_total{outcome="read"}) - '
        'sum by (stage) (nightjar_events_total{outcome!="read"}) - '
        "sum by (stage) (nightjar_inflight_events)"
    )
    off = eventually(60, lambda: test.query(books))
    check(len(off) >= 4 and not any(off.values()), "the books balance in Prometheus: %s" % off)


def check_kill(test):
    """A stage dies without a chance to say anything, and comes back by itself."""
    started = test.inspect("scorer", ".State.StartedAt")
    os.kill(int(test.inspect("scorer", ".State.Pid")), signal.SIGKILL)
    restarted = lambda: test.inspect("scorer", ".State.StartedAt") != started
    check(eventually(60, restarted), "the scorer comes back after SIGKILL")
    healthy = lambda: test.inspect("scorer", ".State.Health.Status").strip() == "healthy"
    check(eventually(60, healthy), "and is healthy again")


def reader_is_done(test):
    status = json.loads(test.compose("run", "--rm", "nightjar", "status", "--json"))
    (reader,) = [stage["status"] for stage in status["stages"] if stage["stage"] == "es-reader"]
    behind = sum(int(shard.get("lag_operations", 0)) for shard in reader["lag"])
    print("es-reader: %d operations behind" % behind, flush=True)
    return behind == 0 and not int(reader.get("in_flight_events", 0))


def check_rolling(test):
    """Every stage is renewed while telemetry flows; then all that was indexed has arrived, once."""
    before = test.indexed()
    for stage in SINKS_FIRST:
        began = time.time()
        test.renew(stage)
        print("%s: renewed in %.1f s" % (stage, time.time() - began), flush=True)
    check(test.indexed() > before, "%d documents came meanwhile" % (test.indexed() - before))
    test.compose("stop", "packetbeat")
    check(eventually(SETTLE_SECONDS, lambda: reader_is_done(test)), "es-reader has caught up")
    for stage in reversed(SINKS_FIRST):
        test.compose("stop", stage)
        test.close_books(stage, test.log(stage, "--tail", "1").communicate(timeout=60)[0])
    indexed, accepted = test.indexed(), test.accepted
    no_address = test.elastic("/packetbeat-*/_count", NO_ADDRESS)["count"]
    check(
        accepted["analytics-engine"] == accepted["ae-forwarder"] == indexed - no_address,
        "indexed %d, %d of them without addresses, all others accepted by the engine once: %s"
        % (indexed, no_address, accepted),
    )
    again = test.read["es-reader"] - indexed
    check(again >= 0, "all were read; %d of them twice, and not sent again" % again)


def check_nothing_left(test):
    of_the_project = "label=com.docker.compose.project=" + PROJECT
    for what in ("container", "volume", "network"):
        left = test.run("docker", what, "ls", "--quiet", "--filter", of_the_project)
        check(not left.strip(), "no %s is left" % what)


def run(test):
    began = time.time()

    def lap(what):
        print("-- %s, %.0f s since the start" % (what, time.time() - began), flush=True)

    folder = os.path.join(test.tree, "images")
    script = os.path.join(ROOT, "deploy/images/images.py")
    output_of(script, os.getcwd(), "--folder", folder, "--load", env=test.environment)
    lap("images")
    test.run(os.path.join(ROOT, "deploy/compose/offline/image.sh"))
    lap("offline image")
    test.run("./prepare.sh")
    test.widen_scope()
    test.compose("up", "--detach", "--wait")
    lap("up")
    check_detections(test)
    check_status(test)
    check_prometheus(test)
    lap("telemetry to alert")
    check_kill(test)
    check_rolling(test)
    lap("killed and renewed")
    readme = os.path.join(test.folder, "README.md")
    ran = blocks.run(readme, "compose", test.folder, test.environment)
    check(ran > 5, "%d blocks of the README run" % ran)
    lap("README")
    check_nothing_left(test)


def main():
    test = Test(output_of(ENGINE, "up").strip())
    whatever = {"NIGHTJAR_VERSION": "any"}  # there may be no .env yet
    done = False
    try:
        run(test)
        done = True
    finally:
        if not done:
            print(test.compose("ps", "--all", **whatever))
            print(test.compose("logs", "--tail", "30", **whatever), flush=True)
        test.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", **whatever)
        test.remove()


if __name__ == "__main__":
    main()
