#!/usr/bin/env python3
"""The whole pipeline on this machine: a real Elasticsearch, every service, recorded telemetry
played into it.

    demo.py BINARIES [--once] [--folder FOLDER] [--speed 20]

BINARIES is the folder of built programs (bazel-bin). Without --once everything
stays up until Ctrl-C. With --once it exits 0
when every document was delivered and every stage's books balance, else 1.
"""

import argparse
import glob
import os
import signal
import subprocess
import sys
import time

from pipeline import ROOT, STAGES, Pipeline

SETTLE_SECONDS = 120


class Demo(Pipeline):
    def __init__(self, options):
        super().__init__(options.binaries, options.folder)
        self.options = options

    def say(self, text):
        print(text, flush=True)

    def start_all(self):
        self.say("state and logs: %s" % self.folder)
        elasticsearch = self.start_elasticsearch()
        self.say("elasticsearch:  %s" % elasticsearch)
        engine = self.start_fake_engine()
        self.say("engine:         %s (counts what it is sent)" % engine)
        self.start_stages(elasticsearch, engine)
        for name, _ in STAGES:
            self.say(
                "%-15s gRPC %s, http://%s/metrics"
                % (name + ":", self.addresses[name]["grpc"], self.addresses[name]["http"])
            )
        return elasticsearch

    def play(self, elasticsearch):
        """Plays the recordings, with a line of progress every two seconds; returns how many were
        indexed."""
        recordings = sorted(glob.glob(os.path.join(ROOT, "tests/data/captures/*.ndjson.gz")))
        arguments = [
            sys.executable,
            os.path.join(ROOT, "deploy/local/replay.py"),
            "--url",
            elasticsearch,
            "--speed",
            str(self.options.speed),
            "--template",
            os.path.join(ROOT, "tests/data/captures/index-template.json"),
        ] + recordings
        self.say(
            "\nplaying %d recordings, %g times faster than they happened"
            % (len(recordings), self.options.speed)
        )
        player = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.running.append(("replay", player))
        indexed, shown = 0, 0
        for line in player.stdout:
            indexed = int(line)
            if time.time() - shown > 2:
                shown = time.time()
                self.progress(indexed)
        if player.wait() != 0:
            sys.exit("demo: the recordings could not be indexed")
        return indexed

    def progress(self, indexed):
        read, _, accepted, _ = self.totals("es-reader")
        self.say(
            "  indexed %6d   read %6d   accepted by the engine %6d" % (indexed, read, accepted)
        )

    def settle(self, indexed):
        """Waits until everything indexed has ended. False when it does not come to that."""
        deadline = time.time() + SETTLE_SECONDS
        while time.time() < deadline:
            read, ended, _, in_flight = self.totals("es-reader")
            if read >= indexed and in_flight == 0 and ended == read:
                return True
            time.sleep(0.5)
        return False

    def report(self, indexed):
        """Prints where every event went; True when the books balance."""
        counts, _, _ = self.books("es-reader")
        self.say("\n%-6s %9s %9s   %s" % ("type", "read", "accepted", "the rest"))
        for kind in sorted({key[2] for key in counts}):
            read = counts.get(("read", "", kind), 0)
            accepted = counts.get(("accepted", "", kind), 0)
            rest = ", ".join(
                "%s(%s) %d" % (outcome, reason, n)
                for (outcome, reason, of), n in sorted(counts.items())
                if of == kind and outcome not in ("read", "accepted") and n
            )
            self.say("%-6s %9d %9d   %s" % (kind, read, accepted, rest))
        _, _, signals = self.books("scorer")
        self.say("\n%-24s %s" % ("signal", "events"))
        for name, count in sorted(signals.items(), key=lambda item: -item[1]):
            self.say("%-24s %6d" % (name, count))
        balanced = True
        self.say("")
        for name, _ in reversed(STAGES):
            read, ended, _, in_flight = self.totals(name)
            balanced = balanced and read == ended + in_flight
            self.say(
                "%-13s read %6d = ended %6d + in flight %d%s"
                % (
                    name,
                    read,
                    ended,
                    in_flight,
                    "" if read == ended + in_flight else "   DOES NOT BALANCE",
                )
            )
        read, _, _, _ = self.totals("es-reader")
        self.say(
            "indexed %d, read %d: %s"
            % (indexed, read, "nothing lost" if read == indexed else "NOT EQUAL")
        )
        return balanced and read == indexed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries")
    parser.add_argument("--once", action="store_true", help="exit when everything has arrived")
    parser.add_argument("--folder", help="keep state and logs here (default: a temporary folder)")
    parser.add_argument("--speed", type=float, default=20)
    options = parser.parse_args()
    demo = Demo(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        indexed = demo.play(demo.start_all())
        settled = demo.settle(indexed)
        good = demo.report(indexed) and settled
        if options.once:
            return 0 if good else 1
        demo.say(
            "\nup until Ctrl-C. Look further: curl http://%s/metrics"
            % demo.addresses["scorer"]["http"]
        )
        signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        demo.stop()


if __name__ == "__main__":
    sys.exit(main())
