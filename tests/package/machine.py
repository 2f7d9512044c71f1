"""A bare Debian machine for tests: a minimal root file system under a real systemd, in a container
that shares the network of this process. Needs root."""

import fcntl
import os
import subprocess
import sys
import tempfile
import time

CACHE = os.environ.get("NIGHTJAR_CACHE", os.path.expanduser("~/.cache/nightjar"))
# What debootstrap's smallest variant lacks to be a machine.
INCLUDED = "systemd,systemd-sysv,ca-certificates"
BOOT_SECONDS = 60
STOP_SECONDS = 60
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe"]
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


def bare_root(suite):
    """Folder of a root file system as debootstrap leaves it, from the cache or made now."""
    base = os.path.join(CACHE, "debian", suite)
    os.makedirs(base, exist_ok=True)
    with open(os.path.join(base, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = os.path.join(base, "root")
        if not os.path.exists(root):
            made = tempfile.mkdtemp(prefix="new-", dir=base)
            os.chmod(made, 0o755)
            with open(os.path.join(base, "debootstrap.log"), "w", encoding="utf-8") as log:
                subprocess.run(
                    ["debootstrap", "--variant=minbase", "--include=" + INCLUDED, suite, made],
                    check=True,
                    stdout=log,
                    stderr=log,
                )
            os.rename(made, root)
        return root


class Machine:
    """Made from a bare root, whose files it does not change. stop() ends and removes it."""

    def __init__(self, suite="bookworm"):
        self.folder = tempfile.mkdtemp(prefix="nightjar-machine-", dir="/var/tmp")
        self.root = os.path.join(self.folder, "root")
        self.console = os.path.join(self.folder, "console.log")
        self.process = None
        self.leader = None  # number of its process 1, as seen from here
        self.environment = dict(ENVIRONMENT)
        lower = bare_root(suite)
        # Packages are fetched once; their lists grow old and are fetched again when need be.
        self.apt = []
        for kept in ("var/cache/apt/archives", "var/lib/apt/lists"):
            place = os.path.join(os.path.dirname(lower), os.path.basename(kept))
            os.makedirs(os.path.join(place, "partial"), exist_ok=True)
            self.apt.append("--bind=%s:/%s" % (place, kept))
        for name in ("root", "upper", "work"):
            os.mkdir(os.path.join(self.folder, name))
        layers = "lowerdir=%s,upperdir=%s/upper,workdir=%s/work"
        subprocess.run(
            ["mount", "-t", "overlay", "nightjar-machine", self.root]
            + ["-o", layers % (lower, self.folder, self.folder)],
            check=True,
        )

    def path(self, place):
        return self.root + place

    def fetch_dependencies(self, package):
        """Brings what `package` depends on to where apt looks first. For a machine without a
        network, before boot()."""
        fetch = ["apt-get", "install", "-qq", "-y", "--download-only", package]
        for command in (fetch, ["apt-get", "update", "-qq"], fetch):
            done = subprocess.run(
                NSPAWN + ["-D", self.root, *self.apt, "--pipe", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if command is fetch and done.returncode == 0:
                return
        raise RuntimeError("apt cannot fetch: %s" % done.stdout)

    def boot(self):
        with open(self.console, "w", encoding="utf-8") as console:
            self.process = subprocess.Popen(
                NSPAWN + ["-D", self.root, *self.apt, "--boot", "--resolv-conf=off"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        deadline = time.time() + BOOT_SECONDS
        while time.time() < deadline and self.process.poll() is None:
            self.leader = self.leader or self.find_leader()
            if self.leader and self.state() in ("running", "degraded"):
                return
            time.sleep(0.1)
        with open(self.console, encoding="utf-8", errors="replace") as console:
            raise RuntimeError("the machine does not boot: %s" % console.read()[-2000:])

    def find_leader(self):
        children = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with open(children, encoding="utf-8") as numbers:
            for number in numbers.read().split():
                with open("/proc/%s/comm" % number, encoding="utf-8") as name:
                    if name.read().strip() == "systemd":
                        return int(number)
        return None

    def state(self):
        return self.run("systemctl is-system-running 2>/dev/null || true").strip()

    def enter(self):
        """The command that runs what follows it inside."""
        inside = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p", "-n", "-C"]
        variables = ["%s=%s" % entry for entry in self.environment.items()]
        return inside + ["-r", "-w", "--", "env", "-i", "--chdir=/root", *variables]

    def run(self, commands, code=0):
        """Output of a shell's commands inside; RuntimeError unless they end with `code`."""
        done = subprocess.run(
            self.enter() + ["bash", "-euo", "pipefail", "-c", commands],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode != code:
            raise RuntimeError("%s: exit %d\n%s" % (commands, done.returncode, done.stdout))
        return done.stdout

    def shell(self):
        """A folder for the front of PATH whose `bash` is the machine's: documents run in it."""
        folder = os.path.join(self.folder, "shell")
        os.makedirs(folder, exist_ok=True)
        words = " ".join("'%s'" % word.replace("'", "'\\''") for word in self.enter())
        with open(os.path.join(folder, "bash"), "w", encoding="utf-8") as script:
            script.write('#!/bin/sh\nexec %s bash "$@"\n' % words)
        os.chmod(script.name, 0o755)
        return folder

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()  # an orderly power-off
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print("the machine does not stop, killed", file=sys.stderr)
                self.process.kill()
                self.process.wait()
        subprocess.run(["umount", self.root], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.folder], check=False)
