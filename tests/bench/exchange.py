"""exchange.py - phones that exchange a citizen's own state with a server over plain HTTP, and what the server says of it."""
import base64
import json
import os
import select
import socket
import time

MANY = 10_000    # favourites that one citizen may have


class Phone:
    """One that writes alone, each mutation something else than what stands there: so it knows where its account stands."""
    epoch = None

    def __init__(self, token, device=None, n=0):
        self.token, self.n, self.key = token, n, n
        self.device = device or base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")

    @classmethod
    def meet(cls, port, phones):
        """Phones of one server learn its epoch."""
        s = connect(port)
        s.sendall(phones[0].post({"most": 1}))
        cls.epoch = json.loads(answer(s))["cursor"].split(".")[0]
        s.close()

    def post(self, body):
        data = json.dumps(body, separators=(",", ":")).encode()
        return (f"POST /v1/me/sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.token}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(data)}\r\n\r\n").encode() + data

    def pull(self, everything=False):
        return self.post({"acked": self.n, **({} if everything else {"cursor": f"{self.epoch}.{self.n}"}), "device": self.device})

    def request(self, mutations):
        held, new = self.n, []
        for _ in range(mutations):
            self.n, self.key = self.n + 1, (self.key + 1) % (MANY - 1)
            new.append({"key": f"main/0190b1c2-0000-7000-8000-{self.key:012}", "n": self.n, "type": "fav", "value": {"at": self.n}})
        return self.post({"acked": held, "cursor": f"{self.epoch}.{held}", "device": self.device, "mutations": new})


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def whole(text):
    """The answer's body if all of it is there."""
    head, found, body = text.partition(b"\r\n\r\n")
    if not found:
        return None
    assert head.startswith(b"HTTP/1.1 200"), text
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return body if len(body) >= length else None


def answer(s):
    text = b""
    while (body := whole(text)) is None:
        text += s.recv(1 << 20)
    return body


def side_by_side(port, queues, check):
    """Requests a second: each queue over a connection of its own, one request after the other."""
    ends, poll, queues = {}, select.poll(), [list(reversed(q)) for q in queues if q]
    requests = left = sum(map(len, queues))
    for queue in queues:
        s = connect(port)
        ends[s.fileno()] = [s, queue, b""]
        poll.register(s, select.POLLIN)
    start = time.perf_counter()
    for s, queue, _ in ends.values():
        s.sendall(queue.pop())
    while left:
        for fd, _ in poll.poll():
            end = ends[fd]
            end[2] += end[0].recv(1 << 20)
            body = whole(end[2])
            if body is None:
                continue
            assert check(body), body[:300]
            end[2] = b""
            left -= 1
            if end[1]:
                end[0].sendall(end[1].pop())
    took = time.perf_counter() - start
    for s, _, _ in ends.values():
        s.close()
    return requests / took


def mutate(port, phones, mutations, times):
    """Requests a second, each with so many mutations, all phones at once. What they send is made before."""
    return side_by_side(port, [[p.request(mutations) for _ in range(times)] for p in phones], lambda body: body.count(b'"done"') == mutations)


def one_by_one(port, phone, mutations, times):
    """Milliseconds each, by the client's clock."""
    s, took = connect(port), []
    for _ in range(times):
        request = phone.request(mutations)
        start = time.perf_counter()
        s.sendall(request)
        answer(s)
        took.append(1000 * (time.perf_counter() - start))
    s.close()
    return took


def spent(server, before=None):
    """What the server says of the time it took; with what it said before: milliseconds each since then."""
    words = dict(line.split() for line in server.get("/metrics").body.decode().splitlines() if not line.startswith("#"))
    us, n = int(words["tjzw_request_us"]), int(words["tjzw_requests"])
    return (us - before[0]) / (n - before[1]) / 1000 if before else (us, n)


def grouped(server, work):
    """(what work() returns, how many exchanges the writer found waiting on the average)"""
    before = server.metric("writes"), server.metric("write_groups")
    result = work()
    return result, (server.metric("writes") - before[0]) / max(1, server.metric("write_groups") - before[1])
