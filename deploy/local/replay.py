#!/usr/bin/env python3
"""Plays recorded Packetbeat documents into Elasticsearch, faster than they happened, with times
moved to now.

    replay.py --url http://127.0.0.1:9200 --speed 20 RECORDING.ndjson.gz ...

The documents of all recordings are merged by @timestamp; every time in them is shifted by the
same amount, so that the last one is written at the moment its own @timestamp names. Writes the
number of documents indexed so far on stdout, a line a second; exits 1 when Elasticsearch refuses a
document. With --user the password is the first line of --password_file.
"""

import argparse
import base64
import datetime
import gzip
import itertools
import json
import re
import ssl
import sys
import time
import urllib.request

BULK_DOCUMENTS = 500
TIME_FIELD = re.compile(r'"(@timestamp|start|end|ingested|created)":"(\d{4}-\d\d-\d\dT[\d:.]+Z)"')


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def render(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (moment.microsecond // 1000)


def load(paths):
    """(time, line) of every document, in order."""
    documents = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                documents.append((parse(json.loads(line)["@timestamp"]), line.rstrip("\n")))
    documents.sort(key=lambda document: document[0])
    return documents


def request(method, url, body):
    call = urllib.request.Request(
        url, data=body.encode(), method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(call, timeout=60) as reply:
        return json.load(reply)


def trust(ca_file, user, password_file):
    """For every request from now on: whose certificates are good, and who asks."""
    context = ssl.create_default_context(cafile=ca_file)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    if user:
        with open(password_file, encoding="utf-8") as file:
            token = base64.b64encode(("%s:%s" % (user, file.readline().strip())).encode())
        opener.addheaders = [("Authorization", "Basic " + token.decode())]
    urllib.request.install_opener(opener)


def bulk(url, batch, shift):
    """Indexes a batch into the day's index of each document."""
    lines = []
    for moment, line in batch:
        day = datetime.datetime.fromtimestamp(moment + shift, datetime.timezone.utc)
        lines.append('{"create":{"_index":"packetbeat-7.17.29-%s"}}' % day.strftime("%Y.%m.%d"))
        lines.append(
            TIME_FIELD.sub(
                lambda m: '"%s":"%s"' % (m.group(1), render(parse(m.group(2)) + shift)), line
            )
        )
    reply = request(
        "POST", url + "/_bulk?filter_path=errors,items.*.error", "\n".join(lines) + "\n"
    )
    if reply["errors"]:
        sys.exit("replay: Elasticsearch refused a document: %s" % json.dumps(reply)[:500])


def play(url, documents, speed):
    first, last = documents[0][0], documents[-1][0]
    began = time.time()
    shift = began + (last - first) / speed - last
    indexed, reported = 0, 0.0
    while indexed < len(documents):
        due = first + (time.time() - began) * speed
        end = indexed
        while end < len(documents) and end - indexed < BULK_DOCUMENTS and documents[end][0] <= due:
            end += 1
        if end > indexed:
            bulk(url, documents[indexed:end], shift)
            indexed = end
        else:
            time.sleep(0.02)
        if time.time() - reported > 1 or indexed == len(documents):
            print(indexed, flush=True)
            reported = time.time()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="of Elasticsearch")
    parser.add_argument("--speed", type=float, default=20, help="times faster than recorded")
    parser.add_argument("--template", help="index template (JSON) to install first")
    parser.add_argument("--ca_file", help="who signed Elasticsearch's certificate")
    parser.add_argument("--user", help="whose password is in --password_file")
    parser.add_argument("--password_file")
    parser.add_argument("--rounds", type=int, default=1, help="play them so often; 0: for ever")
    parser.add_argument("recordings", nargs="+")
    options = parser.parse_args()
    trust(options.ca_file, options.user, options.password_file)
    if options.template:
        with open(options.template, encoding="utf-8") as template:
            request("PUT", options.url + "/_index_template/packetbeat", template.read())
    documents = load(options.recordings)
    rounds = itertools.count() if options.rounds == 0 else range(options.rounds)
    for _ in rounds:
        play(options.url, documents, options.speed)


if __name__ == "__main__":
    main()
