#!/usr/bin/env python3
"""Stands before an Elasticsearch that has no users, and lets in who knows the password.

    gate.py PORT ELASTICSEARCH USER PASSWORD

Answers 401 without it, as a secured Elasticsearch does.
"""

import base64
import http.client
import http.server
import sys
import urllib.parse

PASSED_ON = ("content-type", "content-encoding", "content-length", "x-elastic-product")


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    elasticsearch = ""  # host:port
    wanted = ""  # the header Authorization

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != self.wanted:
            return self.reply(401, [("WWW-Authenticate", 'Basic realm="security"')], b"{}")
        inner = http.client.HTTPConnection(self.elasticsearch, timeout=60)
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        if "Accept-Encoding" in self.headers:
            headers["Accept-Encoding"] = self.headers["Accept-Encoding"]
        inner.request(self.command, self.path, body or None, headers)
        got = inner.getresponse()
        kept = [entry for entry in got.getheaders() if entry[0].lower() in PASSED_ON]
        text = got.read()
        inner.close()
        self.reply(
            got.status, [entry for entry in kept if entry[0].lower() != "content-length"], text
        )

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


def main():
    port, url, user, password = sys.argv[1:]
    Gate.elasticsearch = urllib.parse.urlsplit(url).netloc
    Gate.wanted = "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Gate).serve_forever()


if __name__ == "__main__":
    main()
