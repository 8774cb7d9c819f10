"""vendor_drive.py - tests/lib/push_drive.c, the push thread without a database: what our engine says became of each device of a vendor (vendor_farm.py).

    write_settings(where, farm.url)
    verdicts, answers = drive(where, "apns", tokens)      # a letter a token: ACCEPTED, GONE …
    compare(tokens, verdicts, farm.counts("apns")["tokens"])
"""
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

from lib import ROOT

BUILD = Path(os.environ.get("TJZW_BUILD", ROOT / "build"))
AGAIN, ACCEPTED, REJECTED, GONE, QUOTA, DOUBT = "012345"


def write_settings(where, url, name="conf.yaml", **elsewhere):
    """Of a directory with make_keys(). `elsewhere`: vendors at another URL."""
    (where / "data" / "keys").mkdir(parents=True, exist_ok=True)
    vendors = "".join(f"  - {v}={elsewhere.get(v, url)}\n" for v in ("huawei", "huawei_next", "xiaomi", "honor", "oppo", "vivo", "apns", "wechat", "webpush"))
    (where / name).write_text(f"""data: data
push_ca: {where}/c.pem
push_at:
{vendors}push_huawei_project: "4711"
push_huawei_client: "client"
push_huawei_client_secret: "secret"
push_huawei_account: {where}/account.json
push_xiaomi_package: cn.example.app
push_xiaomi_secret: "secret"
push_honor_app: "104"
push_honor_client: "client"
push_honor_client_secret: "secret"
push_wechat_app: "wx1"
push_wechat_app_secret: "secret"
push_wechat_template: "T1"
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


def ended(where, jobs, deadline=120, conf="conf.yaml"):
    """What became of each job, in the order in which they ended."""
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    ran = subprocess.run([BUILD / "tests" / "push-drive", conf, "data"], cwd=where, input=lines, capture_output=True, text=True, timeout=deadline)
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers = [json.loads(x) for x in ran.stdout.splitlines()]
    assert len(answers) == len(jobs), (len(answers), len(jobs))
    return answers


def run_jobs(where, jobs, deadline=120, conf="conf.yaml"):
    """The answers, in the order of the jobs."""
    return sorted(ended(where, jobs, deadline, conf), key=lambda a: a["job"])


def drive(where, transport, tokens, seconds=60, haste=2, message=None, deadline=120, conf="conf.yaml"):
    """What became of each token, in their order; and the whole answers."""
    job = {"transport": transport, "haste": haste, "seconds": seconds, "message": message or {}}
    answers = run_jobs(where, [{**job, "tokens": tokens[i:i + 1000]} for i in range(0, len(tokens), 1000)], deadline, conf)
    verdicts = "".join(a["verdicts"] for a in answers)
    assert len(verdicts) == len(tokens), "the sum of the verdicts is not the audience"
    return verdicts, answers


def compare(tokens, verdicts, delivered):
    """That what was said is what was counted; how often each pair of them was."""
    allowed = {ACCEPTED: (1,), AGAIN: (0,), REJECTED: (0,), GONE: (0,), QUOTA: (0,), DOUBT: (0, 1)}
    wrong = [(t, v, delivered.get(t, 0)) for t, v in zip(tokens, verdicts) if delivered.get(t, 0) not in allowed[v]]
    assert not wrong, f"{len(wrong)} of {len(tokens)}: {wrong[:5]}"
    return Counter(verdicts)
