"""clamd.py - a real clamd with signatures of our own: no package is installed, nothing is fetched but Debian's packages, once, into .cache/clamd.

Debian's clamav-daemon would bring freshclam, which fetches 200 MB of signatures and a service to do that; a test wants neither. So what stands on the PATH is taken, or the
three packages are unpacked beside us, as any user.
"""
import atexit
import os
import shutil
import socket
import subprocess
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "clamd"
PACKAGES = ["clamav-daemon", "libclamav12", "libmspack0"]


def missing():
    """None when there is a clamd; else why not."""
    if shutil.which("clamd") or (CACHE / "whole").exists():
        return None
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return "clamd is not here, nor Debian to have it from"
    CACHE.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(["apt-get", "-q", "download", *PACKAGES], cwd=CACHE, capture_output=True, text=True, timeout=300)
    if got.returncode:
        return "clamd is not here, and its packages could not be had: " + (got.stderr.strip().splitlines() or ["no reason given"])[-1]
    for package in CACHE.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, CACHE], check=True)
        package.unlink()
    (CACHE / "whole").touch()
    return None


class Clamd:
    """Runs on a socket in `where`, with what stands in .signatures: {"own.ndb": "NAME:0:*:HEX"}."""

    def __init__(self, where, signatures):
        self.dir, self.path, self.process = Path(where), str(Path(where) / "clamd.ctl"), None
        (self.dir / "signatures").mkdir(parents=True)
        for name, text in signatures.items():
            (self.dir / "signatures" / name).write_text(text + "\n")
        atexit.register(self.stop)

    def start(self, longest="25M"):
        """When it listens; `longest`: the longest stream that it takes."""
        conf = self.dir / "clamd.conf"
        conf.write_text("\n".join([f"LocalSocket {self.path}", f"DatabaseDirectory {self.dir}/signatures", f"TemporaryDirectory {self.dir}", "Foreground yes",
                                   f"StreamMaxLength {longest}", *(["User root"] if os.geteuid() == 0 else []), ""]))
        program = shutil.which("clamd") or next(CACHE.glob("usr/sbin/clamd"))
        libraries = ":".join(map(str, CACHE.glob("usr/lib/*-linux-gnu")))
        self.process = subprocess.Popen([program, f"--config-file={conf}"], env={**os.environ, "LD_LIBRARY_PATH": libraries}, stdin=subprocess.DEVNULL,
                                        stdout=(self.dir / "log").open("a"), stderr=subprocess.STDOUT)

    def listens(self):
        assert self.process.poll() is None, (self.dir / "log").read_text()[-2000:]
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.path) == 0

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        self.process = None
