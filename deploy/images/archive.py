"""Image archives in the format of `docker save`, which docker, buildah, podman and containerd read.

The same entries give the same bytes: sorted paths, no time of today, no user of this machine.
"""

import datetime
import hashlib
import io
import json
import os
import tarfile


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def header(name, size=0, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, mode, 0
    return info


def add(tar, path, entry):
    info = header(path, mode=entry.mode)
    info.uid = info.gid = entry.owner
    if entry.data is not None:
        info.size = len(entry.data)
        tar.addfile(info, io.BytesIO(entry.data))
        return
    info.type = tarfile.DIRTYPE if entry.target is None else tarfile.SYMTYPE
    info.linkname = entry.target or ""
    tar.addfile(info)


def layer(entries, folder):
    """The bytes of a layer. `folder` is the Entry of folders that are only implied."""
    folders = {}
    for path in entries:
        parent = os.path.dirname(path)
        while parent and parent not in entries:
            folders[parent] = folder
            parent = os.path.dirname(parent)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, entry in sorted({**entries, **folders}.items()):
            add(tar, path, entry)
    return out.getvalue()


def config(settings, layers, epoch):
    """The image's configuration; its SHA-256 is the image's ID."""
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    created = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(data) for data in layers]},
        "history": [{"created": created, "created_by": "deploy/images"} for _ in layers],
    }
    return json.dumps(document, sort_keys=True).encode()


def write(path, tag, settings, layers, epoch):
    """Writes the archive at once or not at all; the image's ID."""
    described = config(settings, layers, epoch)
    names = [sha256(data) + "/layer.tar" for data in layers]
    manifest = [{"Config": sha256(described) + ".json", "RepoTags": [tag], "Layers": names}]
    files = [(sha256(described) + ".json", described)] + list(zip(names, layers))
    files.append(("manifest.json", json.dumps(manifest).encode()))
    with tarfile.open(path + ".new", "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files:
            tar.addfile(header(name, len(data)), io.BytesIO(data))
    os.rename(path + ".new", path)
    return sha256(described)
