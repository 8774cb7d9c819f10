"""app.py - somebody's app: JSON over HTTPS, and the token that it was given.

    li = App(server).by_phone("13800138000")
    li.call("GET", "/v1/me").json()
"""
import json
import re

from lib import wait_for


class App:
    def __init__(self, server, access=None):
        self.server, self.access = server, access

    def call(self, method, target, body=None, timeout=30):
        headers = {"content-type": "application/json"} if body is not None else {}
        if self.access:
            headers["authorization"] = "Bearer " + self.access
        return self.server.get(target, method, json.dumps(body).encode() if body is not None else None, headers, timeout)

    def codes(self, phone):
        """What a server that sends no messages wrote into its log for this number."""
        return re.findall(rf'"phone_ends":"{phone[-4:]}","code":"(\d+)"', self.server.log.read_text(errors="replace"))

    def by_phone(self, phone):
        """Signs in by a code; `said` has the answer."""
        self.access, seen = None, len(self.codes(phone))
        assert (a := self.call("POST", "/v1/auth/code", {"phone": phone})).status == 202, a
        code = wait_for("a code", 20, lambda: self.codes(phone)[seen:])[-1]
        self.keep(self.call("POST", "/v1/auth/sign-in", {"phone": phone, "code": code, "device": "手机"}))
        return self

    def keep(self, answer):
        """What a step answered, and its token if it was the last one."""
        assert answer.status == 200, answer
        self.said = answer.json()
        if self.said["step"] == "done":
            self.access = self.said["access"]
        return self.said
