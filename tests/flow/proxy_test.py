#!/usr/bin/env python3
"""Who the client is (docs/shield.md): behind a trusted proxy everybody counts for himself, by PROXY v2 and by Forwarded, and from anybody else
neither is believed. 5,000 phones behind one address are served while one abuser among them is stopped.

The proxies of this test are 127.77.0.0/16 and ::1; 127.0.0.1 is nobody in particular. Whom the server took for the client is seen by what is
left of that client's rate limit.
"""
import itertools
import resource
import sys
import threading
import time

from guard_wire import PING, frame, pour
from lib import World, free_port, has_ipv6, wait_for
from proxy_wire import H1, H2, LOCAL, SIGNATURE, connect, forwarded, in_one_packet, secure, told

from tap import Skip, case, done, note, rounds, skip

PHONES, THREADS = rounds(5000, 500), 4
FILES_BESIDE = 1000     # the abuser's, the server's database, and what it keeps free
PROXY, OTHER = "127.77.0.1", "127.77.0.2"
RATE, CAP, CREDITS = 30, 16, 20_000
SETTINGS = {"TJZW_TRUSTED_PROXIES": "127.77.0.0/16,::1", "TJZW_RATE_LIMIT": str(RATE), "TJZW_CONNECTIONS_PER_CLIENT": str(CAP),
            "TJZW_CREDITS_PER_CLIENT": str(CREDITS), "TJZW_HINT_PER_ADDRESS": "2"}
ABUSER = "100.64.255.255"
_fresh = itertools.count(1)


def fresh():
    """A client that nobody has seen before, behind a carrier's NAT."""
    n = next(_fresh)
    return f"100.{64 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


def costly(n):
    """An address whose answer no cache has: it counts."""
    return f"/v1/items?n=1&since={1900 + n // 336}-{1 + n // 28 % 12:02}-{1 + n % 28:02}"


def ended(s, seconds=10):
    """Whether the server closes it before it says anything."""
    s.settimeout(seconds)
    try:
        return s.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def by_header(port, client, proxy=PROXY):
    """Clear HTTP/1.1 behind a PROXY header."""
    return H1(connect(port, proxy, told(client)))


# ---- what is read ----
def introductions(server, clear, six):
    with case("a PROXY v2 header of a trusted proxy names the client, before TLS and before clear text"):
        one = fresh()
        assert by_header(clear, one).left() == RATE - 1
        assert H1(secure(connect(server.port, PROXY, told(one)), "http/1.1")).left() == RATE - 2
        assert by_header(clear, one, OTHER).left() == RATE - 3
        assert by_header(clear, fresh()).left() == RATE - 1
        phone = H2(secure(connect(server.port, PROXY, told(fresh()))))
        assert phone.status(phone.ask("/v1/sync/main/head")) == 200

    with case("what follows the header in the same packet reaches TLS or HTTP unharmed"):
        assert b"ok\n" in in_one_packet(server.port, PROXY, told(fresh()))
        assert b"ok\n" in in_one_packet(server.port, PROXY, told(fresh(), tail=b"\x04\0\x64" + bytes(100)))
        h = H1(connect(clear, PROXY, told(fresh()) + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert h.answer()[0] == 200

    with case("a header may come a byte at a time, and the rest after it"):
        whole = told(fresh()) + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
        s = connect(clear, PROXY)
        for at in range(len(whole)):
            s.sendall(whole[at:at + 1])
            time.sleep(0.002)
        assert H1(s).answer()[0] == 404

    with case("a trusted proxy that sends no header, or one that names nobody, speaks for itself"):
        for start in (b"", LOCAL, told("127.0.0.1"), told("::1")):
            assert H1(connect(clear, PROXY, start)).get("/healthz")[0] == 200, start
        assert H1(secure(connect(server.port, PROXY, LOCAL), "http/1.1")).get("/healthz")[0] == 200

    with case("a bad header ends the connection and is counted"):
        bad = [told(fresh(), 0x11), told(fresh(), 0x22), told(fresh(), length=600), told(fresh(), length=3), SIGNATURE + b"\x21\x21\0\x0c" + bytes(12)]
        before = server.metric("proxy_refused")
        for start in bad:
            assert ended(connect(clear, PROXY, start)), start
        assert server.metric("proxy_refused") == before + len(bad)

    with case("half a header, or nothing, is waited for no longer than 3 s; who hangs up is let go at once"):
        before, connections = server.metric("patience_ended_proxy"), server.metric("connections")
        for half in (0, 5, 20):
            connect(clear, PROXY, told(fresh())[:half]).close()
        wait_for("who hung up to be gone", 20, lambda: server.metric("connections") <= connections)
        assert server.metric("patience_ended_proxy") == before, "they were waited for"
        start = time.monotonic()
        slow = [connect(clear, PROXY, told(fresh())[:n]) for n in (0, 1, 12, 27)]
        assert all(ended(s) for s in slow)
        assert 2.9 < time.monotonic() - start < 10, time.monotonic() - start
        assert server.metric("patience_ended_proxy") == before + len(slow)

    with case("from anybody else a header is garbage"):
        answer = H1(connect(clear, None, told(fresh()))).answer()[0]
        assert answer in (0, 400), answer
        try:
            secure(connect(server.port, None, told(fresh())))
        except OSError:
            pass
        else:
            raise AssertionError("TLS went on behind a stranger's PROXY header")
    six_cases(six)


def six_cases(six):
    if not six:
        skip("IPv6", "this machine has no ::1")
        return
    with case("IPv6 counts by /64, over an IPv6 proxy too"):
        def tls(client):
            return H1(secure(connect(six, "::1", told(client)), "http/1.1"))
        assert tls("2001:db8:1:1::1").left() == RATE - 1
        assert tls("2001:db8:1:1:ffff::2").left() == RATE - 2
        assert tls("2001:db8:1:2::1").left() == RATE - 1
        assert tls("::ffff:203.0.113.9").left() == RATE - 1
        assert tls("203.0.113.9").left() == RATE - 2        # the same client
        assert H1(secure(connect(six, "::1"), "http/1.1")).left("/nowhere", 'for="[2001:db8:1:1:a::3]:4711"') == RATE - 3


def forwarding(server, clear):
    h, mine = H1(connect(clear, PROXY)), fresh()

    with case("Forwarded of a trusted proxy names the client, for each request of a connection"):
        assert h.left("/nowhere", forwarded(mine)) == RATE - 1
        assert h.left("/nowhere", f"proto=https; For=\"{mine}:4711\";by=_x") == RATE - 2
        assert h.left("/nowhere", forwarded(fresh())) == RATE - 1

    with case("what a client has written into it before changes nothing"):
        for spoofed in (f"for=203.0.113.1, for={mine}", ["for=203.0.113.1", f"for={mine}"], f'for="203.0.113.1, for={mine}',
                        f"for={mine}, for={OTHER}", [f"for={mine}", f"for={OTHER}, for={PROXY}"]):
            was = by_header(clear, mine).left()
            assert h.left("/nowhere", spoofed) == was - 1, spoofed

    with case("without one that names somebody the proxy itself counts; X-Forwarded-For is not read"):
        proxy, untold = H1(connect(clear, "127.77.1.1")), server.metric("proxy_untold")
        said = [None, "for=unknown", "for=_hidden", f"for={mine}, for=unknown", "for=", "for=a.example"]
        assert [proxy.left("/nowhere", f) for f in said] == [RATE - 1 - n for n in range(len(said))]
        assert proxy.left("/nowhere", None, f"X-Forwarded-For: {fresh()}") == RATE - 1 - len(said)
        assert server.metric("proxy_untold") == untold + len(said) + 1

    with case("behind a PROXY header Forwarded is a client's word, unless a trusted proxy is named there"):
        was = by_header(clear, mine).left()
        assert by_header(clear, mine).left("/nowhere", forwarded(fresh())) == was - 1
        assert by_header(clear, OTHER).left("/nowhere", forwarded(fresh())) == RATE - 1

    with case("from a stranger Forwarded is not believed"):
        one = H1(connect(clear))
        was = one.left()
        assert one.left("/nowhere", forwarded(fresh())) == was - 1

    with case("/metrics is open on loopback, but not through a trusted proxy"):
        assert H1(connect(clear)).get("/metrics")[0] == 200
        assert H1(connect(clear, PROXY)).get("/metrics")[0] == 403
        assert H1(connect(clear, PROXY, LOCAL)).get("/metrics")[0] == 403
        assert by_header(clear, "127.0.0.1").get("/metrics")[0] == 403
        assert h.get("/metrics", "for=127.0.0.1")[0] == 403
        assert H1(connect(clear)).get("/metrics", "for=127.0.0.1")[0] == 403

    with case("streams of hints are counted by the client that is named"):
        one, streams = fresh(), []
        for client, want in ((one, 200), (one, 200), (one, 503), (fresh(), 200)):
            s = connect(clear, PROXY)
            s.sendall(f"GET /v1/events?stream=main HTTP/1.1\r\nHost: a\r\nForwarded: {forwarded(client)}\r\n\r\n".encode())
            status = int(s.recv(4096).split()[1])
            streams.append(s)
            assert status == want, (client, status)


# ---- the crowd ----
class Abuser(threading.Thread):
    """One address that floods in every way, until told to stop, and what came of it."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.go, self.rounds, self.why = port, True, 0, None
        self.refused = self.shed = self.cut = 0

    def run(self):
        try:
            while self.go or not self.rounds:
                self.requests()
                self.connections()
                self.frames()
                self.rounds += 1
        except BaseException as why:  # noqa: BLE001 - told by the thread that waits
            self.why = why

    def dial(self):
        return connect(self.port, PROXY, told(ABUSER))

    def requests(self):
        """Five times as many as it may make."""
        try:
            h = H2(secure(self.dial()))
            asked = [h.ask(f"/nowhere/{n}") for n in range(90)]
            self.refused += sum(h.status(s) == 429 for s in asked)
            h.close()
        except OSError:
            pass

    def connections(self):
        """Five times as many as it may have."""
        peers = []
        for _ in range(5 * CAP):
            try:
                peers.append(self.dial())
            except OSError:
                self.shed += 1
        time.sleep(0.2)
        for s in peers:
            s.setblocking(False)
            try:
                self.shed += s.recv(1) == b""
            except BlockingIOError:
                pass
            except OSError:
                self.shed += 1
            s.close()

    def frames(self):
        """Each of them within what a connection may spend, all of them not."""
        flood = frame(PING, payload=b"12345678") * 300
        try:
            peers = [H2(secure(self.dial())) for _ in range(4)]
        except OSError:
            return
        for h in peers:
            pour(h.s, flood)
        for h in peers:
            h.s.settimeout(0.5)
            try:
                while h.s.recv(65536):
                    pass
                self.cut += 1
            except TimeoutError:
                pass
            except OSError:
                self.cut += 1
            h.close()


def side_by_side(work, items):
    """work(piece of items) in THREADS threads; all failures."""
    failures, lock = [], threading.Lock()

    def run(piece):
        try:
            found = work(piece)
        except (OSError, AssertionError, ValueError) as why:
            found = [repr(why)]
        with lock:
            failures.extend(found)

    threads = [threading.Thread(target=run, args=(items[at::THREADS],)) for at in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures


class Held:
    """Phones behind one address of a proxy, whose connections all stay open; each is asked over again so that none is idle."""

    def __init__(self, port):
        self.port, self.phones = port, []

    def open(self, numbers):
        """Each on a connection of its own, as a client of its own; what went wrong."""
        wrong, mine, again = [], [], 0
        for n in numbers:
            client = fresh()
            try:
                phone = H2(secure(connect(self.port, PROXY, told(client))))
                status = phone.status(phone.ask("/v1/sync/main/head"))
            except OSError as why:
                phone, status = None, repr(why)
            if status != 200:
                wrong.append((client, status))
                continue
            mine.append((client, n, phone))
            wrong += self.asked(mine[again:again + 1], lambda _: "/v1/sync/main/head")     # who has waited longest
            again = (again + 1) % len(mine)
        self.phones += mine
        return wrong

    @staticmethod
    def asked(phones, target):
        statuses = ((client, phone.status(phone.ask(target(n)))) for client, n, phone in phones)
        return [(client, status) for client, status in statuses if status != 200]

    def ask_all(self, phones):
        return self.asked(phones, costly)

    def close(self):
        for _, _, phone in self.phones:
            phone.close()


def room_for(phones):
    """So many open files here (the server takes all that it may have), or a reason to skip."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = phones + FILES_BESIDE
    if hard != resource.RLIM_INFINITY and hard < need:
        raise Skip(f"{phones} connections at once need {need} open files, and this machine allows {hard}")
    if soft != resource.RLIM_INFINITY and soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def crowd_by_header(server):
    with case(f"{PHONES} phones at once behind one address, by PROXY v2 over TLS and HTTP/2, are served while one abuser among them is stopped"):
        room_for(PHONES)
        shed, crowd, before = server.metric("crowd_shed_client"), server.metric("guard_ended_crowd"), server.metric("proxy_clients")
        phones, abuser, start = Held(server.port), Abuser(server.port), time.monotonic()
        abuser.start()
        failures = side_by_side(phones.open, range(PHONES))
        held = server.metric("connections")
        failures += side_by_side(phones.ask_all, phones.phones)
        took, abuser.go = time.monotonic() - start, False
        abuser.join(30)
        phones.close()
        assert not failures, (len(failures), failures[:5])
        assert held >= PHONES, f"{held:.0f} connections at once"
        assert abuser.why is None, abuser.why
        note(f"{held:.0f} connections at once, those of {PHONES} phones behind {PROXY}: {2 * PHONES} answers and more in {took:.1f} s; the abuser: "
             f"{abuser.rounds} rounds, {abuser.refused} requests got 429, {abuser.shed} connections closed at once, {abuser.cut} closed for their frames")
        assert abuser.refused and abuser.shed and abuser.cut, vars(abuser)
        assert server.metric("crowd_shed_client") > shed and server.metric("guard_ended_crowd") > crowd
        assert server.metric("proxy_clients") >= before + PHONES


def carried(send, status):
    """Phones over one connection of a proxy, a handful at a time, every fifth request the abuser's; (what went wrong, 429s of the abuser)."""
    def work(numbers):
        wrong, refused, batch = [], 0, []
        for n in numbers:
            client = fresh()
            batch.append((client, send(costly(n), forwarded(client))))
            if n % 5 == 0:
                batch.append((ABUSER, send(f"/nowhere/{n}", forwarded(ABUSER))))
            if len(batch) < 20 and n != numbers[-1]:
                continue
            for who, at in batch:
                got = status(at)
                refused += who == ABUSER and got == 429
                if got != 200 and not (who == ABUSER and got in (404, 429)):
                    wrong.append((who, got))
            batch = []
        return wrong, refused
    return work


def crowd_by_forwarded(server, clear):
    refused = []

    def by_http1(numbers):
        h = H1(connect(clear, PROXY))
        wrong, n = carried(h.send, lambda _: h.answer()[0])(numbers)
        refused.append(n)
        return wrong

    def by_http2(numbers):
        h = H2(secure(connect(server.port, PROXY)))
        wrong, n = carried(h.ask, h.status)(numbers)
        refused.append(n)
        return wrong

    with case(f"{PHONES} phones by Forwarded over {THREADS} connections of HTTP/1.1 are served, and the abuser between them gets 429"):
        failures = side_by_side(by_http1, range(PHONES, 2 * PHONES))
        assert not failures, (len(failures), failures[:5])
        assert sum(refused) >= PHONES // 5 - 2 * RATE, refused

    with case(f"the same over {THREADS} connections of HTTP/2"):
        refused.clear()
        failures = side_by_side(by_http2, range(2 * PHONES, 3 * PHONES))
        assert not failures, (len(failures), failures[:5])
        assert sum(refused) >= PHONES // 5 - 2 * RATE, refused

    with case("a proxy has more connections and frames than a client may have, for they are its clients'"):
        shed, ended_ = server.metric("crowd_shed_client"), server.metric("guard_ended_crowd")
        proxies = [H1(connect(clear, "127.77.2.1")) for _ in range(3 * CAP)]
        assert [h.get("/healthz", forwarded(fresh()))[0] for h in proxies] == [200] * len(proxies)
        pings = [H2(secure(connect(server.port, "127.77.2.1"))) for _ in range(4)]
        for h in pings:
            assert pour(h.s, frame(PING, payload=b"12345678") * 300)
        assert [h.status(h.ask("/v1/sync/main/head")) for h in pings] == [200] * len(pings)
        assert server.metric("crowd_shed_client") == shed and server.metric("guard_ended_crowd") == ended_

    with case("phones that hang up do not end the connection that a proxy carries them on"):
        h = H2(secure(connect(server.port, PROXY)))
        for n in range(600):         # 63,000 credits: a connection of one client would be gone
            h.ask(f"/nowhere/{n}", forwarded(fresh()), reset=True)
        assert h.status(h.ask("/v1/sync/main/head", forwarded(fresh()))) == 200
        alone = H2(secure(connect(server.port)))
        for n in range(600):
            alone.ask("/nowhere", None, reset=True)
        assert alone.status(alone.ask("/v1/sync/main/head")) == 0


PIECE = 256 << 10


def upload(s, whole, *fields):
    """A piece of 256 KB, or all of it but the end."""
    lines = ["POST /v1/import HTTP/1.1", "Host: a", "Content-Type: application/x-ndjson", f"Content-Length: {PIECE}", *fields, "", ""]
    pour(s, "\r\n".join(lines).encode() + bytes(PIECE if whole else PIECE - 1))
    return H1(s)


def are_there(server, pieces):
    """Until that many pieces that are not ended are counted."""
    wait_for(f"{pieces} pieces", 20, lambda: server.metric("bodies_held") >= pieces * (PIECE - 1))


def uploads(w):
    port, clear = free_port(), free_port()
    server = w.serve(w.dir / "uploads", port=port, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{clear}"],
                     env={"TJZW_TRUSTED_PROXIES": "127.77.0.0/16", "TJZW_RATE_LIMIT": "0"})

    with case("behind a PROXY header bodies count for who is named: who hoards them is cut, and a neighbour's 256 KB are taken"):
        hoarder, neighbour = fresh(), fresh()
        begun = [upload(connect(clear, PROXY, told(hoarder)), False) for _ in range(60)]
        are_there(server, 60)
        assert server.metric("guard_ended_bodies") == 0
        begun += [upload(connect(clear, PROXY, told(hoarder)), False) for _ in range(12)]
        wait_for("the hoarder's last ones to be cut", 20, lambda: server.metric("guard_ended_bodies") > 0)
        assert upload(connect(clear, PROXY, told(neighbour)), True).answer()[0] == 401
        assert server.metric("bodies_held") < 66 * PIECE, server.metric("bodies_held")
        for h in begun:
            h.close()

    with case("by Forwarded they count for all of the process alone: 120 phones' pieces at one instant over a proxy's connections, and none is cut"):
        wait_for("room", 20, lambda: server.metric("bodies_held") == 0)
        ended_ = server.metric("guard_ended_bodies")
        begun = [upload(connect(clear, PROXY), False, f"Forwarded: {forwarded(fresh())}") for _ in range(120)]
        are_there(server, 120)
        for h in begun:
            h.s.sendall(b"\0")
        assert [h.answer()[0] for h in begun] == [401] * len(begun)
        assert server.metric("guard_ended_bodies") == ended_
    server.stop()


def untold(server):
    with case("phones behind a NAT that tells nothing: what everybody asks is served all of them"):
        h = H2(secure(connect(server.port)))
        asked = [h.ask("/v1/sync/main/head") for _ in range(3 * RATE)]
        assert [h.status(s) for s in asked] == [200] * len(asked)


def bad_settings(w):
    with case("a bad network is refused at the start, by print-conf and by doctor, and named"):
        for command in (("serve", "--data", w.dir / "none"), ("print-conf",), ("doctor", "--data", w.dir / "none")):
            done_ = w.tjzw(*command, check=False, env={"TJZW_TRUSTED_PROXIES": "10.0.0.0/8,10.0.0.1/8"})
            assert done_.returncode == 78 and b"trusted_proxies" in done_.stderr and b"10.0.0.1/8" in done_.stderr, (command, done_)

    with case("doctor warns of proxies that anybody can be"):
        said = w.tjzw("doctor", "--data", w.data, check=False, env={"TJZW_TRUSTED_PROXIES": "0.0.0.0/0"}).stdout.decode()
        assert "trusted_proxies holds every address" in said, said


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(40, size=300))
    bad_settings(w)
    uploads(w)
    ports = [free_port() for _ in range(3)]
    urls = [f"https://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"]
    if has_ipv6():
        urls.append(f"https://[::1]:{ports[2]}")
    server = w.serve(port=ports[0], urls=urls, env=SETTINGS)
    server.settle()
    child = server.child
    introductions(server, ports[1], has_ipv6() and ports[2])
    forwarding(server, ports[1])
    untold(server)
    crowd_by_header(server)
    crowd_by_forwarded(server, ports[1])
    with case("it was one process all the time, it lets go of all of them, and stops"):
        assert server.child == child
        wait_for("connections to be given back", 15, lambda: server.metric("connections") <= 8)
        server.stop()


with World() as world:
    main(world)
sys.exit(done())
