"""What is inside an image: {path: Entry}, gathered from the programs and from this Debian 12."""

import glob
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy/packages"))
import libraries  # noqa: E402
import sbom  # noqa: E402

USER = 65532
# Beside what the programs load: the authorities that sign servers, and the time zones.
DATA_PACKAGES = ["ca-certificates", "tzdata"]
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
DOCUMENTS = "usr/share/doc/nightjar"
SBOM = DOCUMENTS + "/sbom.cdx.json"


class Entry:
    """A file (bytes), a link (target) or a folder (neither). Immutable."""

    def __init__(self, mode, data=None, target=None, owner=0):
        self.mode, self.data, self.target, self.owner = mode, data, target, owner

    def key(self):
        return (self.mode, self.data, self.target, self.owner)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def skeleton():
    """What every image has whatever runs in it. Paths are relative to the root."""
    # Only the packaged authorities: this machine may trust others that are nobody else's business.
    authorities = sorted(glob.glob("/usr/share/ca-certificates/mozilla/*.crt"))
    if not authorities:
        raise RuntimeError("no certificates in /usr/share/ca-certificates: install ca-certificates")
    entries = {
        "lib": Entry(0o777, target="usr/lib"),
        "lib64": Entry(0o777, target="usr/lib64"),
        "usr/lib/ssl/cert.pem": Entry(0o777, target="/" + AUTHORITIES),
        AUTHORITIES: Entry(0o644, b"".join(read(path) for path in authorities)),
        "etc/passwd": Entry(0o644, b"nightjar:x:%d:%d::/:/sbin/nologin\n" % (USER, USER)),
        "etc/group": Entry(0o644, b"nightjar:x:%d:\n" % USER),
        "etc/nsswitch.conf": Entry(0o644, b"hosts: files dns\n"),
        "etc/nightjar": Entry(0o755),
        "run": Entry(0o755),
        "tmp": Entry(0o700, owner=USER),
        "var/lib/nightjar": Entry(0o700, owner=USER),
        DOCUMENTS + "/LICENSE": Entry(0o644, read(os.path.join(ROOT, "LICENSE"))),
    }
    zones = "/usr/share/zoneinfo"
    for folder, _, names in os.walk(zones):
        for path in (os.path.join(folder, name) for name in names):
            entries[path[1:]] = zone(path)
    return entries


def zone(path):
    if os.path.islink(path):
        return Entry(0o777, target=os.readlink(path))
    return Entry(0o644, read(path))


def stripped(program):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, os.path.basename(program))
        subprocess.run(["strip", "-o", out, program], check=True)
        return read(out)


def library_entries(closure):
    """The libraries where the dynamic linker looks by itself, so that there is no cache of it."""
    entries = {}
    for soname, path in closure.items():
        folder = os.path.dirname(path)
        if soname.startswith("ld-linux"):  # programs name it by this path
            folder = "/usr/lib64"
        place = os.path.join(os.path.realpath(folder), soname)
        entries[place[1:]] = Entry(0o755, read(os.path.realpath(path)))
    return entries


def image(name, version, program, probe):
    """All of one image: the program, the health probe, what they need, and where that is from."""
    entries = skeleton()
    binary = os.path.basename(program)
    entries["usr/bin/" + binary] = Entry(0o755, stripped(program))
    entries["probe"] = Entry(0o755, stripped(probe))
    closure = libraries.closure([program, probe], with_glibc=True)
    entries.update(library_entries(closure))
    packages = libraries.packages(closure)
    packages += [libraries.package_named(package) for package in DATA_PACKAGES]
    for package in packages:
        notice = "%s/notices/%s" % (DOCUMENTS, package.name)
        entries[notice] = Entry(0o644, read(package.copyright_file))
    with tempfile.TemporaryDirectory() as folder:
        for part in ("usr/bin/" + binary, "probe"):  # the bytes that are in the image
            with open(os.path.join(folder, os.path.basename(part)), "wb") as file:
                file.write(entries[part].data)
        programs = [os.path.join(folder, part) for part in (binary, "probe")]
        packages.sort(key=lambda package: package.name)
        document = sbom.document(name, version, programs, packages)
    entries[SBOM] = Entry(0o644, (json.dumps(document, indent=1) + "\n").encode())
    return entries
