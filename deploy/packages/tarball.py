"""The tarball: programs with the libraries they need, for any Linux with glibc 2.36 or later.

The libraries are Debian's own files, unchanged. The programs find them by a DT_RPATH of
$ORIGIN/../lib: unlike DT_RUNPATH it holds for the libraries' own libraries too, and unlike
LD_LIBRARY_PATH in a start script it does not leak into other programs. glibc is left out
(libraries.py says why).
"""

import os
import subprocess

import libraries
import staging

README = """Nightjar %(version)s for Linux x86_64 with glibc 2.36 or later (Debian 12, Ubuntu 23.04,
Fedora 37 ...).

    bin/nightjar check config.yml
    bin/nightjar start -c config.yml

docs/quickstart.md leads from here to the first alert. certificates.sh makes certificates for
stages on several machines; packetbeat.yml is for the sensors. Where the machine keeps its
certificate authorities elsewhere than /etc/ssl/certs/ca-certificates.crt, name the file:
`ca_file` in the sections `engine` and `inputs.elastic`.

Licence: Apache-2.0 (LICENSE). Third-party libraries: THIRD-PARTY.txt, sbom.cdx.json.
"""
NOTICE = """Nightjar %(version)s brings these libraries of Debian 12 in lib/, unchanged, each under
its own licence. The source of each is the Debian source package named, at the version named.
Programs load them from lib/ at run time: a changed library of the same interface can take the
place of each.
"""


def notices(version, packages):
    """The copyright file of every library's Debian package; each text once."""
    parts, seen = [NOTICE % {"version": version}], {}
    for package in packages:
        with open(package.copyright_file, encoding="utf-8", errors="replace") as file:
            text = file.read()
        title = "%s %s (source %s %s)" % (
            package.name,
            package.version,
            package.source,
            package.source_version,
        )
        files = ", ".join(soname for soname, _ in package.files) or "compiled in from headers"
        same_as = seen.setdefault(text, package.name)
        if same_as != package.name:
            text = "As %s.\n" % same_as
        parts.append("%s\n%s\n%s\n\n%s" % ("=" * 80, title, files, text))
    return "\n".join(parts)


def put_programs(tree, source):
    for program in source.programs:
        name = os.path.basename(program)
        tree.copy(os.path.join(source.stripped, name), "bin/" + name, 0o755)
        subprocess.run(
            [
                "patchelf",
                "--force-rpath",
                "--set-rpath",
                "$ORIGIN/../lib",
                tree.path("bin/" + name),
            ],
            check=True,
        )


def make(source, work):
    """Path of the tarball, made in the folder `work`."""
    name = "nightjar-%s-linux-x86_64" % source.version
    tree = staging.Staging(os.path.join(work, name))
    put_programs(tree, source)
    found = libraries.closure(source.programs)
    for soname, path in found.items():
        tree.copy(path, "lib/" + soname)
    tree.copy(source.path("deploy/packages/config.yml"), "config.yml")
    tree.copy(source.path("deploy/packetbeat/packetbeat.yml"), "packetbeat.yml")
    tree.copy(source.path("deploy/certificates/certificates.sh"), "certificates.sh", 0o755)
    tree.copy(source.path("docs/quickstart.md"), "docs/quickstart.md")
    tree.copy(source.path("LICENSE"), "LICENSE")
    tree.write(README % {"version": source.version}, "README")
    tree.write(notices(source.version, libraries.packages(found)), "THIRD-PARTY.txt")
    tree.write_sbom(source, name, "sbom.cdx.json")
    tree.settle_times()
    packed = os.path.join(work, name + ".tar.gz")
    subprocess.run(
        ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]
        + ["-C", work, "-I", "gzip -9n", "-cf", packed, name],
        check=True,
    )
    return packed
