"""A folder that becomes a package: files put with their mode, all with one time."""

import gzip
import os
import shutil
import subprocess
import sys


class Staging:
    """Owns `folder`, which must not exist."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)

    def path(self, place):
        full = os.path.join(self.folder, place)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def copy(self, source, place, mode=0o644):
        shutil.copyfile(source, self.path(place))
        os.chmod(self.path(place), mode)

    def write(self, text, place, mode=0o644):
        with open(self.path(place), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(place), mode)

    def write_compressed(self, text, place):
        with open(self.path(place), "wb") as file:
            with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
                packed.write(text.encode())

    def write_sbom(self, source, name, place):
        tool = source.path("deploy/packages/sbom.py")
        command = [sys.executable, tool, "--name", name, "--version", source.version]
        with open(self.path(place), "w", encoding="utf-8") as file:
            subprocess.run(command + source.programs, check=True, stdout=file)

    def settle_times(self):
        """Gives everything the time SOURCE_DATE_EPOCH."""
        moment = int(os.environ["SOURCE_DATE_EPOCH"])
        for folder, _, files in os.walk(self.folder, topdown=False):
            for name in files + ["."]:
                os.utime(os.path.join(folder, name), (moment, moment), follow_symlinks=False)
