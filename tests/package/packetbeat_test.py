#!/usr/bin/env python3
"""deploy/packetbeat/packetbeat.yml in a real Packetbeat, on real packets: what it writes is what
the pipeline takes.

    packetbeat_test.py BINARIES

Needs root; tests/package/packetbeat.sh builds Packetbeat where the cache lacks it.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import stand

CONFIG = os.path.join(stand.ROOT, "deploy/packetbeat/packetbeat.yml")
NAME = b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"  # 192.0.2.1
WANTED = {"dns", "http", "tls", "flow"}
LOST = ("quarantined", "rejected")
CAPTURE_SECONDS = 60
CLIENT, SERVER = "10.20.0.9", "198.51.100.7"


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def dns_server(port):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((SERVER, port))

    def serve():
        while True:
            query, client = server.recvfrom(512)
            reply = query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + NAME + ANSWER
            server.sendto(reply, client)

    threading.Thread(target=serve, daemon=True).start()


def tls_server(folder):
    key, certificate = os.path.join(folder, "tls.key"), os.path.join(folder, "tls.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key]
        + ["-out", certificate, "-subj", "/CN=www.example.com", "-days", "1"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-www", "-accept", SERVER + ":443", "-tls1_2"]
        + ["-key", key, "-cert", certificate],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def make_traffic(number):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind((CLIENT, 0))
        header = number.to_bytes(2, "big") + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        client.sendto(header + NAME, (SERVER, 53))
        client.recv(512)
    page = http.client.HTTPConnection(SERVER, 80, timeout=5, source_address=(CLIENT, 0))
    page.request("GET", "/login?user=me&password=canary-%d" % number)
    page.getresponse().read()
    page.close()
    subprocess.run(
        ["openssl", "s_client", "-connect", SERVER + ":443", "-bind", CLIENT + ":0"]
        + ["-servername", "www.example.com"],
        input=b"GET / HTTP/1.0\r\n\r\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=10,
    )


def bulk(elasticsearch, lines):
    call = urllib.request.Request(
        elasticsearch + "/_bulk?refresh=true",
        data=lines.encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    with urllib.request.urlopen(call, timeout=60) as reply:
        return json.load(reply)


class PacketbeatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        builder = os.path.join(stand.ROOT, "tests/package/packetbeat.sh")
        done = subprocess.run([builder], check=True, text=True, stdout=subprocess.PIPE)
        cls.packetbeat = done.stdout.strip()
        stand.leave_network()
        for address in (CLIENT, SERVER):
            subprocess.run(["ip", "address", "add", address + "/32", "dev", "lo"], check=True)
        cls.folder = tempfile.mkdtemp(prefix="nightjar-packetbeat-")
        cls.config = os.path.join(cls.folder, "packetbeat.yml")
        shutil.copy(CONFIG, cls.config)
        os.chmod(cls.config, 0o600)
        cls.environment = dict(os.environ, ES_KEY="id:key")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_packetbeat(self, *arguments, **options):
        command = [self.packetbeat, "-c", self.config, "--path.home", self.folder, *arguments]
        return subprocess.Popen(
            command,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **options,
        )

    def documents(self):
        place, found = os.path.join(self.folder, "out"), []
        for name in os.listdir(place) if os.path.isdir(place) else ():
            with open(os.path.join(place, name), encoding="utf-8") as file:
                found += [json.loads(line) for line in file if line.endswith("\n")]
        return found

    def capture(self):
        """Real packets of each kind on this network's loopback, as Packetbeat saw them."""
        dns_server(53)
        page = HTTPServer((SERVER, 80), Page)
        threading.Thread(target=page.serve_forever, daemon=True).start()
        tls = tls_server(self.folder)
        sensor = self.run_packetbeat(
            *["-E", "packetbeat.interfaces.device=lo", "-E", "output.elasticsearch.enabled=false"],
            *["-E", "output.file.path=" + os.path.join(self.folder, "out")],
        )
        try:
            deadline, number = time.time() + CAPTURE_SECONDS, 0
            while WANTED - {document["type"] for document in self.documents()}:
                self.assertLess(time.time(), deadline, [d["type"] for d in self.documents()])
                self.assertIsNone(sensor.poll(), "packetbeat ended")
                number += 1
                make_traffic(number)
                time.sleep(0.5)
        finally:
            sensor.terminate()
            sensor.communicate(timeout=30)
            tls.terminate()
            tls.wait()
        return self.documents()

    def test_packetbeat_takes_the_configuration(self):
        process = self.run_packetbeat("test", "config")
        output, _ = process.communicate(timeout=60)
        self.assertEqual((process.returncode, output.strip()), (0, "Config OK"))

    def test_what_it_writes_is_accepted_and_holds_no_password(self):
        documents = self.capture()
        self.assertNotIn("canary", json.dumps(documents))
        certificates = [d["tls"]["server"] for d in documents if d["type"] == "tls"]
        self.assertTrue(all(server["hash"]["sha1"] for server in certificates))
        here = stand.pipeline.Pipeline(BINARIES)
        try:
            elasticsearch = here.start_elasticsearch()
            lines = "".join(
                '{"create":{"_index":"packetbeat-7.17.29"}}\n%s\n' % json.dumps(document)
                for document in documents
            )
            reply = bulk(elasticsearch, lines)
            self.assertFalse(reply["errors"], reply)
            here.start_stages(elasticsearch, here.start_fake_engine())
            stand.wait_for(
                "all are read", lambda: here.totals("es-reader")[1] >= len(documents), 60
            )
            counts = here.books("es-reader")[0]
        finally:
            here.stop()
        print("books of the reader: %s" % counts)
        for kind in ("dns", "http", "tls", "ip"):
            self.assertGreater(counts.get(("accepted", "", kind), 0), 0, kind)
        lost = [key for key, count in counts.items() if key[0] in LOST and count]
        self.assertEqual(lost, [])


if __name__ == "__main__":
    BINARIES = sys.argv.pop(1)
    unittest.main()
