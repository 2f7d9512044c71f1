"""The catalogue of metrics, and pages of metrics as stages serve them."""

import os
import re

import yaml

STAGES = {
    "es-reader": "es_reader",
    "scorer": "scorer",
    "ae-forwarder": "ae_forwarder",
    "alert-poller": "alert_poller",
    "analytics-engine": "analytics_engine",
}
TYPE_LINE = re.compile(r"^# TYPE (\S+) (\w+)$", re.M)
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metric:
    """One entry of metrics.yml."""

    def __init__(self, entry):
        self.name = entry["name"]
        self.type = entry["type"]
        self.unit = entry["unit"]
        self.common = entry["stages"] == "all"
        self.stages = sorted(STAGES) if self.common else entry["stages"]
        self.labels = entry["labels"]
        self.meaning = entry["meaning"]
        self.shown_by = entry.get("shown_by")

    def series(self):
        """Names of the series that Prometheus stores."""
        if self.type != "histogram":
            return [self.name]
        return [self.name + end for end in ("_bucket", "_sum", "_count")]


def load(root="."):
    """{name: Metric}; RuntimeError when a name stands twice."""
    path = os.path.join(root, "deploy/observability/metrics.yml")
    with open(path, encoding="utf-8") as file:
        metrics = [Metric(entry) for entry in yaml.safe_load(file)["metrics"]]
    by_name = {metric.name: metric for metric in metrics}
    if len(by_name) != len(metrics):
        raise RuntimeError("%s: a name stands twice" % path)
    return by_name


class Page:
    """What a stage served at /metrics."""

    def __init__(self, text):
        self.types = dict(TYPE_LINE.findall(text))
        self.samples = [
            (name, dict(LABEL.findall(labels or "")), float(value))
            for name, labels, value in SAMPLE.findall(text)
        ]

    def family(self, name):
        """The metric that a series belongs to: x for x_bucket of a histogram x."""
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        return base if self.types.get(base) == "histogram" else name

    def value(self, name, **labels):
        """Sum of the samples with these labels; None when there is none."""
        found = [
            value
            for sample, has, value in self.samples
            if sample == name and labels.items() <= has.items()
        ]
        return sum(found) if found else None


def problems_of_page(page, stage, catalogue):
    """What does not agree between a page and the catalogue, one text each."""
    for name, kind in page.types.items():
        metric = catalogue.get(name)
        if metric is None:
            yield "%s exposes %s, which metrics.yml does not have" % (stage, name)
        elif stage not in metric.stages:
            yield "%s exposes %s, which metrics.yml does not say" % (stage, name)
        elif kind != metric.type:
            yield "%s exposes %s as %s, metrics.yml says %s" % (stage, name, kind, metric.type)
    for name, labels, _ in page.samples:
        metric = catalogue.get(page.family(name))
        if metric is None:
            continue
        has = set(labels) - {"le"}
        if has != set(metric.labels):
            yield "%s: %s has the labels %s, metrics.yml says %s" % (
                stage,
                name,
                sorted(has),
                sorted(metric.labels),
            )
        for label, value in labels.items():
            allowed = metric.labels.get(label)
            if isinstance(allowed, list) and value not in allowed:
                yield "%s: %s{%s=%r} is not in metrics.yml" % (stage, name, label, value)
