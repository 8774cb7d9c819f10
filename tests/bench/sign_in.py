"""sign_in.py - what signing in costs: refresh tokens exchanged, each on the disk before its answer leaves; passwords hashed while others are served; and
whether the time of an answer tells who has an account.

Refreshes: 64 connections, each a session of its own that exchanges as fast as it is answered. Passwords: one thread hashes (password_threads 1), 16
people sign in side by side with the right one, and somebody else asks for his account (GET /v1/me, from the database) all the time. The floor beside it is
libsodium's argon2id alone, checking the same hash on one thread, before and after, by the CPU it took. Times: wrong
passwords, codes asked for and wrong codes, one after the other, at accounts that exist and at none by turns, each from an address of its own as a proxy
tells it, --rounds times 2,000 in all: three in five a password, and each number asks for one code and guesses it wrong once. Plain HTTP, so that TLS does
not hide anything.

Keycloak's figures are those of its sizing guide (docs/guides/high-availability/concepts-memory-and-cpu-sizing.adoc of its sources): what it plans with for
one virtual CPU, with argon2id at 7 MiB and 5 passes. Others' machine, others' load: an order of magnitude, and no more.
"""
import ctypes
import http.client
import json
import random
import re
import select
import socket
import statistics
import threading
import time

from lib import free_port
from measure import ALONE, cpu, say

PEOPLE, REFRESHERS, SIDE_BY_SIDE = 100, 64, 16
GOOD, WRONG = "绿色的河马爱跳舞", "红色的河马在睡觉"
KEYCLOAK = {"refreshes": 120, "passwords": 15}      # a second and virtual CPU
MEMORY, PASSES = 19 << 20, 2        # server/identity/password.c


class Person:
    def __init__(self, port, number):
        self.port, self.phone, self.used = port, f"139{number:08}", 0

    def open(self):
        self.at = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.at.connect()
        self.at.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, target, body=None, token=None, whence=None):
        """(status, answer, seconds)"""
        headers = {"content-type": "application/json", "forwarded": "for=" + (whence or address())}
        if token:
            headers["authorization"] = "Bearer " + token
        if time.monotonic() - self.used > 5:    # the server ends what is silent
            self.open()
        start = time.perf_counter()
        self.at.request(method, target, json.dumps(body).encode() if body is not None else None, headers)
        answer = self.at.getresponse()
        text = answer.read()
        took, self.used = time.perf_counter() - start, time.monotonic()
        return answer.status, json.loads(text) if text else None, took

    def password(self, text, whence=None):
        return self.ask("POST", "/v1/auth/sign-in", {"login": self.phone, "password": text}, whence=whence)


def address():
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


def codes_of(server, n):
    """The last n that were sent, in their order."""
    return re.findall(r'"sms_development","phone_ends":"(\d+)","code":"(\d+)"', server.log.read_text(errors="replace"))[-n:]


def settle(server, people):
    """Each has an account and a session; the first of them a password too."""
    for p in people:
        assert p.ask("POST", "/v1/auth/code", {"phone": p.phone})[0] == 202
    for p, (end, code) in zip(people, codes_of(server, len(people))):
        assert p.phone.endswith(end)
        status, answer, _ = p.ask("POST", "/v1/auth/sign-in", {"phone": p.phone, "code": code})
        assert status == 200, answer
        p.access, p.refresh = answer["access"], answer["refresh"]
    for p in people[:PEOPLE]:
        assert p.ask("PUT", "/v1/me/password", {"password": GOOD}, p.access)[0] == 204


def exchange(port, people, exchanges):
    """Exchanges a second, by one thread over many connections: http.client would measure itself."""
    ends = {}
    poll = select.poll()

    def send(s, token):
        body = b'{"refresh":"%s"}' % token
        s.sendall(b"POST /v1/auth/refresh HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nforwarded: for=%s\r\ncontent-length: %d\r\n\r\n%s"
                  % (address().encode(), len(body), body))

    for p in people:
        s = socket.create_connection(("127.0.0.1", port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends[s.fileno()] = (s, p)
        poll.register(s, select.POLLIN)
    start, done = time.perf_counter(), 0
    for s, p in ends.values():
        send(s, p.refresh.encode())
    while done < exchanges:
        for fd, _ in poll.poll():
            s, p = ends[fd]
            answer = s.recv(65536)
            found = re.search(rb'"refresh":"([^"]+)"', answer)
            assert found and answer.startswith(b"HTTP/1.1 200"), answer
            p.refresh = found[1].decode()
            done += 1
            send(s, found[1])
    took = time.perf_counter() - start
    for s, p in ends.values():          # the last answers
        p.refresh = re.search(rb'"refresh":"([^"]+)"', s.recv(65536))[1].decode()
        s.close()
    return exchanges / took


def sign_in(people, seconds):
    """(sign-ins a second, what others waited for in the meantime)"""
    stop, counts, waits = time.perf_counter() + seconds, [0] * SIDE_BY_SIDE, []

    def hurry(i):
        mine = people[i::SIDE_BY_SIDE]
        while time.perf_counter() < stop:
            for p in mine:
                status, answer, _ = p.password(GOOD)
                assert status == 200, answer
                counts[i] += 1

    def look(p):
        while time.perf_counter() < stop:
            status, answer, took = p.ask("GET", "/v1/me", token=p.access)
            assert status == 200, answer
            waits.append(took * 1000)
            time.sleep(0.005)

    start = time.perf_counter()
    threads = [threading.Thread(target=hurry, args=(i,)) for i in range(SIDE_BY_SIDE)]
    other = Person(people[0].port, 0)
    other.access = people[0].access
    threads.append(threading.Thread(target=look, args=(other,)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(counts) / (time.perf_counter() - start), waits


def floor(seconds):
    """Passwords that libsodium checks in a second of CPU."""
    sodium, hash_, password = ctypes.CDLL("libsodium.so.23"), ctypes.create_string_buffer(128), GOOD.encode()
    length = ctypes.c_ulonglong(len(password))
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_argon2id_str(hash_, password, length, ctypes.c_ulonglong(PASSES), ctypes.c_size_t(MEMORY)) == 0
    start, stop, n = time.thread_time(), time.perf_counter() + seconds, 0
    while time.perf_counter() < stop:
        assert sodium.crypto_pwhash_argon2id_str_verify(hash_, password, length) == 0
        n += 1
    return n / (time.thread_time() - start)


def compare(people, nobody, n, ask):
    """Milliseconds at n accounts that exist, and at n that do not: ask(person) gives seconds, or None if it was not answered as it should be compared."""
    times, at = {True: [], False: []}, 0
    while len(times[True]) < n or len(times[False]) < n:
        for known in random.sample([True, False], 2):
            took = ask((people if known else nobody)[at % len(people)])
            if took is not None and len(times[known]) < n:
                times[known].append(took * 1000)
        at += 1
        assert at < 2 * n, "too many were answered otherwise"
    return times


def who_is_here(server, people, nobody, rounds, settled):
    """By kind of request, what compare() says of it. A number that was asked for at `settled` gets the next code a minute later."""
    guest, asked = Person(people[0].port, 0), []

    def wrong_password(p):
        guest.phone = p.phone
        status, answer, took = guest.password(WRONG)
        assert status == 401 or (status == 200 and answer["step"] == "code"), answer     # strangers have guessed at it a hundred times
        return took if status == 401 else None

    def code(p):
        status, answer, took = guest.ask("POST", "/v1/auth/code", {"phone": p.phone})
        assert status == 202, answer
        asked.append(p)
        return took

    def wrong_code(p):
        status, answer, took = guest.ask("POST", "/v1/auth/sign-in", {"phone": p.phone, "code": p.wrong})
        assert status == 401, answer
        return took

    times = {"a wrong password": compare(people[:PEOPLE], nobody[:PEOPLE], 600 * rounds, wrong_password)}
    time.sleep(max(0, settled + 61 - time.monotonic()))
    times["a code asked for"] = compare(people, nobody, len(people), code)
    for p, (end, right) in zip(asked, codes_of(server, len(asked))):
        assert p.phone.endswith(end)
        p.wrong = f"{(int(right) + 1) % 1000000:06}"
    times["a wrong code"] = compare(people, nobody, len(people), wrong_code)
    assert sum(len(x[True]) + len(x[False]) for x in times.values()) == 2000 * rounds
    return times


def report(w, args, goals):
    port = free_port()
    env = {**ALONE, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_TRUSTED_PROXIES": "127.0.0.0/8", "TJZW_PASSWORD_THREADS": "1"}
    server = w.serve(env=env, port=port, urls=[f"http://127.0.0.1:{port}"])
    everybody, nobody = ([Person(port, n + first) for n in range(200 * args.rounds)] for first in (0, 50_000_000))
    people = everybody[:PEOPLE]
    say(f"{len(everybody)} people")
    settle(server, everybody)
    settled = time.monotonic()
    lines = ["| what | |", "|---|---:|"]
    say("refreshes")
    rates = [exchange(port, people[:REFRESHERS], args.requests // args.rounds) for _ in range(args.rounds)]
    lines += [f"| durable refreshes a second, {REFRESHERS} sessions | {statistics.median(rates):,.0f} |",
              f"| … Keycloak's guide, a virtual CPU | {KEYCLOAK['refreshes']} |"]
    goals.at_least("durable refreshes a second", statistics.median(rates), 3000)
    for p in people:        # a session that is new is not what was measured
        p.access = p.password(GOOD)[1]["access"]
    say("passwords")
    floors = [floor(5)]
    before, start = cpu(server.process.pid), time.perf_counter()
    rate, waits = sign_in(people, 10 * args.rounds)
    busy = (cpu(server.process.pid) - before) / 1e9 / (time.perf_counter() - start)
    floors.append(floor(5))
    p99 = statistics.quantiles(waits, n=100)[98]
    lines += [f"| password sign-ins a second, one thread hashing 19 MiB each | {rate:.1f} |", f"| … for which the server took so many cores | {busy:.2f} |",
              f"| … so a second and core | {rate / busy:.1f} |", f"| … libsodium alone, before and after | {floors[0]:.1f}, {floors[1]:.1f} |",
              f"| … Keycloak's guide, a virtual CPU, 7 MiB each | {KEYCLOAK['passwords']} |",
              f"| GET /v1/me meanwhile, ms, median and p99 of {len(waits):,} | {statistics.median(waits):.1f}, {p99:.1f} |"]
    goals.at_least("password sign-ins a second and core of the server's CPU", rate / busy, 70)
    goals.at_most("other requests meanwhile, p99 ms", p99, 50)
    say("who has an account")
    for what, times in who_is_here(server, everybody, nobody, args.rounds, settled).items():
        known, unknown = statistics.median(times[True]), statistics.median(times[False])
        lines.append(f"| {what}, ms, median of {len(times[True]):,} at accounts, and of {len(times[False]):,} at none | {known:.3f}, {unknown:.3f} |")
        goals.at_most(f"{what}, known and unknown accounts, medians apart by ms", abs(known - unknown), 1)
    server.stop(60)
    return lines
