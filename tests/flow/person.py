"""A person with tjzw-phone in the hand: what he says to it, how he signs in, and the gateway that brings him codes."""
import http.server
import json
import signal
import sqlite3
import subprocess
import threading

from lib import clean_env

GOOD = "绿色的河马爱跳舞"
NUMBER = "13800138000"


class Gateway(http.server.ThreadingHTTPServer):
    """What came to each phone number."""

    def __init__(self):
        gateway = self
        self.got = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["content-length"])))
                gateway.got[message["to"]] = message["text"][-6:]
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"code":0}')

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def settings(self):
        return {"TJZW_SMS_URL": f"http://127.0.0.1:{self.server_address[1]}/send", "TJZW_SMS_BODY": '{"to":"{phone}","text":"验证码{code}"}',
                "TJZW_SMS_OK": '"code":0', "TJZW_RATE_LIMIT": "0"}


def say(phone, *args, text="", check=True, timeout=120):
    """A command with something on its standard input; what it printed."""
    ran = subprocess.run(phone.command(*args), input=text.encode(), capture_output=True, env=clean_env(), timeout=timeout)
    assert not check or ran.returncode == 0, f"tjzw-phone {' '.join(map(str, args))}: {ran.returncode}\n{ran.stderr.decode(errors='replace')}"
    return ran.stdout.decode()


def sign_in(phone, password=GOOD):
    return say(phone, "sign-in", "--password", NUMBER, text=password + "\n")


def killed_sync(phone, chance):
    """A sync that is killed at any moment, or comes to its end."""
    running = phone.start("sync")
    try:
        running.wait(chance.expovariate(1 / 0.25))
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.wait()


def settle(phones):
    for _ in range(2):
        for phone in phones:
            say(phone, "sync")


def token_of(phone):
    """The access token that a phone has just used."""
    say(phone, "sync")
    db = sqlite3.connect(phone.store)
    try:
        return db.execute("SELECT access FROM person WHERE state = 1").fetchone()[0]
    finally:
        db.close()
