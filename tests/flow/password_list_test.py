#!/usr/bin/env python3
"""Of the passwords that leaked most often, those that are long enough are refused: the first 10,000 of zxcvbn's list, which comes from npm at the version of
zxcvbn/package.json. Somebody has signed in and tries one after the other.
"""
import json
import subprocess
import sys
from pathlib import Path

from lib import ROOT, World
from visitor import Visitor

from npm import missing
from tap import case, done, note, skip

HERE, THERE = Path(__file__).with_name("zxcvbn"), ROOT / ".cache" / "zxcvbn-npm"
PHONE = "13811110077"


def listed():
    """Those of 8 characters or more among the 10,000 most frequent."""
    said = subprocess.run(["node", "-p", "JSON.stringify(require('zxcvbn/lib/frequency_lists.js').passwords)"], cwd=THERE, capture_output=True, check=True)
    return [x for x in json.loads(said.stdout)[:10000] if len(x) >= 8]


def put(server, access, **body):
    answer = server.get("/v1/me/password", "PUT", json.dumps(body).encode(), {"content-type": "application/json", "authorization": f"Bearer {access}"})
    assert answer.status == 204 or (answer.status == 400 and answer.json()["errors"][0]["pointer"] == "#/password"), (body, answer)
    return answer.status == 204


def main():
    with World() as w:
        server = w.serve(env={"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"})
        assert server.get("/v1/auth/code", "POST", json.dumps({"phone": PHONE}).encode(), {"content-type": "application/json"}).status == 202
        code = Visitor(server).code(PHONE)
        access = server.get("/v1/auth/sign-in", "POST", json.dumps({"phone": PHONE, "code": code}).encode(),
                            {"content-type": "application/json"}).json()["access"]
        with case("of the 10,000 most frequent passwords at least 98 % of those with 8 characters or more are refused"):
            passwords, taken = listed(), []
            assert len(passwords) > 3000, len(passwords)
            for password in passwords:
                if put(server, access, password=password, **({"old": taken[-1]} if taken else {})):
                    taken.append(password)
            note(f"{len(passwords) - len(taken):,} of {len(passwords):,} are refused")
            assert len(taken) <= 0.02 * len(passwords), f"{len(taken)} of {len(passwords)} were taken"
        server.stop()


why = missing(HERE, THERE)
if why:
    skip("the passwords that leaked most often are refused", why)
else:
    main()
sys.exit(done())
