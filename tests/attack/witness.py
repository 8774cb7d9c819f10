#!/usr/bin/env python3
"""witness.py - an honest client that keeps asking while others attack, and writes down how long each answer took.

    witness.py PORT FILE        until it is ended, or who started it has; a line an answer: when it was there (monotonic s), how long it took (ms; -1: none came)

One TLS HTTP/2 connection; a new one for every 25th request, whose handshake then counts as well. It asks some 150 times a second, like a
handful of phones, from 127.0.0.1; attackers come from other addresses.
"""
import os
import sys
import time

from wire import END_STREAM, Peer, greeting, headers, request

TARGET = "/v1/sync/main/head"
ASK_ANEW, PAUSE, PATIENCE = 25, 0.005, 5


def asked(port, peer, stream):
    """One request; the connection it went over."""
    if peer is None or stream == 1:
        if peer:
            peer.close()
        peer = Peer(port, timeout=PATIENCE)
        peer.pour(greeting())
    peer.forget()
    peer.pour(headers(stream, request(TARGET)))

    def whole():
        return any(flags & END_STREAM and sid == stream for _, flags, sid, _ in peer.frames())
    if not peer.until(whole, PATIENCE) or peer.answer(stream) != 200:
        raise OSError("no answer")
    return peer


def main(port, out):
    peer, number, parent = None, 0, os.getppid()
    while os.getppid() == parent:
        start = time.monotonic()
        try:
            peer = asked(port, peer, 2 * (number % ASK_ANEW) + 1)
            took = 1000 * (time.monotonic() - start)
            number += 1
        except OSError:
            if peer:
                peer.close()
            peer, took, number = None, -1, 0
            time.sleep(0.02)
        out.write(f"{time.monotonic():.4f} {took:.2f}\n")
        out.flush()
        time.sleep(PAUSE)


if __name__ == "__main__":
    with open(sys.argv[2], "a") as file:
        main(int(sys.argv[1]), file)
