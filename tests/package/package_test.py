#!/usr/bin/env python3
"""The quickstart on bare Debian machines: from nothing to alerts by the package and by the tarball,
an upgrade while telemetry flows, removal.

    package_test.py BINARIES [--tarball_on SUITE] [--tarball_only]

Needs root, debootstrap, systemd-nspawn.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time

import stand
from machine import Machine
from stand import check, say, wait_for

SUITE = "bookworm"  # whose libraries the package depends on
# What is in Elasticsearch before Nightjar comes, and what must be found in it.
BEFORE = ["dns-tunnel-iodine", "port-scan", "office"]
EXPECTED = {("10.20.0.21", "multiple_long_hostnames"), ("10.20.0.25", "outbound_port_scan")}
BEFORE_SPEED = 1000
# What arrives during the upgrade: some 25 s long.
DURING = ["office", "dns-tunnel-txt", "upload-443"]
DURING_SPEED = 30
SERVICES = ["nightjar-%s.service" % name for name in stand.HTTP_PORTS]
FIRST_EVENT_SECONDS = 600
EXPOSURE_MAX = 20  # tenths
ALERTS = "/var/log/nightjar/alerts.json"


def first_events(machine, here, blocks, began):
    """Runs the blocks; seconds from `began` to the first accepted event."""
    seconds = None
    for block in blocks:
        stand.run_block(machine, block)
        if seconds is None and here.up("ae-forwarder"):
            wait_for("an event is accepted", lambda: here.totals("ae-forwarder")[2] > 0)
            seconds = time.time() - began
    check(seconds is not None and seconds < FIRST_EVENT_SECONDS, "first own events at the engine")
    return seconds


def settle(here, journal=""):
    """Waits until every document of Elasticsearch has ended, in balanced books; the number that
    was accepted. `journal` has the last words of the stages before a restart."""
    documents = here.count()
    wait_for(
        "the position is behind all %d documents" % documents,
        lambda: here.up("es-reader") and here.position() == documents,
    )
    ended, accepted = here.ended("es-reader", journal)
    text = "Elasticsearch %d, ended %d, of these read again %d, accepted %d"
    say(text % (documents, ended, ended - documents, accepted))
    check(ended >= documents, "no document is missing")
    if not journal:
        check(ended == documents, "each ended once")
    at_engine = here.ended("analytics-engine", journal)[1]
    check(at_engine == accepted, "the engine has the %d accepted ones, none twice" % accepted)
    for stage in ("es-reader", "scorer", "ae-forwarder"):
        read, done, _, in_flight = here.totals(stage)
        check(read == done and in_flight == 0, "%s: read %d = ended %d" % (stage, read, done))
    return accepted


def await_alerts(machine):
    def arrived():
        path = machine.path(ALERTS)
        if not os.path.exists(path):
            return False
        with open(path, encoding="utf-8") as file:
            whole = "".join(line for line in file if line.endswith("\n"))
        return EXPECTED <= stand.threats(whole)

    wait_for("the alerts %s" % sorted(EXPECTED), arrived)
    say("ok: the expected alerts are in the sink's file")


def check_units(machine):
    """What systemd thinks of the units, and that they hold what they promise."""
    machine.run("systemd-analyze verify --man=no nightjar.target %s" % " ".join(SERVICES))
    for service in SERVICES:
        command = "systemd-analyze security --no-pager --offline=true --threshold=%d %s"
        text = machine.run(command % (EXPOSURE_MAX, service))
        say(text.strip().splitlines()[-1].strip())
    for service in SERVICES:
        text = machine.run("systemctl show -p MainPID --value " + service)
        status = machine.run("cat /proc/%s/status" % text.strip())
        check("Seccomp:\t2" in status and "NoNewPrivs:\t1" in status, service + " is sandboxed")
        check(re.search(r"CapBnd:\t0+\n", status), service + " has no capability")
        check(re.search(r"Uid:\t([1-9]\d*)\t\1\t\1\t\1\n", status), service + " is not root")
    modes = machine.run("stat -c '%a %U %n' /var/lib/nightjar /var/lib/nightjar/* /etc/nightjar/*")
    check("700 nightjar /var/lib/nightjar\n" in modes, "the state is nightjar's alone")
    check("640 root /etc/nightjar/config.yml" in modes, "the configuration is not public")
    check("750 root /etc/nightjar/secrets" in modes, "nor are the secrets")


def check_restarts(machine):
    """A stage that dies comes back alone; a wrong configuration and an unused stage do not run."""
    show = "systemctl show -p MainPID -p NRestarts -p ActiveState -p Result -p ExecMainStatus "
    others = [name for name in SERVICES if "scorer" not in name]
    pids = "systemctl show -p MainPID " + " ".join(others)
    before = machine.run(pids)
    machine.run("systemctl kill --kill-who=main --signal=KILL nightjar-scorer.service")
    wait_for("scorer is back", lambda: "NRestarts=1" in machine.run(show + "nightjar-scorer"))
    check(machine.run(pids) == before, "a killed stage is started again, alone")
    machine.run("systemctl reload 'nightjar-*'")
    check(machine.run(pids) == before, "a reload restarts nobody")

    keep, back = (
        "cp -p /etc/nightjar/config.yml kept.yml; ",
        "cp -p kept.yml /etc/nightjar/config.yml",
    )
    machine.run(keep + "echo 'scorring: {}' >>/etc/nightjar/config.yml")
    machine.run("systemctl restart nightjar-scorer.service")
    wait_for("scorer failed", lambda: "=failed" in machine.run(show + "nightjar-scorer"))
    text = machine.run(show + "nightjar-scorer; journalctl -u nightjar-scorer -n 5 --no-pager")
    check(
        "ExecMainStatus=78" in text and "NRestarts=0" in text and "scorring" in text,
        "a wrong configuration is said in the journal and not tried again",
    )
    machine.run(
        back + "; sed -i 's|host: local|host: https://engine.invalid|'"
        " /etc/nightjar/config.yml; systemctl restart nightjar-analytics-engine.service"
    )
    text = machine.run(show + "nightjar-analytics-engine")
    check("ActiveState=inactive" in text, "the engine that is not used does not run")
    machine.run(back + "; systemctl start nightjar-scorer nightjar-analytics-engine")
    wait_for("all are READY", lambda: "DEGRADED" not in machine.run("nightjar status || true"))


def upgrade(machine, here, package):
    """To a higher version while telemetry flows; the journal of all that stopped."""
    version = os.path.basename(package).split("_")[1]
    playing = here.play(DURING, DURING_SPEED)
    before = here.ended("es-reader")[0]
    wait_for("telemetry flows", lambda: here.ended("es-reader")[0] > before + 200)
    began = time.time()
    shutil.copy(package, machine.path("/root"))
    machine.run("apt-get install -y ./%s" % os.path.basename(package))
    say("upgraded in %.1f s, in the midst of telemetry" % (time.time() - began))
    check(playing.poll() is None, "telemetry flows still")
    check(playing.wait() == 0, "everything was indexed")
    check(version in machine.run("dpkg-query -W -f '${Version}' nightjar"), "it is " + version)
    programs = machine.run("readlink /proc/[0-9]*/exe | grep nightjar")
    check(programs.count("\n") == 5 and "deleted" not in programs, "all run the new programs")
    check("reader" in machine.run("grep username: /etc/nightjar/config.yml"), "values are kept")
    check("enabled" in machine.run("systemctl is-enabled nightjar.target"), "and enabled")
    starts = machine.run("journalctl -u 'nightjar-*' --no-pager -o cat")
    check(len(stand.STOPPED.findall(starts)) >= 4, "every stage with events said its books")
    return starts


def remove(machine):
    """remove keeps what is ours, purge leaves nothing behind."""
    machine.run("apt-get remove -y nightjar")
    running = machine.run("readlink /proc/[0-9]*/exe || true")
    check("nightjar" not in running, "after remove nothing runs")
    kept = machine.run(
        "ls /etc/nightjar/config.yml /var/lib/nightjar/es_reader/state.json* || true"
    )
    check("config.yml\n" in kept and "state.json" in kept, "configuration and state are kept")
    machine.run("apt-get purge -y nightjar")
    left = machine.run(
        "find / -xdev -name '*nightjar*' -not -path '/proc/*' -not -path '/root/*' "
        "-not -path '/var/log/journal/*'; systemctl list-unit-files --no-legend 'nightjar*' || true"
    )
    check(left == "", "after purge nothing is left: %r" % left)


def by_package(here, deb, newer):
    machine = Machine(SUITE)
    try:
        shutil.copy(deb, machine.path("/root"))
        machine.boot()
        machine.environment.update(stand.VALUES)
        blocks = stand.section("Debian 12")
        began = time.time()
        stand.run_block(machine, blocks[0])
        check(
            "inactive" in machine.run("systemctl is-active 'nightjar*' || echo inactive")
            and "disabled" in machine.run("systemctl is-enabled nightjar.target || true"),
            "nothing runs before somebody has looked at the configuration",
        )
        seconds = first_events(machine, here, blocks[1:], began)
        await_alerts(machine)
        settle(here)
        check_units(machine)
        check_restarts(machine)
        # What came before is in other books: those of the restarts just made.
        accepted = settle(here, upgrade(machine, here, newer))
        remove(machine)
        return seconds, accepted
    except BaseException:
        print(machine.run("journalctl --no-pager -n 80") if machine.leader else "", flush=True)
        raise
    finally:
        machine.stop()


def by_tarball(here, suite, tarball):
    machine = Machine(suite)
    try:
        shutil.copy(tarball, machine.path("/root"))
        machine.boot()
        machine.environment.update(stand.VALUES)
        seconds = first_events(machine, here, stand.section("Any Linux"), time.time())
        await_alerts(machine)
        accepted = settle(here)
        mapped = machine.run("cat /proc/[0-9]*/maps | grep -o '/.*\\.so[.0-9]*' | sort -u")
        of_glibc = re.compile(r"/lib(c|m|resolv|nss_\w+)\.so|/ld-linux")
        ours = [line for line in mapped.splitlines() if "/opt/nightjar" in line]
        check(len(ours) > 50, "the libraries are the tarball's")
        check(not any(of_glibc.search(line) for line in ours), "glibc is the machine's")
        machine.run(
            "for process in /proc/[0-9]*; do case $(readlink $process/exe) in"
            " */bin/nightjar) kill ${process#/proc/};; esac; done"
        )
        wait_for("all have stopped", lambda: not here.up("es-reader") and not here.up("scorer"))
        check("stopped" in machine.run("tail -n 3 /var/log/nightjar/nightjar.log"), "a clean stop")
        return seconds, accepted
    finally:
        machine.stop()


def fetch_dependencies(deb):
    """While there is still a network."""
    machine = Machine(SUITE)
    try:
        shutil.copy(deb, machine.path("/root/nightjar.deb"))
        machine.fetch_dependencies("/root/nightjar.deb")
    finally:
        machine.stop()


def run(options, folder):
    tarball, deb = stand.make_packages(options.binaries, os.path.join(folder, "this"))
    higher = ["--version", "99.1", "--only", "deb"]
    (newer,) = stand.make_packages(options.binaries, os.path.join(folder, "newer"), *higher)
    Machine(options.tarball_on).stop()  # makes its root
    fetch_dependencies(deb)
    stand.leave_network()
    here = stand.Stand()
    try:
        check(here.play(BEFORE, BEFORE_SPEED).wait() == 0, "Elasticsearch has telemetry")
        if not options.tarball_only:
            by_deb, upgraded = by_package(here, deb, newer)
        # It reads the same documents with nothing in between: what an upgrade lost or doubled
        # makes a difference.
        by_tar, undisturbed = by_tarball(here, options.tarball_on, tarball)
        text = "from a bare machine to the first accepted event: tarball %.1f s" % by_tar
        if not options.tarball_only:
            check(upgraded == undisturbed, "the upgrade lost nothing, exactly")
            text += ", package %.1f s" % by_deb
        say("%s; %d values edited" % (text, len(stand.VALUES)))
    finally:
        here.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--tarball_on", default=SUITE, help="another release of Debian")
    parser.add_argument("--tarball_only", action="store_true")
    with tempfile.TemporaryDirectory(prefix="nightjar-packages-") as folder:
        run(parser.parse_args(), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
