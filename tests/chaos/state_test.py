"""Today's stages go on with the state files that earlier releases left, and refuse with a clear
text what a later one may leave.

testdata/<release>/ is made by make_state.py with the binaries of that release.
"""

import glob
import json
import os
import shutil
import socket
import sqlite3
import threading
import time
import unittest

from load import AlertLoad, source
from make_state import ended_entries
from plant import STAGES, Host, Stage, sources_of

HERE = os.path.dirname(os.path.abspath(__file__))
BINARIES = os.getcwd()
PATIENCE_SECONDS = 30
EXIT_CONFIG = 78


class StateHost(Host):
    """Stages over a copy of a release's state, with nothing around them but a syslog server."""

    def __init__(self, release):
        super().__init__(BINARIES)
        # Without the modes and links of the tree: nobody else may read a state folder.
        shutil.copytree(release, self.alerts_state, copy_function=shutil.copyfile)
        for path, _, _ in os.walk(self.alerts_state):
            os.chmod(path, 0o700)
        os.chmod(os.path.join(self.alerts_state, "analytics_engine/local.key"), 0o600)
        with open(os.path.join(release, "expected.json"), encoding="utf-8") as file:
            self.expected = json.load(file)
        self.syslog = SyslogServer()
        config = self.write_alerts_config(
            ", syslog: {ip: 127.0.0.1, port: %d, proto: tcp}" % self.syslog.port
        )
        with open(config, "a", encoding="utf-8") as file:  # nobody listens there
            file.write(
                "inputs: {elastic: {enabled: true, hosts: ['http://127.0.0.1:1'], "
                "searches: [{event_type: dns, indices: [packetbeat-*], index_schema: ecs}]}}\n"
            )
        self.stages = {name: Stage(self, name, config) for name in STAGES}

    def refused(self, name):
        """The log of a stage that must not start."""
        stage = self.stages[name]
        stage.launch(BINARIES)
        code = stage.process.wait(PATIENCE_SECONDS)
        return code, stage.new_log()


class SyslogServer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lines = []
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            with connection.makefile(encoding="utf-8") as stream:
                for line in stream:
                    self.lines.append(line)


class StateTest(unittest.TestCase):
    def setUp(self):
        releases = sorted(glob.glob(os.path.join(HERE, "testdata/*/")))
        self.assertTrue(releases)
        self.hosts = [StateHost(release) for release in releases]

    def tearDown(self):
        for host in self.hosts:
            host.stop()
            self.assertEqual(host.faults, [])

    def test_the_reader_goes_on_where_it_was(self):
        for host in self.hosts:
            path = os.path.join(host.alerts_state, "es_reader/state.json")
            before = payload(path)
            self.assertTrue(before["shards"])
            reader = host.stages["es-reader"]
            reader.start(BINARIES)
            self.assertNotIn("first start", reader.new_log())
            reader.stop()
            after = payload(path)
            self.assertEqual(after["first_start_ms"], before["first_start_ms"])
            self.assertEqual(closed(after), closed(before))

    def test_the_forwarder_remembers_what_has_ended(self):
        for host in self.hosts:
            host.stages["ae-forwarder"].start(BINARIES)
            self.assertGreater(host.expected["ended_entries"], 0)
            self.assertEqual(ended_entries(host), host.expected["ended_entries"])
            host.stages["ae-forwarder"].stop()

    def test_the_engine_has_its_alerts_and_the_poller_what_a_dead_sink_has_not_taken(self):
        for host in self.hosts:
            host.stages["analytics-engine"].start(BINARIES)
            host.stages["alert-poller"].start(BINARIES)
            count = host.expected["alerts"]
            # One more from today: the bookmark is still good, and the file gets nothing again.
            AlertLoad(host, 0).raise_alerts(count, 1)
            deadline = time.time() + PATIENCE_SECONDS
            while len(host.syslog.lines) < count + 1 and time.time() < deadline:
                time.sleep(0.1)
            for name in ("alert-poller", "analytics-engine"):
                host.stages[name].stop()
            every = {source(number): 1 for number in range(count + 1)}
            self.assertEqual(sources_of(host.syslog.lines), every)
            self.assertEqual(host.delivered_sources(), {source(count): 1})

    def test_files_of_a_later_release_are_refused_with_the_way_out(self):
        for host in self.hosts:
            later_position(os.path.join(host.alerts_state, "es_reader/state.json"))
            replace(
                os.path.join(host.alerts_state, "ae_forwarder/ended.journal"),
                b"journal 1",
                b"journal 2",
            )
            database = sqlite3.connect(
                os.path.join(host.alerts_state, "analytics_engine/engine.db")
            )
            database.execute("PRAGMA user_version = 99")
            database.close()
            for stage, words in (
                ("es-reader", "format 2, made by a newer Nightjar; this one knows 1"),
                (
                    "ae-forwarder",
                    'made by a newer Nightjar; this one knows "nightjar ended journal 1"',
                ),
                ("analytics-engine", "version 99, made by a newer Nightjar; this one knows 1"),
            ):
                code, log = host.refused(stage)
                self.assertEqual(code, EXIT_CONFIG, log)
                self.assertIn(words, log)


def payload(path):
    with open(path, "rb") as file:
        return json.loads(file.read().split(b"\n", 1)[1])


def closed(position):
    return {shard["epoch"]: shard["closed"] for shard in position["shards"]}


def later_position(path):
    """The envelope is of today, with a checksum that is right; what is in it is not."""
    with open(path, "rb") as file:
        content = file.read().split(b"\n", 1)[1].replace(b'{"format":1,', b'{"format":2,')
    header = b'{"format":1,"generation":99,"bytes":%d' % len(content)
    with open(path, "wb") as file:
        file.write(header + b',"crc32c":"%08x"}\n' % crc32c(header + b"\n" + content) + content)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def replace(path, old, new):
    with open(path, "rb") as file:
        content = file.read()
    assert old in content, path
    with open(path, "wb") as file:
        file.write(content.replace(old, new))


if __name__ == "__main__":
    unittest.main()
