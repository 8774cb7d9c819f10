#!/usr/bin/env python3
"""tjzw check-record: a department asks what is wrong with its records before it sends them. Nothing is taken in."""
import json
import sys

from lib import ROOT, World, article

sys.path.insert(0, str(ROOT / "tests" / "lib"))
from tap import case, done  # noqa: E402


def run(w, records, *more):
    file = w.dir / "records.ndjson"
    file.write_text("".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    ran = w.tjzw("check-record", *more, file, check=False)
    return ran.returncode, ran.stdout.decode().splitlines(), ran.stderr.decode()


def main():
    with World() as w:
        clean = {**article(1, 300), "id": "a-1", "title": "示例市关于做好供热工作的通知"}
        with case("records that are in order end well"):
            code, out, err = run(w, [clean])
            assert (code, out, err) == (0, ["1 条记录：0 条不能入库，0 条有必须改正的问题，0 条有提示"], ""), (code, out, err)
        with case("what blocks is named by field, place, rule and version, and the exit status says so"):
            code, out, err = run(w, [clean, {**clean, "id": "a-2", "title": "示例市关于印发实施方案的365游戏盒子_365bet网上娱乐网址", "body": "机密★1年"}])
            assert code == 65 and not err, (code, err)
            assert out[0].startswith("a-2 title 12-32 blocking title.hijacked/1: 标题中夹有"), out
            assert out[1].startswith("a-2 body 0-2 blocking secrecy.mark/1: 这里有密级标志“机密”"), out
            assert out[-1] == "2 条记录：0 条不能入库，1 条有必须改正的问题，0 条有提示", out
        with case("a record that an import would refuse says why, and hinders no other"):
            code, out, err = run(w, ["{\n", {**clean, "body": "示例违禁词，联系13800138000"}], "--words", ROOT / "tests/data/words.tsv")
            assert code == 65 and err.startswith("1: refused: "), (code, err)
            assert "words.listed/1" in out[0] and "person.phone/1" in out[1] and "13800138000" not in "".join(out), out
        with case("links to other hosts are told where ours are named; as JSON, a line a record"):
            code, out, err = run(w, [{**clean, "body": "见 https://www.example.com/x 和 https://www.tj.gov.cn/y"}], "--hosts", "gov.cn", "--json")
            answer = json.loads(out[0])
            assert code == 0 and not answer["blocked"] and len(out) == 1, (code, out, err)
            assert [(v["rule"], v["field"], v["from"], v["to"], v["severity"]) for v in answer["verdicts"]] == [("link.outside", "body", 2, 25, "warning")], answer
        with case("a list that cannot be read names its line"):
            bad = w.dir / "bad.tsv"
            bad.write_text("# date: 2026-11-01\n词\n")
            code, out, err = run(w, [clean], "--words", bad)
            assert code == 65 and "词表第 2 行" in err and not out, (code, out, err)


main()
sys.exit(done())
