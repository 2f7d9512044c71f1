#!/usr/bin/env python3
"""Writes prometheus-rule.yaml from deploy/observability/prometheus/rules.yml.

A PrometheusRule holds the rules in itself, and kustomize reads no file from outside its folder.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "../../../observability/prometheus/rules.yml")
HEAD = """# Made by generate.py from deploy/observability/prometheus/rules.yml; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: nightjar, namespace: nightjar}
spec:
"""


def rendered():
    with open(RULES, encoding="utf-8") as file:
        return HEAD + "".join("  " + line if line.strip() else line for line in file)


if __name__ == "__main__":
    with open(os.path.join(HERE, "prometheus-rule.yaml"), "w", encoding="utf-8") as out:
        out.write(rendered())
    sys.exit(0)
