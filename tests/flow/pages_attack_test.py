"""Forms of the pages, under attack: another site sends them, links lead elsewhere, cookies are planted, what is entered comes back as tags.

The browser is none (visitor.py), for a real one would not send most of this. What a real one does: pages_sign_in_test.py.
"""
import re
import sys
import urllib.parse

from lib import World, free_port, wait_for
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done  # noqa: E402

PAGES = ["/sign-in", "/sign-in/password", "/sign-in/passkey", "/sign-out", "/account", "/account/devices", "/account/password",
         "/account/factors", "/account/factors/app", "/account/factors/passkey"]


def forms_of_others(v):
    """A form that is good but for one thing."""
    page = v.get("/account")
    good = page.form("/account/name")
    device = v.get("/sign-out").form("/sign-out")
    other = Visitor(v.server).sign_in("13800138009")
    theirs = other.get("/account").form("/account/name")
    anonymous = Visitor(v.server)
    return {
        "without a token": ({"name": "x"}, {}),
        "with an empty token": ({**good, "token": ""}, {}),
        "with a token that is cut": ({**good, "token": good["token"][:-1]}, {}),
        "with another form's token": ({**good, "token": device["token"]}, {}),
        "with another session's token": ({**good, "token": theirs["token"]}, {}),
        "with the token of who is not signed in": ({**good, "token": anonymous.get("/sign-in").form("/sign-in")["token"]}, {}),
        "from another origin": (good, {"origin": "https://evil.example"}),
        "from the same host, another port": (good, {"origin": f"https://localhost:{v.port + 1}"}),
        "from the same host without TLS": (good, {"origin": f"http://localhost:{v.port}"}),
        "from an origin that is null": (good, {"origin": "null"}),
        "from another site, as the browser says": (good, {"sec-fetch-site": "cross-site"}),
        "from a sister site, as the browser says": (good, {"sec-fetch-site": "same-site"}),
    }


def csrf(server):
    v = Visitor(server).sign_in("13800138001")
    for what, (fields, headers) in forms_of_others(v).items():
        with case(f"a form {what} changes nothing, and says what to do"):
            answer = v.post("/account/name", {**fields, "name": "坏人"}, **headers)
            assert answer.status == 403, answer
            assert "请重新打开这个页面" in answer.body, answer
            assert "坏人" not in v.get("/account").body
    with case("the same form, from our own page, does what it says"):
        good = v.get("/account").form("/account/name")
        answer = v.post("/account/name", {**good, "name": "好人"}, origin=f"https://localhost:{v.port}", sec_fetch_site="same-origin")
        assert (answer.status, answer.location) == (303, "/account?done=name"), answer
        assert "好人" in v.get("/account").body
    with case("a form comes in one way only: JSON and multipart are refused"):
        good = v.get("/account").form("/account/name")
        body = urllib.parse.urlencode({**good, "name": "坏人"})
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
            answer = v.ask("POST", "/account/name", body, {"content-type": kind})
            assert answer.status == 415, (kind, answer)
        for twice in (body + "&token=x", body + "&name=y", "name"):
            assert v.post("/account/name", twice).status == 400
    with case("who is not signed in is led to the sign-in page, and a form of his is refused"):
        stranger = Visitor(server)
        answer = stranger.get("/account/devices?large=1")
        assert (answer.status, answer.location) == (303, "/sign-in?large=1&return=%2Faccount%2Fdevices%3Flarge%3D1"), answer
        assert stranger.post("/account/name", {"name": "x"}).status == 401
    with case("a cookie opens no door of the interface for programs"):
        assert v.get("/v1/me").status in (401, 404), v.get("/v1/me")
        assert v.ask("POST", "/v1/orgs", "{}", {"content-type": "application/json"}).status == 401


def way_back(server):
    v = Visitor(server)
    for address in ("//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/", "javascript:alert(1)", "/%2f/evil.example",
                    "/%2Fevil.example", "/%5cevil.example", "///evil.example", "/.//evil.example", "/@evil.example", "@evil.example", "/account\r\nx: y",
                    "/account\nset-cookie: a=b", "/account\t", " /account", "/account#x\"><b>", "/..//evil.example", "/v1/items", "/style.css",
                    "/nowhere", "data:text/html,x", "", "/account/%0d%0ax:y", "?x", "/\u2028/evil", "/oauth2\\@evil"):
        with case(f"nobody is led to {address!r}"):
            query = urllib.parse.urlencode({"return": address})
            page = v.get(f"/sign-in?{query}")
            if page.status == 200:
                assert "return" not in page.form("/sign-in"), page.form("/sign-in")
                answer = v.send(page, "/sign-in", phone="13800138002", **{"return": address})
            else:
                assert page.status == 400, page
                answer = v.send(v.get("/sign-in"), "/sign-in", phone="13800138002", **{"return": address})
            assert answer.status in (303, 400, 422, 429), answer
            assert "evil" not in answer.location and "\n" not in answer.location, answer.location
    with case("to a page of ours one is led back, with its query"):
        v = Visitor(server)
        back = "/account/devices?large=1"
        page = v.get("/sign-in?" + urllib.parse.urlencode({"return": back}))
        assert page.form("/sign-in")["return"] == back
        answer = v.send(page, "/sign-in", phone="13800138003")
        assert answer.location == "/sign-in/code?" + urllib.parse.urlencode({"return": back}), answer
        answer = v.send(v.get(answer.location), "/sign-in/code", code=v.code("13800138003"))
        assert (answer.status, answer.location) == (303, back), answer


def cookies(server, plain_port):
    with case("every cookie is HttpOnly, SameSite=Lax, of this host alone, and Secure"):
        v = Visitor(server).sign_in("13800138004")
        lines = Visitor(server).get("/sign-in").all("set-cookie")
        fresh = Visitor(server)
        page = fresh.ask_code("13800138005")
        lines += fresh.send(page, "/sign-in/code", code=fresh.code("13800138005")).all("set-cookie")
        assert len(lines) >= 4, lines
        for line in lines:
            parts = [p.strip() for p in line.split(";")]
            assert line.startswith("__Host-tjzw"), line
            assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= set(parts) and not any(p.lower().startswith("domain") for p in parts), line
        assert set(v.jar) == {"__Host-tjzw", "__Host-tjzw-form", "__Host-tjzw-device"}, v.jar
    with case("over plain HTTP, on this machine alone, they have other names, which nothing over TLS believes"):
        plain = Visitor(server, plain_port, tls=False).sign_in("13800138006")
        assert set(plain.jar) == {"tjzw", "tjzw-form", "tjzw-device"}, plain.jar
        assert plain.get("/account").status == 200
        crossed = Visitor(server)
        crossed.jar = dict(plain.jar)
        assert crossed.get("/account").status == 303
    with case("a session that somebody planted is not the one that is signed in: it is another, and the planted one ends"):
        attacker = Visitor(server).sign_in("13800138007")
        victim = Visitor(server)
        victim.jar = {"__Host-tjzw": attacker.jar["__Host-tjzw"]}
        planted = victim.jar["__Host-tjzw"]
        victim.sign_in("13800138008")
        assert victim.jar["__Host-tjzw"] != planted
        assert attacker.get("/account").status == 303
        assert "138****8008" in victim.get("/account").body
    with case("a planted secret of forms is worth nothing once somebody is signed in"):
        v = Visitor(server)
        v.get("/sign-in")
        planted = v.jar["__Host-tjzw-form"]
        v.sign_in("13800138010")
        attacker = Visitor(server)
        attacker.jar = {"__Host-tjzw-form": planted}
        token = attacker.get("/sign-in").form("/sign-in")["token"]
        assert v.post("/account/name", {"token": token, "name": "x"}).status == 403
    with case("two cookies of one name are none"):
        v = Visitor(server).sign_in("13800138011")
        good = v.jar["__Host-tjzw"]
        v.jar.clear()
        assert v.get("/account", cookie=f"__Host-tjzw={good}; __Host-tjzw=tja_x").status == 303
        assert v.get("/account", cookie=f"__Host-tjzw={good}").status == 200
    with case("who signed out is out, everywhere that cookie is kept"):
        v = Visitor(server).sign_in("13800138012")
        kept = dict(v.jar)
        answer = v.send(v.get("/sign-out"), "/sign-out")
        assert (answer.status, answer.location) == (303, "/sign-out"), answer
        assert "已经退出" in v.get("/sign-out").body and "__Host-tjzw" not in v.jar
        v.jar = kept
        assert v.get("/account").status == 303


def shown_again(server):
    """What somebody entered comes back as text."""
    evil = "\"'><script>alert(1)</script><img src=x onerror=y>&lt;"
    v = Visitor(server).sign_in("13800138013")

    def clean(page):
        assert "<script>alert" not in page.body and "<img" not in page.body and "onerror=y>" not in page.body, page
    with case("a number, a name, a code that are tags come back as text"):
        clean(v.send(v.get("/sign-in"), "/sign-in", phone=evil))
        clean(v.send(v.get("/sign-in/password"), "/sign-in/password", login=evil, password="x"))
        v.ask_code("13800138014")
        clean(v.send(v.get("/sign-in/code"), "/sign-in/code", code=evil))
        v.send(v.get("/account"), "/account/name", name=evil[:50])
        page = v.get("/account")
        clean(page)
        assert "&lt;script&gt;" in page.body
        clean(v.get("/account/factors/app"))
        clean(v.get("/account/factors/passkey"))
    with case("a browser's name, a step, a word of what was done that are tags are not shown"):
        for target in ("/sign-in?return=" + urllib.parse.quote("/account?\"><script>alert(1)</script>"), "/account?done=" + urllib.parse.quote("<script>alert")):
            clean(v.get(target))
        step = Visitor(server)
        step.jar["__Host-tjzw-step"] = "c.PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg..0"
        page = step.get("/sign-in/code")
        clean(page)
        for bad in ("c", "c.", "c...", "x.a.b.0", "f.a.b.9", "c." + "A" * 3000 + "..0", "p..tooshort.1", "c.AA..0", "c.!!..0"):
            step.jar["__Host-tjzw-step"] = bad
            for place in ("code", "password", "factor"):
                assert step.get(f"/sign-in/{place}").status in (200, 303), (bad, place)


def headers(server):
    v = Visitor(server).sign_in("13800138015")
    for target in PAGES:
        with case(f"{target}: in no frame, in no cache, no script but the one, no word of it to others"):
            page = v.get(target)
            policy = page.header("content-security-policy")
            assert page.status == 200, page
            assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "base-uri 'none'" in policy and "unsafe" not in policy, policy
            assert page.header("cache-control") == "no-store" and page.header("x-content-type-options") == "nosniff", page
            assert page.header("referrer-policy") == "same-origin", page
            scripts = re.findall(r"<script[^>]*>", page.body)
            assert scripts == (['<script src="/passkey.js" defer>'] if "passkey" in target else []), scripts
            assert ("script-src 'self'" in policy) == bool(scripts)
            assert not re.search(r"\son[a-z]+=|style=|http://(?!localhost)", page.body), page


def nobody_learns_who_is_here(server):
    """The bytes that a stranger gets, with what he typed himself taken out."""
    Visitor(server).sign_in("13800138016")

    def seen(page, typed):
        kept = [(k.lower(), x) for k, x in page.headers if k.lower() not in ("date", "request-id", "set-cookie", "ratelimit", "content-length")]
        return page.status, kept, page.body.replace(typed, "*")
    with case("a code is asked for a number that somebody has, and for one that nobody has: the same bytes"):
        v, answers = Visitor(server), []
        v.get("/sign-in")
        secret = dict(v.jar)
        for phone in ("13800138017", "13800238017"):
            v.jar = dict(secret)
            first = v.send(v.get("/sign-in"), "/sign-in", phone=phone)
            page = v.get("/sign-in/code")
            wrong = v.send(page, "/sign-in/code", code="000000")
            answers.append((seen(first, phone), seen(page, "86" + phone), seen(wrong, "86" + phone)))
        assert answers[0] == answers[1], answers
    with case("a password for a number that somebody has, and for one that nobody has: the same bytes"):
        answers = []
        for login in ("13800138016", "13800238016", "meiyouzhegeren"):
            v.jar = dict(secret)
            answers.append(seen(v.send(v.get("/sign-in/password"), "/sign-in/password", login=login, password="a wrong one 7"), login))
        assert answers[0] == answers[1] == answers[2], answers
        assert answers[0][0] == 401


def written_down(server):
    with case("what was refused and what was done stands in the audit log, with whose account it was about, and with nobody's number"):
        v = Visitor(server).sign_in("13800138018")
        v.send(v.get("/account"), "/account/name", name="某人", token="x")
        other = Visitor(server)
        other.send(other.ask_code("13800138019"), "/sign-in/code", code="000000")
        v.send(v.get("/sign-out"), "/sign-out")

        def seen():
            rows = server.admin("GET", "/v1/audit?n=200").json()["records"]
            found = {(r["action"], r.get("object")) for r in rows}
            what = {a for a, _ in found}
            refused = [r for r in rows if r["action"].endswith(".refused")]
            return rows if {"sign_in", "sign_out", "account.create", "code.send", "credential.refused", "right.refused"} <= what and any(
                "/sign-in/code" in str(r) for r in refused) and any("/account/name" in str(r) for r in refused) else None
        rows = wait_for("the rows", 20, seen)
        assert "1380013" not in str(rows)


def main():
    with World() as w:
        port, plain = free_port(), free_port()
        server = w.start(port=port, urls=[f"https://localhost:{port}", f"http://localhost:{plain}"],
                         env={"TJZW_PUBLIC_URL": f"https://localhost:{port}", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        csrf(server)
        way_back(server)
        cookies(server, plain)
        shown_again(server)
        headers(server)
        nobody_learns_who_is_here(server)
        written_down(server)
        with case("the server stops in order"):
            server.stop()


main()
sys.exit(done())
