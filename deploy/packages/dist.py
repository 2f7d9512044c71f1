#!/usr/bin/env python3
"""Makes what people install: a tarball and a Debian package.

    dist.py BINARIES [FOLDER] [--version VERSION] [--only tarball|deb]

BINARIES is the folder of built programs (bazel-bin). Leaves in FOLDER (dist):

    nightjar-VERSION-linux-x86_64.tar.gz   runs on any Linux with glibc 2.36 or later
    nightjar_VERSION_amd64.deb             for Debian 12; its libraries come from Debian

VERSION is what the programs say they are, unless given. The same commit and the same Debian
packages give the same bytes: every time in them is that of the commit (or SOURCE_DATE_EPOCH).
Needs binutils, patchelf, dpkg-dev.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import debian_package
import libraries
import tarball

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The folder under services/, the program.
PROGRAMS = [
    ("ae_forwarder", "ae-forwarder"),
    ("alert_poller", "alert-poller"),
    ("analytics_engine", "analytics-engine"),
    ("cli", "nightjar"),
    ("es_reader", "es-reader"),
    ("scorer", "scorer"),
]
KINDS = {"tarball": tarball.make, "deb": debian_package.make}


class Source:
    """What both packages are made of. `programs` are as linked; `stripped` are copies without
    their symbols."""

    def __init__(self, binaries, version, work):
        self.root = ROOT
        self.programs = [os.path.join(binaries, "services", *entry) for entry in PROGRAMS]
        for program in self.programs:
            if not os.access(program, os.X_OK):
                sys.exit("dist: no program %s; build first" % program)
        self.version = version or libraries.output_of(self.programs[0], "--version").split()[-1]
        self.stripped = os.path.join(work, "stripped")
        os.mkdir(self.stripped)
        for program in self.programs:
            copy = os.path.join(self.stripped, os.path.basename(program))
            subprocess.run(["strip", "-o", copy, program], check=True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)


def commit_time():
    return libraries.output_of("git", "-C", ROOT, "log", "-1", "--format=%ct").strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("folder", nargs="?", default="dist")
    parser.add_argument("--version", help="other than what the programs say")
    parser.add_argument("--only", choices=sorted(KINDS), help="not both")
    options = parser.parse_args()
    os.environ.setdefault("SOURCE_DATE_EPOCH", commit_time())
    os.umask(0o022)
    os.makedirs(options.folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nightjar-dist-") as work:
        source = Source(options.binaries, options.version, work)
        for kind in [options.only] if options.only else sorted(KINDS):
            made = KINDS[kind](source, work)
            place = os.path.join(options.folder, os.path.basename(made))
            shutil.move(made, place)
            print("%s  %.1f MB" % (place, os.path.getsize(place) / 1e6))


if __name__ == "__main__":
    main()
