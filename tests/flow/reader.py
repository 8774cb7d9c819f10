"""reader.py - somebody who asks all the while, each time on a connection of his own, and counts what became of it."""
import socket
import ssl
import threading


class Reader(threading.Thread):
    """GET /v1/sync/main/head, one connection after the other; counts answers, cuts and refusals."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.answers, self.cuts, self.refused, self.wrong, self.on = port, 0, 0, [], b"", True
        self.context = ssl._create_unverified_context()
        self.start()

    def once(self):
        try:
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        except OSError as why:
            self.refused.append(repr(why))
            return
        try:
            with self.context.wrap_socket(plain) as tls:
                tls.sendall(b"GET /v1/sync/main/head HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := tls.recv(65536):
                    answer += piece
            self.wrong += answer[:200] if answer and not answer.startswith(b"HTTP/1.1 200 ") else b""
            self.answers += bool(answer)
            self.cuts += not answer
        except OSError:
            self.cuts += 1

    def run(self):
        while self.on:
            self.once()

    def stop(self):
        self.on = False
        self.join()
        assert not self.refused and not self.wrong, (self.refused, self.wrong)
