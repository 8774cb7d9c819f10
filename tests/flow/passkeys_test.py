#!/usr/bin/env python3
"""Passkeys over JSON, by an authenticator of software that is told to lie: both algorithms register and sign in; what WebAuthn wants to be refused is.
"""
import base64
import hashlib
import json
import struct
import sys

from app import App
from fault import Clock
from lib import World, free_port
from upstream import Key, b64, openssl

from tap import case, done

RP = "localhost"


def head(major, n):
    return bytes([major << 5 | n]) if n < 24 else bytes([major << 5 | 24, n]) if n < 256 else bytes([major << 5 | 25]) + struct.pack(">H", n)


def cbor(x):
    """RFC 8949, of what an authenticator sends; a dict's order is the caller's."""
    if isinstance(x, int):
        return head(0, x) if x >= 0 else head(1, -1 - x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        return head(3, len(x.encode())) + x.encode()
    return head(5, len(x)) + b"".join(cbor(k) + cbor(v) for k, v in x.items())


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """A key in somebody's hand."""

    def __init__(self, folder, name, alg, origin):
        self.key, self.alg, self.origin = Key(folder, name, alg), alg, origin
        self.id, self.count, self.handle = hashlib.sha256(name.encode()).digest(), 0, None

    def cose(self):
        k = self.key.jwk()
        if self.alg == "ES256":
            return {1: 2, 3: -7, -1: 1, -2: raw(k["x"]), -3: raw(k["y"])}
        return {1: 3, 3: -257, -1: raw(k["n"]), -2: raw(k["e"])}

    def client(self, kind, challenge, **lie):
        return json.dumps({"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin, "crossOrigin": False, **lie}).encode()

    def data(self, flags, rp, count, more=b""):
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + struct.pack(">I", count) + more

    def make(self, offer, rp=RP, flags=0x45, **lie):
        """credential.toJSON() of create()."""
        options = offer["passkey"]
        self.handle = options["user"]["id"]
        data = self.data(flags, rp, self.count, bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor(self.cose()))
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": {
            "clientDataJSON": b64(self.client("create", options["challenge"], **lie)),
            "attestationObject": b64(cbor({"fmt": "none", "attStmt": {}, "authData": data}))}}

    def sign(self, request, rp=RP, flags=0x05, count=None, handle=None, challenge=None, bend=False, **lie):
        """… of get()."""
        self.count += 1
        data = self.data(flags, rp, self.count if count is None else count)
        client = self.client("get", challenge or request["passkey"]["challenge"], **lie)
        signature = openssl("dgst", "-sha256", "-sign", self.key.path, data=data + hashlib.sha256(client).digest())
        if bend:
            client = client.replace(b"webauthn.get", b"webauthn.get ", 1)
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": {
            "clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": handle or self.handle}}


class Holder(App):
    def offer(self):
        answer = self.call("POST", "/v1/me/factors/offer", {"kind": "passkey"})
        assert answer.status == 200, answer
        return answer.json()

    def add(self, key, offer=None, **lie):
        offer = offer or self.offer()
        return self.call("POST", "/v1/me/factors", {"ticket": offer["ticket"], "name": "钥匙", "passkey": key.make(offer, **lie)})

    def ask(self):
        answer = self.call("POST", "/v1/auth/passkey")
        assert answer.status == 200, answer
        return answer.json()

    def enter(self, request, signed):
        return self.call("POST", "/v1/auth/sign-in", {"ticket": request["ticket"], "passkey": signed, "device": "手机"})

    def sign_in(self, key, **lie):
        request = self.ask()
        return self.enter(request, key.sign(request, **lie))


LIES = [
    ("another origin", {"origin": "https://evil.example"}),
    ("our name as part of another's", {"origin": "https://localhost.evil.example"}),
    ("another site's frame", {"crossOrigin": True}),
    ("a registration's words", {"type": "webauthn.create"}),
    ("another RP ID", {"rp": "evil.example"}),
    ("nobody was there", {"flags": 0x04}),
    ("the owner was not asked for", {"flags": 0x01}),
    ("another challenge", {"challenge": b64(bytes(32))}),
    ("a signature over other bytes", {"bend": True}),
    ("another's user handle", {"handle": b64(bytes(16))}),
]


def registration(app, folder, origin):
    with case("what is made for another origin, another RP ID, without its owner, or for another offer is no passkey"):
        n = len(app.call("GET", "/v1/me/factors").json()["factors"])
        for name, lie in LIES[:7]:
            key = Authenticator(folder, f"lie-{LIES.index((name, lie))}", "ES256", origin)
            lie = {**lie, "type": "webauthn.get"} if "type" in lie else {**lie, "flags": lie["flags"] | 0x40} if "flags" in lie else lie
            answer = app.add(key, **lie)
            assert answer.status in (400, 401), (name, answer)
        offer, other = app.offer(), app.offer()
        key = Authenticator(folder, "exchanged", "ES256", origin)
        answer = app.call("POST", "/v1/me/factors", {"ticket": other["ticket"], "name": "x", "passkey": key.make(offer)})
        assert answer.status in (400, 401), answer
        assert len(app.call("GET", "/v1/me/factors").json()["factors"]) == n
    with case("an offer is good once"):
        offer, key = app.offer(), Authenticator(folder, "once", "ES256", origin)
        assert app.add(key, offer).status == 201
        assert app.add(Authenticator(folder, "twice", "ES256", origin), offer).status in (400, 401)


def passkey(server, folder, origin, alg, phone):
    app, key = Holder(server), Authenticator(folder, f"key-{alg}", alg, origin)
    account = app.by_phone(phone).said["account"]
    with case(f"{alg}: a passkey is registered, and signs in by itself"):
        answer = app.add(key)
        assert answer.status == 201, answer
        done_ = Holder(server).keep(Holder(server).sign_in(key))
        assert done_["step"] == "done" and done_["account"] == account, done_
    with case(f"{alg}: the same credential is nobody else's"):
        other = Holder(server)
        other.by_phone(phone[:-1] + "9")
        answer = other.add(key)
        assert answer.status == 409, answer
        key.handle = app.offer()["passkey"]["user"]["id"]
    for name, lie in LIES:
        with case(f"{alg}: refused: {name}"):
            answer = Holder(server).sign_in(key, **lie)
            assert answer.status == 401 and "access" not in answer.body.decode(), answer
    with case(f"{alg}: a challenge is good once, and for its own ticket"):
        app = Holder(server)
        request, other = app.ask(), app.ask()
        signed = key.sign(request)
        assert app.enter(other, signed).status == 401
        assert app.enter(request, signed).status == 200
        assert app.enter(request, signed).status == 401
        assert app.enter(request, key.sign(request)).status == 401
    with case(f"{alg}: a counter that goes back, or stands still, is refused: there may be a copy"):
        assert Holder(server).sign_in(key, count=key.count + 100).status == 200
        for count in (key.count, key.count + 99):
            assert Holder(server).sign_in(key, count=count).status == 401, count
        assert Holder(server).sign_in(key, count=key.count + 200).status == 200
    return app, key


def second(clock, server, folder, origin, key, phone):
    with case("after a code it is asked for as the second thing, and one of another account is none"):
        clock.ahead(100)
        app = Holder(server)
        answer = app.by_phone(phone).said
        assert answer["step"] == "factor" and "passkey" in answer["factors"] and answer["passkey"]["allowCredentials"], answer
        stranger = Holder(server)
        stranger.by_phone("13900000099")
        theirs = Authenticator(folder, "theirs", "ES256", origin)
        assert stranger.add(theirs).status == 201
        assert app.enter(answer, theirs.sign(answer)).status == 401
        clock.ahead(200)
        answer = app.by_phone(phone).said
        key.count += 1000
        signed = key.sign(answer, flags=0x01)            # its owner need not be asked for: he proved a phone
        assert Holder(server).keep(app.enter(answer, signed))["step"] == "done"


def main():
    with World() as w:
        port, clock = free_port(), Clock(w)
        url = f"https://localhost:{port}"
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000", **clock.env})
        server.ready()
        app, _ = passkey(server, w.dir, url, "RS256", "13900000091")
        _, key = passkey(server, w.dir, url, "ES256", "13900000081")
        fresh = Holder(server)
        fresh.by_phone("13900000095")
        registration(fresh, w.dir, url)
        second(clock, server, w.dir, url, key, "13900000081")
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
