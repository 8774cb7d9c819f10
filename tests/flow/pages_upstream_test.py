"""Who comes by an upstream that does not know him well proves a phone, on a page of its own: as everybody must be able to use it."""
import sys
import urllib.parse

from browser import Browser, missing
from lib import World, free_port
from pages_sign_in_test import PICTURES, look
from upstream import Upstream
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402


def half_way(server, u):
    """A browser that has the upstream's word, and no account yet."""
    v = Visitor(server)
    answer = u.approve(v.get("/sign-in/with/ywt").location, sub="7001")
    back = v.get("/sign-in/from/ywt?" + urllib.parse.urlencode({k: answer[k] for k in ("code", "state", "iss")}))
    assert (back.status, back.location) == (303, "/sign-in/phone"), back
    return v


def main():
    lacking = missing()
    if lacking:
        skip("the pages on the way from an upstream", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port = free_port()
        url = f"https://localhost:{port}"
        u = Upstream(w, "ywt")
        u.connect(w.data, claims={"name": "name", "level": "acr"}, levels={"L2": 2}, level_max=1, trusts_phone=False)
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        page = browser.page(width=320)
        for name, value in half_way(server, u).jar.items():
            page.call("Network.setCookie", name=name, value=value, url=url, secure=True, httpOnly=True, path="/")
        for name, large, dark in (("narrow", False, False), ("elder-dark", True, True)):
            with case(f"{name}: axe finds nothing, nothing is too small, Tab reaches all"):
                page.dark(dark)
                page.open(url + "/sign-in/phone" + ("?large=1" if large else ""))
                assert page.url.startswith("/sign-in/phone"), page.url
                look(page, f"{name}-sign-in-phone", large)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
