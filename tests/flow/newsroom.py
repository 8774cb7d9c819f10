"""newsroom.py - staff at a demo server, each signed in by `tjzw login`, who do all by commands.

    room = Newsroom(w, server)
    room.come("editor", "review1")                  # as demo_accounts.c knows them
    room.does("editor", "item", "submit", item)     # what the command printed, read
    room.may_not("editor", "item", "approve", item, says="本人")
"""
import json

from desk import Desk, Person, accounts


class Newsroom:
    def __init__(self, w, server):
        self.w, self.server, self.desk = w, server, Desk(w, server, {})

    def sign_in(self, name, password, secret):
        person = Person(self.server)
        person.sign_in("demo." + name, password, secret)
        process, letters, _ = self.desk.login(name)
        assert person.answer(letters, True).status == 204
        assert process.wait(60) == 0, process.stderr.read().decode()

    def come(self, *names):
        password, secrets = accounts(self.server)
        for name in names:
            self.sign_in(name, password, secrets["demo." + name])

    def prints(self, who, *words, input=None):
        """What a command of his prints."""
        said = self.w.tjzw(*words[:2], "--profile", who, *words[2:], env=self.desk.env, input=input).stdout
        return said.decode() if isinstance(said, bytes) else said

    def does(self, who, *words, input=None):
        said = self.prints(who, *words, input=input)
        return json.loads(said) if said.strip() else None

    def may_not(self, who, *words, input=None, says=""):
        said = self.w.tjzw(*words[:2], "--profile", who, *words[2:], check=False, env=self.desk.env, input=input)
        text = said.stderr.decode() if isinstance(said.stderr, bytes) else said.stderr
        assert said.returncode and text.strip(), f"{who} did: {words}: {said.stdout}"
        assert says in text, f"{words}: {text}"
