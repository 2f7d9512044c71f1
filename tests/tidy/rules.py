"""The rules of the tree.

Each takes {path: text} and yields (path, line, what is wrong and what to do).
"""

import os
import re
import subprocess
import tempfile

import functions
import tree as tree_module

FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 400


def _files(tree, *suffixes):
    return [(path, text) for path, text in sorted(tree.items()) if path.endswith(suffixes)]


def _matches(path, text, pattern, message):
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield path, text.count("\n", 0, match.start()) + 1, message


def function_length(tree):
    spans = [(path, functions.in_cpp(text)) for path, text in _files(tree, ".cc", ".h")]
    spans += [(path, functions.in_python(text)) for path, text in _files(tree, ".py")]
    for path, found in spans:
        for first, last in found:
            lines = last - first + 1
            if lines > FUNCTION_LINES_MAX:
                yield path, first, f"function of {lines} lines: split, at most {FUNCTION_LINES_MAX}"


def line_length(tree):
    for path, text in _files(tree, ".cc", ".h", ".proto", ".py", ".sh"):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_COLUMNS_MAX:
                yield path, number, f"line of {len(line)} columns: break it at {LINE_COLUMNS_MAX}"


def file_length(tree):
    for path, text in _files(tree, ".cc", ".h", ".proto", ".py", ".sh"):
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            yield path, FILE_LINES_MAX, f"file of {lines} lines: split, at most {FILE_LINES_MAX}"


# (what, pattern, allowed in paths, what to do)
BANNED = [
    (
        "absl::Now",
        r"\babsl::Now\b",
        r"^services/common/clock/|^tests/(e2e|fakes|tools)/",
        "take a Clock&",
    ),
    (
        "sleep",
        r"\b(sleep_for|sleep_until|nanosleep|usleep|sleep)\s*\(",
        r"^services/common/clock/|^tests/(e2e|fakes|tools)/",
        "wait on a Clock& or a condition variable",
    ),
    (
        "printing",
        r"\bstd::cout\b|\bprintf\s*\(",
        r"^services/cli/|^tests/|main\.cc$|_test\.cc$",
        "log with spdlog, or return text",
    ),
    ("using namespace", r"\busing\s+namespace\b", None, "write names out"),
    ("absl::Mutex", r"\babsl::Mutex\b", None, "use std::mutex, which ThreadSanitizer sees"),
]


def banned_words(tree):
    for path, text in _files(tree, ".cc", ".h"):
        code = tree_module.code_only(text)
        for what, pattern, allowed, advice in BANNED:
            if allowed is None or not re.search(allowed, path):
                yield from _matches(path, code, pattern, f"{what} is banned here: {advice}")
        if path.endswith(".h"):
            yield from _matches(
                path,
                code,
                r"\bstd::string_view\b",
                "std::string_view in a header: use absl::string_view",
            )


def service_includes(tree):
    """A service knows services/common and proto, never another service."""
    for path, text in _files(tree, ".cc", ".h"):
        owner = re.match(r"services/([^/]+)/", path)
        if owner is None:
            continue
        for match in re.finditer(r'^#include "services/([^/]+)/', text, re.MULTILINE):
            if match.group(1) not in (owner.group(1), "common"):
                line = text.count("\n", 0, match.start()) + 1
                yield path, line, (
                    f"includes a header of {match.group(1)}: " "move shared code to services/common"
                )


def header_guards(tree):
    for path, text in _files(tree, ".h"):
        guard = re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
        for directive in ("ifndef", "define"):
            if not re.search(rf"^#{directive} {guard}$", text, re.MULTILINE):
                yield path, 1, f'no line "#{directive} {guard}": name the guard after the path'


def unreferenced_files(tree):
    for path, _ in _files(tree, ".cc", ".h", ".proto"):
        folder, name = os.path.split(path)
        while folder and os.path.join(folder, "BUILD") not in tree:
            folder, up = os.path.split(folder)
            name = os.path.join(up, name)
        build = os.path.join(folder, "BUILD")
        # Tests are often listed by their names.
        names = [name, name[:-3]] if name.endswith("_test.cc") else [name]
        if not any(f'"{known}"' in tree.get(build, "") for known in names):
            yield path, 1, f"no target in {build} names it: add it to one, or remove the file"


def service_readmes(tree):
    owners = {path.split("/")[1] for path in tree if re.match(r"services/[^/]+/", path)}
    for owner in sorted(owners - {"common"}):
        if f"services/{owner}/README.md" not in tree:
            path = f"services/{owner}/README.md"
            yield path, 1, "is missing: every service says what it does and promises"


def white_space(tree):
    for path, text in sorted(tree.items()):
        yield from _matches(path, text, r"\t", "tab: use spaces")
        yield from _matches(path, text, r"[ \t\r]+$", "space at the end of a line: remove it")
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end of the file: add it"


# The brackets keep these patterns from matching themselves.
OUTSIDE_PATH = r"(^|[^A-Za-z0-9_.-])(/w[o]rk/|\.\./s[h]ared)"
REGISTRIES = (
    r"\b(docker\.io/|registry-1\.docker|hub\.docker\.com|ghcr\.io|quay\.io|gcr\.io|registry\.k8s"
    r"|docker\.elastic\.co|registry\.npmjs|pypi\.org|crates\.io|proxy\.golang|repo1?\.maven"
    r"|rubygems\.org)"
)


def outside_names(tree):
    for path, text in sorted(tree.items()):
        yield from _matches(
            path, text, OUTSIDE_PATH, "names a path outside this tree: the tree stands alone"
        )
        yield from _matches(
            path, text, REGISTRIES, "names a registry: leave the host to the client's settings"
        )


def formatting(tree):
    command = "clang-format-14"
    sources = [path for path, _ in _files(tree, ".cc", ".h")]
    if not sources:
        return
    # One run over copies: starting it for each file would take most of this test's time.
    with tempfile.TemporaryDirectory() as folder:
        for path in [*sources, *({".clang-format"} & tree.keys())]:
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8", newline="") as file:
                file.write(tree[path])
        run = subprocess.run(
            [command, "--dry-run", "-Werror", *sources],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    seen = set()
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: error", run.stderr, re.MULTILINE):
        if path in sources and path not in seen:
            seen.add(path)
            yield path, int(line), f"not formatted: run {command} -i on it"
    if run.returncode != 0 and not seen:
        yield ".clang-format", 1, f"{command} failed: {run.stderr.strip()}"


RULES = [
    function_length,
    line_length,
    file_length,
    banned_words,
    service_includes,
    header_guards,
    unreferenced_files,
    service_readmes,
    white_space,
    outside_names,
    formatting,
]
