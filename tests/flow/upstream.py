"""upstream.py - upstreams to believe, and to doubt: an OpenID provider and WeChat's two addresses, over real TLS.

    u = Upstream(w, "ywt")                          # serves at once
    u.connect(w.data, trusts_phone=True)            # writes DATA/upstreams/ywt.json and .secret
    code, state = u.approve(url, sub="1001", name="李雷")      # what its page does when somebody has signed in there
    u.how["token"] = "hang"                         # hang, slow, flood, away, refuse, garbage: of discovery, token, keys, userinfo
    u.lie = {"claims": {...}, "alg": "none", ...}   # of the ID token
"""
import base64
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

FLOOD = b" " * 10_000_000
SECRET = "s3cret:/with+marks"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*args, data=None):
    return subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=True).stdout


class Key:
    """A pair to sign with: ES256 or RS256."""

    def __init__(self, folder, kid, alg="ES256"):
        self.kid, self.alg, self.path = kid, alg, Path(folder) / f"{kid}.pem"
        how = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256") if alg == "ES256" else ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        openssl("genpkey", "-algorithm", *how, "-out", self.path)
        self.pem = openssl("pkey", "-in", self.path, "-pubout")

    def jwk(self):
        if self.alg == "ES256":
            point = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-64:]
            return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": b64(point[:32]), "y": b64(point[32:])}
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}

    def sign(self, text):
        der = openssl("dgst", "-sha256", "-sign", self.path, data=text)
        if self.alg == "RS256":
            return der
        out, at = b"", 2
        for _ in "rs":
            n = der[at + 1]
            out += der[at + 2:at + 2 + n].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + n
        return out


class Upstream(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, world, name):
        upstream = self
        self.name, self.folder = name, world.dir / f"upstream-{name}"
        self.folder.mkdir()
        self.key = Key(self.folder, f"{name}-1")
        self.published, self.codes, self.wechat, self.asked, self.how, self.lie = [self.key], {}, {}, [], {}, {}
        self.freed, self.people, self.ahead = threading.Event(), {}, 0
        certificate, private = self.folder / "tls.pem", self.folder / "tls-key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", private, "-out", certificate)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def misbehaves(self, part):
                how = upstream.how.get(part)
                if how == "hang":
                    upstream.freed.wait(60)
                    self.close_connection = True
                elif how == "slow":
                    self.send_response(200)
                    self.send_header("content-length", "1000")
                    self.end_headers()
                    try:
                        for _ in range(60):
                            self.wfile.write(b" ")
                            if upstream.freed.wait(1):
                                break
                    except OSError:
                        pass
                    self.close_connection = True
                elif how == "flood":
                    self.answer(200, FLOOD)
                elif how == "away":
                    self.send_response(302)
                    self.send_header("location", upstream.url + "/elsewhere")
                    self.send_header("content-length", "0")
                    self.end_headers()
                elif how == "refuse":
                    self.answer(500, b"")
                elif how == "garbage":
                    self.answer(200, b'{"a":1,"a":2}')
                return how is not None

            def do_GET(self):
                self.serve(None)

            def do_POST(self):
                self.serve(self.rfile.read(int(self.headers["content-length"])).decode())

            def serve(self, body):
                path, _, query = self.path.partition("?")
                part = {"/.well-known/openid-configuration": "discovery", "/token": "token", "/keys": "keys", "/me": "userinfo",
                        "/sns/jscode2session": "token", "/sns/oauth2/access_token": "token"}.get(path, path)
                upstream.asked.append(part)
                if self.misbehaves(part):
                    return
                if path.startswith("/sns/"):
                    self.answer(200, upstream.sns(path, dict(urllib.parse.parse_qsl(query))))
                else:
                    self.answer(*{"discovery": upstream.discovery, "keys": upstream.keys, "token": upstream.token,
                                  "userinfo": upstream.userinfo}.get(part, lambda *_: (404, {}))(self.headers, body))

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, private)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url, self.ca = f"https://127.0.0.1:{self.server_address[1]}", certificate
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass

    # ---- its settings here ----

    def connect(self, data, **more):
        """As docs/operate.md says. `more` None: without it."""
        there = Path(data) / "upstreams"
        there.mkdir(parents=True, exist_ok=True)
        conf = {"kind": "oidc", "label": "天津政务一网通", "issuer": self.url, "client": "tjzw", "ca": str(self.ca), "private": True, **more}
        (there / f"{self.name}.json").write_text(json.dumps({k: v for k, v in conf.items() if v is not None}, ensure_ascii=False))
        secret = there / f"{self.name}.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)

    # ---- what it does ----

    def rotate(self, kid, alg="ES256", keep=False):
        self.key = Key(self.folder, kid, alg)
        self.published = ([*self.published] if keep else []) + [self.key]

    def discovery(self, *_):
        return 200, {"issuer": self.url, "authorization_endpoint": self.url + "/authorize", "token_endpoint": self.url + "/token",
                     "jwks_uri": self.url + "/keys", "userinfo_endpoint": self.url + "/me",
                     "authorization_response_iss_parameter_supported": True, **self.lie.get("discovery", {})}

    def keys(self, *_):
        return 200, {"keys": [k.jwk() for k in self.published]}

    def approve(self, url, **claims):
        """Somebody has signed in on its page: where his browser is sent to, as a dict, with the code."""
        base, _, query = url.partition("?")
        asked = dict(urllib.parse.parse_qsl(query.partition("#")[0]))
        assert base == self.url + "/authorize" and asked["response_type"] == "code", url
        assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43 and len(asked["nonce"]) == 43, asked
        code = hashlib.sha256(str(len(self.codes)).encode() + self.name.encode()).hexdigest()[:32]
        self.codes[code] = {**asked, "claims": claims}
        return {"code": code, "state": asked["state"], "iss": self.url, "redirect": asked["redirect_uri"]}

    def token(self, headers, body):
        form = dict(urllib.parse.parse_qsl(body))
        wanted = "Basic " + base64.b64encode(("tjzw:" + urllib.parse.quote(SECRET, safe="")).encode()).decode()
        if headers["authorization"] != wanted:
            return 401, {"error": "invalid_client"}
        known = self.codes.pop(form.get("code"), None)
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not known or known["redirect_uri"] != form.get("redirect_uri") or known["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        access = b64(hashlib.sha256(form["code"].encode()).digest())
        self.people[access] = known["claims"]
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(known)}

    def id_token(self, known):
        now = int(time.time()) + self.ahead
        claims = {"iss": self.url, "aud": "tjzw", "iat": now, "exp": now + 300, "nonce": known["nonce"], **known["claims"],
                  **self.lie.get("claims", {})}
        claims = {k: v for k, v in claims.items() if v is not None}
        key = self.lie.get("key", self.key)
        head = {"alg": key.alg, "kid": key.kid, **self.lie.get("head", {})}
        text = (b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())).encode()
        if head["alg"] == "none":
            return text.decode() + "."
        if head["alg"] == "HS256":      # keyed with what everybody knows: the public key
            import hmac
            return text.decode() + "." + b64(hmac.new(key.pem, text, hashlib.sha256).digest())
        return text.decode() + "." + b64(key.sign(text))

    def userinfo(self, headers, _):
        claims = self.people.get((headers["authorization"] or "").removeprefix("Bearer "))
        return (200, {**claims, **self.lie.get("userinfo", {})}) if claims else (401, {})

    def sns(self, path, asked):
        """WeChat: every answer has status 200. `wechat`: code -> openid and unionid, or an errcode."""
        mini = path.endswith("jscode2session")
        if asked.get("appid") != "wx0123456789abcdef" or asked.get("secret") != SECRET or asked.get("grant_type") != "authorization_code":
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        known = self.wechat.pop(asked.get("js_code" if mini else "code"), 40029)
        if isinstance(known, int):
            return {"errcode": known, "errmsg": "see the documentation"}
        return {**known, **({"session_key": "tiihtNczf5v6AKRyjwEUhQ=="} if mini else
                            {"access_token": "ACCESS", "expires_in": 7200, "refresh_token": "REFRESH", "scope": "snsapi_login"})}
