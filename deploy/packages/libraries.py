"""The shared libraries that programs need, and the Debian packages that they come from."""

import os
import re
import subprocess

# glibc belongs to the machine: its parts must match each other and the dynamic linker, and a
# program may use the system's when that is as new as the one it was linked with.
GLIBC = re.compile(
    r"(ld-linux-x86-64|lib(c|m|mvec|dl|rt|pthread|resolv|util|anl|nsl|BrokenLocale|thread_db"
    r"|nss_\w+))\.so(\.\d+)*"
)
# Headers that are compiled into the programs without a library of the same source beside them.
HEADERS_ONLY = ["libcli11-dev"]
LDD_LINE = re.compile(r"^\s*(\S+) => (.*) \(0x[0-9a-f]+\)$", re.M)


class Package:
    """One Debian package with the libraries of it that are needed; immutable but for `files`."""

    def __init__(self, name, version, architecture, source, source_version):
        self.name = name
        self.version = version
        self.architecture = architecture
        self.source = source
        self.source_version = source_version
        self.files = []

    @property
    def copyright_file(self):
        return "/usr/share/doc/%s/copyright" % self.name


def output_of(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def closure(programs, with_glibc=False):
    """{soname: path} of every library that `programs` load, directly or not, sorted."""
    found = {}
    for program in programs:
        text = output_of("ldd", program)
        if "not found" in text:
            raise RuntimeError("%s: a library is missing on this machine:\n%s" % (program, text))
        for name, path in LDD_LINE.findall(text):
            if with_glibc or not GLIBC.fullmatch(name):
                found[name] = path
        linker = re.search(r"^\s*(/\S*/(ld-linux\S*)) \(0x", text, re.M)
        if with_glibc and linker:
            found[linker.group(2)] = linker.group(1)
    return dict(sorted(found.items()))


def owners(paths):
    """{path: the Debian package that brought it, as dpkg calls it (name:arch)}."""
    places = {}  # as dpkg may know it: before and after /lib became a link to /usr/lib
    for path in paths:
        for place in (path, os.path.realpath(path)):
            places[place] = places["/usr" + place] = places[place.replace("/usr/", "/", 1)] = path
    done = subprocess.run(
        ["dpkg-query", "-S"] + sorted(places),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    found = {}
    for line in done.stdout.splitlines():
        names, place = line.rsplit(": ", 1)
        found[places[place]] = names.split(", ")[0]
    if set(paths) - set(found):
        raise RuntimeError("of no Debian package: %s" % sorted(set(paths) - set(found)))
    return found


def package_named(name):
    form = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}"
    return Package(*output_of("dpkg-query", "-W", "-f", form, name).split("\t"))


def packages(libraries):
    """The Package of every library in {soname: path} and of HEADERS_ONLY, sorted by name."""
    found, owner_of = {}, owners(list(libraries.values()))
    for soname, path in libraries.items():
        owner = owner_of[path]
        if owner not in found:
            found[owner] = package_named(owner)
        found[owner].files.append((soname, path))
    for name in HEADERS_ONLY:
        found[name] = package_named(name)
    return sorted(found.values(), key=lambda package: package.name)
