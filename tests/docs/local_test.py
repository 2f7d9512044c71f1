#!/usr/bin/env python3
"""Runs every `local` and `mtls` block of the documents against the real thing.

    local_test.py BINARIES [DOCUMENT ...]

BINARIES is a folder as bazel-bin. A real Elasticsearch on port 9200 takes recorded telemetry in,
`nightjar start` runs every stage on its default port, and the commands run as they are written.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import blocks  # noqa: E402
import mtls  # noqa: E402
import namespace  # noqa: E402
from stand import ROOT, Stand  # noqa: E402


def build_grpcurl():
    """Before the network is gone. Without it, blocks that need it are not run."""
    if namespace.MARK in os.environ:
        return
    elasticsearch = os.path.join(ROOT, "deploy/local/elasticsearch/elasticsearch.sh")
    subprocess.run([elasticsearch, "fetch"], check=True)
    script = os.path.join(ROOT, "tests/docs/grpcurl.sh")
    done = subprocess.run([script], stdout=subprocess.PIPE, text=True, check=False)
    os.environ["NIGHTJAR_DOCS_GRPCURL"] = done.stdout.strip()


def run_all(documents, harness, stand):
    absent = () if os.environ["NIGHTJAR_DOCS_GRPCURL"] else ("grpcurl",)
    ran = 0
    for path in documents:
        if not any(block.harness == harness for block in blocks.blocks(path)):
            continue
        if harness == "local":
            stand.start_nightjar()
        ran += blocks.run(path, harness, stand.folder, stand.environment, absent)
    return ran


def main():
    build_grpcurl()
    folder = namespace.enter()
    if folder is None:
        print("NOT RUN: no namespaces here, and documents use ports and folders of the system")
        return
    documents = [os.path.realpath(path) for path in sys.argv[2:]] or blocks.documents(ROOT)
    stand = Stand(sys.argv[1], folder, os.environ["NIGHTJAR_DOCS_GRPCURL"])
    stand.start_elasticsearch()
    stand.start_telemetry()
    stand.start_nfr(sys.argv[1])
    ran = run_all(documents, "local", stand)
    stand.stop_nightjar()
    mtls.start(stand)
    ran_mtls = run_all(documents, "mtls", stand)
    print("%d local and %d mtls blocks ran" % (ran, ran_mtls))
    if not sys.argv[2:] and not (ran and ran_mtls):
        sys.exit("no blocks were found")


if __name__ == "__main__":
    main()
