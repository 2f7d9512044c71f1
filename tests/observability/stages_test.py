"""Every stage as a process, with telemetry flowing: what they expose is what the catalogue says,
and a real Prometheus with the shipped rules sees a fault and its end.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, "deploy/local")
import catalogue  # noqa: E402
from pipeline import Pipeline, free_port_pair  # noqa: E402

PATIENCE_SECONDS = 60
FAULT = "NightjarEngineUnreachable"


def get(url):
    with urllib.request.urlopen(url, timeout=5) as reply:
        return reply.read().decode()


def wait_for(what, ready, seconds=PATIENCE_SECONDS):
    """Asks until `ready()` gives something, and returns that."""
    began = time.time()
    while True:
        found = ready()
        if found:
            print("%4.1f s until %s" % (time.time() - began, what), flush=True)
            return found
        if time.time() - began > seconds:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.2)


class Stages(Pipeline):
    """All five stages between a fake Elasticsearch and the engine that ships, over mutual TLS.

    One sink is dead, and the certificates end soon.
    """

    def start_all(self):
        source = self.start(
            "telemetry-source", ["tests/observability/telemetry-source"], ready_line=True
        )
        with open(os.path.join(self.folder, "c2.txt"), "w", encoding="utf-8") as file:
            file.write("*.host.example\n")  # the names of the generated queries
        self.reader = "  {start: earliest, poll_interval: 200ms}\n"
        self.api = free_port_pair(1)
        self.engine = (
            "engine: {host: local, alerts: {poll_interval: 5s}}\n"
            'analytics_engine: {listen: "127.0.0.1:%d"}\n'
            'scoring: {lists: [{name: c2, file: "%s/c2.txt"}]}\n'
            'outputs: {file: "%s/alerts.json", syslog: {ip: 127.0.0.1, port: %d, proto: tcp}}\n'
            % (self.api, self.folder, self.folder, free_port_pair(1))
        )
        self.source = source
        self.certificates = os.path.join(self.folder, "certificates")
        subprocess.run(
            ["deploy/certificates/certificates.sh", self.certificates],
            env={**os.environ, "DAYS": "5"},
            check=True,
        )
        for stage in ("analytics-engine", "ae-forwarder", "scorer", "es-reader", "alert-poller"):
            self.start_one(stage)
        self.process("scorer").send_signal(signal.SIGHUP)  # what was never reloaded has no count

    def start_one(self, stage):
        files = os.path.join(self.certificates, stage)
        security = (
            'security: {ca_file: "%s/ca.crt", certificate_file: "%s/tls.crt", '
            'key_file: "%s/tls.key", flow_peers: [es-reader, scorer]}\n' % (files, files, files)
        )
        config = self.write_config(self.source, self.engine + security)
        self.start_stage(stage, catalogue.STAGES[stage], config)

    def kill(self, stage):
        self.process(stage).kill()
        self.process(stage).wait()

    def start_again(self, stage):
        """In its place among the others, so that the sources still stop before it."""
        place = [name for name, _ in self.running].index(stage)
        self.start_one(stage)
        self.running[place] = self.running.pop()

    def page(self, stage):
        return catalogue.Page(get("http://%s/metrics" % self.addresses[stage]["http"]))

    def process(self, stage):
        return [running for name, running in self.running if name == stage][-1]


class StagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stages = Stages(".")
        try:
            cls.stages.start_all()
            wait_for("alerts delivered, and a sink tried in vain", cls.has_flowed)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stages.stop()

    @classmethod
    def has_flowed(cls):
        poller = cls.stages.page("alert-poller")
        reader = cls.stages.page("es-reader")
        return (
            (poller.value("nightjar_sink_alerts_total", outcome="delivered") or 0) > 0
            and (poller.value("nightjar_sink_retries_total") or 0) > 0
            and (reader.value("nightjar_events_total", outcome="accepted") or 0) > 500
            and (reader.value("nightjar_reader_position_saves_total") or 0) > 1
        )

    def test_what_stages_expose_is_what_the_catalogue_says(self):
        metrics = catalogue.load()
        problems = []
        for stage in catalogue.STAGES:
            page = self.stages.page(stage)
            problems += catalogue.problems_of_page(page, stage, metrics)
            exposed = {page.family(name) for name, _, _ in page.samples}
            for metric in metrics.values():
                expected = stage in metric.stages and metric.shown_by is None
                if expected and metric.name not in exposed:
                    problems.append("%s does not expose %s" % (stage, metric.name))
        self.assertEqual([], problems)

    def test_every_scrape_balances(self):
        for stage in ("es-reader", "scorer", "ae-forwarder", "analytics-engine"):
            page = self.stages.page(stage)
            events = [s for s in page.samples if s[0] == "nightjar_events_total"]
            read = sum(value for _, has, value in events if has["outcome"] == "read")
            ended = sum(value for _, has, value in events if has["outcome"] != "read")
            self.assertGreater(read, 0)
            self.assertEqual(read, ended + page.value("nightjar_inflight_events"), stage)

    def test_prometheus_sees_the_engine_die_and_come_back(self):
        prometheus = Prometheus(self.stages)
        wait_for("every stage scraped", lambda: len(prometheus.query("up == 1")) == 5)
        expected = {
            "NightjarSinkDead",
            "NightjarQuarantineGrowing",
            "NightjarCertificateExpiring",
        }
        wait_for("alerts about what is wrong", lambda: expected <= prometheus.firing())
        # The dead sink makes its stage not ready. Nothing else is wrong.
        self.assertLessEqual(prometheus.firing(), expected | {"NightjarStageNotReady"})
        books = prometheus.query("nightjar:books_difference:events")
        self.assertEqual({"0"}, {sample["value"][1] for sample in books})
        self.assertEqual(4, len(books))

        self.stages.kill("analytics-engine")
        wait_for(FAULT, lambda: {FAULT, "NightjarStageDown"} <= prometheus.firing())
        self.stages.start_again("analytics-engine")
        wait_for("the end of it", lambda: FAULT not in prometheus.firing())


class Prometheus:
    """A real one that scrapes the stages every second, with windows and patience cut short."""

    def __init__(self, stages):
        folder = tempfile.mkdtemp(dir=stages.folder)
        with open("deploy/observability/prometheus/rules.yml", encoding="utf-8") as file:
            rules = file.read()
        rules = re.sub(r"\bfor: \d+m", "for: 2s", rules)
        rules = re.sub(r"\[(5|10|15)m\]", "[20s]", rules)
        with open(os.path.join(folder, "rules.yml"), "w", encoding="utf-8") as file:
            file.write(rules)
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {
                    "job_name": stage,
                    "static_configs": [{"targets": [stages.addresses[stage]["http"]]}],
                }
                for stage in catalogue.STAGES
            ],
        }
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML
        port = free_port_pair(1)
        self.url = "http://127.0.0.1:%d" % port
        stages.start(
            "prometheus",
            [
                shutil.which("prometheus"),
                "--config.file=%s/prometheus.yml" % folder,
                "--storage.tsdb.path=%s/data" % folder,
                "--web.listen-address=127.0.0.1:%d" % port,
            ],
        )
        wait_for("Prometheus", self.ready)

    def ready(self):
        try:
            return get(self.url + "/-/ready")
        except OSError:
            return None

    def query(self, expression):
        reply = get(self.url + "/api/v1/query?query=" + urllib.parse.quote(expression))
        return json.loads(reply)["data"]["result"]

    def firing(self):
        alerts = json.loads(get(self.url + "/api/v1/alerts"))["data"]["alerts"]
        return {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}


if __name__ == "__main__":
    unittest.main(verbosity=2)
