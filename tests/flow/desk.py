"""desk.py - a member of staff: before his browser, and at the command line of a machine of his.

    password, secrets = accounts(server)          # of a server with --demo
    person = Person(server)
    person.sign_in("demo.site", password, secrets["demo.site"])
    desk = Desk(w, server, env)
    process, letters, said = desk.login("work")   # waits until person.answer(letters, True)
    desk.run("item", "list", "--profile", "work")
"""
import base64
import hashlib
import hmac
import json
import re
import struct
import subprocess
import time

from app import App
from lib import clean_env


def totp(secret, later=0):
    """RFC 6238, by another hand than ours. The server's clock is ours here: the shim has not been moved yet. `later`: seconds; a code is good once."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time() + later) // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


class Person(App):
    """Who sits before the browser."""

    def sign_in(self, login, password, secret):
        first = self.call("POST", "/v1/auth/sign-in", {"login": login, "password": password}).json()
        assert self.keep(self.call("POST", "/v1/auth/sign-in", {"ticket": first["ticket"], "totp": totp(secret)}))["step"] == "done"

    def answer(self, letters, allow):
        return self.call("POST", "/v1/me/device", {"code": letters, "allow": allow})


class Desk:
    """A machine of his: its settings, and the commands he gives."""

    def __init__(self, w, server, env):
        self.w, self.server = w, server
        self.env = {**env, "XDG_CONFIG_HOME": str(w.dir / "settings")}
        self.profiles = w.dir / "settings" / "tjzw" / "profiles"
        self.ca = server.data / "keys" / "tls-cert.pem"

    def run(self, *args, check=True):
        return self.w.tjzw(*args, check=check, env=self.env)

    def login(self, name):
        """The running command, and the letters it shows."""
        command = self.w.command("login", "--profile", name, "--server", self.server.url + "/", "--cacert", self.ca)
        process = subprocess.Popen(command, env=clean_env(self.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = b""
        while not (letters := re.search(rb"[B-Z]{4}-[B-Z]{4}", said)):
            line = process.stdout.readline()
            assert line, process.stderr.read().decode()
            said += line
        return process, letters[0].decode(), said.decode()

    def kept(self, name):
        return json.loads((self.profiles / f"{name}.json").read_text())


def accounts(server):
    text = (server.data / "demo-accounts").read_text()
    password = re.search(r"密码都是 (\S+?)，", text)[1]
    return password, dict(re.findall(r"^\s+(demo\.\S+).*密钥 (\S+)$", text, re.M))
