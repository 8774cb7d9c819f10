"""proxy_wire.py - what a proxy says of its client, and connections that say it: PROXY v2 before TLS or clear text, Forwarded within."""
import ipaddress
import re
import socket
import ssl
import struct
import time

from guard_wire import END_HEADERS, END_STREAM, HEADERS, PREFACE, block, frame, settings, window

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
RESET = 3
STATUS = {0x88: 200, 0x89: 204, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500}   # of HPACK's static table


def packed(address):
    """The 16 bytes of IPv6, or the four of IPv4."""
    return ipaddress.ip_address(address).packed


def told(client, command=0x21, tail=b"", length=None):
    """A PROXY v2 header. `tail`: bytes behind the addresses; `length` lies."""
    a = packed(client)
    body = a + bytes(len(a)) + struct.pack(">HH", 40000, 443) + tail
    return SIGNATURE + struct.pack(">BBH", command, 0x11 if len(a) == 4 else 0x21, len(body) if length is None else length) + body


LOCAL = SIGNATURE + b"\x20\0\0\0"


def forwarded(client):
    return f'for="[{client}]"' if ":" in client else f"for={client}"


def tls_context(alpn):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_alpn_protocols([alpn])
    return c


CONTEXTS = {alpn: tls_context(alpn) for alpn in ("h2", "http/1.1")}


def connect(port, proxy=None, before=b""):
    """A TCP connection from the address of a proxy (None: from whom nobody knows), which says `before`. An address with a colon: by IPv6."""
    s = socket.socket(socket.AF_INET6 if proxy and ":" in proxy else socket.AF_INET)
    s.settimeout(20)
    if proxy:
        s.setsockopt(socket.IPPROTO_IP, 24, 1)     # IP_BIND_ADDRESS_NO_PORT: else one address runs out of ports
        s.bind((proxy, 0))
    s.connect(("::1" if s.family == socket.AF_INET6 else "127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if before:
        s.sendall(before)
    return s


def secure(s, alpn="h2"):
    return CONTEXTS[alpn].wrap_socket(s)


def in_one_packet(port, proxy, before):
    """TLS whose ClientHello comes in the same write as `before`."""
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls, s = CONTEXTS["http/1.1"].wrap_bio(come, go), connect(port, proxy)
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            s.sendall(before + go.read())
            before = b""
            come.write(s.recv(65536))
    tls.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    s.sendall(go.read())
    end, heard = time.monotonic() + 10, b""
    while b"ok\n" not in heard and time.monotonic() < end:
        try:
            heard += tls.read(65536)
        except ssl.SSLWantReadError:
            if not come.write(s.recv(65536)):
                break
    s.close()
    return heard


class H1:
    """HTTP/1.1 on a connection; requests may be sent ahead."""

    def __init__(self, s):
        self.s, self.stream = s, s.makefile("rb")

    def send(self, path, forwarded=None, *lines):
        fields = [f"Forwarded: {f}" for f in ([forwarded] if isinstance(forwarded, str) else forwarded or [])] + list(lines)
        self.s.sendall("\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode())

    def answer(self):
        """(status, {name: value}); (0, {}): the connection has ended."""
        line = self.stream.readline()
        if not line:
            return 0, {}
        fields = {}
        while (field := self.stream.readline().strip()):
            name, _, value = field.decode().partition(":")
            fields[name.lower()] = value.strip()
        self.stream.read(int(fields.get("content-length", 0)))
        return int(line.split()[1]), fields

    def get(self, path, forwarded=None, *lines):
        self.send(path, forwarded, *lines)
        return self.answer()

    def left(self, path="/nowhere", forwarded=None, *lines):
        """How many requests this client may still make: a fresh one has all but this. -1: none."""
        status, fields = self.get(path, forwarded, *lines)
        found = re.search(r"r=(\d+)", fields.get("ratelimit", ""))
        assert status in (404, 429) and found, (status, fields)
        return int(found[1]) if status == 404 else -1

    def close(self):
        self.stream.close()
        self.s.close()


class H2:
    """HTTP/2 on a connection over TLS."""

    def __init__(self, s):
        self.s, self.next, self.got, self.statuses, self.over = s, 1, b"", {}, False
        s.sendall(PREFACE + settings(1 << 20) + window(0, 1 << 30))

    def ask(self, path, forwarded=None, reset=False):
        """The stream."""
        at, fields = self.next, b""
        if forwarded:
            fields = b"\x00\x09forwarded" + bytes((len(forwarded),)) + forwarded.encode()
        out = frame(HEADERS, END_STREAM | END_HEADERS, at, block(path) + fields)
        if reset:
            out += frame(RESET, 0, at, struct.pack(">I", 8))
        self.next += 2
        try:
            self.s.sendall(out)
        except OSError:
            self.over = True
        return at

    def status(self, stream):
        """Waits for it. 0: the connection has ended."""
        while stream not in self.statuses and not self.over:
            try:
                piece = self.s.recv(65536)
            except TimeoutError:
                raise AssertionError(f"stream {stream}: no answer") from None
            except OSError:
                piece = b""
            self.over = not piece
            self.got += piece
            self._read()
        return self.statuses.pop(stream, 0)

    def _read(self):
        at, got = 0, self.got
        while at + 9 <= len(got):
            n, kind, stream = int.from_bytes(got[at:at + 3], "big"), got[at + 3], int.from_bytes(got[at + 5:at + 9], "big")
            if at + 9 + n > len(got):
                break
            payload = got[at + 9:at + 9 + n]
            if kind == HEADERS:
                literal = re.match(rb"\x08\x03(\d{3})", payload)
                self.statuses[stream] = STATUS.get(payload[0]) or (int(literal[1]) if literal else -1)
            at += 9 + n
        self.got = got[at:]

    def close(self):
        self.s.close()
