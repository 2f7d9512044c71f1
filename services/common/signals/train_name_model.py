#!/usr/bin/env python3
"""Makes name_model.inc: how surprising each pair of characters is in benign domain labels.

usage: train_name_model.py NAMES.txt.gz ... > name_model.inc

Each input is a gzip'd text file with one registrable domain a line. The shipped table was made from
one half (after a seeded shuffle) of 572,248 long-tail and 171,821 popular public domains.
"""
import gzip
import math
import random
import sys

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"
SECOND_LEVEL = {"co", "com", "net", "org", "gov", "ac", "edu", "or", "ne", "go"}


def label(domain):
    parts = domain.split(".")
    if len(parts) >= 3 and len(parts[-1]) == 2 and parts[-2] in SECOND_LEVEL:
        return parts[-3]
    return parts[-2] if len(parts) >= 2 else ""


def training_half(path):
    with gzip.open(path, "rt", errors="replace") as lines:
        labels = [label(line.strip()) for line in lines]
    labels = [s for s in labels if s and not s.startswith("xn--") and set(s) <= set(ALPHABET)]
    random.shuffle(labels)
    return labels[: len(labels) // 2]


def main():
    random.seed(1)
    counts = {a: {b: 0.5 for b in ALPHABET} for a in ALPHABET}
    ends = {a: 0.5 for a in ALPHABET}  # a label that ends after `a`
    for path in sys.argv[1:]:
        for text in training_half(path):
            for a, b in zip(text, text[1:]):
                counts[a][b] += 1
            ends[text[-1]] += 1
    for a in ALPHABET:
        total = sum(counts[a].values()) + ends[a]
        bits = [-math.log2(counts[a][b] / total) for b in ALPHABET]
        row = "".join(chr(35 + min(round(4 * x), 91)) for x in bits)
        print('R"(%s)",' % row)


if __name__ == "__main__":
    main()
