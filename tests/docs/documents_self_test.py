#!/usr/bin/env python3
"""What documents_test.py must find, it finds; what is right, it lets pass."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import blocks  # noqa: E402
import documents_test as rules  # noqa: E402
import words  # noqa: E402

PATH = "docs/operating.md"


def found(rule, text):
    return [line for line, _ in rule(PATH, text)]


class DocumentsTest(unittest.TestCase):
    def test_commands_do_not_hide(self):
        self.assertEqual(found(rules.fences, "a\n```\nnightjar status\n```\n"), [2])
        self.assertEqual(found(rules.fences, "```bash\nls\n```\n"), [1])
        self.assertEqual(found(rules.fences, "```sh\nls\n```\n```\n a --> b\n```\n"), [])

    def test_links_lead_somewhere(self):
        self.assertEqual(found(rules.links, "[a](hardening.md)\n[b](no-such.md)"), [2])
        self.assertEqual(
            found(rules.links, "[a](hardening.md#secrets) [b](hardening.md#none)"), [1]
        )
        self.assertEqual(
            found(rules.links, "`proto/admin/v1/stage.proto`\n`proto/none.proto`"), [2]
        )

    def test_metrics_codes_and_ports_exist(self):
        self.assertEqual(
            found(rules.facts, "`nightjar_events_total{stage}`\n`nightjar_nothing`"), [2]
        )
        self.assertEqual(found(rules.facts, "exit code 78\nexits with 77"), [2])
        self.assertEqual(found(rules.facts, "localhost:7402\nlocalhost:7409"), [2])

    def test_anchors_are_those_of_github(self):
        text = "# A `b.c` d\n## Who, may do?\n```sh\n# not one\n```\n## Again\n## Again\n"
        self.assertEqual(words.anchors(text), {"a-bc-d", "who-may-do", "again", "again-1"})

    def test_blocks_are_read_with_their_options(self):
        match = blocks.FENCE.search(
            "   <!-- run: local; interrupt: 5; expect: a; b -->\n   ```sh\n   ls\n   ```\n"
        )
        block = blocks.Block("x.md", 1, match)
        self.assertEqual(
            (block.harness, block.interrupt, block.expect, block.commands),
            ("local", 5, "a; b", "ls\n"),
        )

    def test_a_block_that_fails_or_says_something_else_is_an_error(self):
        for text in ("false", "echo one"):
            match = blocks.FENCE.search("<!-- run: local; expect: two -->\n```sh\n%s\n```\n" % text)
            with self.assertRaises(RuntimeError):
                blocks.run_block(blocks.Block("x.md", 1, match), "/", dict(os.environ))


if __name__ == "__main__":
    unittest.main()
