"""The names that documents use, and where the tree defines them."""

import json
import os
import re
import subprocess
import tempfile

SECTIONS = (
    "engine inputs outputs scope log data dns_events ip_events http_events reader scoring forwarder"
    " services security privacy flows analytics_engine"
).split()
KEY = re.compile(r"^(?:%s)(?:\.[a-z_]+(?:\[\])?|\.\*)+$" % "|".join(SECTIONS))
FILE = re.compile(r"\.(?:cc|db|h|json|key|log|md|proto|py|txt|yml)$")
EXIT_CODES = {"0", "1", "64", "70", "75", "78"}
STAGES = ("es_reader", "scorer", "ae_forwarder", "alert_poller", "analytics_engine")
MISSPELT_MAX = 100


def inline_code(text):
    """(line, token) of what stands between single backticks, outside fences."""
    prose = re.sub(
        r"^ *```.*?^ *```$", lambda m: re.sub("[^\n]", " ", m[0]), text, flags=re.M | re.S
    )
    for match in re.finditer(r"`([^`\n]+)`", prose):
        yield prose.count("\n", 0, match.start()) + 1, match[1]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def metrics(root):
    names = re.findall(r"^  - name: (\w+)$", read(root, "deploy/observability/metrics.yml"), re.M)
    return set(names)


def ports(root):
    """gRPC ports of main.cc, the HTTP ports 100 higher, the engine's API."""
    known = set()
    for stage in STAGES:
        grpc = re.search(r"\b(74\d\d)\b", read(root, "services/%s/main.cc" % stage))[1]
        known |= {grpc, str(int(grpc) + 100)}
    return known | set(re.findall(r":(74\d\d)\"", read(root, "services/common/config/config.h")))


def _set(tree, parts):
    if not parts:
        return
    name = parts[0]
    if name.endswith("[]"):
        if not isinstance(tree.get(name[:-2]), list):
            tree[name[:-2]] = [{}]
        _set(tree[name[:-2]][0], parts[1:])
    elif len(parts) == 1:
        tree.setdefault(name, None)
    else:
        if not isinstance(tree.get(name), dict):
            tree[name] = {}
        _set(tree[name], parts[1:])


def unknown_keys(keys, stage):
    """Those of the dotted keys that the program `stage` refuses, with its words."""
    wanted, unknown = set(keys), {}
    for _ in range(MISSPELT_MAX):
        tree = {}
        for key in sorted(wanted):
            _set(tree, key.replace(".*", "").split("."))
        for search in tree.get("inputs", {}).get("elastic", {}).get("searches") or []:
            search["event_type"] = "dns"
        for given in tree.get("analytics_engine", {}).get("api_keys") or []:
            given.update(name="x", key="0" * 32, scopes=["ingest"])
        refusal = check(json.dumps(tree), stage)  # JSON is YAML
        if not refusal:
            return unknown, ""
        name = re.search(r": ([\w.\[\]]+): unknown key", refusal)
        if name is None:
            return unknown, refusal
        guilty = {key for key in wanted if name[1].split(".")[-1] in key.split(".")}
        if not guilty:
            return unknown, refusal
        unknown.update({key: refusal for key in guilty})
        wanted -= guilty
    return unknown, "too many"


def check(yaml, program):
    """What a stage says against a configuration; empty: nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        file.write(yaml)
        file.flush()
        done = subprocess.run(
            [program, "--config", file.name, "--check_config"],
            env=dict(os.environ, ES_PASSWORD="x"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return done.stdout if done.returncode else ""


def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    outside = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    found = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *$", outside, re.M):
        name, number = slug(heading), 1
        while name in found:
            name, number = "%s-%d" % (slug(heading), number), number + 1
        found.add(name)
    return found
