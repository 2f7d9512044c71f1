"""The catalogue of metrics, the code, the READMEs, the alert rules, the dashboard and the runbooks
agree with each other.
"""

import glob
import json
import os
import re
import subprocess
import unittest

import catalogue
import yaml

# The tree itself, wherever the test is run.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
FOLDER = os.path.join(ROOT, "deploy/observability")
PROMETHEUS = os.path.join(FOLDER, "prometheus")
METRIC = re.compile(r"\bnightjar(?:_[a-z0-9_]+|:[a-z0-9_:]+)")
LITERAL = re.compile(r'"(nightjar_[a-z0-9_]+)"')
SELECTOR = re.compile(r"\b(nightjar_[a-z0-9_]+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"')
# What a scrape adds, and what Prometheus itself has.
TARGET_LABELS = {"job", "instance", "site"}
# In the README's one line about every stage.
OF_EVERY_STAGE = re.compile(r"nightjar_(stage_\w+|build_info|inflight_events)$")
UNIT_ENDS = {"bytes": "_bytes", "seconds": "_seconds", "timestamp": "_timestamp_seconds"}
PANEL_TYPES = {"row", "stat", "table", "timeseries"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def read_yaml(*path):
    return yaml.safe_load(read(*path))


def rules():
    groups = read_yaml(PROMETHEUS, "rules.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


class CatalogueTest(unittest.TestCase):
    def setUp(self):
        self.metrics = catalogue.load(ROOT)

    def test_names_say_the_unit_and_counters_end_in_total(self):
        for metric in self.metrics.values():
            self.assertRegex(metric.name, r"^nightjar_[a-z][a-z0-9_]*$")
            self.assertIn(metric.type, ("counter", "gauge", "histogram"), metric.name)
            self.assertEqual(metric.type == "counter", metric.name.endswith("_total"), metric.name)
            base = metric.name[: -len("_total")] if metric.type == "counter" else metric.name
            end = UNIT_ENDS.get(metric.unit)
            if end:
                self.assertTrue(base.endswith(end), "%s is in %s" % (metric.name, metric.unit))
            self.assertNotRegex(base, r"_(ms|milliseconds|minutes|kb|mb|percent)$")
            self.assertTrue(metric.meaning[0].isalnum(), metric.name)

    def test_every_label_has_its_values_or_a_bound_in_words(self):
        for metric in self.metrics.values():
            for label, values in metric.labels.items():
                self.assertRegex(label, r"^[a-z][a-z_]*$", metric.name)
                self.assertTrue(values, "%s{%s}" % (metric.name, label))
                self.assertIsInstance(values, (list, str), "%s{%s}" % (metric.name, label))

    def test_the_code_has_these_metrics_and_no_others(self):
        found = set()
        for path in glob.glob(os.path.join(ROOT, "services/**/*.cc"), recursive=True):
            if not re.search(r"_(test|testing|benchmark|benchmark_main)\.cc$", path):
                found |= set(LITERAL.findall(read(path)))
        self.assertEqual(set(self.metrics), found)

    def test_what_traffic_does_not_show_is_shown_by_a_unit_test(self):
        for metric in self.metrics.values():
            if metric.shown_by:
                self.assertIn(metric.name, read(metric.shown_by), metric.shown_by)

    def test_readmes_list_the_metrics_of_their_stage(self):
        for stage, folder in catalogue.STAGES.items():
            text = read("services", folder, "README.md").split("## Metrics\n")[1].split("\n## ")[0]
            rows = {}
            for line in re.findall(r"^\| `nightjar_.*$", text, re.M):
                rows.update((name, line) for name in re.findall(r"`(nightjar_\w+)`", line))
            own = {
                metric.name
                for metric in self.metrics.values()
                if stage in metric.stages and not OF_EVERY_STAGE.match(metric.name)
            }
            listed = {name for name in rows if not OF_EVERY_STAGE.match(name)}
            self.assertEqual(own, listed, "services/%s/README.md" % folder)
            self.assertIn("`nightjar_stage_*`", text, folder)
            for name in own:
                for label in self.metrics[name].labels:
                    self.assertRegex(rows[name], r"\b%s\b" % label, folder)

    def test_documents_name_only_metrics_that_there_are(self):
        stems = {metric.name.split("_")[1] for metric in self.metrics.values()}
        name = re.compile(r"\bnightjar_(?:%s)_\w+[a-z]\b" % "|".join(sorted(stems)))
        series = {s for metric in self.metrics.values() for s in metric.series()}
        for path in glob.glob(os.path.join(ROOT, "docs/**/*.md"), recursive=True):
            self.assertLessEqual(set(name.findall(read(path))), series | set(self.metrics), path)

    def test_the_readme_here_lists_those_of_every_stage(self):
        listed = set(re.findall(r"`(nightjar_\w+)`", read(FOLDER, "README.md")))
        of_every = {name for name in self.metrics if OF_EVERY_STAGE.match(name)}
        self.assertEqual(of_every | {"nightjar_events_total"}, listed)


class ExpressionsTest(unittest.TestCase):
    """Rules and dashboard use what there is."""

    def setUp(self):
        self.metrics = catalogue.load(ROOT)
        self.series = {s: m for m in self.metrics.values() for s in m.series()}
        self.recorded = {rule["record"] for rule in rules() if "record" in rule}

    def check(self, expression):
        for name in METRIC.findall(expression):
            self.assertIn(name, set(self.series) | self.recorded, expression)
        for name, inside in SELECTOR.findall(expression):
            allowed = set(self.series[name].labels) | TARGET_LABELS | {"le"}
            self.assertLessEqual(set(MATCHER.findall(inside)), allowed, expression)

    def test_rules(self):
        for rule in rules():
            self.check(rule["expr"])

    def test_dashboard(self):
        dashboard = json.loads(read(FOLDER, "dashboards/nightjar.json"))
        used = ""
        for entry in all_panels(dashboard):
            for target in entry.get("targets", []):
                self.check(target["expr"])
                used += target["expr"]
        for metric in self.metrics.values():
            self.assertTrue(set(metric.series()) & set(METRIC.findall(used)), metric.name)


class AlertsTest(unittest.TestCase):
    def test_each_says_what_how_bad_and_where_to_read_on(self):
        for name, alert in alerts().items():
            self.assertRegex(name, r"^Nightjar[A-Z]")
            self.assertIn(alert["labels"]["severity"], ("critical", "warning", "info"), name)
            self.assertEqual(
                {"summary", "description", "runbook_url"}, set(alert["annotations"]), name
            )
            self.assertEqual(
                "docs/operating.md#" + name.lower(), alert["annotations"]["runbook_url"]
            )

    def test_each_has_a_section_in_the_operators_guide(self):
        self.assertEqual(sorted(alerts()), sorted(read(FOLDER, "runbooks.txt").split()))
        headings = re.findall(r"^#+ +(.+?) *$", read("docs/operating.md"), re.M)
        anchors = {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
        }
        missing = [name for name in alerts() if name.lower() not in anchors]
        self.assertEqual([], missing)

    def test_each_fires_in_one_case_and_stays_quiet_in_another(self):
        cases = {True: set(), False: set()}
        for file in ("rules_test.yml", "rules_day_test.yml"):
            for test in read_yaml(PROMETHEUS, file)["tests"]:
                for case in test["alert_rule_test"]:
                    cases[bool(case["exp_alerts"])].add(case["alertname"])
        self.assertEqual(set(alerts()), cases[True])
        self.assertEqual(set(alerts()), cases[False])

    def test_promtool_agrees(self):
        for command in (
            ["check", "config", "prometheus.yml"],
            ["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"],
            ["test", "rules", "rules_test.yml", "rules_day_test.yml"],
        ):
            done = subprocess.run(
                ["promtool", *command],
                cwd=PROMETHEUS,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            self.assertEqual(0, done.returncode, done.stdout)

    def test_jobs_are_the_stages(self):
        config = read_yaml(PROMETHEUS, "prometheus.yml")
        jobs = [job["job_name"] for job in config["scrape_configs"]]
        self.assertEqual(sorted(catalogue.STAGES), sorted(jobs))


def all_panels(dashboard):
    for entry in dashboard["panels"]:
        yield entry
        yield from entry.get("panels", [])


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads(read(FOLDER, "dashboards/nightjar.json"))

    def test_it_is_what_the_catalogue_gives(self):
        command = ["/usr/bin/python3", os.path.join(FOLDER, "dashboards/generate.py"), "--check"]
        subprocess.run(command, check=True)

    def test_it_has_what_grafana_9_wants(self):
        self.assertGreaterEqual(self.dashboard["schemaVersion"], 36)
        self.assertIsNone(self.dashboard["id"])
        variables = {v["name"]: v for v in self.dashboard["templating"]["list"]}
        self.assertEqual({"datasource", "site", "instance"}, set(variables))
        self.assertEqual("datasource", variables["datasource"]["type"])
        for entry in all_panels(self.dashboard):
            self.assertIn(entry["type"], PANEL_TYPES)
            self.assertTrue(entry["title"])
            if entry["type"] == "row":
                continue
            self.assertEqual({"type": "prometheus", "uid": "${datasource}"}, entry["datasource"])
            letters = [target["refId"] for target in entry["targets"]]
            self.assertEqual(len(set(letters)), len(letters), entry["title"])

    def test_panels_have_ids_of_their_own_and_do_not_overlap(self):
        panels = list(all_panels(self.dashboard))
        self.assertEqual(len(panels), len({entry["id"] for entry in panels}))
        shown = [p for p in self.dashboard["panels"] if not p.get("panels")]
        for group in [shown] + [p["panels"] for p in self.dashboard["panels"] if p.get("panels")]:
            cells = [
                (x, y)
                for place in (p["gridPos"] for p in group if not p.get("collapsed"))
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            ]
            self.assertEqual(len(cells), len(set(cells)))
            self.assertTrue(all(0 <= x < 24 for x, _ in cells))


if __name__ == "__main__":
    unittest.main()
