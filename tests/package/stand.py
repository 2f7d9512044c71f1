"""What the scenarios of a package share: a network of their own, an Elasticsearch with telemetry
behind a password, the books of the stages, and the commands of the quickstart."""

import ctypes
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "deploy/local"), os.path.join(ROOT, "tests/docs")]
import blocks  # noqa: E402
import namespace  # noqa: E402
import pipeline  # noqa: E402

QUICKSTART = os.path.join(ROOT, "docs/quickstart.md")
CLONE_NEWNET = 0x40000000
GATE_PORT = 9243
# The three values of the quickstart.
VALUES = {
    "ELASTIC_URL": "http://127.0.0.1:%d" % GATE_PORT,
    "ELASTIC_USER": "reader",
    "ELASTIC_PASSWORD": "it is \"secret\" & 'odd'",
}
HTTP_PORTS = {
    "es-reader": 7501,
    "scorer": 7502,
    "ae-forwarder": 7503,
    "alert-poller": 7504,
    "analytics-engine": 7505,
}
STOPPED = re.compile(r"(\S+) stopped: read (\d+) = (.*)in flight (\d+)")
POSITION = re.compile(r"^nightjar_reader_position\{[^}]*\} (\S+)$", re.M)
SETTLE_SECONDS = 120


def say(text):
    print("%s  %s" % (time.strftime("%H:%M:%S"), text), flush=True)


def leave_network():
    """From here on this process and its children have a loopback of their own, nothing else."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace")
    namespace.loopback_up()


def wait_for(what, condition, seconds=SETTLE_SECONDS):
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            raise RuntimeError("not within %d s: %s" % (seconds, what))
        time.sleep(0.1)


def check(good, what):
    if not good:
        raise RuntimeError("not so: %s" % what)
    say("ok: %s" % what)


class Stand(pipeline.Pipeline):
    """stop() ends what it started."""

    def __init__(self):
        super().__init__("")
        self.addresses = {
            name: {"http": "127.0.0.1:%d" % port} for name, port in HTTP_PORTS.items()
        }
        self.elasticsearch = self.start_elasticsearch()
        gate = os.path.join(ROOT, "tests/package/gate.py")
        arguments = [str(GATE_PORT), self.elasticsearch]
        arguments += [VALUES["ELASTIC_USER"], VALUES["ELASTIC_PASSWORD"]]
        self.start("gate", [sys.executable, "-B", gate, *arguments])

    def play(self, recordings, speed):
        """Starts to play; wait() of what it returns ends when all is indexed."""
        captures = os.path.join(ROOT, "tests/data/captures")
        return self.start(
            "replay",
            [sys.executable, "-B", os.path.join(ROOT, "deploy/local/replay.py")]
            + ["--url", self.elasticsearch, "--speed", str(speed)]
            + ["--template", os.path.join(captures, "index-template.json")]
            + [os.path.join(captures, name + ".ndjson.gz") for name in recordings],
        )

    def count(self):
        """How many documents Elasticsearch has."""
        for call in ("_refresh", "_count"):
            url = "%s/packetbeat-*/%s" % (self.elasticsearch, call)
            with urllib.request.urlopen(url, timeout=30) as reply:
                answer = json.load(reply)
        return answer["count"]

    def ended(self, stage, journal=""):
        """(ended, accepted) of a stage: now, and by the last words of those before it."""
        read, _, accepted, in_flight = self.totals(stage)
        ended = read - in_flight
        for name, before, parts, left in STOPPED.findall(journal):
            if name == stage:
                ended += int(before) - int(left)
                accepted += sum(int(number) for number in re.findall(r"accepted (\d+)", parts))
        return ended, accepted

    def position(self):
        """How many operations lie behind the reader's saved position, in all shards."""
        url = "http://%s/metrics" % self.addresses["es-reader"]["http"]
        with urllib.request.urlopen(url, timeout=5) as page:
            numbers = POSITION.findall(page.read().decode())
        return sum(int(float(number)) + 1 for number in numbers)  # numbers begin with 0

    def up(self, stage):
        try:
            self.totals(stage)
            return True
        except OSError:
            return False


def threats(text):
    """{(source, threat)} in a file of alerts."""
    found = set()
    for line in text.splitlines():
        alert = json.loads(line)
        found |= {(alert["srcIP"], threat) for threat in alert["threats"]}
    return found


def section(title):
    """The blocks of commands under a heading of the quickstart that the machine runs."""
    with open(QUICKSTART, encoding="utf-8") as file:
        lines = file.read().splitlines()
    first = next(n for n, line in enumerate(lines, 1) if line.startswith("## " + title))
    after = [n for n, line in enumerate(lines, 1) if n > first and line.startswith("## ")]
    found = [
        block
        for block in blocks.blocks(QUICKSTART)
        if first < int(block.where.rsplit(":", 1)[1]) < (after + [len(lines) + 1])[0]
    ]
    return [block for block in found if block.harness == "package"]


def run_block(machine, block):
    environment = dict(os.environ, PATH=machine.shell() + ":" + os.environ["PATH"])
    blocks.run_block(block, machine.folder, environment)


def make_packages(binaries, folder, *arguments):
    """What ./dev dist makes of the test's programs, sorted: the tarball first."""
    tool = os.path.join(ROOT, "deploy/packages/dist.py")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([sys.executable, "-B", tool, binaries, folder, *arguments], check=True)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))
