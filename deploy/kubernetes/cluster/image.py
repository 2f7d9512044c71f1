#!/usr/bin/env python3
"""Packs files into an image archive that `docker load` and `ctr images import` take.

    image.py NAME:TAG ARCHIVE SOURCE=/PATH ...

The first file is the entry point. Nothing else is in the image, and the same files give the same
archive. For programs that need no file system around them.
"""

import hashlib
import io
import json
import sys
import tarfile

USER = "65532:65532"


def add(archive, path, content, mode=0o644):
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def pack(files):
    """A tar of [(path, content, mode)] as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content, mode in files:
            add(archive, path, content, mode)
    return buffer.getvalue()


def main():
    name, output, *pairs = sys.argv[1:]
    files = []
    for pair in pairs:
        source, path = pair.split("=")
        with open(source, "rb") as file:
            files.append((path, file.read(), 0o755))
    layer = pack(files)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [files[0][0]], "User": USER},
            "rootfs": {
                "type": "layers",
                "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()],
            },
        }
    ).encode()
    manifest = json.dumps(
        [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    ).encode()
    with open(output, "wb") as file:
        file.write(
            pack(
                [
                    ("config.json", config, 0o644),
                    ("layer.tar", layer, 0o644),
                    ("manifest.json", manifest, 0o644),
                ]
            )
        )


if __name__ == "__main__":
    main()
