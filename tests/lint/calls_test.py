#!/usr/bin/env python3
"""The names in server/confine.c are calls of a kernel that we know (a slip of the pen would be passed over in silence), and the unit of systemd allows what they allow."""
import ctypes
import ctypes.util
import re
import shutil
import subprocess
import sys

from tree import ROOT, complain, files

from tap import Skip, case, done

PROCESSORS = {"x86-64": 0xC000003E, "arm64": 0xC00000B7}
PARENT = {"execve", "clone", "fork", "vfork", "wait4", "kill", "signalfd4"}      # what the parent asks for besides
BEFORE = ("server/cli/", "server/store/backup.c", "server/store/manifest.c", "server/supervise", "server/main.c", "server/user.c", "server/confine.c")   # commands, the parent, and what is done before the filter is there
ROOT_ONLY = {"fchown"}      # SQLite asks it of its files when it is root, which the unit never is


def names():
    source = (ROOT / "server" / "confine.c").read_text()
    tables = source[source.index("} allowed[] = {"):source.index("/* ---- what was refused")]
    groups, conditions = tables.split("#define IS", 1)
    calls = {name for _, text in re.findall(r'\{ "([^"]*)",\s*((?:"[^"]*"\s*)+)\}', groups) for name in re.sub(r'["\s]+', " ", text).split()}
    return calls, set(re.findall(r'\{ "(\w+)",', conditions))


def unit_allows():
    """The calls of the unit's SystemCallFilter, its lines taken in their order."""
    said = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, timeout=60).stdout
    sets, now = {}, None
    for line in said.splitlines():
        if line.startswith("@"):
            now = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            now.append(line.strip())

    def expanded(word):
        return {call for part in sets[word] for call in expanded(part)} if word.startswith("@") else {word}

    allowed = expanded("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)", (ROOT / "dist" / "tjzw.service.in").read_text(), re.MULTILINE):
        listed = {call for word in line.lstrip("~").split() for call in expanded(word)}
        allowed = allowed - listed if line.startswith("~") else allowed | listed
    return allowed


always, sometimes = names()

with case("every name is a system call"):
    assert len(always) > 100 and len(sometimes) > 5, (always, sometimes)
    library = ctypes.util.find_library("seccomp")
    if not library:
        raise Skip("libseccomp is not here")
    resolve = ctypes.CDLL(library).seccomp_syscall_resolve_name_arch
    known = {name for name in always | sometimes for token in PROCESSORS.values() if resolve(ctypes.c_uint32(token), name.encode()) >= 0}
    complain(sorted((always | sometimes) - known))

with case("no code of the child asks for a call that is refused there"):
    if not library:
        raise Skip("libseccomp is not here")
    found = set()
    for name in files(".c"):
        if name.startswith(("server/", "sync/", "api/", "push/", "warning/")) and not name.startswith(BEFORE):
            text = re.sub(r"/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"", "", (ROOT / name).read_text(), flags=re.DOTALL)
            found |= {(name, word) for word in re.findall(r"(?<![\w.>])([a-z]\w*)\(", text)
                      if word not in always | sometimes and resolve(ctypes.c_uint32(PROCESSORS["x86-64"]), word.encode()) >= 0}
    complain(sorted(f"{name}: {word}()" for name, word in found))

with case("no thread blocks SIGSYS: a refused call would then end the process"):
    complain([f"{name}: sigfillset() without sigdelset(…, SIGSYS)" for name in files(".c") if name.startswith(("server/", "sync/", "api/"))
              and (text := (ROOT / name).read_text()).count("sigfillset(") > text.count(", SIGSYS)")])

with case("the unit of systemd allows what the filter allows, and what the parent needs"):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not here")
    complain([f"{name}: not in SystemCallFilter of dist/tjzw.service.in" for name in sorted((always | sometimes | PARENT) - ROOT_ONLY - unit_allows())])

sys.exit(done())
