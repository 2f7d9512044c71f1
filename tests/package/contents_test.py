#!/usr/bin/env python3
"""What is in the packages, looked at without installing them.

contents_test.py BINARIES
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

import stand

GLIBC_MAX = (2, 36)
COMMAND_LINE = re.compile(r"^  ([a-z]+) {3,}\S", re.M)  # of nightjar --help


def output_of(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


class ContentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="nightjar-contents-")
        os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
        first, second = (os.path.join(cls.work.name, name) for name in ("first", "second"))
        cls.deb, cls.tarball = sorted(stand.make_packages(BINARIES, first), key=len)
        cls.again = sorted(stand.make_packages(BINARIES, second), key=len)
        with tarfile.open(cls.tarball) as tar:
            tar.extractall(cls.work.name)
            cls.members = tar.getmembers()
        cls.tree = os.path.join(cls.work.name, cls.members[0].name.split("/")[0])
        cls.installed = os.path.join(cls.work.name, "installed")
        subprocess.run(["dpkg-deb", "-x", cls.deb, cls.installed], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def test_two_runs_give_the_same_bytes(self):
        for one, other in zip((self.deb, self.tarball), self.again):
            with open(one, "rb") as first, open(other, "rb") as second:
                self.assertTrue(first.read() == second.read(), os.path.basename(one))

    def test_lintian_finds_neither_error_nor_warning(self):
        done = subprocess.run(
            ["lintian", "--allow-root", "--fail-on", "error,warning", self.deb],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_everything_belongs_to_root_and_nothing_is_writable_by_others(self):
        for member in self.members:
            self.assertEqual((member.uid, member.gid), (0, 0), member.name)
            self.assertEqual(member.mode & 0o022, 0, member.name)

    def test_no_file_wants_a_newer_glibc(self):
        for folder in ("bin", "lib"):
            for name in os.listdir(os.path.join(self.tree, folder)):
                text = output_of("objdump", "-T", os.path.join(self.tree, folder, name))
                wanted = {
                    tuple(int(part) for part in version.split("."))
                    for version in re.findall(r"GLIBC_(\d[\d.]*)", text)
                }
                self.assertLessEqual(max(wanted, default=(0,)), GLIBC_MAX, name)

    def test_programs_find_their_libraries_beside_them_and_hold_no_symbols(self):
        for name in os.listdir(os.path.join(self.tree, "bin")):
            path = os.path.join(self.tree, "bin", name)
            self.assertIn("(RPATH)              Library rpath: [$ORIGIN/../lib]", read_elf(path))
            self.assertIn("stripped", output_of("file", "-b", path).replace("not stripped", ""))
            for line in output_of("ldd", path).splitlines():
                found = re.search(r"(\S+) => (\S+)", line)
                if found and os.path.exists(os.path.join(self.tree, "lib", found.group(1))):
                    self.assertIn(self.work.name, found.group(2), line)

    def test_every_library_is_in_the_bill_of_materials_and_has_its_licence(self):
        with open(os.path.join(self.tree, "sbom.cdx.json"), encoding="utf-8") as file:
            document = json.load(file)
        parts = [part for part in document["components"] if part["type"] == "library"]
        named = {
            entry["value"]
            for part in parts
            for entry in part["properties"]
            if entry["name"] == "file"
        }
        self.assertEqual(named, set(os.listdir(os.path.join(self.tree, "lib"))))
        with open(os.path.join(self.tree, "THIRD-PARTY.txt"), encoding="utf-8") as file:
            notices = file.read()
        for part in parts:
            self.assertIn("%(name)s %(version)s (source" % part, notices)
        self.assertIn("libcli11-dev", [part["name"] for part in parts])  # in headers only

    def test_the_manual_names_every_command(self):
        program = os.path.join(self.tree, "bin/nightjar")
        commands = COMMAND_LINE.findall(output_of(program, "--help").split("Subcommands:")[1])
        self.assertGreater(len(commands), 5)
        page = output_of("zcat", os.path.join(self.installed, "usr/share/man/man8/nightjar.8.gz"))
        for command in commands:
            self.assertIn(".B %s\n" % command, page)

    def test_the_shipped_configuration_is_taken(self):
        with open(os.path.join(self.tree, "config.yml"), encoding="utf-8") as file:
            text = file.read()
        secret = os.path.join(self.work.name, "secret")
        path = os.path.join(self.work.name, "config.yml")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("s")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/etc/nightjar/secrets/elastic_password", secret))
        self.assertIn("OK", output_of(os.path.join(self.tree, "bin/nightjar"), "check", path))


def read_elf(path):
    return output_of("readelf", "-d", path)


if __name__ == "__main__":
    BINARIES = sys.argv.pop(1)
    unittest.main()
