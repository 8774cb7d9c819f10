"""push.py - what push costs.

    streams   server-sent events to 9,000, beside nginx with nchan: streams.py
    audience  14 million devices with some 100 traits each way, as sets: POST /v1/push/audience, exact, beside the same count by Python's integers
    job       a campaign to all of them: how long until it is open, and what memory that takes over idle
    sending   APNS requests by push/sender.h beside a loop over libcurl that does nothing else (bare_push.c), to nghttpd, which takes all that comes; and messages to browsers, each
              encrypted for its own, beside npm's web-push (over HTTP/1.1, which is what it speaks, to nginx). By the processor's time of the process that sends, for the pace of both is bounded: ours by push/limit.def, to 5,000 and 1,000 a second
"""
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import time

import streams
from lib import ROOT, clean_env, free_port, wait_for
from measure import BUILD, rss_anon, say, spawn
from npm import missing

sys.path.insert(0, str(ROOT / "tests" / "flow"))
from push_city import City, publish  # noqa: E402
from vendor_farm import apns_tokens, make_keys  # noqa: E402

DEVICES, BITS = 14_000_000, 65536
BLOCKS = -(-DEVICES // BITS)
PHONES = 200
REAL = (1 << PHONES + 2) - 2      # and a tester's, numbered from 1
HERE, THERE = ROOT / "tests" / "bench" / "peers", ROOT / ".cache" / "bench-npm"
PLACES = [[p for p in range(8) if byte >> p & 1] for byte in range(256)]
OTHERS = ("huawei", "huawei_next", "xiaomi", "honor", "oppo", "vivo", "wechat", "webpush")

# ---- whom it reaches ----

# Of how many devices each trait is: in so many halves (1: every other one, 2: every fourth …).
TRAITS = {"all": 0, **{f"area/1201{i:02}": 4 for i in range(1, 17)},
          **{f"column/main/{i}": 3 + i % 6 for i in range(1, 31)}, **{f"tag/标签{i}": 3 + i % 8 for i in range(1, 31)},
          "out/class/marketing": 4, "quiet/22:00-07:00": 3}
ASKED = {"and": [{"or": [{"column": "main/1"}, {"column": "main/2"}, {"tag": "标签1"}, {"tag": "标签2"}]}, {"area": "120101"}, {"not": {"tag": "标签3"}}]}


def drawn(rng, halves, block):
    """A block of a set, as an integer of 65,536 bits."""
    bits = (1 << min(BITS, DEVICES + 1 - block * BITS)) - 1        # devices are numbered from 1
    if block == 0:
        bits &= ~1
    for _ in range(halves):
        bits &= rng.getrandbits(BITS)
    return bits


def by_transport(rng, everyone):
    """Each device has one: an eighth of them Apple's, and so for six others, the last eighth shared by two."""
    masks, sets = [rng.getrandbits(BITS) for _ in range(4)], {}
    for i, name in enumerate(("apns", *OTHERS)):
        part = everyone
        for bit in range(3):
            part &= masks[bit] if min(i, 7) >> bit & 1 else ~masks[bit]
        sets[name] = part if i < 7 else part & masks[3] if i == 7 else part & ~masks[3]
    return {f"transport/{name}": bits for name, bits in sets.items()}


def packed(bits):
    """push/bits.h by another hand."""
    if bits.bit_count() >= 4096:
        return bits.to_bytes(BITS // 8, "little")
    return struct.pack(f"<{bits.bit_count()}H", *(8 * i + place for i, byte in enumerate(bits.to_bytes(BITS // 8, "little")) if byte for place in PLACES[byte]))


def multitude(data):
    """All sets, behind the back of a server that is at rest; how many devices ASKED has."""
    rng, found = random.Random(1), 0
    db = sqlite3.connect(data / "tjzw.db")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("DELETE FROM push_set")
    number = {}
    for word in (*TRAITS, *by_transport(rng, 0)):
        db.execute("INSERT INTO push_trait (word) VALUES (?) ON CONFLICT DO NOTHING", (word,))
        number[word], = db.execute("SELECT no FROM push_trait WHERE word = ?", (word,)).fetchone()
    for block in range(BLOCKS):
        sets = {word: drawn(rng, halves, block) for word, halves in TRAITS.items()}
        sets |= by_transport(rng, sets["all"])
        if block == 0:      # those that really are there
            for word in sets:
                sets[word] = sets[word] | REAL if word in ("all", "transport/apns") else sets[word] & ~REAL
        db.executemany("INSERT INTO push_set (at, bits) VALUES (?, ?)", ((number[word] * BITS + block, packed(bits)) for word, bits in sets.items() if bits))
        either = sets["column/main/1"] | sets["column/main/2"] | sets["tag/标签1"] | sets["tag/标签2"]
        found += (either & sets["area/120101"] & ~sets["tag/标签3"]).bit_count()
    # The last device, so that there are as many numbers.
    db.execute("UPDATE push_address SET no = ? WHERE no = (SELECT MAX(no) FROM push_address)", (DEVICES,))
    db.execute("DELETE FROM push_dirty")
    db.commit()
    db.close()
    return found


def audience(city, found, goals):
    times = []
    for _ in range(21):
        began = time.monotonic()
        answer = city.server.admin("POST", "/v1/push/audience", json.dumps({"audience": ASKED}).encode(), {"content-type": "application/json"})
        times.append((time.monotonic() - began) * 1000)
        assert answer.status == 200, answer
    assert answer.json()["devices"] == found, (answer.json(), found)
    median = statistics.median(times[1:])
    goals.at_most(f"count of an audience of {DEVICES:,}, exact, ms", median, 100)
    return [f"{DEVICES:,} devices, {len(TRAITS) + 1 + len(OTHERS)} sets of {BLOCKS} blocks: an expression of {json.dumps(ASKED).count(':') - 4} terms reaches {found:,}, counted in {median:.0f} ms (first time {times[0]:.0f} ms), "
            "and as many by another hand."]


# ---- one job to all ----

def job(city, goals):
    said = city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"})
    assert said.status == 201, said
    city.column = said.json()["no"]
    item = publish(city)
    pid = city.server.child
    time.sleep(2)
    idle = rss_anon(pid)
    made = city.does("push", "", item=item, **{"class": "marketing"}, title="示例：明天停水", text="八点到十点，请提前备水。", doubt="skip", audience={"all": True}, pace=100)
    no = made["campaign"]
    city.does("push", f"/{no}/test")
    wait_for("the test send", 30, lambda: city.see(no)["tested"])
    city.does("push", f"/{no}/submit")
    for who in ("approver1", "approver2")[:made["approvalsNeeded"]]:
        city.does(who, f"/{no}/approve", hash=city.see(no)["hash"])
    city.does("push", f"/{no}/schedule")
    began, most, report = time.monotonic(), idle, {}
    while not report.get("complete"):
        most = max(most, rss_anon(pid))
        assert time.monotonic() < began + 300, report
        time.sleep(0.2)
        report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    took = time.monotonic() - began
    for _ in range(50):
        most = max(most, rss_anon(pid))
        time.sleep(0.1)
    goals.at_most(f"a job of {DEVICES:,} devices: RssAnon over idle, MB", most - idle, 64)
    return [f"A campaign to all of them is open after {took:.1f} s; RssAnon is {idle:.0f} MB before it and {most:.0f} MB at most while it is opened and sends."]


# ---- sending ----

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 100000000; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
    server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/c.pem; ssl_certificate_key {dir}/k.pem; location / {{ return 201 ""; }} }}
}}
"""
SETTINGS = """data: sender
push_ca: {dir}/c.pem
push_at:
  - apns={url}
  - webpush={url}
push_apns_key: {dir}/apns.p8
push_apns_key_id: KEY1234567
push_apns_team: TEAM123456
push_apns_topic: cn.example.app
push_webpush: true
push_webpush_contact: mailto:push@example.cn
"""
MESSAGE = {"title": "示例：明天停水", "text": "八点到十点，请提前备水。", "collapse": "c-1", "number": 1}


def up(url, *options):
    wait_for(url, 5, lambda: subprocess.run(["curl", "-sk", *options, url], env=clean_env(), capture_output=True).returncode == 0)
    return url


def vendors(w):
    """URLs of servers that take everything: over HTTP/2, and over HTTP/1.1."""
    make_keys(w.dir)
    port, other = free_port(), free_port()
    spawn(["nghttpd", "--echo-upload", port, w.dir / "k.pem", w.dir / "c.pem"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (w.dir / "vendor.conf").write_text(NGINX.format(dir=w.dir, port=other))
    for path in (w.dir, w.dir.parent):
        path.chmod(path.stat().st_mode | 0o055)
    spawn([shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", w.dir / "vendor.conf"])
    url = up(f"https://127.0.0.1:{port}", "--http2")
    (w.dir / "sender" / "keys").mkdir(parents=True)
    (w.dir / "conf.yaml").write_text(SETTINGS.format(dir=w.dir, url=url))
    return url, up(f"https://127.0.0.1:{other}")


def cost(command, messages, cwd, given=None):
    """(µs of the processor a message, messages a second)"""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ran = subprocess.run([*map(str, command)], cwd=cwd, env=clean_env(), input=given, capture_output=True, text=True, timeout=600)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    assert ran.returncode == 0, ran.stderr[-1000:]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used * 1e6 / messages, messages / took, ran.stdout


def jobs(transport, tokens):
    return "".join(json.dumps({"transport": transport, "seconds": 600, "tokens": tokens[i:i + 1000], "message": MESSAGE}) + "\n" for i in range(0, len(tokens), 1000))


def ours(w, transport, tokens):
    used, rate, said = cost([BUILD / "tests" / "push-drive", "conf.yaml", "sender"], len(tokens), w.dir, jobs(transport, tokens))
    assert sum(json.loads(line)["verdicts"].count("1") for line in said.splitlines()) == len(tokens), said[:300]
    return used, rate


def row(name, figures):
    return f"| {name} | {statistics.median(f[0] for f in figures):.1f} | {statistics.median(f[1] for f in figures):,.0f} |"


def apple(w, url, args, goals):
    tokens, mine, bare = apns_tokens(args.requests), [], []
    for _ in range(args.rounds):
        mine.append(ours(w, "apns", tokens))
        bare.append(cost([BUILD / "tests" / "bench" / "bare_push", url, "c.pem", len(tokens)], len(tokens), w.dir))
    part = 100 * statistics.median(b[0] / m[0] for b, m in zip(bare, mine))
    goals.at_least("APNS by push/sender.h, part of a bare loop over libcurl, %", part, 80)
    return [row("APNS, push/sender.h", mine), row("APNS, a bare loop over libcurl", bare)]


def browsers(w, url, plain, args, goals):
    if why := missing(HERE, THERE):
        return [f"| npm's web-push: skipped, {why} | | |"]
    n = args.requests // 10
    node = ["node", "webpush.mjs"]
    keys = subprocess.run([*node, "keys", str(n)], cwd=THERE, env=clean_env(), capture_output=True, text=True, check=True).stdout
    (w.dir / "browsers").write_text(keys)
    tokens = [json.dumps({"endpoint": f"{url}/wp/{i}", "keys": json.loads(line)}, separators=(",", ":")) for i, line in enumerate(keys.splitlines())]
    mine, theirs = [], []
    for _ in range(args.rounds):
        mine.append(ours(w, "webpush", tokens))
        _, rate, said = cost([*node, "send", plain, w.dir / "browsers"], n, THERE)
        theirs.append((json.loads(said)["cpu"] / n, rate))
    goals.at_most("a message to a browser, part of the processor's time of npm's web-push, %", 100 * statistics.median(m[0] / t[0] for m, t in zip(mine, theirs)), 100)
    return [row("Web Push, push/sender.h", mine), row("Web Push, npm's web-push 3.6.7 (without its start)", theirs)]


def report(w, args, goals):
    lines = streams.report(w, args, goals)
    say("sending")
    url, plain = vendors(w)
    lines += ["", "| messages | µs of the processor each | a second |", "|---|---:|---:|", *apple(w, url, args, goals), *browsers(w, url, plain, args, goals), ""]
    say(f"{DEVICES:,} devices")
    city = City(w, PHONES)
    city.server.stop(60)
    found = multitude(city.data)
    city.restart(lambda: None)
    lines += audience(city, found, goals)
    say("a job to all of them")
    return [*lines, "", *job(city, goals)]
