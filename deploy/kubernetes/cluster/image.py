#!/usr/bin/env python3
"""Packs programs that need no file system around them into an image archive.

    image.py NAME:TAG ARCHIVE SOURCE=/PATH ...

The first is the entry point.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../images"))
import archive  # noqa: E402
import rootfs  # noqa: E402


def main():
    name, output, *pairs = sys.argv[1:]
    sources = dict(reversed(pair.split("=")) for pair in pairs)
    entries = {path[1:]: rootfs.Entry(0o755, rootfs.read(sources[path])) for path in sources}
    settings = {"Entrypoint": [next(iter(sources))], "User": "%d:%d" % (rootfs.USER, rootfs.USER)}
    archive.write(output, name, settings, [archive.layer(entries, rootfs.Entry(0o755))], 0)


if __name__ == "__main__":
    main()
