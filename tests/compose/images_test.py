"""The images are the same bytes whenever they are built from one tree, and hold what they must."""

import io
import json
import os
import shutil
import sys
import tarfile
import tempfile

from stack import ROOT, check, output_of

IMAGES = ["ae-forwarder", "alert-poller", "analytics-engine", "cli", "es-reader", "scorer"]
BYTES_MAX = 60_000_000  # of one image, unpacked
SBOM = "usr/share/doc/nightjar/sbom.cdx.json"


def build(folder):
    output_of(
        os.path.join(ROOT, "deploy/images/images.py"),
        os.getcwd(),
        "--folder",
        folder,
        env=dict(os.environ, SOURCE_DATE_EPOCH="1700000000"),
    )


def contents(path):
    """(configuration, {path: (TarInfo, bytes)} of all layers, bytes of all layers)."""
    with tarfile.open(path) as archive:
        (image,) = json.load(archive.extractfile("manifest.json"))
        config = json.load(archive.extractfile(image["Config"]))
        layers = [archive.extractfile(name).read() for name in image["Layers"]]
    files = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            for member in tar:
                data = tar.extractfile(member).read() if member.isfile() else b""
                files[member.name] = (member, data)
    return config, files, sum(map(len, layers))


def check_image(name, path):
    config, files, size = contents(path)
    check(size < BYTES_MAX, "%s: %.1f MB" % (name, size / 1e6))
    settings = config["config"]
    check(settings["User"] == "65532:65532", name + " does not run as root")
    labels = settings["Labels"]
    title = labels["org.opencontainers.image.title"]
    check(title == "nightjar/" + name, name + " has labels")
    state, _ = files["var/lib/nightjar"]
    check(state.isdir() and state.mode == 0o700 and state.uid == 65532, name + " owns its state")
    shells = [path for path in files if os.path.basename(path) in ("sh", "bash", "busybox")]
    check(not shells, name + " has no shell")
    loose = [
        path for path, (member, _) in files.items() if not member.issym() and member.mode & 0o6022
    ]
    check(not loose, "%s has no set-uid and nothing that others may write %s" % (name, loose))
    _, authorities = files["etc/ssl/certs/ca-certificates.crt"]
    check(authorities.count(b"BEGIN CERTIFICATE") > 100, name + " knows the public authorities")
    parts = json.loads(files[SBOM][1])["components"]
    check(
        {"libc6", "ca-certificates"} <= {part["name"] for part in parts}, name + " lists its parts"
    )
    notices = [path for path in files if path.startswith("usr/share/doc/nightjar/notices/")]
    check("usr/share/doc/nightjar/LICENSE" in files and len(notices) > 20, name + " has notices")
    with open(path[: -len(".tar")] + ".sbom.json", "rb") as beside:
        check(
            beside.read() == files[SBOM][1], name + ": the list of parts beside is the one inside"
        )


def main():
    first, second = tempfile.mkdtemp(), tempfile.mkdtemp()
    try:
        build(first)
        build(second)
        for name in IMAGES:
            path = os.path.join(first, name + ".tar")
            with open(path, "rb") as one, open(os.path.join(second, name + ".tar"), "rb") as other:
                check(one.read() == other.read(), name + ": two builds are the same bytes")
            check_image(name, path)
    finally:
        shutil.rmtree(first)
        shutil.rmtree(second)


if __name__ == "__main__":
    sys.exit(main())
