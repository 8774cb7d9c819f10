"""visitor.py - a browser without a screen: cookies, forms, no script. For what a real one would never send.

    v = Visitor(server)
    page = v.get("/sign-in")
    page = v.send(page, "/sign-in", phone="13800138000")       # the form of that page, filled in
    assert page.status == 303 and page.location == "/sign-in/code"
"""
import html
import http.client
import re
import ssl
import time
import urllib.parse


class Page:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body.decode()

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name]

    def header(self, name):
        return (self.all(name) or [""])[0]

    @property
    def location(self):
        return self.header("location")

    def forms(self):
        """(action without its query, {name: value of its hidden fields})"""
        found = []
        for action, inside in re.findall(r'<form [^>]*action="([^"]*)"[^>]*>(.*?)</form>', self.body, re.S):
            fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', inside))
            found.append((action.split("?")[0], {k: html.unescape(v) for k, v in fields.items()}))
        return found

    def form(self, action):
        return next(fields for where, fields in self.forms() if where == action)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


class Visitor:
    def __init__(self, server, port=None, tls=True):
        self.server, self.port, self.tls, self.jar = server, port or server.port, tls, {}

    def ask(self, method, target, body=None, headers=None):
        context = ssl._create_unverified_context()
        c = (http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context) if self.tls
             else http.client.HTTPConnection("localhost", self.port, timeout=30))
        sent = {"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items())} if self.jar else {}
        try:
            c.request(method, target, body, {**sent, **(headers or {})})
            answer = c.getresponse()
            page = Page(answer.status, answer.getheaders(), answer.read())
        finally:
            c.close()
        for line in page.all("set-cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return page

    def get(self, target, **headers):
        return self.ask("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, target, fields, **headers):
        body = fields if isinstance(fields, str) else urllib.parse.urlencode(fields)
        return self.ask("POST", target, body, {"content-type": "application/x-www-form-urlencoded",
                                               **{k.replace("_", "-"): v for k, v in headers.items()}})

    def send(self, page, action, **fields):
        """The form of a page that goes there."""
        return self.post(action, {**page.form(action), **fields})

    def code(self, phone):
        """What the development gateway wrote into the log last for this number."""
        for _ in range(100):
            found = re.findall(rf'"phone_ends":"{phone[-4:]}","code":"(\d+)"', self.server.log.read_text(errors="replace"))
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"no code was sent to {phone}")

    def ask_code(self, phone):
        """The page on which it is entered."""
        answer = self.send(self.get("/sign-in"), "/sign-in", phone=phone)
        assert (answer.status, answer.location) == (303, "/sign-in/code"), answer
        return self.get("/sign-in/code")

    def sign_in(self, phone):
        answer = self.send(self.ask_code(phone), "/sign-in/code", code=self.code(phone))
        assert (answer.status, answer.location) == (303, "/account"), answer
        return self
