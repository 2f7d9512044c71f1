"""analytics-engine under load: the end at SIGTERM, and a backup of its database while it runs."""

import base64
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

BINARY = os.path.abspath("services/analytics_engine/analytics-engine")
STOP_SECONDS_MAX = 25
CLIENTS = 4
BODIES_BEFORE_MIN = 40


class Load:
    """Clients that post bodies of one alert each, from another source each, until told to end."""

    def __init__(self, api, key):
        self.api = api
        self.header = "Basic " + base64.b64encode((key + ":").encode()).decode()
        self.answered = []  # sources whose body was answered with 200
        self.lock = threading.Lock()
        self.ending = threading.Event()  # from now on the engine may be gone
        self.leaving = threading.Event()
        self.threads = [threading.Thread(target=self.post, args=(n,)) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def post(self, client):
        for number in range(65000):
            if self.leaving.is_set():
                return
            source = "10.%d.%d.%d" % (client, number // 256, number % 256)
            line = json.dumps({"srcIP": source, "query": "a%d.evil.example" % number})
            request = urllib.request.Request(
                self.api + "/v1/events/dns", line.encode(), {"Authorization": self.header}
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as reply:
                    body = json.load(reply)
            except OSError:
                body = None  # the engine is gone
            if self.ending.is_set() and body is None:
                return
            if body is None or body["accepted"] != 1:
                raise AssertionError("not taken: %s" % body)
            with self.lock:
                self.answered.append(source)

    def await_bodies(self, count):
        deadline = time.monotonic() + 60
        while len(self.answered) < count:
            if time.monotonic() > deadline:
                raise AssertionError("only %d bodies" % len(self.answered))
            time.sleep(0.02)
        with self.lock:
            return set(self.answered)

    def join(self):
        for thread in self.threads:
            thread.join()
        return set(self.answered)


def sources(path):
    """Sources of the alerts in a database that nobody has open."""
    database = sqlite3.connect(path)
    try:
        (check,) = database.execute("PRAGMA integrity_check").fetchone()
        assert check == "ok", check
        events = database.execute("SELECT event FROM alerts").fetchall()
    finally:
        database.close()
    return {json.loads(event)["srcIP"] for (event,) in events}


class EngineStateTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)
        with open(self.path("c2.txt"), "w", encoding="utf-8") as file:
            file.write("*.evil.example\n")
        with open(self.path("config.yml"), "w", encoding="utf-8") as file:
            file.write(
                "engine: {host: local}\nanalytics_engine: {listen: '127.0.0.1:0'}\n"
                "data: {dir: %s}\nscoring: {lists: [{name: c2, file: %s}]}\n"
                % (self.folder, self.path("c2.txt"))
            )
        self.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def database(self):
        return self.path("analytics_engine/engine.db")

    def start(self):
        addresses = self.path("addresses.json")
        if os.path.exists(addresses):
            os.unlink(addresses)
        command = [BINARY, "--config", self.path("config.yml"), "--listen", "127.0.0.1:0"]
        # pylint: disable-next=consider-using-with
        self.engine = subprocess.Popen(command + ["--address_file", addresses])
        self.addCleanup(self.engine.kill)
        while not os.path.exists(addresses):
            self.assertIsNone(self.engine.poll())
            time.sleep(0.02)
        with open(addresses, encoding="utf-8") as file:
            self.api = "http://" + json.load(file)["api"]
        with open(self.path("analytics_engine/local.key"), encoding="utf-8") as file:
            self.key = file.read().strip()

    def page(self, follow):
        login = base64.b64encode((self.key + ":").encode()).decode()
        request = urllib.request.Request(
            self.api + "/v1/alerts?follow=" + follow, headers={"Authorization": "Basic " + login}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    def first_alert(self, follow):
        return self.page(follow)["alerts"][0]["id"]

    def stop(self):
        """SIGTERM; returns how long the end took."""
        begin = time.monotonic()
        self.engine.send_signal(signal.SIGTERM)
        self.assertEqual(self.engine.wait(STOP_SECONDS_MAX), 0)
        return time.monotonic() - begin

    def test_a_stop_under_load_answers_what_is_under_way_and_leaves_one_whole_file(self):
        load = Load(self.api, self.key)
        load.await_bodies(BODIES_BEFORE_MIN)
        load.ending.set()
        self.stop()
        answered = load.join()
        self.assertFalse(os.path.exists(self.database + "-wal"))
        self.assertLessEqual(answered, sources(self.database))

    def test_a_client_that_never_ends_its_body_does_not_hold_the_stop_up(self):
        host, port = self.api.split("//")[1].split(":")
        with socket.create_connection((host, int(port))) as slow:
            login = base64.b64encode((self.key + ":").encode()).decode()
            slow.sendall(
                (
                    "POST /v1/events/dns HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                    "Authorization: Basic %s\r\n\r\n" % login
                ).encode()
            )
            ending = threading.Event()

            def drip():
                while not ending.wait(1):
                    try:
                        slow.sendall(b" ")
                    except OSError:
                        return

            thread = threading.Thread(target=drip)
            thread.start()
            time.sleep(1)
            seconds = self.stop()
            ending.set()
            thread.join()
        self.assertGreater(seconds, 10)  # it was given time

    def test_a_backup_of_the_running_engine_holds_every_body_that_was_answered_before(self):
        load = Load(self.api, self.key)
        answered = load.await_bodies(BODIES_BEFORE_MIN)
        copy = self.path("backup.db")
        if shutil.which("sqlite3"):
            # The command in services/analytics_engine/README.md.
            subprocess.run(["sqlite3", self.database, ".backup " + copy], check=True)
        else:
            source, target = sqlite3.connect(self.database), sqlite3.connect(copy)
            source.backup(target)
            source.close()
            target.close()
        self.assertLessEqual(answered, sources(copy))
        load.await_bodies(len(load.answered) + BODIES_BEFORE_MIN)  # it was not held up for good
        load.leaving.set()
        load.join()
        follow = self.page("")["follow"]
        self.stop()

        os.replace(copy, self.database)
        database = sqlite3.connect(self.database)
        with database:
            database.execute("UPDATE store SET id = lower(hex(randomblob(4)))")
        database.close()
        self.start()
        self.assertLessEqual(answered, sources(self.database))
        # The key is in the backup too, and a bookmark from after it is not taken for a place in it.
        self.assertEqual(self.first_alert(follow), self.first_alert(""))
        self.stop()


if __name__ == "__main__":
    unittest.main()
