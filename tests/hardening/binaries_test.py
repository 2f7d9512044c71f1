"""How the shipped binaries are built: what makes a bug hard to use against them."""

import os
import re
import subprocess
import unittest

BINARIES = [
    "services/ae_forwarder/ae-forwarder",
    "services/alert_poller/alert-poller",
    "services/analytics_engine/analytics-engine",
    "services/cli/nightjar",
    "services/es_reader/es-reader",
    "services/scorer/scorer",
]


def readelf(option, binary):
    return subprocess.run(
        ["readelf", "--wide", option, binary], check=True, capture_output=True, text=True
    ).stdout


class BinariesTest(unittest.TestCase):
    def each(self):
        for binary in BINARIES:
            with self.subTest(binary):
                self.assertTrue(os.path.exists(binary))
                yield binary

    def test_position_independent(self):
        for binary in self.each():
            self.assertRegex(readelf("--file-header", binary), r"Type:\s+DYN")
            self.assertRegex(readelf("--dynamic", binary), r"FLAGS_1.*\bPIE\b")

    def test_tables_are_read_only_once_loaded(self):
        for binary in self.each():
            self.assertIn("GNU_RELRO", readelf("--program-headers", binary))
            self.assertRegex(readelf("--dynamic", binary), r"FLAGS_1.*\bNOW\b")

    def test_no_memory_is_both_writable_and_executable(self):
        for binary in self.each():
            headers = readelf("--program-headers", binary)
            stack = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}(\S+)", headers)
            self.assertEqual(stack.group(1), "RW")
            for flags in re.findall(r"LOAD\s+(?:0x\w+\s+){5}(.*?)\s+0x", headers):
                self.assertFalse("W" in flags and "E" in flags, flags)

    def test_stack_protector_and_checked_functions(self):
        for binary in self.each():
            symbols = readelf("--dyn-syms", binary)
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"\b__\w+_chk\b(?<!__stack_chk)")

    def test_no_library_is_looked_for_in_a_folder_of_the_build(self):
        for binary in self.each():
            self.assertNotRegex(readelf("--dynamic", binary), r"\((RPATH|RUNPATH)\)")


if __name__ == "__main__":
    unittest.main()
