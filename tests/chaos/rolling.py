#!/usr/bin/env python3
"""Rolling restarts and upgrades under load: every stage ends at SIGTERM and starts again, and
nothing is lost or delivered twice.

    rolling.py BINARIES [--restarts 200] [--seed N] [--rate 3000] [--tls]
               [--old BINARIES] [--freeze N]

Without --old: stages in random order. With --old: all stages begin as the old release; in every
order of the stages of the event path, each becomes the new one and then, in reverse, the old one
again: that many restarts, whatever --restarts says. --freeze holds random stages for 5 to 70 s
instead of restarting them. Exits 1 when anything was lost or came twice, a stage did not end by
itself with 0 within 25 s, or its books did not balance.
"""

import argparse
import itertools
import random
import signal
import sys
import time

from load import Verdict, Watch
from plant import ALERT_STAGES, EVENT_STAGES, STAGES, Plant

ALERTS_PER_SECOND = 20
PAUSE_SECONDS = (0.3, 2.5)  # between two restarts: long enough to work, short enough to overlap
FREEZE_SECONDS = (5, 70)  # a silent peer is given up after 45 s


def restarts(count, binaries):
    """Every stage equally often, in random order."""
    order = (STAGES * (count // len(STAGES) + 1))[:count]
    random.shuffle(order)
    return [(name, binaries) for name in order]


def upgrades(old, new):
    """Forth and back, in every order of the stages that events pass."""
    plan = []
    for number, order in enumerate(itertools.permutations(EVENT_STAGES)):
        alerts = ALERT_STAGES if number % 2 else ALERT_STAGES[::-1]
        stages = list(order) + alerts
        plan += [(name, new) for name in stages] + [(name, old) for name in reversed(stages)]
    return plan


def roll(plant, plan, seconds):
    slowest = 0.0
    for name, binaries in plan:
        time.sleep(random.uniform(*PAUSE_SECONDS))
        taken = plant.restart(name, binaries)
        seconds.setdefault(name, []).append(taken)
        slowest = max(slowest, taken)
    return slowest


def freeze(plant, count):
    for name, _ in restarts(count, ""):
        time.sleep(random.uniform(*PAUSE_SECONDS))
        process = plant.stages[name].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(random.uniform(*FREEZE_SECONDS))
        process.send_signal(signal.SIGCONT)


def run(plant, options, seed):
    plan = (
        upgrades(options.old, options.binaries)
        if options.old
        else restarts(options.restarts, options.binaries)
    )
    plant.start_all(options.old or options.binaries)
    events, alerts = plant.start_load(options.rate, ALERTS_PER_SECOND)
    watch = Watch(plant.id_log)
    watch.start()
    seconds = {}
    if options.freeze:
        freeze(plant, options.freeze)
        plan = []
    slowest = roll(plant, plan, seconds)
    watch.stop()
    events.stop()
    alerts.stop()
    verdict = Verdict(plant, events.written, alerts.written)
    slowest = max(slowest, plant.stop_all())
    for name, taken in sorted(seconds.items()):
        print("  %-17s %3d stops, slowest %.1f s" % (name, len(taken), max(taken)))
    return report(
        plant, options, seed, (len(plan), events, alerts, verdict, slowest, watch.longest)
    )


def report(plant, options, seed, figures):
    """Prints the line; True when it is as promised."""
    count, events, alerts, verdict, slowest, gap = figures
    what = "freezes %d" % options.freeze if options.freeze else "restarts %d" % count
    print(
        "%s, events %d, lost %d, twice %d, alerts %d, lost %d, twice %d, slowest stop %.1f s, "
        "longest gap of delivery %.1f s, seed %d"
        % (
            what,
            events.written,
            *verdict.events[:2],
            alerts.written,
            *verdict.alerts[:2],
            slowest,
            gap,
            seed,
        )
    )
    if verdict.indexed != events.written or events.failed:
        plant.faults.append("indexed %d of %d" % (verdict.indexed, events.written))
    if verdict.events[2] or verdict.alerts[2]:
        plant.faults.append("came out of nowhere: %s, %s" % (verdict.events, verdict.alerts))
    print(
        "%.0f events a second were written; books of %d ended stages balanced; %d bodies of the "
        "alerts' client were cut off and posted again"
        % (events.written / max(events.seconds, 1), plant.books_closed, alerts.reposted)
    )
    for fault in plant.faults:
        print("FAULT %s" % fault)
    return not plant.faults and not any(verdict.events + verdict.alerts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--restarts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--rate", type=int, default=3000, help="documents a second")
    parser.add_argument("--old", help="binaries of the release before: upgrade and roll back")
    parser.add_argument("--tls", action="store_true", help="mutual TLS between the stages")
    parser.add_argument("--freeze", type=int, default=0, help="SIGSTOP so often, no restarts")
    options = parser.parse_args()
    random.seed(options.seed)
    print("seed %d" % options.seed, flush=True)
    plant = Plant(options.binaries)
    try:
        if options.tls:
            plant.use_tls()
        good = run(plant, options, options.seed)
        if not good:
            plant.show_logs()
    finally:
        plant.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
