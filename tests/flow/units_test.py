#!/usr/bin/env python3
"""The units of dist/ as systemd reads them: nothing to complain about, and little that an intruder would have."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import BUILD, ROOT, TJZW

from tap import Skip, case, done, note

EXPOSURE_MAX = 2.0
UNITS = ("tjzw.service", "tjzw-backup.service")


def analyze(*args):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not here")
    return subprocess.run(["systemd-analyze", *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def placed(folder):
    """The units with our program as their command: systemd looks whether it is there."""
    for name in UNITS:
        text = (BUILD / "dist" / name).read_text()
        assert "@" not in re.sub(r"@(system-service|resources|privileged)|^#.*$", "", text, flags=re.MULTILINE), text
        (folder / name).write_text(re.sub(r"(?<=[= ])/\S*/bin/tjzw\b", str(TJZW), text))
    shutil.copy(ROOT / "dist" / "tjzw-backup.timer", folder)
    return [folder / name for name in (*UNITS, "tjzw-backup.timer")]


with tempfile.TemporaryDirectory() as where:
    files = placed(Path(where))

    with case("systemd-analyze verify has nothing to say"):
        said = analyze("verify", "--man=no", *files)
        ours = [line for line in said.stderr.splitlines() if where in line or "tjzw" in line]
        assert not ours, "\n".join(ours)

    for unit in files[:2]:
        with case(f"systemd-analyze security gives {unit.name} less than {EXPOSURE_MAX}"):
            said = analyze("security", "--offline=true", "--no-pager", unit)
            if "--offline" in said.stderr:
                raise Skip("this systemd-analyze reads no files")
            found = re.search(r"Overall exposure level.*?: ([\d.]+) (\w+)", said.stdout)
            assert found, said
            note(f"{unit.name}: exposure {found[1]} {found[2]}")
            assert float(found[1]) < EXPOSURE_MAX, said.stdout

    with case("the server's unit promises what it should"):
        text = files[0].read_text()
        for line in ("Type=notify", "Restart=always", "StartLimitIntervalSec=0", "User=tjzw", "NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=tjzw", "ProtectHome=yes", "PrivateTmp=yes",
                     "LimitNOFILE=1048576", "LimitCORE=0", "KillMode=mixed", "OOMPolicy=continue", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
                     "ExecReload=/bin/kill -HUP $MAINPID", "SystemCallFilter=@system-service seccomp"):
            assert f"\n{line}\n" in text, line
        assert "ReadWritePaths" not in text, "its own directory is all it may write in"

sys.exit(done())
