"""wire.py - our own client for what no honest client sends: raw bytes, raw HTTP/2 frames, over TLS or clear.

    p = Peer(port)                          # TLS, ALPN h2, nothing checked, nothing sent yet
    p.pour(PREFACE + settings() + headers(1, request("/")))
    p.until(lambda: p.answer(1), 5)         # sends and takes until that is so, the other side has ended, or 5 s are over
    p.over                                  # the server has closed the connection

Nothing here keeps a rule of the protocol unless the caller does: no flow control, no ACK, no check. HPACK is written without Huffman and
without the dynamic table, which every decoder must take; answers are read as frames, and of header blocks only the status is looked at.
"""
import re
import select
import socket
import ssl
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 3, 4, 5
STATUS = {0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500}   # of the static table
KEEP = 4 << 20      # bytes of an answer that are kept; the rest is thrown away as it comes


# ---- frames ----
def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """`length` lies about the payload."""
    n = len(payload) if length is None else length
    return struct.pack(">I", n)[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", k, v) for k, v in pairs))


def window(stream, by):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def headers(stream, block, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def number(prefix_bits, first, n):
    """An HPACK integer."""
    top = (1 << prefix_bits) - 1
    if n < top:
        return bytes((first | n,))
    out, n = bytearray((first | top,)), n - top
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes((n,))


def text(s):
    raw = s if isinstance(s, bytes) else s.encode()
    return number(7, 0, len(raw)) + raw


def field(name, value):
    return b"\x00" + text(name) + text(value)


def request(path, method="GET", *fields):
    """A header block."""
    verb = {"GET": b"\x82", "POST": b"\x83"}.get(method) or b"\x02" + text(method)
    return verb + b"\x87" + b"\x04" + text(path) + b"\x01" + text("localhost") + b"".join(field(k, v) for k, v in fields)


def greeting(*pairs, window_by=1 << 30):
    """How an HTTP/2 connection begins: preface, settings, and a connection window that never closes."""
    return PREFACE + settings(*pairs) + (window(0, window_by) if window_by else b"")


def context(alpn="h2"):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if alpn:
        c.set_alpn_protocols([alpn])
    return c


CONTEXTS = {name: context(name) for name in ("h2", "http/1.1", None)}
WAIT = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError)


class Peer:
    """A connection to a server on this machine, from an address of our choice (all of 127/8 is ours)."""

    def __init__(self, port, tls=True, alpn="h2", source=None, rcvbuf=None, mss=None, before=b"",
                 timeout=5, with_finished=None):
        """`before` goes out ahead of TLS; `with_finished` in one packet with the last bytes of the handshake."""
        raw = socket.socket()
        if rcvbuf:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if mss:     # a path of small packets: the kernel then takes a write of the server's only in part
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
        raw.settimeout(timeout)
        self.s, self.over, self.got, self.bytes_in = raw, False, bytearray(), 0
        if source:
            raw.setsockopt(socket.IPPROTO_IP, 24, 1)     # IP_BIND_ADDRESS_NO_PORT: else each address runs out of ports alone
            raw.bind((source, 0))
        try:
            raw.connect(("127.0.0.1", port))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if before:
                raw.sendall(before)
            if tls:
                if with_finished:
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)      # what is short waits 0.2 s for more
                self.s = CONTEXTS[alpn].wrap_socket(raw, server_hostname="localhost")
                if with_finished:
                    self.s.sendall(with_finished)
                    self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        except OSError:
            raw.close()
            raise
        self.s.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.s.close()
        self.over = True

    def _take(self):
        """What is there now; whether there was something."""
        try:
            piece = self.s.recv(65536)
        except WAIT:
            return False
        except OSError:
            piece = b""
        if not piece:
            self.over = True
        self.bytes_in += len(piece)
        if len(self.got) < KEEP:
            self.got += piece
        return True

    def _await(self, events, seconds):
        """select() takes no descriptor above 1,023, and a crowd beside us may have those below."""
        poll = select.poll()
        poll.register(self.s, events)
        poll.poll(1000 * seconds)

    def pour(self, out, seconds=10, reading=True):
        """Sends; True when all is with the kernel, False when the other side ended or took none for so long."""
        end, at, view = time.monotonic() + seconds, 0, memoryview(out)
        while not self.over and at < len(view):
            moved = False
            try:
                at += self.s.send(view[at:at + 65536])
                moved = True
            except WAIT:
                pass
            except OSError:
                self.over = True
            while reading and not self.over and self._take():
                moved = True
            if not moved:
                if time.monotonic() > end:
                    break
                self._await(select.POLLOUT | (select.POLLIN if reading else 0), 0.05)
        return at == len(view)

    def until(self, condition=None, seconds=5):
        """Takes what comes until the condition holds (none: until the other side ends). Whether it came to that."""
        end = time.monotonic() + seconds
        while True:
            if condition and condition():
                return True
            if self.over:
                return not condition or bool(condition())
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not self._take():
                self._await(select.POLLIN, min(left, 0.5))

    def ended(self, seconds=5):
        return self.until(None, seconds)

    def frames(self):
        """The complete frames so far: (kind, flags, stream, payload)."""
        at, got = 0, self.got
        while at + 9 <= len(got):
            n = got[at] << 16 | got[at + 1] << 8 | got[at + 2]
            if at + 9 + n > len(got):
                return
            yield got[at + 3], got[at + 4], struct.unpack_from(">I", got, at + 5)[0] & 0x7fffffff, bytes(got[at + 9:at + 9 + n])
            at += 9 + n

    def forget(self):
        """The complete frames so far."""
        del self.got[:sum(9 + len(payload) for *_, payload in self.frames())]

    def answer(self, stream):
        """The status that came on a stream: of the static table or in digits, as libh2o writes them; -1 if otherwise, 0 if none yet."""
        for kind, _, sid, payload in self.frames():
            if kind == HEADERS and sid == stream:
                digits = re.match(rb"\x08\x03(\d{3})", payload)
                return int(digits[1]) if digits else STATUS.get(payload[0] if payload else 0, -1)
        return 0

    def saw(self, kind, stream=None):
        return any(k == kind and (stream is None or s == stream) for k, _, s, _ in self.frames())
