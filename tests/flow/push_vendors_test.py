#!/usr/bin/env python3
"""The lower half of push against vendors of our own (tests/mocks/farm.mjs: real HTTP/2 and TLS): what our engine says became of each device is what the vendor counted. It is driven by
tests/lib/push_drive.c, which is the push thread without a database.

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

from lib import ROOT, wait_for

from npm import missing
from vendor_farm import Farm, apns_tokens, make_keys, run
from tap import case, done, note, skip

BUILD = Path(os.environ.get("TJZW_BUILD", ROOT / "build"))
AGAIN, ACCEPTED, REJECTED, GONE, QUOTA, DOUBT = "012345"
HERE, THERE = Path(__file__).with_name("push"), ROOT / ".cache" / "push-npm"


def other_tokens(n):
    return [f"token-{i:012d}" for i in range(n)]


def write_settings(where, url):
    (where / "data" / "keys").mkdir(parents=True, exist_ok=True)
    vendors = "".join(f"  - {v}={url}\n" for v in ("huawei", "huawei_next", "xiaomi", "oppo", "vivo", "apns", "webpush"))
    (where / "conf.yaml").write_text(f"""data: data
push_ca: {where}/c.pem
push_at:
{vendors}push_huawei_project: "4711"
push_huawei_client: "client"
push_huawei_client_secret: "secret"
push_huawei_account: {where}/account.json
push_xiaomi_package: cn.example.app
push_xiaomi_secret: "secret"
push_oppo_key: "key"
push_oppo_secret: "secret"
push_vivo_app: "10004"
push_vivo_key: "key"
push_vivo_secret: "secret"
push_apns_key: {where}/apns.p8
push_apns_key_id: KEY1234567
push_apns_team: TEAM123456
push_apns_topic: cn.example.app
push_webpush: true
push_webpush_contact: mailto:push@example.cn
""")


def drive(where, transport, tokens, seconds=60, haste=2, message=None, deadline=120):
    """What became of each token, in their order; and the whole answers."""
    lines = [json.dumps({"transport": transport, "haste": haste, "seconds": seconds, "tokens": tokens[i:i + 1000], "message": message or {}}) for i in range(0, len(tokens), 1000)]
    ran = subprocess.run([BUILD / "tests" / "push-drive", "conf.yaml", "data"], cwd=where, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=deadline)
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers = sorted((json.loads(x) for x in ran.stdout.splitlines()), key=lambda a: a["job"])
    assert len(answers) == len(lines), (len(answers), len(lines))
    verdicts = "".join(a["verdicts"] for a in answers)
    assert len(verdicts) == len(tokens), "the sum of the verdicts is not the audience"
    return verdicts, answers


def compare(tokens, verdicts, delivered):
    """That what was said is what was counted; how often each pair of them was."""
    allowed = {ACCEPTED: (1,), AGAIN: (0,), REJECTED: (0,), GONE: (0,), QUOTA: (0,), DOUBT: (0, 1)}
    wrong = [(t, v, delivered.get(t, 0)) for t, v in zip(tokens, verdicts) if delivered.get(t, 0) not in allowed[v]]
    assert not wrong, f"{len(wrong)} of {len(tokens)}: {wrong[:5]}"
    return Counter(verdicts)


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
    for transport in ("huawei", "huawei_next", "xiaomi", "oppo", "vivo"):
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
        ran = subprocess.run([BUILD / "tests" / "push-drive", "conf.yaml", "data"], cwd=where, input="".join(json.dumps(j) + "\n" for j in jobs),
                             capture_output=True, text=True, timeout=60)
        order = [json.loads(x)["job"] for x in ran.stdout.splitlines()]
        assert sorted(order) == [0, 1, 2, 3, 4] and order.index(4) <= 1, order
        assert all(set(json.loads(x)["verdicts"]) == {ACCEPTED} for x in ran.stdout.splitlines()), ran.stdout[:500]


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
    with case("a vendor that never answers leaves us when the time is over, in doubt"):
        farm.set("xiaomi", slow_ms=60000)
        began = time.time()
        verdicts, _ = drive(where, "xiaomi", [f"hang-{i:014d}" for i in range(10)], seconds=2)
        assert set(verdicts) == {DOUBT} and 20 < time.time() - began < 45, (verdicts, time.time() - began)
        farm.set("xiaomi")


def judge(*args):
    said = subprocess.run(["node", "judge.mjs", *map(str, args)], cwd=THERE, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr[-1000:]
    return json.loads(said.stdout)


def browsers(where, farm):
    with case("what a browser gets is read by http_ece, which nobody here wrote"):
        mine = [judge("browser-new") for _ in range(3)]
        tokens = [json.dumps({"endpoint": f"{farm.url}/wp/{i}", "keys": {"p256dh": b["p256dh"], "auth": b["auth"]}}, separators=(",", ":")) for i, b in enumerate(mine)]
        farm.set("webpush", gone=["/wp/2"])
        verdicts, _ = drive(where, "webpush", tokens, message={"title": "你好", "text": "天津", "collapse": "c-9", "number": 9})
        assert verdicts == ACCEPTED + ACCEPTED + GONE, verdicts
        for body in farm.ask("/_bodies"):
            b = mine[int(body["path"].rsplit("/", 1)[1])]
            text = judge("browser-read", b["secret"], b["auth"], body["body"])
            assert text == {"title": "你好", "text": "天津", "tag": "c-9", "campaign": 9}, text
            assert body["headers"]["topic"] == "c-9" and body["headers"]["ttl"] == "3600", body["headers"]
    with case("npm's web-push takes our browsers' service for one"):
        mine, port = judge("browser-new"), farm.ask("/_http1")["port"]
        said = [judge("webpush", f"https://127.0.0.1:{port}/wp/{n}", mine["p256dh"], mine["auth"], "天津") for n in (7, 2)]
        assert said == [{"status": 201}, {"status": 410}], said
        body = farm.ask("/_bodies")[-1]
        assert body["path"] == "/wp/7" and body["headers"]["ttl"] == "60", body
    with case("@parse/node-apn takes our Apple for one"):
        tokens = apns_tokens(3, 1 << 41)
        farm.set("apns", gone=tokens[2:])
        said = judge("apns", farm.port, where / "c.pem", where / "apns.p8", *tokens)
        assert said["sent"] == 2 and said["failed"] == [[410, "Unregistered"]], said
        farm.set("apns")


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
        taking_back(where, farm)
        haste(where, farm)
        trouble(where, farm)
        why = missing(HERE, THERE)
        if why:
            skip("what others say of it", why)
        else:
            browsers(where, farm)
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
