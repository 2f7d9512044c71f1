"""The Debian package: programs, units, configuration; its libraries come from Debian.

What the package does at install, upgrade and removal stands in debian/postinst, prerm, postrm.
"""

import hashlib
import os
import re
import subprocess
from email.utils import formatdate

import libraries
import staging

LIBEXEC = "usr/libexec/nightjar/"
UNITS = "lib/systemd/system/"
# The name of a stage, its folder of state, what it says it does, and which start before it (and
# so stop after it: what feeds a stage stops before that stage).
STAGES = [
    ("analytics-engine", "analytics_engine", "embedded analytics engine", []),
    ("alert-poller", "alert_poller", "alerts to their sinks", ["analytics-engine"]),
    ("ae-forwarder", "ae_forwarder", "events to the analytics engine", ["analytics-engine"]),
    ("scorer", "scorer", "scope and score of events", ["ae-forwarder"]),
    ("es-reader", "es_reader", "telemetry out of Elasticsearch", ["scorer"]),
]
# What a stage's unit has beyond the others.
EXTRA = {
    # The folder of the file that the shipped configuration names.
    "alert-poller": "LogsDirectory=nightjar\nLogsDirectoryMode=0750\n",
}
MAINTAINER = "Nightjar maintainers <maintainers@nightjar.invalid>"
LINTIAN = """# It may come to hold a secret.
nightjar: non-standard-file-perm 0640 != 0644 [etc/nightjar/config.yml]
"""
CONTROL = """Package: nightjar
Version: %(version)s
Architecture: amd64
Maintainer: %(maintainer)s
Section: net
Priority: optional
Installed-Size: %(size)d
Depends: %(depends)s, init-system-helpers (>= 1.54), systemd (>= 250), ca-certificates
Recommends: logrotate
Suggests: openssl
Description: network threat monitoring on Elasticsearch
 Nightjar reads network telemetry (Packetbeat today) out of Elasticsearch,
 scopes and scores it, sends it to an analytics engine that speaks the AlphaSOC
 API v1 (the AlphaSOC cloud, or the one in this package, which needs no
 account), collects the alerts and delivers them.
 .
 Each stage is a systemd service of its own; nightjar.target holds them
 together. Nothing is started before /etc/nightjar/config.yml has been read by a
 person: systemctl enable --now nightjar.target.
"""


def put_programs(tree, source):
    for program in source.programs:
        name = os.path.basename(program)
        place = "usr/bin/" if name == "nightjar" else LIBEXEC
        tree.copy(os.path.join(source.stripped, name), place + name, 0o755)


def put_units(tree, source):
    with open(source.path("deploy/packages/debian/stage.service"), encoding="utf-8") as file:
        template = file.read()
    for name, folder, what, after in STAGES:
        text = template.replace("@NAME@", name).replace("@FOLDER@", folder)
        text = text.replace("@WHAT@", what).replace("@EXTRA@\n", EXTRA.get(name, ""))
        text = text.replace("@AFTER@", " ".join("nightjar-%s.service" % stage for stage in after))
        tree.write(re.sub(r" +$", "", text, flags=re.M), UNITS + "nightjar-%s.service" % name)
    services = " ".join("nightjar-%s.service" % stage[0] for stage in STAGES)
    with open(source.path("deploy/packages/debian/nightjar.target"), encoding="utf-8") as file:
        tree.write(file.read().replace("@SERVICES@", services), UNITS + "nightjar.target")


def put_files(tree, source):
    debian = source.path("deploy/packages/debian")
    tree.copy(source.path("deploy/packages/config.yml"), "etc/nightjar/config.yml", 0o640)
    tree.copy(os.path.join(debian, "logrotate"), "etc/logrotate.d/nightjar")
    tree.copy(os.path.join(debian, "sysusers.conf"), "usr/lib/sysusers.d/nightjar.conf")
    tree.copy(os.path.join(debian, "tmpfiles.conf"), "usr/lib/tmpfiles.d/nightjar.conf")
    tree.copy(
        source.path("deploy/certificates/certificates.sh"),
        "usr/share/nightjar/certificates.sh",
        0o755,
    )
    documents = "usr/share/doc/nightjar/"
    tree.copy(os.path.join(debian, "copyright"), documents + "copyright")
    tree.copy(source.path("docs/quickstart.md"), documents + "quickstart.md")
    tree.copy(
        source.path("deploy/packetbeat/packetbeat.yml"), documents + "examples/packetbeat.yml"
    )
    tree.write_sbom(source, "nightjar-deb", documents + "sbom.cdx.json")
    tree.copy(source.path("CHANGELOG.md"), documents + "CHANGELOG.md")
    tree.write_compressed(changelog(source.version), documents + "changelog.gz")
    tree.write(LINTIAN, "usr/share/lintian/overrides/nightjar")
    with open(os.path.join(debian, "nightjar.8"), encoding="utf-8") as file:
        page = file.read().replace("@VERSION@", source.version)
    tree.write_compressed(page, "usr/share/man/man8/nightjar.8.gz")


def changelog(version):
    """The one entry that Debian wants to see; CHANGELOG.md says what changed."""
    moment = formatdate(int(os.environ["SOURCE_DATE_EPOCH"]))
    entry = "nightjar (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n"
    return entry % (version, MAINTAINER, moment)


def depends(source, work):
    """The Debian packages of the libraries, in the versions whose symbols the programs use."""
    place = os.path.join(work, "shlibdeps")
    os.makedirs(os.path.join(place, "debian"))
    with open(os.path.join(place, "debian/control"), "w", encoding="utf-8") as file:
        file.write("Source: nightjar\n\nPackage: nightjar\nArchitecture: amd64\n")
    programs = [os.path.join(source.stripped, name) for name in sorted(os.listdir(source.stripped))]
    done = subprocess.run(
        ["dpkg-shlibdeps", "-O"] + ["-e" + program for program in programs],
        cwd=place,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # that the programs are not in a package's folder
    )
    return done.stdout.strip().split("shlibs:Depends=")[1]


def put_control(tree, source, work):
    files = sorted(
        os.path.relpath(os.path.join(folder, name), tree.folder)
        for folder, _, names in os.walk(tree.folder)
        for name in names
    )
    sums = ""
    for name in files:
        with open(tree.path(name), "rb") as file:
            sums += "%s  %s\n" % (hashlib.md5(file.read()).hexdigest(), name)
    size = sum(os.path.getsize(tree.path(name)) for name in files) // 1024 + 1
    tree.write(sums, "DEBIAN/md5sums")
    tree.write(
        CONTROL
        % {
            "version": source.version,
            "maintainer": MAINTAINER,
            "size": size,
            "depends": depends(source, work),
        },
        "DEBIAN/control",
    )
    conffiles = [name for name in files if name.startswith("etc/")]
    tree.write("".join("/%s\n" % name for name in conffiles), "DEBIAN/conffiles")
    services = " ".join("nightjar-%s.service" % stage[0] for stage in reversed(STAGES))
    for script in ("postinst", "prerm", "postrm"):
        with open(source.path("deploy/packages/debian", script), encoding="utf-8") as file:
            tree.write(file.read().replace("@READERS_FIRST@", services), "DEBIAN/" + script, 0o755)


def make(source, work):
    """Path of the package, made in the folder `work`."""
    tree = staging.Staging(os.path.join(work, "deb"))
    put_programs(tree, source)
    put_units(tree, source)
    put_files(tree, source)
    put_control(tree, source, work)
    tree.settle_times()
    made = os.path.join(work, "nightjar_%s_amd64.deb" % source.version)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree.folder, made],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return made
