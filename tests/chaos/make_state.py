#!/usr/bin/env python3
"""Keeps the state files of a release for state_test.py, as its own binaries leave them.

    make_state.py BINARIES FOLDER

The reader is killed before it has saved what the engine accepted, and a syslog sink is dead, so
that every file holds work that its next life has to do.
"""

import json
import os
import shutil
import sys
import time
import urllib.request

from plant import STAGES, Plant, free_port

EVENTS_PER_SECOND = 200
ALERTS_PER_SECOND = 8
KILLS_MAX = 20


def ended_entries(plant):
    """How many numbers the forwarder remembers because the reader has not saved them."""
    with open(plant.stages["ae-forwarder"].address_file, encoding="utf-8") as file:
        url = "http://%s/metrics" % json.load(file)["http"]
    with urllib.request.urlopen(url, timeout=5) as page:
        for line in page.read().decode().splitlines():
            if line.startswith("nightjar_forwarder_ended_entries"):
                return int(float(line.split()[-1]))
    sys.exit("make_state: the forwarder does not say what it remembers")


def kill_reader_with_unsaved_work(plant):
    reader = plant.stages["es-reader"]
    for _ in range(KILLS_MAX):
        reader.process.kill()
        reader.process.wait()
        time.sleep(2)  # what is under way ends
        if ended_entries(plant):
            return
        reader.start(plant.binaries)
        time.sleep(1.3)
    sys.exit("make_state: %d kills, and the reader had always saved everything" % KILLS_MAX)


def make(plant, folder):
    plant.start_all(plant.binaries)
    events, alerts = plant.start_load(EVENTS_PER_SECOND, ALERTS_PER_SECOND)
    time.sleep(3)
    kill_reader_with_unsaved_work(plant)
    events.stop()
    alerts.stop()
    while len(plant.delivered_sources()) < alerts.written:
        time.sleep(0.2)
    expected = {"ended_entries": ended_entries(plant), "alerts": alerts.written}
    for name in reversed(STAGES):
        if name != "es-reader":
            plant.stages[name].stop()
    for half in ("state", "alerts-state"):
        shutil.copytree(os.path.join(plant.folder, half), folder, dirs_exist_ok=True)
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(expected) + "\n")
    print("%s: %s" % (folder, expected))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    plant = Plant(sys.argv[1], ", syslog: {ip: 127.0.0.1, port: %d, proto: tcp}" % free_port())
    try:
        make(plant, sys.argv[2])
    finally:
        plant.stop()
    return 1 if plant.faults else 0


if __name__ == "__main__":
    sys.exit(main())
