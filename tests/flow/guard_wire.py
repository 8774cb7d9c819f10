"""guard_wire.py - HTTP/2 spoken by hand: frames, and connections that say whatever they are told."""
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 1, 4, 6, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW = 4
BIG = "/openapi.json"


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def window(stream, by):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", by))


def settings(window_size):
    return frame(SETTINGS, payload=struct.pack(">HI", INITIAL_WINDOW, window_size))


def block(path):
    """GET over https, without the dynamic table."""
    return b"\x82\x87" + b"\x04" + bytes((len(path),)) + path.encode() + b"\x01\x09localhost"


def get(stream, path):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, block(path))


def dial(port, room=0):
    """A connection that speaks HTTP/2 over TLS; `room`: its socket takes few bytes, in packets of an ordinary network, so that the server's
    buffers are full soon."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
    s.settimeout(10)
    s.connect(("127.0.0.1", port))
    return context.wrap_socket(s)


def pour(s, *frames):
    """False: it does not listen any more."""
    try:
        s.sendall(b"".join(frames))
        return True
    except OSError:
        return False
