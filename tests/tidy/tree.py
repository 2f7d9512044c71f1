"""The sources of the tree as the rules see them: path -> text, and C++ text without its
comments and literals."""

import os
import re

SKIPPED_FOLDERS = {".git", "__pycache__", "node_modules"}
# Recorded and deliberately odd bytes; only their size is anybody's business.
DATA_FOLDERS = ("tests/data/", "tests/fuzz/corpus/", "/testdata/")
TEXT_SUFFIXES = (
    ".bazelrc",
    ".bzl",
    ".cc",
    ".clang-format",
    ".clang-tidy",
    ".css",
    ".h",
    ".html",
    ".js",
    ".json",
    ".md",
    ".proto",
    ".py",
    ".service",
    ".sh",
    ".yaml",
    ".yml",
)
TEXT_NAMES = {"BUILD", "WORKSPACE", "Dockerfile", "dev", "run"}


def is_text(path):
    name = os.path.basename(path)
    return name in TEXT_NAMES or name.endswith(TEXT_SUFFIXES)


def is_data(path):
    return any(folder in "/" + path for folder in DATA_FOLDERS)


def read(root):
    """All text files below `root` that are ours: {path: text}."""
    tree = {}
    for folder, folders, names in os.walk(root):
        # Links lead out of the tree (Bazel makes some).
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED_FOLDERS and not os.path.islink(os.path.join(folder, name))
        ]
        for name in names:
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root)
            if is_text(path) and not is_data(path) and name != "user.bazelrc":
                with open(full, encoding="utf-8", errors="replace", newline="") as file:
                    tree[path] = file.read()
    return tree


_NOT_CODE = re.compile(
    r"//[^\n]*"
    r"|/\*.*?\*/"
    r'|R"([^()\\ ]*)\(.*?\)\1"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    r"|^[ \t]*#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE,
)


def code_only(text):
    """C++ text, comments, literals and preprocessor lines blanked; lines keep their numbers."""
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
