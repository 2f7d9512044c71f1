"""Runs the commands that the documents show.

Above each block of commands a comment says which harness runs it, and may say more:

    <!-- run: local -->
    <!-- run: package; expect: \\d+ alerts -->          its output must match
    <!-- run: local; interrupt: 5; expect: READY -->    it never ends: Ctrl-C after 5 s
    <!-- run: never; because: ... -->                   no harness here can run it

The blocks of one document and harness run in order, each in a fresh `bash -euo pipefail` in the
same folder.
"""

import os
import re
import signal
import subprocess
import textwrap

# What each has when a block begins: README.md beside this.
HARNESSES = ("local", "mtls", "opensearch", "package", "compose", "kubernetes", "never")
FENCE = re.compile(
    r"(?:^ *<!-- run: (?P<harness>\w+)(?P<options>(?:; \w+: .*?)*) -->\n)?"
    r"^ *```sh\n(?P<commands>.*?)^ *```$",
    re.M | re.S,
)
OPTION = re.compile(r"; (expect|because|interrupt): (.*?)(?=; (?:expect|because|interrupt): |$)")
SKIPPED_FOLDERS = (".git", "node_modules")
BLOCK_SECONDS = 600
INTERRUPTED = (124, 130, 128 + signal.SIGINT)


class Block:
    """Commands of a document, with the line they start at."""

    def __init__(self, path, line, match):
        options = dict(OPTION.findall(match["options"] or ""))
        self.where = "%s:%d" % (path, line)
        self.harness = match["harness"]
        self.expect = options.get("expect")
        self.because = options.get("because")
        self.interrupt = float(options.get("interrupt", 0))  # seconds; 0: it ends by itself
        self.commands = textwrap.dedent(match["commands"])

    def needs(self, program):
        return re.search(r"(^|[\s|(])%s\s" % re.escape(program), self.commands) is not None


def blocks(path):
    """Every block of `sh` in a document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return [
        Block(path, text.count("\n", 0, match.start("commands")), match)
        for match in FENCE.finditer(text)
    ]


def documents(root):
    """The path of every document of the tree, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED_FOLDERS and not os.path.islink(os.path.join(folder, name))
        ]
        found += [os.path.join(folder, name) for name in names if name.endswith(".md")]
    return sorted(found)


def run(path, harness, folder, environment, absent=()):
    """Runs the blocks of `harness` in `path`; the number run, or RuntimeError naming the block.

    Blocks that need a program of `absent` are named and left out.
    """
    ran = 0
    for block in blocks(path):
        if block.harness != harness:
            continue
        lacking = [program for program in absent if block.needs(program)]
        if lacking:
            print("== %s NOT RUN: there is no %s here" % (block.where, " ".join(lacking)))
            continue
        run_block(block, folder, environment)
        ran += 1
    return ran


def run_block(block, folder, environment):
    command = ["bash", "-euo", "pipefail", "-c", block.commands]
    if block.interrupt:
        command = ["timeout", "--signal=INT", str(block.interrupt)] + command
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=BLOCK_SECONDS,
    )
    print(
        "== %s\n%s-- exit %d\n%s" % (block.where, block.commands, done.returncode, done.stdout),
        flush=True,
    )
    good = INTERRUPTED if block.interrupt else (0,)
    if done.returncode not in good:
        raise RuntimeError("%s: exit %d" % (block.where, done.returncode))
    if block.expect and not re.search(block.expect, done.stdout):
        raise RuntimeError("%s: no match for %s" % (block.where, block.expect))
