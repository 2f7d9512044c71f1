#!/usr/bin/env python3
"""Container images, one for each program, from the programs of a build on Debian 12.

    images.py BINARIES [--folder FOLDER] [--load | --load-with docker|buildah]

BINARIES is the folder of built programs (bazel-bin). Writes FOLDER/<name>.tar, which `docker load`,
`buildah pull docker-archive:` and `ctr images import` read, and FOLDER/<name>.sbom.json beside;
FOLDER is ${NIGHTJAR_CACHE:-~/.cache/nightjar}/images. With --load the images also go to the
Docker engine that answers, else to buildah, if there is one of them. Names are nightjar/<name>:<the
version that the program says>. Building takes no engine, network or root, and the same tree gives
the same image IDs.

An image holds its program, the libraries that it loads, the authorities that sign servers, the time
zones, a health probe (/probe), licences and a bill of materials; no shell. It runs as 65532:65532,
with a read-only root if asked to, and writes to /var/lib/nightjar only. What all images have is one
layer that they share.
"""

import argparse
import os
import subprocess
import sys

import archive
import rootfs

# Image, folder under services/, program, its arguments.
SERVE = ["--config", "/etc/nightjar/config.yml"]
IMAGES = [
    ("es-reader", "es_reader", "es-reader", SERVE),
    ("scorer", "scorer", "scorer", SERVE),
    ("ae-forwarder", "ae_forwarder", "ae-forwarder", SERVE),
    ("alert-poller", "alert_poller", "alert-poller", SERVE),
    ("analytics-engine", "analytics_engine", "analytics-engine", SERVE),
    ("cli", "cli", "nightjar", ["status"]),
]
DESCRIPTIONS = {
    "es-reader": "reads network telemetry out of Elasticsearch without loss",
    "scorer": "scopes and scores events",
    "ae-forwarder": "sends events to the analytics engine",
    "alert-poller": "collects alerts and delivers them",
    "analytics-engine": "the embedded analytics engine",
    "cli": "the command for people",
}
FOLDER = rootfs.Entry(0o755)


def output_of(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else ""


def git(*arguments):
    return output_of("git", "-c", "safe.directory=*", "-C", rootfs.ROOT, *arguments)


def source_epoch():
    """Seconds of the tree's last commit, so that a later build of it is the same."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or 0)


def revision():
    commit = git("rev-parse", "HEAD")
    return commit + ("-modified" if commit and git("status", "--porcelain") else "")


def settings(name, binary, arguments, version):
    labels = {
        "title": "nightjar/" + name,
        "description": "Nightjar: " + DESCRIPTIONS[name],
        "version": version,
        "revision": revision(),
        "licenses": "Apache-2.0",
        "base.name": "scratch",
    }
    return {
        "User": "%d:%d" % (rootfs.USER, rootfs.USER),
        "Entrypoint": ["/usr/bin/" + binary],
        "Cmd": arguments,
        "Env": ["PATH=/usr/bin"],
        "WorkingDir": "/",
        "Labels": {"org.opencontainers.image." + key: text for key, text in labels.items() if text},
    }


def check_machine():
    with open("/etc/os-release", encoding="utf-8") as file:
        text = file.read()
    if "VERSION_CODENAME=bookworm" not in text:
        sys.exit("images: the libraries in the images are this machine's: build them on Debian 12")


def shared(contents):
    """The paths that are the same in all images."""
    first, *others = contents.values()
    return {
        path: entry
        for path, entry in first.items()
        if all(path in other and other[path].key() == entry.key() for other in others)
    }


def build(binaries, folder):
    """Writes every archive; [(name, tag, image ID, bytes unpacked)] and the shared bytes."""
    probe = os.path.join(binaries, "deploy/images/probe")
    reader = os.path.join(binaries, "services/es_reader/es-reader")
    version = output_of(reader, "--version").split()[-1]
    os.environ["SOURCE_DATE_EPOCH"] = str(source_epoch())  # for the bills of materials too
    contents = {
        name: rootfs.image(
            "nightjar/" + name, version, os.path.join(binaries, "services", of, binary), probe
        )
        for name, of, binary, _ in IMAGES
    }
    base = shared(contents)
    base_layer = archive.layer(base, FOLDER)
    os.makedirs(folder, exist_ok=True)
    built = []
    for name, _, binary, arguments in IMAGES:
        own = {path: entry for path, entry in contents[name].items() if path not in base}
        layers = [base_layer, archive.layer(own, FOLDER)]
        tag = "nightjar/%s:%s" % (name, version)
        path = os.path.join(folder, name + ".tar")
        described = settings(name, binary, arguments, version)
        identity = archive.write(path, tag, described, layers, source_epoch())
        with open(os.path.join(folder, name + ".sbom.json"), "wb") as file:
            file.write(own[rootfs.SBOM].data)
        built.append((path, tag, identity, sum(len(data) for data in layers)))
    return built, len(base_layer)


def engine():
    """("docker", its address) of the engine that answers, ("buildah", ""), or ("", "")."""
    address = output_of(os.path.join(rootfs.ROOT, "deploy/docker/engine.sh"), "answers")
    if address:
        return "docker", address
    return ("buildah" if output_of("buildah", "--version") else ""), ""


def load(built, tool, address):
    for path, tag, _, _ in built:
        if tool == "docker":
            host = ["--host", address] if address else []
            command = ["docker", *host, "load", "--quiet", "--input", path]
        else:
            command = ["buildah", "pull", "--quiet", "docker-archive:" + path]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit("images: %s does not take %s:\n%s" % (tool, tag, done.stdout))


def main():
    cache = os.environ.get("NIGHTJAR_CACHE") or os.path.expanduser("~/.cache/nightjar")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--folder", default=os.path.join(cache, "images"))
    parser.add_argument("--load", action="store_true", help="into whichever is there")
    parser.add_argument("--load-with", choices=["docker", "buildah"])
    options = parser.parse_args()
    check_machine()
    built, base = build(options.binaries, options.folder)
    for path, tag, identity, size in built:
        print("%-32s %s %6.1f MB  %s" % (tag, identity[:12], size / 1e6, path))
    print("%.1f MB of each is one layer that all share" % (base / 1e6))
    if options.load or options.load_with:
        tool, address = engine()
        if options.load_with and options.load_with != tool:
            tool, address = options.load_with, ""
        if not tool:
            print("not loaded: no Docker engine answers, and there is no buildah")
            return
        load(built, tool, address)
        print("loaded into %s %s" % (tool, address))


if __name__ == "__main__":
    main()
