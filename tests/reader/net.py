"""net.py - how this reader asks: over one HTTPS connection, an answer cut short continued with Range; and what a stream of hints says."""
import http.client
import json
import re
import ssl
from urllib.parse import urlsplit

from wire import NUMBER, TOP, need


class Http:
    """One connection. get(path, fresh): (status, headers, body); an answer cut short is continued with Range."""

    def __init__(self, url, timeout=30):
        u = urlsplit(url)
        self.where, self.timeout, self.connection = (u.hostname, u.port), timeout, None
        self.requests = self.bytes = 0

    def _ask(self, path, headers):
        for attempt in (1, 2):
            if not self.connection:
                self.connection = http.client.HTTPSConnection(*self.where, timeout=self.timeout, context=ssl._create_unverified_context())
            try:
                self.connection.request("GET", path, headers=headers)
                answer = self.connection.getresponse()
                break
            except (http.client.HTTPException, OSError):    # a connection that was kept too long
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        self.requests += 1
        got = {k.lower(): v for k, v in answer.getheaders()}
        try:
            body = answer.read()
            whole = True
        except http.client.IncompleteRead as cut:
            body, whole = cut.partial, False
            self.connection = None
        self.bytes += len(body)
        return answer.status, got, body, whole

    def get(self, path, fresh=False):
        status, got, body, whole = self._ask(path, {"cache-control": "no-cache"} if fresh else {})
        while not whole:
            need(status == 200 and "etag" in got, f"{path} was cut and cannot be continued")
            s, g, more, whole = self._ask(path, {"range": f"bytes={len(body)}-", "if-range": got["etag"]})
            if s == 206:
                need(g["content-range"].startswith(f"bytes {len(body)}-"), "another range than was asked for")
                body += more
            else:
                status, got, body = s, g, more
        return status, got, body


def hint(data, stream):
    """The name of the head's twin that the data of a hint shows for this stream; None: pass it over."""
    try:
        said = json.loads(data)
    except ValueError:
        return None
    path = said.get("head") if isinstance(said, dict) and said.get("stream") == stream else None
    m = re.fullmatch(rf"/v1/sync/{re.escape(stream)}/head/((?:{NUMBER})\.(?:{NUMBER})\.(?:{NUMBER}))", path) if isinstance(path, str) else None
    return m[1] if m and all(int(n) < TOP for n in m[1].split(".")) else None


def events(lines):
    """(event, data, id) of a stream of server-sent events, given its lines; `retry` comes as an event."""
    event, data, ident = "message", [], None
    for n, line in enumerate(lines):
        line = (line.removeprefix(b"\xef\xbb\xbf") if not n else line).removesuffix(b"\n").removesuffix(b"\r")
        need(len(line) <= 65536, "a line of hints over 64 KiB")
        line = line.decode("utf-8")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield event, "\n".join(data), ident
            event, data = "message", []
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            ident = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            yield "retry", value, ident
