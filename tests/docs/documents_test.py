#!/usr/bin/env python3
"""Nothing in the documents is stale: every block of commands is run by a test, and every link,
key, metric, exit code, port and command that they name exists.

    documents_test.py BINARIES

Prints `file:line: what is wrong`, one a line, and the blocks that are not run with their reasons.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import blocks  # noqa: E402
import words  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
NEVER_MAX = 6
# These run whatever document has such a block; others name their documents.
ALL_DOCUMENTS = {
    "local": "tests/docs/local_test.py",
    "mtls": "tests/docs/local_test.py",
    "opensearch": "tests/docs/opensearch_test.py",
}
LANGUAGES = {"", "sh", "text", "yaml", "json", "ini", "cpp", "python"}
COMMAND = re.compile(
    r"(nightjar|\./|docker|kubectl|grpcurl|curl|systemctl|apt|journalctl|helm|bazel|tar|sudo)\b"
)
TOP = re.compile(r"^(?:docs|deploy|services|proto|tests|third_party)/[\w./-]*$")
BUILT = ("bazel-bin/",)


def documents():
    """(path in the tree, text); folders of data are none of people's business."""
    for path in blocks.documents(ROOT):
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, ROOT), file.read()


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def fences(path, text):
    """Languages that nobody would run, and commands that hide in a fence without a name."""
    inside = False
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        match = re.match(r" *```(.*)$", line)
        if match is None:
            continue
        inside = not inside
        if not inside:
            continue
        if match[1] not in LANGUAGES:
            yield number, "fence of %r: use sh and say which harness runs it" % match[1]
        elif match[1] == "" and number < len(lines) and COMMAND.match(lines[number].strip()):
            yield number, "commands in a fence without a name: use sh, or text"


def harnesses(path, _):
    for block in blocks.blocks(os.path.join(ROOT, path)):
        line = int(block.where.rsplit(":", 1)[1])
        if block.harness not in blocks.HARNESSES:
            yield line, "no harness is said to run this (known: %s)" % ", ".join(blocks.HARNESSES)
        elif block.harness == "never" and not block.because:
            yield line, "never run, and no reason"
        elif block.harness not in ("never", *ALL_DOCUMENTS) and not names(block.harness, path):
            yield line, "no test of tests/%s names %s" % (block.harness, path)


def names(harness, path):
    """Whether a test of the harness' folder runs the blocks of this document: it names its path, or
    its file where that is in a folder of the harness too."""
    folder = os.path.join(ROOT, "tests", harness)
    parent, file = os.path.split(path)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".py"):
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                text = source.read()
            named = path in text or (file in text and parent in ("docs", "deploy/" + harness))
            if "blocks" in text and named:
                return True
    return False


def links(path, text):
    plain = re.sub(
        r"^ *```.*?^ *```$", lambda m: re.sub("[^\n]", " ", m[0]), text, flags=re.M | re.S
    )
    for match in re.finditer(r"\]\(([^)\s]+)\)", plain):
        target, _, anchor = match[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        full = os.path.normpath(os.path.join(ROOT, os.path.dirname(path), target))
        full = os.path.join(ROOT, path) if not target else full
        if not os.path.exists(full):
            yield line_of(plain, match.start()), "no file %s" % target
        elif anchor and full.endswith(".md"):
            with open(full, encoding="utf-8") as file:
                if anchor not in words.anchors(file.read()):
                    yield line_of(plain, match.start()), "no heading #%s in %s" % (anchor, full)
    for line, token in words.inline_code(text):
        if TOP.match(token) and not os.path.exists(os.path.join(ROOT, token)):
            yield line, "no such file: %s" % token


def facts(path, text):
    """Metrics, exit codes and ports."""
    known = words.metrics(ROOT)
    for line, token in words.inline_code(text):
        metric = re.match(r"^(nightjar_\w+)(\*?)", token)
        family = metric and metric[2] and any(name.startswith(metric[1]) for name in known)
        if metric and metric[1] not in known and not family:
            yield line, "no metric %s in deploy/observability/metrics.yml" % metric[1]
    for match in re.finditer(r"\b(?:[Ee]xit code|exits? with|exit) (\d+)\b", text):
        if match[1] not in words.EXIT_CODES:
            yield line_of(text, match.start()), "no exit code %s" % match[1]
    ports = words.ports(ROOT)
    for match in re.finditer(r"(?<![\d.,])7[45]\d\d(?![\d.,]\d|\d)", text):
        if match[0] not in ports:
            yield line_of(text, match.start()), "no port %s" % match[0]


def keys(binaries):
    """Keys that are named, and configurations that are shown, against a program that reads them."""
    scorer = os.path.join(binaries, "services/scorer/scorer")
    found = {}
    for path, text in documents():
        for line, token in words.inline_code(text):
            token = re.sub(r"^searches\[\]", "inputs.elastic.searches[]", token)
            token = re.split(r"[:=]", token)[0]
            if words.KEY.match(token) and not words.FILE.search(token):
                found.setdefault(token, (path, line))
        for match in re.finditer(r"^ *```yaml\n(.*?)^ *```$", text, re.M | re.S):
            first = re.match(r"(\w+):", match[1])
            if first and first[1] in words.SECTIONS:
                refusal = words.check(match[1], scorer)
                if refusal and not re.search("cannot (read|be read)|No such file", refusal):
                    yield path, line_of(text, match.start()), refusal.strip()
    unknown, rest = words.unknown_keys(found, scorer)
    for key, refusal in unknown.items():
        yield (*found[key], "no key %s: %s" % (key, refusal.strip()))
    if rest:
        yield "documents", 0, "keys could not be checked: %s" % rest.strip()


def flags(binaries):
    """Commands of ours in blocks and between backticks, against their --help."""
    helps = {}
    for program, folder in (("nightjar", "cli"), *((s.replace("_", "-"), s) for s in words.STAGES)):
        command = os.path.join(binaries, "services", folder, program)
        texts = [run(command, "--help")]
        verbs = re.findall(r"^  (\w+) {2,}", texts[0], re.M) if program == "nightjar" else []
        texts += [run(command, verb, "--help") for verb in verbs]
        texts += [run(command, "keys", verb, "--help") for verb in ("create", "list", "revoke")]
        helps[program] = ("\n".join(texts), set(verbs))
    for path, text in documents():
        for match in re.finditer(
            r"(?:^ *|`|; |&& )(%s)((?: [^\s`|;>&]+)+)" % "|".join(helps), text, re.M
        ):
            known, verbs = helps[match[1]]
            line = line_of(text, match.start(1))
            for flag in re.findall(r"(?<= )--?[a-z_]+", match[2]):
                if not re.search(r"(?<![\w-])%s(?![\w])" % flag, known):
                    yield path, line, "%s knows no %s" % (match[1], flag)
            verb = match[2].split()[0]
            if verbs and re.match(r"^[a-z]+$", verb) and verb not in verbs and "`" in match[0]:
                yield path, line, "nightjar has no command %s" % verb


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def runbooks():
    with open(os.path.join(ROOT, "deploy/observability/runbooks.txt"), encoding="utf-8") as file:
        alerts = set(file.read().split())
    path = "docs/operating.md"
    sections = set(re.findall(r"^### (Nightjar\w+)$", words.read(ROOT, path), re.M))
    for alert in sorted(alerts ^ sections):
        yield path, 0, "%s: %s" % (alert, "no section" if alert in alerts else "no such alert")


def never():
    found = [
        block
        for path in blocks.documents(ROOT)
        for block in blocks.blocks(path)
        if block.harness == "never"
    ]
    for block in found:
        print("not run: %s: %s" % (os.path.relpath(block.where, ROOT), block.because))
    if len(found) > NEVER_MAX:
        yield "documents", 0, "%d blocks are never run, %d may be" % (len(found), NEVER_MAX)


def main():
    wrong = []
    for path, text in documents():
        for rule in (fences, harnesses, links, facts):
            wrong += [(path, line, what) for line, what in rule(path, text)]
    for rule in (keys, flags):
        wrong += rule(sys.argv[1])
    wrong += [*runbooks(), *never()]
    for path, line, what in wrong:
        print("%s:%d: %s" % (path, line, what))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
