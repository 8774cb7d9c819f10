"""push_watch.py - who waits for a message while the server is killed: a phone with its screen on, and somebody who only listens.

    screen = Screen(w, server, "13800000003")     # tjzw-phone watch: the inbox by server-sent events and exchanges; of a citizen of his own, screen.account
    screen.shown(title)                           # how often it said that this message is new
    listener = Listener(server.port)              # GET /v1/events by another hand, coming back with Last-Event-ID
    listener.heads                                # the id of each head that it was told, in order
"""
import http.client
import json
import signal
import sqlite3
import ssl
import subprocess
import threading
import time

from app import App
from lib import clean_env, wait_for


def sessions(server):
    with sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT id, account FROM session"))


class Screen:
    def __init__(self, w, server, number):
        self.phone, self.lines = w.phone("screen", url=server.url), []
        self.phone.sync()
        seen, before = len(App(server).codes(number)), sessions(server)
        self.phone.run("sign-in", number)
        self.phone.run("sign-in", number, wait_for("a code", 20, lambda: App(server).codes(number)[seen:])[-1])
        (self.account,) = {account for session, account in sessions(server).items() if session not in before}
        self.process = subprocess.Popen(self.phone.command("watch"), env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()
        wait_for("it watches", 30, lambda: any("在看着" in line for line in self.lines))

    def shown(self, title):
        return sum(f"新消息：{title} " in line for line in list(self.lines))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


class Listener:
    """Comes back at once, more eagerly than a reader should, so that it is told much again if anything is."""

    def __init__(self, port):
        self.port, self.heads, self.last, self.over = port, [], None, False
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.over:
            try:
                self.hear()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)

    def hear(self):
        line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=ssl._create_unverified_context())
        try:
            line.request("GET", "/v1/events", headers={"last-event-id": self.last} if self.last else {})
            said = line.getresponse()
            block = {}
            while not self.over and (text := said.readline()):
                name, _, value = text.decode().rstrip("\n").partition(": ")
                if name:
                    block[name] = value
                    continue
                if block.get("event") == "head":
                    self.heads.append((json.loads(block["data"])["seq"], block["id"]))
                    self.last = block["id"]
                block = {}
        finally:
            line.close()

    def stop(self):
        self.over = True
        self.thread.join(10)
