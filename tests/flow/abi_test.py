#!/usr/bin/env python3
"""clients/c/tjzw.h and tjzw_me.h are the C ABI that docs/client.md ("From Swift") promises: plain C that stands alone, structs that only grow at their
ends, enums that are int and keep their values, a library that exports just its functions."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import BUILD, ROOT, clean_env

from tap import case, done, skip

HEADERS = [ROOT / "clients/c/tjzw.h", ROOT / "clients/c/tjzw_me.h"]
TEXT = re.sub(r"/\*.*?\*/", "", "".join(h.read_text() for h in HEADERS), flags=re.S)
LIBRARY = BUILD / "clients/c/libtjzw.so"
STRICT = ["-pedantic-errors", "-Wall", "-Wextra", "-Werror", f"-I{HEADERS[0].parent}"]
DIALECTS = [("gcc", "c99"), ("gcc", "c11"), ("clang", "c99"), ("clang", "c11"), ("g++", "c++11"), ("g++", "c++17"), ("clang++", "c++11")]

# Where each member stands where pointers have 8 bytes. A line may only grow at its end; what stands here was compiled into apps.
LAYOUT = {
    "tjzw_error": "code@0 text@4 detail@516",
    "tjzw_server": "url@0 stream@8 trust@16 cacert@24",
    "tjzw_progress": "phase@0 bytes@8 bytes_expected@16 records@24 records_expected@32",
    "tjzw_trace": "path@0 status@8 bytes_down@16 bytes_up@24 ms@32 method@40",
    "tjzw_sync_options": "stream@0 timeout@8 connect_timeout@12 idle_timeout@16 progress@24 trace@32 ctx@40",
    "tjzw_sync_result": "changed@0 first_use@1 repaired@2 trust@3 cursor@68 records@112 requests@120 bytes_down@128 bytes_up@136 ms@144 "
                        "wait@152 skipped@156 unfinished@157",
    "tjzw_blob_options": "timeout@0 connect_timeout@4 idle_timeout@8 offline@12 most@16 progress@24 ctx@32",
    "tjzw_blob": "path@0 bytes@1024 fetched@1032",
    "tjzw_listen_options": "stream@0 seconds@8 connect_timeout@12 idle_timeout@16 synced@24 ctx@32",
    "tjzw_alert": "id@0 identifier@8 title@16 body@24 instruction@32 level@40 event@48 source@56 over@64 sent@72 effective@80 onset@88 expires@96 json@104 json_len@112",
    "tjzw_item": "id@0 stream@40 site@48 column@56 date@64 title@72 json@80 json_len@88 kept@96",
    "tjzw_query": "stream@0 column@8 most@16 skip@20 kept@24",
    "tjzw_column": "stream@0 site@8 path@16 type@24 items@32",
    "tjzw_status": "stream@0 url@33 trust@545 cursor@610 items@656 tombstones@664 signed_at@672 checked_at@680 fresh_for@688 behind@696 "
                   "pending@704 damaged@712 horizon@720 all@728 since@736 kept@744 older@752 withheld@760 due@768",
    "tjzw_verdict": "checked@0 damaged@8 first@16",
    "tjzw_request": "url@0 headers@8 on_status@16 on_header@24 on_body@32 whole@40 why@41 untrusted@241 bytes_down@248 bytes_up@256 ms@264 ctx@272 method@280 body@288 size@296",
    "tjzw_transport": "ctx@0 get@8",
    "tjzw_me": "account@0 guest@8 ended@9 level@12 unsent@16 attention@24 unread@32 checked_at@40 due@48",
    "tjzw_step": "kind@0 account@8 is_new@16 expires_in@20 factors@24 ticket@88 passkey@2136",
    "tjzw_sign_in": "phone@0 code@8 login@16 password@24 ticket@32 totp@40 passkey@48 device@56",
    "tjzw_code_sent": "again_in@0 digits@4 expires_in@8",
    "tjzw_push_told": "device@0 transport@23 told@43",
    "tjzw_entry": "type@0 key@8 value@16 pending@24",
    "tjzw_letter": "id@0 sent@8 state@16 number@24 receipt@32 receipt_state@40 written@48 received@56 waits@64 code@72 detail@80",
    "tjzw_survey": "id@0 title@8 questions@16 opens@24 closes@32 state@40 level@44 answered@48 waits@49 answers@56 code@64 detail@72",
    "tjzw_mutation": "no@0 type@8 key@16 value@24 written@32 sent@40 code@48 detail@56",
}
CODES = ("OK USAGE NOT_FOUND STORE FULL NEWER_STORE LOCKED NET BUSY GONE STOPPED UNTRUSTED ROLLBACK MISMATCH INVALID DAMAGED TLS STALE SIGN_IN REFUSED".split())
VALUES = {f"TJZW_{name}": n for n, name in enumerate(CODES)} | {"TJZW_ASKING": 0, "TJZW_FETCHING": 1, "TJZW_APPLYING": 2, "TJZW_KEY": 32,
                                                                 "TJZW_STEP_DONE": 0, "TJZW_STEP_FACTOR": 1, "TJZW_STEP_PASSWORD": 2, "TJZW_STEP_CODE": 3, "TJZW_STEP_PHONE": 4,
                                                                 "TJZW_RECEIPT_NONE": 0, "TJZW_RECEIPT_UNKNOWN": 1, "TJZW_RECEIPT_GOOD": 2, "TJZW_RECEIPT_BAD": 3,
                                                                 "TJZW_SURVEY_OPEN": 0, "TJZW_SURVEY_EARLY": 1, "TJZW_SURVEY_CLOSED": 2}

APP = """
int main(int argc, char **argv)
{
    struct tjzw_query query;
    struct tjzw_status status;
    struct tjzw_error e;
    struct tjzw *t = NULL;

    memset(&query, 0, sizeof query);
    if (argc < 2 || tjzw_open(argv[1], &t, &e) || tjzw_list(t, &query, NULL, NULL, &e) || tjzw_status(t, NULL, &status, &e) != TJZW_NOT_FOUND)
        return 1;
    tjzw_close(t);
    return strcmp(tjzw_code_name(e.code), "not_found");
}
"""


def compiled(compiler, dialect, source, *options):
    language = "c++" if "++" in compiler else "c"
    command = [compiler, f"-std={dialect}", *STRICT, "-x", language, "-", *options]
    return subprocess.run([str(c) for c in command], input=source.encode(), capture_output=True)


def must_compile(compiler, dialect, source, *options):
    made = compiled(compiler, dialect, source, *options)
    assert made.returncode == 0, made.stderr.decode()


def asserts(dialect):
    """What holds of the types, said to the compiler."""
    say = "static_assert" if "++" in dialect else "_Static_assert"
    said = [f'{say}({name} == {value}, "{name}");' for name, value in VALUES.items()]
    said += [f'{say}(sizeof(enum {name}) == sizeof(int), "{name}");' for name in re.findall(r"^enum (\w+) \{", TEXT, re.M)]
    if sys.maxsize > 2**32:
        for struct, members in LAYOUT.items():
            said += [f'{say}(offsetof(struct {struct}, {m}) == {at}, "{struct}.{m}");' for m, at in (w.split("@") for w in members.split())]
    return '#include "tjzw_me.h"\n' + "\n".join(said) + "\n"


for compiler, dialect in DIALECTS:
    if not shutil.which(compiler):
        skip(f"{compiler} -std={dialect}", f"there is no {compiler}")
        continue
    with case(f"each header stands alone: {compiler} -std={dialect}"):
        for header in HEADERS:
            must_compile(compiler, dialect, f'#include "{header.name}"\n#include "{header.name}"\nint more;\n', "-fsyntax-only")

with case("every struct that has members is in the layout, and struct tjzw has none"):
    assert set(re.findall(r"^struct (\w+) \{", TEXT, re.M)) == set(LAYOUT)
    assert compiled("gcc", "c11", '#include "tjzw.h"\nstruct tjzw *pointer;\n', "-fsyntax-only").returncode == 0
    assert compiled("gcc", "c11", '#include "tjzw.h"\nstruct tjzw whole;\n', "-fsyntax-only").returncode != 0

for compiler, dialect in (("gcc", "c11"), ("g++", "c++17")):
    if not shutil.which(compiler):
        continue
    with case(f"members, enums and codes are where they were: {compiler}"):
        must_compile(compiler, dialect, asserts(dialect), "-fsyntax-only")

with case("the library exports the functions of the headers, each of them and nothing else"):
    declared = set(re.findall(r"TJZW_API [^;(]*?\b(tjzw_\w+)\(", TEXT))
    listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1].partition("@")[0] for line in listed.splitlines()}
    assert len(declared) == TEXT.count("TJZW_API ") - TEXT.count("#define TJZW_API "), declared
    assert declared == exported, declared ^ exported

for compiler, dialect, includes in (("gcc", "c99", "#include <string.h>"), ("g++", "c++11", "#include <cstring>\nusing std::strcmp;\nusing std::memset;")):
    if not shutil.which(compiler):
        continue
    with case(f"an app in {dialect} links with it and runs"), tempfile.TemporaryDirectory() as d:
        app = Path(d) / "app"
        must_compile(compiler, dialect, f'#include "tjzw.h"\n{includes}\n{APP}', "-x", "none", LIBRARY, "-o", app, f"-Wl,-rpath,{LIBRARY.parent}")
        ran = subprocess.run([app, Path(d) / "store.db"], env=clean_env(), capture_output=True)
        assert ran.returncode == 0, ran

sys.exit(done())
