#!/usr/bin/env python3
"""Every stage ends and starts again under load, or becomes another release, and nothing is lost or
delivered twice.

    rolling.py BINARIES [--times 200] [--how sigterm|kill|freeze] [--old BINARIES] [--tls]
               [--rate 3000] [--seed N]

Stages in random order. sigterm: a stage must end by itself, with 0, within 25 s, and its books must
balance. kill: with SIGKILL. freeze: with SIGSTOP for 5 to 70 s. --old: all begin as the old
release; in every order of the stages of the event path, each becomes the new one and then, in
reverse, the old one again: 60 times, whatever --times says. After kills and freezes as much may
come twice as was on its way to the engine or to a sink. Exits 1 when it is not so.
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
# What a stage may repeat when it is not asked to end.
EVENTS_TWICE_MAX = {"ae-forwarder": 4 * 5000}
ALERTS_TWICE_MAX = {"alert-poller": 100, "analytics-engine": ALERTS_PER_SECOND}


def in_random_order(times, binaries):
    """Every stage equally often."""
    order = (STAGES * (times // len(STAGES) + 1))[:times]
    random.shuffle(order)
    return [(name, binaries) for name in order]


def forth_and_back(old, new):
    """In every order of the stages that events pass."""
    plan = []
    for number, order in enumerate(itertools.permutations(EVENT_STAGES)):
        alerts = ALERT_STAGES if number % 2 else ALERT_STAGES[::-1]
        stages = list(order) + alerts
        plan += [(name, new) for name in stages] + [(name, old) for name in reversed(stages)]
    return plan


def hurt(stage, binaries, how):
    """The seconds that a stop took."""
    if how == "freeze":
        stage.process.send_signal(signal.SIGSTOP)
        time.sleep(random.uniform(*FREEZE_SECONDS))
        stage.process.send_signal(signal.SIGCONT)
        return 0.0
    seconds = stage.kill() if how == "kill" else stage.stop()
    stage.start(binaries)
    return seconds


def roll(plant, plan, options):
    plant.start_all(options.old or options.binaries)
    events, alerts = plant.start_load(options.rate, ALERTS_PER_SECOND)
    watch = Watch(plant.id_log)
    watch.start()
    seconds = {}
    for name, binaries in plan:
        time.sleep(random.uniform(*PAUSE_SECONDS))
        taken = hurt(plant.stages[name], binaries, options.how)
        seconds.setdefault(name, []).append(taken)
    watch.stop()
    events.stop()
    alerts.stop()
    verdict = Verdict(plant, events.written, alerts.written)
    slowest = plant.stop_all()
    for name, taken in sorted(seconds.items()):
        print("  %-17s %3d times, slowest stop %.1f s" % (name, len(taken), max(taken)))
        slowest = max(slowest, *taken)
    print(
        "%s %d, events %d, lost %d, twice %d, alerts %d, lost %d, twice %d, slowest stop %.1f s, "
        "longest gap of delivery %.1f s, seed %d"
        % (
            {"sigterm": "restarts", "kill": "kills", "freeze": "freezes"}[options.how],
            len(plan),
            events.written,
            *verdict.events[:2],
            alerts.written,
            *verdict.alerts[:2],
            slowest,
            watch.longest,
            options.seed,
        )
    )
    print(
        "%.0f events a second were written; books of %d ended stages balanced; %d bodies of the "
        "alerts' client were cut off and posted again"
        % (events.written / max(events.seconds, 1), plant.books_closed, alerts.reposted)
    )
    return judge(plant, plan, options, events, verdict)


def judge(plant, plan, options, events, verdict):
    """True when it is as promised."""
    if events.failed or verdict.indexed != events.written:
        plant.faults.append("indexed %d of %d" % (verdict.indexed, events.written))
    for what, twice_max, (lost, twice, unexpected) in (
        ("events", EVENTS_TWICE_MAX, verdict.events),
        ("alerts", ALERTS_TWICE_MAX, verdict.alerts),
    ):
        allowed = sum(twice_max.get(name, 0) for name, _ in plan) * (options.how != "sigterm")
        if lost or unexpected or twice > allowed:
            plant.faults.append(
                "%s: lost %d, from nowhere %d, twice %d (allowed %d)"
                % (what, lost, unexpected, twice, allowed)
            )
    for fault in plant.faults:
        print("FAULT %s" % fault)
    return not plant.faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--how", choices=["sigterm", "kill", "freeze"], default="sigterm")
    parser.add_argument("--old", help="binaries of the release before: upgrade and roll back")
    parser.add_argument("--tls", action="store_true", help="mutual TLS between the stages")
    parser.add_argument("--rate", type=int, default=3000, help="documents a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    random.seed(options.seed)
    print("seed %d" % options.seed, flush=True)
    if options.old:
        plan = forth_and_back(options.old, options.binaries)
    else:
        plan = in_random_order(options.times, options.binaries)
    plant = Plant(options.binaries)
    try:
        if options.tls:
            plant.use_tls()
        good = roll(plant, plan, options)
        if not good:
            plant.show_logs()
    finally:
        plant.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
