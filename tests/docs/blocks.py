"""Runs the commands that the documents show.

Above each block of commands a comment says which harness runs it, and may say what its output
must match:

    <!-- run: local -->
    <!-- run: package; expect: \\d+ alerts -->

The blocks of one document and harness run in order, each in a fresh `bash -euo pipefail` in the
same folder. What no harness here can run says why: `<!-- run: never; because: ... -->`.
"""

import re
import subprocess

HARNESSES = ("local", "package", "compose", "kubernetes", "never")
FENCE = re.compile(
    r"(?:^<!-- run: (?P<harness>\w+)(?:; (?P<key>expect|because): (?P<value>.*?))? -->\n)?"
    r"^```sh\n(?P<commands>.*?)^```$",
    re.M | re.S,
)
BLOCK_SECONDS = 600


class Block:
    """Commands of a document, with the line they start at."""

    def __init__(self, path, line, match):
        self.where = "%s:%d" % (path, line)
        self.harness = match["harness"]
        self.expect = match["value"] if match["key"] == "expect" else None
        self.because = match["value"] if match["key"] == "because" else None
        self.commands = match["commands"]


def blocks(path):
    """Every block of `sh` in a document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return [
        Block(path, text.count("\n", 0, match.start("commands")), match)
        for match in FENCE.finditer(text)
    ]


def run(path, harness, folder, environment):
    """Runs the blocks of `harness` in `path`; the number run, or RuntimeError naming the block."""
    mine = [block for block in blocks(path) if block.harness == harness]
    for block in mine:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.commands],
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
            "== %s\n%s-- exit %d\n%s" % (block.where, block.commands, done.returncode, done.stdout)
        )
        if done.returncode != 0:
            raise RuntimeError("%s: exit %d" % (block.where, done.returncode))
        if block.expect and not re.search(block.expect, done.stdout):
            raise RuntimeError("%s: no match for %s" % (block.where, block.expect))
    return len(mine)
