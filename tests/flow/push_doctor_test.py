#!/usr/bin/env python3
"""tjzw doctor looks at the credentials of push: which transports are on, what is missing of those that somebody began to set, and files that hold no key of the vendor's. It never prints a secret."""
import json
import shutil
import sys

from lib import World
from vendor_farm import make_keys

from tap import case, done, skip

SECRET = "geheim-0123456789"
XIAOMI = {"TJZW_PUSH_XIAOMI_PACKAGE": "cn.example.app", "TJZW_PUSH_XIAOMI_SECRET": SECRET}
APPLE = {"TJZW_PUSH_APNS_KEY_ID": "KEY1234567", "TJZW_PUSH_APNS_TEAM": "TEAM123456", "TJZW_PUSH_APNS_TOPIC": "cn.example.app"}
WECHAT = {"TJZW_PUSH_WECHAT_APP": "wx1", "TJZW_PUSH_WECHAT_APP_SECRET": SECRET, "TJZW_PUSH_WECHAT_TEMPLATE": "T1"}


def main():
    with World() as w:
        w.serve(w.data).stop()

        def doctor(**settings):
            """What it says of push: its mark, the line, and the hint below it; and what its status was."""
            ran = w.tjzw("doctor", "--data", w.data, check=False, env=settings)
            text = ran.stdout.decode() + ran.stderr.decode()
            assert SECRET not in text, text
            lines = text.splitlines()
            at = next(i for i, line in enumerate(lines) if line[2:].startswith("推送  "))
            hint = lines[at + 1].strip() if lines[at + 1].startswith("    →") else ""
            return lines[at][0], lines[at], hint, ran.returncode

        make_keys(w.dir)
        with case("nothing is set: all are off, and nothing is wrong"):
            mark, line, hint, status = doctor()
            assert mark == "✔" and "on: none" in line and "wechat" in line and not hint and status == 0, (mark, line, hint, status)
        with case("what is set whole is on, and nobody has tried it"):
            mark, line, hint, status = doctor(**XIAOMI, **APPLE, TJZW_PUSH_APNS_KEY=str(w.dir / "apns.p8"), TJZW_PUSH_HUAWEI_ACCOUNT=str(w.dir / "account.json"))
            assert mark == "✔" and not hint and status == 0, (mark, line, hint, status)
            on = line.split("on: ")[1].split("; off:")[0]
            assert on == "huawei_next (unverified with vendor), xiaomi (unverified with vendor), apns (unverified with vendor)", line
        with case("what somebody began to set is named, each of it"):
            mark, line, hint, status = doctor(TJZW_PUSH_XIAOMI_PACKAGE="cn.example.app", TJZW_PUSH_HONOR_APP="104")
            assert mark == "!" and "xiaomi: push_xiaomi_secret" in hint and "honor: push_honor_client" in hint, (mark, line, hint)
            assert "on: none" in line, line
        with case("fields of WeChat that are none are named"):
            assert "wechat (unverified" in doctor(**WECHAT)[1]
            mark, line, hint, status = doctor(**WECHAT, TJZW_PUSH_WECHAT_FIELDS="thing1,phrase2")
            assert mark == "!" and "push_wechat_fields" in hint and "on: none" in line, (mark, line, hint)
        for name, setting, text in (("a key that is none", "TJZW_PUSH_APNS_KEY", "nothing"), ("a key of another kind", "TJZW_PUSH_APNS_KEY", None), ("no service account", "TJZW_PUSH_HUAWEI_ACCOUNT", "{}"),
                                    ("a file that is not there", "TJZW_PUSH_APNS_KEY", "")):
            with case(f"{name} is wrong, and doctor says which setting and fails"):
                path = w.dir / "given"
                path.unlink(missing_ok=True)
                if text:
                    path.write_text(text)
                elif text is None:
                    path.write_text(json.loads((w.dir / "account.json").read_text())["private_key"])
                mark, line, hint, status = doctor(**APPLE, **{setting: str(path)})
                assert mark == "✘" and setting[5:].lower() in line and hint and status, (mark, line, hint, status)


if shutil.which("openssl"):
    main()
else:
    skip("doctor and credentials of push", "openssl is not here")
sys.exit(done())
