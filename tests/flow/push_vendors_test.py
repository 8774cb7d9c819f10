#!/usr/bin/env python3
"""The lower half of push against vendors of our own (tests/mocks/farm.mjs: real HTTP/2 and TLS): what our engine says became of each device is what the vendor counted. It is driven by
tests/lib/push_drive.c, which is the push thread without a database. Whether those vendors are like the real ones: push_judges_test.py.

Of every device: accepted is delivered once; "again" is not delivered; in doubt is delivered once or not at all. So nobody gets anything twice without a word of it, however
connections die.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lib import wait_for
from vendor_drive import ACCEPTED, AGAIN, DOUBT, GONE, QUOTA, REJECTED, compare, drive, ended, run_jobs, write_settings
from vendor_farm import Farm, apns_tokens, make_keys

from tap import case, done, note, skip


def other_tokens(n):
    return [f"token-{i:012d}" for i in range(n)]


def connections_die(where, farm):
    begin = 0
    for how in ("destroy", "goaway", "rst"):
        with case(f"a connection ends every 2,000 requests ({how}): nobody gets anything twice, and who is in doubt is named"):
            farm.set("apns", kill_every=2000, how=how)
            tokens = apns_tokens(10000, begin)
            begin += len(tokens)
            verdicts, _ = drive(where, "apns", tokens)
            said = compare(tokens, verdicts, farm.counts("apns")["tokens"])
            note(f"{how}: {said[ACCEPTED]:,} accepted, {said[DOUBT]:,} in doubt, {said[AGAIN]:,} certainly not sent")
            assert said[ACCEPTED] > 5000 and said[ACCEPTED] + said[DOUBT] + said[AGAIN] == len(tokens), said
    farm.set("apns")
    with case("the statement of who we are was made once, and outlived every restart"):
        assert farm.counts("apns")["grants"] == 1


def answers_of_each_kind(where, farm):
    with case("Apple: who is unregistered is gone, the others have it"):
        tokens = apns_tokens(300, 1 << 40)
        farm.set("apns", gone=tokens[::3])
        verdicts, _ = drive(where, "apns", tokens)
        said = compare(tokens, verdicts, farm.counts("apns")["tokens"])
        assert said[GONE] <= 100 and all(v in (GONE, DOUBT) for v in verdicts[::3]) and said[GONE] > 50, said
        farm.set("apns")
    for transport in ("huawei", "huawei_next", "xiaomi", "honor", "oppo", "vivo"):
        with case(f"{transport}: of a batch that failed in part, those are gone that are listed, and nobody is sent to again"):
            tokens = other_tokens(2500)
            farm.set(transport, bad=tokens[10:2500:100])
            verdicts, _ = drive(where, transport, tokens)
            counts = farm.counts(transport)
            said = compare(tokens, verdicts, counts["tokens"])
            assert said[GONE] == 25 and said[ACCEPTED] == 2475, said
            assert counts["requests"] <= (7 if transport == "vivo" else 4), counts["requests"]
            farm.set(transport)
    with case("huawei: its access token is asked for once, and kept over a restart"):
        drive(where, "huawei", other_tokens(10), message={"title": "again"})
        assert farm.counts("huawei")["grants"] == 1
    with case("huawei: a list that does not add up leaves the others in doubt"):
        tokens = [f"lie-{i:015d}" for i in range(100)]
        farm.set("huawei", bad=tokens[:1], lie=True)
        verdicts, _ = drive(where, "huawei", tokens)
        assert verdicts[0] == GONE and set(verdicts[1:]) == {DOUBT}, Counter(verdicts)
        farm.set("huawei")


def oppo_and_vivo(where, farm):
    with case("oppo: whom an answer does not list is in doubt, and has it once even if it goes out again"):
        tokens = [f"unlisted-{i:010d}" for i in range(100)]
        farm.set("oppo", lie=True)
        verdicts, _ = drive(where, "oppo", tokens)
        assert verdicts == DOUBT + ACCEPTED * 99, verdicts
        farm.set("oppo")
        verdicts, _ = drive(where, "oppo", tokens)
        delivered = farm.counts("oppo")["tokens"]
        assert set(verdicts) == {ACCEPTED} and {delivered[t] for t in tokens} == {1}
    with case("oppo: what says something else is another message"):
        drive(where, "oppo", tokens[:1], message={"text": "edited"})
        assert farm.counts("oppo")["tokens"][tokens[0]] == 2
    with case("vivo: one device alone has its message whole, and a list is never of one"):
        tokens = [f"alone-{i:013d}" for i in range(3)]
        farm.set("vivo", bad=tokens[1:2])
        assert drive(where, "vivo", tokens[:1])[0] == ACCEPTED
        assert drive(where, "vivo", tokens[1:2])[0] == GONE
        assert drive(where, "vivo", tokens[1:])[0] == GONE + ACCEPTED
        farm.set("vivo")
    with case("vivo: what it does not store reaches nobody, and says why"):
        tokens = [f"unstored-{i:010d}" for i in range(10)]
        farm.set("vivo", no_task=True)
        verdicts, answers = drive(where, "vivo", tokens)
        assert set(verdicts) == {QUOTA} and answers[0]["why"][9] == "quota", (verdicts, answers)
        farm.set("vivo", slow_ms=60000)
        verdicts, _ = drive(where, "vivo", tokens, seconds=2)
        assert set(verdicts) == {AGAIN}, verdicts
        farm.set("vivo")
        assert not set(tokens) & set(farm.counts("vivo")["tokens"])


def honor_and_wechat(where, farm):
    with case("honor: a token that fails today is refused, and one that has expired is gone"):
        tokens = [f"honor-{i:014d}" for i in range(60)]
        farm.set("honor", bad=tokens[:10], fail=tokens[10:30])
        verdicts, _ = drive(where, "honor", tokens)
        assert verdicts == GONE * 10 + REJECTED * 20 + ACCEPTED * 30, verdicts
        compare(tokens, verdicts, farm.counts("honor")["tokens"])
    with case("wechat: a consent is good for one message, and who has none is refused and keeps his place"):
        tokens = [f"openid-{i:013d}" for i in range(200)]
        farm.set("wechat", bad=tokens[:5])
        assert drive(where, "wechat", tokens)[0] == REJECTED * 5 + ACCEPTED * 195
        verdicts, answers = drive(where, "wechat", tokens)
        assert verdicts == REJECTED * 200 and answers[0]["why"][4:6] == ["openid", "no_consent"], (verdicts, answers[0]["why"][:6])
        delivered = farm.counts("wechat")["tokens"]
        assert {delivered[t] for t in tokens[5:]} == {1} and not set(tokens[:5]) & set(delivered)
    with case("wechat: what has no room in its template is refused"):
        farm.set("wechat")
        verdicts, answers = drive(where, "wechat", [f"longer-{i:013d}" for i in range(3)], message={"text": "文" * 21})
        assert verdicts == REJECTED * 3 and answers[0]["why"][0] == "template_data", answers
    with case("wechat: connections that die leave nobody twice, and who is in doubt is named"):
        tokens = [f"dies-{i:015d}" for i in range(600)]
        farm.set("wechat", kill_every=100, how="destroy", consents=2)    # so that a second delivery would show
        verdicts, _ = drive(where, "wechat", tokens)
        said = compare(tokens, verdicts, farm.counts("wechat")["tokens"])
        assert 0 < said[DOUBT] < 600, said
    for transport in ("honor", "wechat"):
        with case(f"{transport}: its access token is asked for once, and another one when it is good no more"):
            assert farm.counts(transport)["grants"] == 1
            farm.set(transport, forget=True)
            tokens = [f"forgot-{i:013d}" for i in range(10)]
            jobs = [{"transport": transport, "tokens": tokens[:1]}, {"transport": transport, "tokens": tokens[1:], "after_ms": 1000}]
            assert [a["verdicts"] for a in run_jobs(where, jobs)] == [AGAIN, ACCEPTED * 9]
            assert farm.counts(transport)["grants"] == 1 and set(tokens[1:]) <= set(farm.counts(transport)["tokens"])


def taking_back(where, farm):
    with case("HarmonyOS NEXT takes back what it delivered; elsewhere another message takes its place; WeChat is off"):
        tokens = [f"recall-{i:012d}" for i in range(1200)]
        assert set(drive(where, "huawei_next", tokens)[0]) == {ACCEPTED}
        assert farm.counts("huawei_next")["tokens"][tokens[1199]] == 1
        assert set(drive(where, "huawei_next", tokens, message={"takes_back": True})[0]) == {ACCEPTED}
        assert not set(tokens) & set(farm.counts("huawei_next")["tokens"])
        assert set(drive(where, "oppo", tokens)[0]) == {ACCEPTED}
        assert set(drive(where, "oppo", tokens, message={"takes_back": True})[0]) == {ACCEPTED}
        delivered = farm.counts("oppo")["tokens"]
        assert {delivered[t] for t in tokens} == {2}


def haste(where, farm):
    with case("a warning that comes while a campaign is sent goes before what is left of it"):
        job = {"transport": "xiaomi", "message": {}}
        jobs = [{**job, "haste": 2, "tokens": [f"slowly-{k}-{i:010d}" for i in range(1000)]} for k in range(4)]
        jobs.append({**job, "haste": 0, "after_ms": 700, "tokens": [f"warning-{i:010d}" for i in range(10)]})
        answers = ended(where, jobs)
        order = [a["job"] for a in answers]
        assert order.index(4) <= 1 and all(set(a["verdicts"]) == {ACCEPTED} for a in answers), order


def trouble(where, farm):
    with case("a vendor that is out of service is left in peace, and costs nobody a try"):
        before = farm.counts("xiaomi")["requests"]
        farm.set("xiaomi", status=503)
        tokens = [f"out-{i:015d}" for i in range(4000)]
        verdicts, answers = drive(where, "xiaomi", tokens, seconds=8)
        tries = farm.counts("xiaomi")["requests"] - before
        assert set(verdicts) == {AGAIN}, Counter(verdicts)
        assert tries <= 12, tries
        note(f"{tries} requests in 8 s")
        farm.set("xiaomi")
    with case("a Retry-After is kept, and told to who asked"):
        farm.set("huawei", status=429, retry_after=2)
        began = time.time()
        verdicts, answers = drive(where, "huawei", [f"slow-{i:014d}" for i in range(10)], seconds=30)
        assert set(verdicts) == {AGAIN} and answers[0]["again_ms"] >= (began + 1.5) * 1000, (verdicts, answers[0]["again_ms"], began)
        farm.set("huawei")
    keys = {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "auth": "BTBZMqHH6r4Tts7J_aSIgg"}    # RFC 8291
    with case("a browser's service that asks for a rest is left alone: what is its is put off"):
        farm.set("webpush", status=429, retry_after=60)
        before = farm.counts("webpush")["requests"]
        verdicts, answers = drive(where, "webpush", [json.dumps({"endpoint": f"{farm.url}/wp/slow-{i}", "keys": keys}) for i in range(1000)], seconds=30)
        tries = farm.counts("webpush")["requests"] - before
        assert set(verdicts) == {AGAIN} and 0 < tries < 700, (Counter(verdicts), tries)
        assert answers[0]["again_ms"] >= (time.time() + 25) * 1000, answers[0]["again_ms"]
        note(f"{tries} of 1,000 had left when it said so")
        farm.set("webpush")
    with case("where a vendor, or a browser's service, sends us on to, we do not go"):
        for transport, token, there in (("webpush", json.dumps({"endpoint": farm.url + "/wp/here", "keys": keys}), "/wp/there"), ("xiaomi", "led-astray-000000000", "/v3/message/regid")):
            for status in (301, 302, 307, 308):
                before = farm.counts(transport)["requests"]
                farm.set(transport, status=status, location=farm.url + there)
                verdicts, _ = drive(where, transport, [token])
                assert verdicts == DOUBT and farm.counts(transport)["requests"] == before + 1 and not farm.counts(transport)["tokens"].get(there), (transport, status, verdicts)
            farm.set(transport)
    with case("what is given up while its vendor is slow does not leave: neither what waits for its turn, nor what waits for a connection"):
        farm.set("apns", slow_ms=4000)
        before, tokens = farm.counts("apns")["requests"], apns_tokens(400, 1 << 50)
        answers = run_jobs(where, [{"transport": "apns", "seconds": 1, "tokens": tokens[i:i + 100]} for i in range(0, 400, 100)])
        verdicts = "".join(a["verdicts"] for a in answers)
        said = compare(tokens, verdicts, farm.counts("apns")["tokens"])
        assert said[AGAIN] == 400 - 256 and said[ACCEPTED] == 256 and farm.counts("apns")["requests"] == before + 256, said
        farm.set("apns")
    with case("a vendor that never answers leaves us when the time is over, in doubt"):
        farm.set("xiaomi", slow_ms=60000)
        began = time.time()
        verdicts, _ = drive(where, "xiaomi", [f"hang-{i:014d}" for i in range(10)], seconds=2)
        assert set(verdicts) == {DOUBT} and 20 < time.time() - began < 45, (verdicts, time.time() - began)
        farm.set("xiaomi")


def a_good_server(where):
    """nghttpd answers everything at once, and ends nothing."""
    with case("with a server that never ends a connection 10,000 requests have 10,000 answers"):
        conf = (where / "conf.yaml").read_text()
        port = 20000 + os.getpid() % 10000
        server = subprocess.Popen(["nghttpd", "--echo-upload", str(port), "k.pem", "c.pem"], cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            write_settings(where, f"https://127.0.0.1:{port}")
            wait_for("nghttpd", 10, lambda: subprocess.run(["curl", "-sk", f"https://127.0.0.1:{port}/"], capture_output=True).returncode == 0)
            began = time.time()
            verdicts, _ = drive(where, "apns", apns_tokens(10000))
            note(f"{10000 / (time.time() - began):,.0f} a second, of 5,000 that the pace allows")
            assert set(verdicts) == {ACCEPTED}, Counter(verdicts)
        finally:
            server.terminate()
            server.wait(10)
            (where / "conf.yaml").write_text(conf)


def main():
    where = Path(tempfile.mkdtemp(prefix="tjzw-push-"))
    make_keys(where)
    farm = Farm(where)
    try:
        write_settings(where, farm.url)
        connections_die(where, farm)
        answers_of_each_kind(where, farm)
        oppo_and_vivo(where, farm)
        honor_and_wechat(where, farm)
        taking_back(where, farm)
        haste(where, farm)
        trouble(where, farm)
        if shutil.which("nghttpd"):
            a_good_server(where)
        else:
            skip("a server that never ends a connection", "nghttpd is not here (Debian: nghttp2-server)")
    finally:
        farm.stop()
        shutil.rmtree(where)


if shutil.which("node"):
    main()
else:
    skip("push against our mocks", "node is not here")
sys.exit(done())
