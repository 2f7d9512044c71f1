#!/usr/bin/env python3
"""Makes the Grafana dashboard from the catalogue of metrics.

    generate.py           writes nightjar.json beside this file
    generate.py --check   exits 1 when nightjar.json is not what would be written

A row of chosen panels comes first; then one row a stage with a panel for each metric of
metrics.yml, so that a new metric is seen without work here.
"""

import json
import os
import sys

import yaml

FOLDER = os.path.dirname(os.path.abspath(__file__))
RESULT = os.path.join(FOLDER, "nightjar.json")
STAGES = ["es-reader", "scorer", "ae-forwarder", "alert-poller", "analytics-engine"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS, WIDTH, HEIGHT = 24, 8, 7
# Grafana's names of units, by those of the catalogue; others are plain numbers.
UNITS = {"bytes": "bytes", "seconds": "s", "timestamp": "dateTimeFromNow"}
RATE_UNITS = {"bytes": "Bps", "seconds": "percentunit"}  # seconds a second are a share
SELECTED = 'instance=~"$instance",site=~"$site"'


def target(expression, legend, letter="A"):
    return {
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend,
        "range": True,
        "refId": letter,
    }


def table(expression):
    """What holds now, a line each."""
    return {**target(expression, ""), "format": "table", "instant": True, "range": False}


def panel(title, description, unit, targets, kind="timeseries"):
    return {
        "datasource": SOURCE,
        "description": description,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": targets,
        "title": title,
        "type": kind,
    }


def select(name, *more):
    return "%s{%s}" % (name, ",".join((SELECTED,) + more))


def rate(series, by):
    return "sum by (%s) (rate(%s[$__rate_interval]))" % (by, series)


def quantiles(name, by):
    inner = rate(select(name + "_bucket"), by + ", le" if by else "le")
    return [
        target("histogram_quantile(%s, %s)" % (share, inner), "p%d" % (100 * share), letter)
        for share, letter in ((0.5, "A"), (0.99, "B"))
    ]


def health():
    """Whether all is well."""
    return [
        panel(
            "Stages ready",
            "0: `nightjar status` says why.",
            "short",
            [target(select("nightjar_stage_ready"), "{{stage}} {{instance}}")],
            "stat",
        ),
        panel(
            "Alarms that fire",
            "Of the rules in prometheus/rules.yml.",
            "short",
            [table('ALERTS{alertname=~"Nightjar.*",alertstate="firing"}')],
            "table",
        ),
        panel(
            "Books: read less ended less in flight",
            "Always 0. Anything else is a bug.",
            "short",
            [target(select("nightjar:books_difference:events"), "{{stage}} {{instance}}")],
            "stat",
        ),
    ]


def events():
    """From Elasticsearch to the engine."""
    total = "nightjar_events_total"
    return [
        panel(
            "Events read",
            "Events a second that es-reader reads, by type.",
            "short",
            [
                target(
                    rate(select(total, 'stage="es-reader"', 'outcome="read"'), "type"), "{{type}}"
                )
            ],
        ),
        panel(
            "Events ended",
            "How the events that es-reader read end, a second.",
            "short",
            [
                target(
                    rate(select(total, 'stage="es-reader"', 'outcome!="read"'), "outcome, reason"),
                    "{{outcome}} {{reason}}",
                )
            ],
        ),
        panel(
            "Lag",
            "Operations in Elasticsearch that are not in the position yet.",
            "short",
            [target("sum by (index) (%s)" % select("nightjar_reader_lag_operations"), "{{index}}")],
        ),
        panel(
            "Latency",
            "From a batch that es-reader has ready to its outcome at the engine.",
            "s",
            quantiles("nightjar_reader_batch_seconds", ""),
        ),
        panel(
            "In flight",
            "Events taken and not ended yet.",
            "short",
            [target(select("nightjar_inflight_events"), "{{stage}} {{instance}}")],
        ),
        panel(
            "Credits",
            "Batches that a stage may still send downstream. 0 for long: downstream takes nothing.",
            "short",
            [target(select("nightjar_stage_credit_batches"), "{{stage}} {{instance}}")],
        ),
        panel(
            "Posts to the engine",
            "A second, by what came of them.",
            "short",
            [target(rate(select("nightjar_forwarder_posts_total"), "result"), "{{result}}")],
        ),
    ]


def alerts():
    """From the engine to people."""
    return [
        panel(
            "Alerts at the sinks",
            "A minute, by what became of them.",
            "short",
            [
                target(
                    "60 * " + rate(select("nightjar_sink_alerts_total"), "sink, outcome"),
                    "{{sink}} {{outcome}}",
                )
            ],
        ),
        panel(
            "Alerts that sinks have not taken",
            "Beyond 64 MiB the oldest are dropped.",
            "bytes",
            [target(select("nightjar_sink_spool_bytes"), "{{sink}}")],
        ),
    ]


def of_metric(metric, stage):
    """The panel of one metric in the row of a stage."""
    name, unit = metric["name"], metric["unit"]
    more = ['stage="%s"' % stage] if "stage" in metric["labels"] else []
    labels = [label for label in metric["labels"] if label != "stage"]
    legend = " ".join("{{%s}}" % label for label in labels + ["instance"])
    if metric["type"] == "histogram":
        return panel(name, metric["meaning"], UNITS.get(unit, "short"), quantiles(name, ""))
    if metric["type"] == "counter":
        by = ", ".join(labels + ["instance"])
        return panel(
            name + " a second",
            metric["meaning"],
            RATE_UNITS.get(unit, "short"),
            [target(rate(select(name, *more), by), legend)],
        )
    expression, shown = select(name, *more), UNITS.get(unit, "short")
    if unit == "timestamp":
        expression = "1000 * " + expression  # Grafana's times are milliseconds
    kind = "stat" if unit in ("timestamp", "flag") else "timeseries"
    return panel(name, metric["meaning"], shown, [target(expression, legend)], kind)


def rows(metrics):
    """(title, panels, whether it is closed at first)."""
    yield "Overview", health() + events() + alerts(), False
    for stage in STAGES:
        of_stage = [m for m in metrics if m["stages"] == "all" or stage in m["stages"]]
        yield stage, [of_metric(metric, stage) for metric in of_stage], True


def laid_out(metrics):
    """Panels with ids and places."""
    panels, y, number = [], 0, 0
    for title, inside, collapsed in rows(metrics):
        number += 1
        row = {"collapsed": collapsed, "id": number, "panels": [], "title": title, "type": "row"}
        row["gridPos"] = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        panels.append(row)
        y += 1
        a_line = COLUMNS // WIDTH
        for i, entry in enumerate(inside):
            number += 1
            entry["id"] = number
            place = {
                "h": HEIGHT,
                "w": WIDTH,
                "x": i % a_line * WIDTH,
                "y": y + i // a_line * HEIGHT,
            }
            entry["gridPos"] = place
        (row["panels"] if collapsed else panels).extend(inside)
        y += 0 if collapsed else -(-len(inside) // a_line) * HEIGHT
    return panels


def variable(name, label, query):
    return {
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": SOURCE,
        "definition": query,
        "includeAll": True,
        "label": label,
        "multi": True,
        "name": name,
        "query": {"query": query, "refId": "variable"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def dashboard(metrics):
    datasource = {
        "current": {},
        "includeAll": False,
        "label": "Data source",
        "multi": False,
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "type": "datasource",
    }
    info = "nightjar_build_info"
    return {
        "annotations": {"list": []},
        "description": "Made by dashboards/generate.py from metrics.yml.",
        "editable": True,
        "graphTooltip": 1,
        "id": None,
        "links": [],
        "panels": laid_out(metrics),
        "refresh": "30s",
        "schemaVersion": 37,
        "tags": ["nightjar"],
        "templating": {
            "list": [
                datasource,
                variable("site", "Site", "label_values(%s, site)" % info),
                variable(
                    "instance", "Instance", 'label_values(%s{site=~"$site"}, instance)' % info
                ),
            ]
        },
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "title": "Nightjar",
        "uid": "nightjar",
        "version": 1,
    }


def main():
    with open(os.path.join(FOLDER, "..", "metrics.yml"), encoding="utf-8") as file:
        metrics = yaml.safe_load(file)["metrics"]
    text = json.dumps(dashboard(metrics), indent=1, sort_keys=True) + "\n"
    if sys.argv[1:] == ["--check"]:
        with open(RESULT, encoding="utf-8") as file:
            if file.read() != text:
                sys.exit("%s is stale: run dashboards/generate.py" % RESULT)
        return
    with open(RESULT, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
