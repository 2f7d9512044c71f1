"""A network and a file system of its own for a test, so that documents can use default ports and
/etc/nightjar on any machine."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

MARK = "NIGHTJAR_DOCS_NAMESPACE"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
STAGES = ("es-reader", "scorer", "ae-forwarder", "alert-poller", "analytics-engine")
# As root, else as the root of a user namespace.
WAYS = (["unshare", "-n", "-m"], ["unshare", "-r", "-n", "-m"])


def enter():
    """Runs this program anew where only loopback exists and /etc, /var/lib and /run are its own.

    Returns the temporary folder to work in; None where the machine does not allow it.
    """
    if MARK not in os.environ:
        for way in WAYS:
            if subprocess.run([*way, "mount", "-t", "tmpfs", "t", "/mnt"], check=False).returncode:
                continue
            folder = tempfile.mkdtemp(prefix="nightjar-docs-")
            environment = dict(os.environ, **{MARK: folder})
            # Bash as the first process reaps whatever is left by its parents.
            inside = ["bash", "-c", '"$@"; exit $?', "-", sys.executable, "-B", *sys.argv]
            done = subprocess.run(
                [*way, "--kill-child", "-p", "-f", "--mount-proc", *inside],
                env=environment,
                check=False,
            )
            shutil.rmtree(folder, ignore_errors=True)
            sys.exit(done.returncode)
        return None
    folder = os.environ[MARK]
    loopback_up()
    private_folders(folder)
    return folder


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def private_folders(folder):
    """A copy of /etc in which stages have names, and empty /var/lib and /run."""
    etc = os.path.join(folder, "etc")
    subprocess.run(["cp", "-a", "/etc", etc], check=True)
    with open(os.path.join(etc, "hosts"), "a", encoding="utf-8") as hosts:
        hosts.write("127.0.0.1 %s\n" % " ".join(STAGES))
    subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
    for place in ("/var/lib", "/run"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", place], check=True)
