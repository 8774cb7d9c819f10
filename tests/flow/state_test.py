#!/usr/bin/env python3
"""Exchanges of citizens' phones while the server is killed: everything arrives, once.

Each citizen (a guest) has two phones that write and one that only reads. A phone numbers what it writes and sends it until it has a result for each; answers are
lost by kill -9 of the child at any instant, and some are thrown away as if they had been. The oracle is a plain map of what the results say: of a key the value with
the highest seq, of read marks all of them. Every mutation changes something, so the number of an account's changes is the number of its mutations that were done: one that
took effect twice, or without its result, shows.
"""
import base64
import gzip
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
import uuid

from lib import World, children, free_port, wait_for

from tap import case, done, note, rounds

CITIZENS, KILLS = rounds(8, 3), rounds(200, 6)


class Phone:
    """One device of an account."""

    def __init__(self, account, port):
        self.account, self.port = account, port
        self.device = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        self.n, self.acked, self.cursor, self.held, self.waiting, self.results = 0, 0, None, {}, [], {}
        self.chance = random.Random(random.getrandbits(64))

    def ask(self, body):
        """The answer, or None if it did not come."""
        data, headers = json.dumps(body).encode(), {"content-type": "application/json", "authorization": "Bearer " + self.account.token}
        if self.chance.random() < 0.3:
            data, headers["content-encoding"] = gzip.compress(data), "gzip"
        try:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            c.request("POST", "/v1/me/sync", data, headers)
            answer = c.getresponse()
            text = answer.read()
            c.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
            return None
        if answer.status in (503, 507):
            time.sleep(0.02)
            return None
        assert answer.status == 200, (answer.status, text)
        return None if self.chance.random() < 0.1 else json.loads(text)

    def write(self):
        """Something new, of which none changes nothing."""
        for _ in range(self.chance.randint(0, 30)):
            self.n += 1
            new = {"n": self.n, "type": "fav", "key": f"main/{uuid.UUID(int=self.chance.randrange(40))}", "value": {"at": self.account.next()}}
            if self.chance.random() < 0.3:
                born = self.account.next()
                new |= {"type": "read", "key": f"main/{born // 4096}", "value": str(born % 4096)}
            elif self.chance.random() < 0.1:
                new |= {"key": "nonsense"}
            self.waiting.append(new)

    def take(self, answer):
        for r in answer["results"]:
            if r["result"] != "known":
                assert self.results.setdefault(r["n"], r) == r, "a result changed"
            assert r["n"] in self.results, "a result was never told"
        self.waiting = [m for m in self.waiting if m["n"] not in self.results]
        self.acked = self.n - len(self.waiting)
        if answer["reset"]:
            self.held = {}
        for e in answer["entries"]:
            self.held[e["type"], e["key"]] = e["value"]
        self.cursor = answer["cursor"]

    def exchange(self, most=500):
        body = {"device": self.device, "acked": self.acked, "most": most, "mutations": self.waiting[:500]}
        if self.cursor:
            body["cursor"] = self.cursor
        answer = self.ask(body)
        if answer:
            self.account.told(self, answer)
            self.take(answer)
        return answer

    def finish(self):
        """Until all is told, and all is read."""
        end = time.monotonic() + 120
        while True:
            answer = self.exchange()
            if answer and not self.waiting and not answer["more"]:
                return
            assert time.monotonic() < end, (len(self.waiting), answer)


class Account:
    """A guest, and the oracle of his state."""

    def __init__(self, port):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        c.request("POST", "/v1/guest", b'{"device":"test"}', {"content-type": "application/json"})
        answer = json.loads(c.getresponse().read())
        self.token, self.lock, self.count, self.map, self.read, self.changes = answer["access"], threading.Lock(), 0, {}, set(), {}
        self.phones = [Phone(self, port) for _ in range(3)]

    def next(self):
        with self.lock:
            self.count += 1
            return self.count

    def told(self, phone, answer):
        """What each result says for the first time."""
        sent = {m["n"]: m for m in phone.waiting}
        with self.lock:
            for r in answer["results"]:
                m = sent.get(r["n"])
                if r["result"] != "done" or not m or (phone, r["n"]) in self.changes:
                    continue
                self.changes[phone, r["n"]] = r["seq"]
                if m["type"] == "read":
                    self.read.add(int(m["key"].split("/")[1]) * 4096 + int(m["value"]))
                elif self.map.get(m["key"], (0,))[0] < r["seq"]:
                    self.map[m["key"]] = (r["seq"], m["value"])

    def expected(self):
        return {("fav", key): value for key, (_, value) in self.map.items()}


def marks(held):
    found = set()
    for (type_, key), value in held.items():
        for part in value.split(",") if type_ == "read" else ():
            first, _, last = part.partition("-")
            found |= {int(key.split("/")[1]) * 4096 + i for i in range(int(first), int(last or first) + 1)}
    return found


def check(account, port):
    fresh = Phone(account, port)
    fresh.finish()
    for phone in [*account.phones, fresh]:
        assert {k: v for k, v in phone.held.items() if k[0] == "fav"} == account.expected(), "favourites are other ones"
        assert marks(phone.held) == account.read, "read marks are other ones"
    seqs = sorted(account.changes.values())
    assert len(seqs) == len(set(seqs)), "two mutations have one number"
    assert int(fresh.cursor.split(".")[1]) == len(seqs), "there were more changes than mutations, or fewer"


def live(phone, stop, failed):
    try:
        while not stop.is_set():
            if phone is not phone.account.phones[2]:
                phone.write()
            phone.exchange(most=phone.chance.choice([1, 7, 500]))
    except BaseException as why:        # told by the test
        failed.append(why)


def main(w):
    port = free_port()
    server = w.serve(port=port, urls=[f"http://127.0.0.1:{port}"], env={"TJZW_RATE_LIMIT": "0"})
    accounts = [Account(port) for _ in range(CITIZENS)]
    stop, failed = threading.Event(), []
    threads = [threading.Thread(target=live, args=(p, stop, failed)) for a in accounts for p in a.phones]
    with case(f"{KILLS} times kill -9 in the middle of exchanges: {CITIZENS} citizens go on"):
        for t in threads:
            t.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.1, 0.8))
            child = wait_for("a child", 30, lambda: (c := children(server.process.pid)) and c[-1])
            os.kill(child, signal.SIGKILL)
            wait_for("another child", 30, lambda: (c := children(server.process.pid)) and c[-1] != child)
            assert not failed, failed
    stop.set()
    for t in threads:
        t.join()
    with case("all that was written is there, once, on all phones"):
        assert not failed, failed
        for a in accounts:
            for p in a.phones:
                p.finish()
            for p in a.phones:
                p.finish()
            check(a, port)
        note(f"{sum(len(a.changes) for a in accounts)} mutations of {CITIZENS * 2} phones")
        assert all(len(a.changes) > 20 for a in accounts)
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
