#!/usr/bin/env python3
"""What is in a package or an image, as a CycloneDX 1.5 document in JSON (a software bill of
materials).

    sbom.py --name NAME --version VERSION [--with-glibc] [--package DEBIAN_PACKAGE ...] PROGRAM ...

Writes to standard output: each PROGRAM with its SHA-256, and for every shared library that the
programs load (and every library that is compiled in as headers only) the Debian package and
version it comes from, asked from dpkg on this machine. Scanners find known weaknesses by the
`purl` of each. --with-glibc for an image, which brings the C library too; --package for a Debian
package that was put in besides (ca-certificates, tzdata). Give the programs as linked, not with a
changed RPATH.

The same input gives the same bytes: the time is SOURCE_DATE_EPOCH (0 when unset), and the serial
number is made from the contents.
"""

import argparse
import datetime
import hashlib
import json
import os
import uuid

import libraries

NAMESPACE = uuid.UUID("9d1b0c34-7c2f-5f0e-9a53-3d6a3b6b1f42")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def program_component(path, version):
    return {
        "type": "application",
        "bom-ref": "program:" + os.path.basename(path),
        "name": os.path.basename(path),
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
    }


def package_component(package):
    purl = "pkg:deb/debian/%s@%s?arch=%s&distro=debian-12" % (
        package.name.replace("+", "%2B"),
        package.version.replace("+", "%2B").replace(":", "%3A"),
        package.architecture,
    )
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "properties": [
            {"name": "debian:source", "value": package.source},
            {"name": "debian:source-version", "value": package.source_version},
        ]
        + [{"name": "file", "value": soname} for soname, _ in package.files],
    }


def document(name, version, programs, packages):
    """The whole document as plain data."""
    components = [program_component(path, version) for path in sorted(programs)]
    components += [package_component(package) for package in packages]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    moment = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    digest = json.dumps([name, version, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:%s" % uuid.uuid5(NAMESPACE, digest),
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [part["bom-ref"] for part in components]}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True, help="of the package or image")
    parser.add_argument("--version", required=True)
    parser.add_argument("--with-glibc", action="store_true", help="the C library is in it too")
    parser.add_argument("--package", action="append", default=[], help="a Debian package besides")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    found = libraries.packages(libraries.closure(options.programs, options.with_glibc))
    found += [libraries.package_named(name) for name in options.package]
    found.sort(key=lambda package: package.name)
    parts = document(options.name, options.version, options.programs, found)
    print(json.dumps(parts, indent=1))


if __name__ == "__main__":
    main()
