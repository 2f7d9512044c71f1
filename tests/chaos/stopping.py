#!/usr/bin/env python3
"""SIGTERM at bad moments: with the engine or Elasticsearch away, twice, during the start, to all
stages at once, to `nightjar start`.

    stopping.py BINARIES [CASE ...]

The load goes on through all cases; after each the stages run again, and in the end everything must
have arrived. Prints a line a case; exits 1 when a stage did not end in time with the code that it
should, or anything was lost.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time

from load import Verdict
from plant import EVENT_STAGES, STAGES, STOP_SECONDS_MAX, Plant

RATE = 500
ALERTS_PER_SECOND = 10
SECOND_SIGTERM_SECONDS_MAX = 1
GRACE_SECONDS = 45  # what service managers give before they kill
BODIES_MAX = 4 * 5000  # what a hung engine may have taken without an answer
STARTS_CUT_SHORT = 3  # of each stage


class Away:
    """An engine or Elasticsearch that answers nothing, or only 503, for a while."""

    def __init__(self, plant, name, leave=signal.SIGSTOP, come_back=signal.SIGCONT):
        self.pid = plant.pids[name]
        self.leave = leave
        self.come_back = come_back

    def __enter__(self):
        os.kill(self.pid, self.leave)
        time.sleep(3)  # until work is under way that cannot end

    def __exit__(self, *_):
        os.kill(self.pid, self.come_back)


def failing_engine(plant):
    return Away(plant, "fake-engine", signal.SIGUSR1, signal.SIGUSR2)


def hung_engine(plant):
    return Away(plant, "fake-engine")


def each_event_stage(away):
    """Each stage of the event path ends by itself, and starts, while the engine is away."""

    def case(plant):
        seconds = []
        for name in reversed(EVENT_STAGES):
            with away(plant):
                seconds.append(plant.restart(name, plant.binaries))
        return "%s took %s s" % (
            ", ".join(reversed(EVENT_STAGES)),
            ", ".join("%.1f" % taken for taken in seconds),
        )

    return case


def elasticsearch_hangs(plant):
    with plant.quiet, Away(plant, "elasticsearch"):
        seconds = plant.restart("es-reader", plant.binaries)
    return "es-reader took %.1f s" % seconds


def elasticsearch_is_down(plant):
    with plant.quiet:
        plant.crash_elasticsearch()
        time.sleep(1)
        seconds = plant.restart("es-reader", plant.binaries)
        plant.start_elasticsearch_again()
    return "es-reader took %.1f s" % seconds


def second_sigterm(plant):
    """Ends a drain at once; what was under way is sent by the next life."""
    slowest = 0.0
    for name in EVENT_STAGES:
        stage = plant.stages[name]
        with hung_engine(plant):
            stage.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            if stage.process.poll() is not None:
                stage.fault("did not drain with the engine away")
            stage.process.send_signal(signal.SIGTERM)
            taken = stage.await_end(time.time(), code=128 + signal.SIGTERM)
        if taken > SECOND_SIGTERM_SECONDS_MAX:
            stage.fault("took %.1f s to end at the second SIGTERM" % taken)
        stage.start(plant.binaries)
        slowest = max(slowest, taken)
    return "slowest %.2f s" % slowest


def during_the_start(plant):
    """Whenever it comes: 0, or ended by the signal while the program is loaded."""
    codes = {}
    for name in STAGES * STARTS_CUT_SHORT:
        stage = plant.stages[name]
        stage.stop()
        stage.launch(plant.binaries)
        time.sleep(random.uniform(0, 0.4))
        began = time.time()
        stage.process.send_signal(signal.SIGTERM)
        code = stage.process.wait(STOP_SECONDS_MAX + 20)
        if code not in (0, -signal.SIGTERM) or time.time() - began > STOP_SECONDS_MAX:
            stage.fault("cut short: code %d after %.1f s" % (code, time.time() - began))
        codes[code] = codes.get(code, 0) + 1
        stage.check_books()
        stage.start(plant.binaries)
    return "exit codes %s" % codes


def all_at_once(plant):
    began = time.time()
    for stage in plant.stages.values():
        stage.process.send_signal(signal.SIGTERM)
    slowest = max(stage.await_end(began) for stage in plant.stages.values())
    for name in reversed(STAGES):  # sources first: they must wait for the others
        plant.stages[name].start(plant.binaries)
    return "slowest %.1f s" % slowest


def all_at_once_engine_hangs(plant):
    with hung_engine(plant):
        return all_at_once(plant)


def supervisor(plant, away=None):
    """`nightjar start` stops its stages in order and ends within the grace of a service manager."""
    plant.stop_stages_of(EVENT_STAGES)
    log = os.path.join(plant.folder, "nightjar.log")
    process = plant.start(
        "nightjar",
        [
            os.path.join(plant.binaries, "services/cli/nightjar"),
            "start",
            "-c",
            plant.stages["scorer"].config,
        ],
    )
    delivered = os.path.getsize(plant.id_log)
    while os.path.getsize(plant.id_log) == delivered:
        if process.poll() is not None:
            sys.exit("nightjar start ended: %s" % plant.log("nightjar")[-2000:])
        time.sleep(0.1)
    with away(plant) if away else Nothing():
        began = time.time()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
        seconds = time.time() - began
    with open(log, encoding="utf-8") as file:
        stopped = re.findall(r"nightjar: (\S+) stopped", file.read())[-3:]
    if code != 0 or stopped != list(reversed(EVENT_STAGES)):
        plant.faults.append("nightjar start: exit code %s, stopped %s" % (code, stopped))
    for name in EVENT_STAGES:
        plant.stages[name].start(plant.binaries)
    return "took %.1f s" % seconds


class Nothing:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


CASES = {
    "failing": ("one by one, the engine answers 503", each_event_stage(failing_engine)),
    "hung": ("one by one, the engine answers nothing", each_event_stage(hung_engine)),
    "elastic-hangs": ("Elasticsearch answers nothing", elasticsearch_hangs),
    "elastic-down": ("Elasticsearch is down", elasticsearch_is_down),
    "second": ("a second SIGTERM during the drain", second_sigterm),
    "start": ("during the start", during_the_start),
    "all": ("all stages at once", all_at_once),
    "all-hung": ("all at once, the engine answers nothing", all_at_once_engine_hangs),
    "supervisor": ("nightjar start", supervisor),
    "supervisor-hung": (
        "nightjar start, the engine answers nothing",
        lambda plant: supervisor(plant, hung_engine),
    ),
}
REPEATING = {"hung", "second", "all-hung", "supervisor-hung"}  # an engine took, and did not say so


def run(plant, names):
    plant.start_all(plant.binaries)
    events, alerts = plant.start_load(RATE, ALERTS_PER_SECOND)
    for name in names:
        title, case = CASES[name]
        faults = len(plant.faults)
        said = case(plant)
        good = "ok" if len(plant.faults) == faults else "FAILED"
        print("%-15s %-42s %s  %s" % (name, title, said, good), flush=True)
    events.stop()
    alerts.stop()
    verdict = Verdict(plant, events.written, alerts.written)
    plant.stop_all()
    repeats_max = BODIES_MAX * len(REPEATING & set(names)) * len(EVENT_STAGES)
    print(
        "events %d, lost %d, twice %d (allowed %d), alerts %d, lost %d, twice %d"
        % (
            events.written,
            *verdict.events[:2],
            repeats_max,
            alerts.written,
            *verdict.alerts[:2],
        )
    )
    for fault in plant.faults:
        print("FAULT %s" % fault)
    exact = verdict.events[0] == 0 and verdict.events[1] <= repeats_max and verdict.events[2] == 0
    return exact and not any(verdict.alerts) and not plant.faults and not events.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("cases", nargs="*", help="names, default all: " + " ".join(CASES))
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error("no such case: %s" % " ".join(unknown))
    plant = Plant(options.binaries)
    try:
        good = run(plant, options.cases or list(CASES))
        if not good:
            plant.show_logs()
    finally:
        plant.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
