"""The compose stack of this tree in a folder, project and ports of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
COMPOSE = os.path.join(ROOT, "deploy/docker/compose.sh")
ENGINE = os.path.join(ROOT, "deploy/docker/engine.sh")
COPIED = ["deploy/certificates", "deploy/compose", "deploy/observability", "deploy/packetbeat"]
COPIED += ["deploy/docker", "deploy/local", "tests/data/captures"]
MADE = [".env", "backup", "certificates", "secrets", "tls"]  # of somebody's own use of the tree


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def output_of(*command, **options):
    """Standard output; RuntimeError with all that was said when the command fails."""
    done = subprocess.run(command, text=True, capture_output=True, errors="replace", **options)
    if done.returncode != 0:
        text = "%s: exit %d\n%s%s"
        raise RuntimeError(text % (" ".join(command), done.returncode, done.stdout, done.stderr))
    return done.stdout


def copy_tree():
    """A folder with what the stack needs of the tree, and nothing that was made there."""
    folder = tempfile.mkdtemp(prefix="nightjar-compose-")
    for path in COPIED:
        shutil.copytree(
            os.path.join(ROOT, path),
            os.path.join(folder, path),
            ignore=shutil.ignore_patterns(*MADE) if path == "deploy/compose" else None,
        )
    os.chmod(folder, 0o755)
    return folder


class Stack:
    """Commands in the folder of the compose file. `files` are those of COMPOSE_FILE."""

    def __init__(self, project, files, engine=""):
        self.tree = copy_tree()
        self.folder = os.path.join(self.tree, "deploy/compose")
        self.project = project
        tools = os.path.join(self.tree, "tools")
        os.mkdir(tools)
        with open(os.path.join(tools, "sudo"), "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nexec "$@"\n')  # the test is root
        os.chmod(os.path.join(tools, "sudo"), 0o755)
        path = [tools, output_of(COMPOSE, "path").strip(), os.environ["PATH"]]
        self.environment = dict(
            os.environ,
            PATH=":".join(path),
            COMPOSE_FILE=":".join(files),
            COMPOSE_PROJECT_NAME=project,
            COMPOSE_PROGRESS="quiet",
            SEARCH_PORT=str(free_port()),
            PROMETHEUS_PORT=str(free_port()),
        )
        if engine:
            self.environment["DOCKER_HOST"] = engine

    def run(self, *command, **environment):
        return output_of(*command, cwd=self.folder, env=dict(self.environment, **environment))

    def compose(self, *arguments, **environment):
        return self.run("docker", "compose", *arguments, **environment)

    def config(self, **environment):
        return json.loads(self.compose("config", "--format", "json", **environment))

    def remove(self):
        shutil.rmtree(self.tree)


def check(good, text):
    """One line a check, and the end at the first that fails."""
    print("%s %s" % ("ok:" if good else "FAILED:", text), flush=True)
    if not good:
        sys.exit(1)
