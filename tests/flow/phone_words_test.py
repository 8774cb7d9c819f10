#!/usr/bin/env python3
"""What tjzw-phone tells whoever holds it: Chinese, what to do, and no sentence of the server's that is for programmers (docs/adr/0007)."""
import re
import sys

from lib import World

from tap import case, done


def english(text):
    """Sentences of three words and more."""
    return re.findall(r"[A-Za-z]+(?: [a-z]+){2,}", text)


def main():
    with World() as w:
        server = w.serve(env={"TJZW_SMS_DEVELOPMENT": "true"})
        phone = w.phone("words")
        phone.sync()
        with case("help is --help, of all commands and of one"):
            assert phone.run("help").stdout == phone.run("--help").stdout != b""
            assert phone.run("help", "sign-in").stdout == phone.run("sign-in", "--help").stdout != phone.run("help").stdout
            assert phone.run("help", "sing-in", check=False).returncode == 2
        for what, words in (("a number that is none", ("sign-in", "12")), ("a code that is none", ("sign-in", "13900000071", "12")),
                            ("a wrong code", ("sign-in", "13900000071", "000000"))):
            with case(f"{what}: what is wrong and how to mend it, in Chinese alone"):
                said = phone.run(*words, check=False)
                text = said.stderr.decode()
                assert said.returncode == 1 and ("手机号" in text or "验证码" in text), said
                assert not english(text) and "请" in text, text
        with case("with -v the server's own sentence stands behind it"):
            assert english(phone.run("-v", "sign-in", "12", check=False).stderr.decode())
        with case("a server that is away is no fault of his"):
            server.stop()
            assert "连不上服务器" in phone.run("sign-in", "13900000071", check=False).stderr.decode()
    return done()


sys.exit(main())
