#!/usr/bin/env python3
"""tjzw import --assess: a report on a site before it moves (docs/ingest.md). Nothing is taken in."""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib import CORPUS, ROOT, World, article

sys.path.insert(0, str(ROOT / "tests" / "lib"))
from tap import case, done  # noqa: E402


FEED = """<rss version="2.0"><channel><title>x</title>
<item><guid>1</guid><title>示例区关于做好供热工作的通知</title><description>&lt;p&gt;正文共有不少的字，足够比较两篇是否相同，还要再多几个。&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description></item>
<item><guid>2</guid><title>示例区关于印发实施方案的365游戏盒子_365bet网上娱乐网址</title><description>另一篇</description></item></channel></rss>""".encode()


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/feed.rss":
            self.send_response(200)
            self.send_header("content-length", str(len(FEED)))
            self.end_headers()
            self.wfile.write(FEED)
            return
        gone = "gone" in self.path
        self.send_response(404 if gone else 302 if "moved" in self.path else 200)
        self.send_header("content-length", "100000" if "long" in self.path else "0")
        self.end_headers()
        try:
            self.wfile.write(b"-" * (100000 if "long" in self.path else 0))
        except OSError:
            pass

    def log_message(self, *_):
        pass


def run(w, records, *more):
    file = w.dir / "site.ndjson"
    file.write_text("".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    ran = w.tjzw("import", "--assess", "--json", *more, file, check=False)
    told = json.loads(ran.stdout)
    return ran.returncode, told, {f["name"]: f for f in told["faults"]}


def main():
    web = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    web.asked = []
    threading.Thread(target=web.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{web.server_address[1]}"
    with World() as w:
        clean = [{**article(i, 900), "id": f"a-{i}", "source": "示例区人民政府", "title": "示例区关于做好供热工作的通知"} for i in range(3)]
        for r in clean:
            r.pop("html", None)
        with case("records that are in order have no fault that blocks"):
            code, told, faults = run(w, clean)
            assert code == 0 and told["records"] == 3 and not [f for f in faults.values() if f["blocks"]], (code, told)
        with case("faults are counted by name, with where they stand"):
            bad = [*clean, "{\n", {**clean[0], "id": "b-1", "title": "示例区关于印发实施方案的365游戏盒子_365bet网上娱乐网址", "body": "另一篇正文，共三处绿地，欢迎来玩，周末开放。"},
                   {**clean[0], "id": "b-2", "body": "身份证 11010519491231002X"}, {**clean[0], "id": "b-2", "body": ""}]
            bad[-1].pop("body")
            code, told, faults = run(w, bad)
            assert code == 65, code
            assert faults["record.refused"]["examples"][0].startswith("第 4 行"), faults
            assert "第 5 行，编号 b-1" in faults["title.hijacked"]["examples"][0] and faults["title.hijacked"]["blocks"], faults
            assert faults["person.id"]["n"] == 1 and "19491231" not in json.dumps(told), faults
            assert faults["record.twice"]["examples"] == ["第 7 行，编号 b-2：第 6 行已有"] and faults["text.empty"]["n"] == 1, faults
        with case("texts that others have are told as the same, or nearly"):
            text = "".join(f"第{i}条，{'供热医疗教育交通住房养老环保消防就业'[i % 18:]}的办理时限为{i}个工作日，由{i}号窗口受理，咨询电话见附件{i}。" for i in range(30))
            code, told, faults = run(w, [{**clean[0], "id": "c-1", "body": text}, {**clean[0], "id": "c-2", "body": "  " + text.replace("，", ", ")},
                                         {**clean[0], "id": "c-3", "body": "【转载】" + text}])
            assert faults["text.same"]["examples"] == ["第 2 行，编号 c-2：见第 1 行"], faults
            assert faults["text.near"]["examples"] == ["第 3 行，编号 c-3：见第 1 行"], faults
        page = {**clean[0], "id": "d-1", "url": f"{at}/a/1.html", "html": "<p onclick='x()'>见<a href='gone.html'>旧闻</a>、<a href='long.html'>新闻</a><a href='javascript:x()'>打开</a>"
                "</p><img src='gone.png'><script>x()</script><p hidden>赌</p><form><input></form>"}
        page.pop("body")
        with case("of pages it says what cleaning takes away"):
            code, told, faults = run(w, [page])
            assert {"html.script", "html.hidden", "html.form", "link.lost", "picture.wordless"} <= set(faults) and faults["html.script"]["n"] == 2, faults
            assert told["files"] == 1 and not web.asked, told
        with case("dead links are found if that is asked for, each address once"):
            code, told, faults = run(w, [page, {**page, "id": "d-2"}], "--links", "100", "--private")
            dead = faults["link.dead"]
            assert dead["n"] == 2 and all("答复 404" in e and e.startswith("第 1 行") for e in dead["examples"]), faults
            assert sorted(web.asked) == ["/a/gone.html", "/a/gone.png", "/a/long.html"] and told["asked"] == 3, (web.asked, told)
        with case("without --private our own network is not asked"):
            web.asked.clear()
            code, told, faults = run(w, [page], "--links", "100")
            assert not web.asked and faults["link.dead"]["n"] == 3, (web.asked, faults)
        with case("a feed is assessed by its address, an entry as a line"):
            ran = w.tjzw("import", "--assess", "--json", f"{at}/feed.rss", check=False)
            told = json.loads(ran.stdout)
            faults = {f["name"]: f for f in told["faults"]}
            assert told["records"] == 2 and faults["html.script"]["n"] == 1 and "第 2 行" in faults["title.hijacked"]["examples"][0], told
            assert w.tjzw("import", "--assess", f"{at}/gone.rss", check=False).returncode not in (0, 65)
        with case("a table of a spreadsheet is read by its head, rows keep their numbers"):
            table = w.dir / "site.csv"
            table.write_bytes("\ufeff编号,站点,栏目,标题,正文,发布时间,关键词\r\nt-1,示例区,要闻,\"题,一\",\"第一行\n第\"\"二\"\"行\",2026-03-16 09:30,甲；乙;丙\r\n\r\nt-2,示例区,要闻,,正文,,\r\n".encode())
            told = json.loads(w.tjzw("import", "--assess", "--json", table, check=False).stdout)
            faults = {f["name"]: f for f in told["faults"]}
            assert told["records"] == 2 and "第 4 行" in faults["record.refused"]["examples"][0] and "title" in faults["record.refused"]["examples"][0], told
            table.write_bytes("编号,标题\nt-1,题\n".encode("gbk"))
            ran = w.tjzw("import", "--assess", table, check=False)
            assert ran.returncode and "UTF-8" in ran.stderr.decode(), ran
            table.write_bytes("编号,标题\nt-1,x\n".encode("gbk"))
            assert "UTF-8" in w.tjzw("import", "--assess", table, check=False).stderr.decode()
            table.write_bytes(b'a,b\n"c,d\n')
            assert "引号" in w.tjzw("import", "--assess", table, check=False).stderr.decode()
            table.unlink()
        with case("nothing is taken in, nor is a data directory made"):
            assert sorted(p.name for p in w.dir.iterdir()) == ["site.ndjson"], list(w.dir.iterdir())
        with case("an import takes a table too, lists and all"):
            table = w.dir / "site.csv"
            table.write_text("编号,站点,栏目,标题,正文,关键词,转载\nt-1,示例区,要闻,\"题,一\",\"第一行\n第二行\",甲；乙,是\n")
            w.tjzw("import", "--data", w.data, "--publish", table)
            record = json.loads(w.export())
            assert (record["title"], record["body"], record["keywords"], record["isReprint"], record["originId"]) == ("题,一", "第一行\n第二行", ["甲", "乙"], True, "t-1"), record
        if CORPUS.exists():
            with case("of the corpus one title is called hijacked, and it is"):
                told = json.loads(w.tjzw("import", "--assess", "--json", CORPUS, check=False).stdout)
                faults = {f["name"]: f for f in told["faults"]}
                assert faults["title.hijacked"]["n"] == 1 and "record.refused" not in faults, faults
    web.shutdown()
    done()


if __name__ == "__main__":
    main()
