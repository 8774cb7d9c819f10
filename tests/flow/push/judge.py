"""judge.py - Debian's aioapns asks our Apple.

    judge.py PORT CA KEY {"tokens":[…],"text":"…"}        [[status, reason], …], in the order of the tokens

It speaks HTTP/2 without asking for it, which Apple lets pass and node does not: so the context asks.
"""
import asyncio
import json
import ssl
import sys

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol
from h2.exceptions import ProtocolError


async def main(port, ca, key, asked):
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])
    client = APNs(key=key, key_id="KEY1234567", team_id="TEAM123456", topic="cn.example.app", ssl_context=context)
    client.pool.protocol_class = type("Here", (APNsProductionClientProtocol,), {"APNS_SERVER": "127.0.0.1", "APNS_PORT": int(port)})
    message = {"aps": {"alert": {"title": "你好", "body": asked.get("text", "天津")}}}

    async def send(token):
        request = NotificationRequest(token, message, time_to_live=60, priority=10, collapse_key="c-1", push_type=PushType.ALERT)
        for _ in range(20):
            try:
                return await client.send_notification(request)
            except ProtocolError:   # its pool gave it a connection that had just ended: nothing was sent
                await asyncio.sleep(0.01)
        raise AssertionError("it never gets a connection that lives")

    said = await asyncio.gather(*(send(t) for t in asked["tokens"]))
    print(json.dumps([[one.status, one.description] for one in said]))


asyncio.run(main(*sys.argv[1:4], json.loads(sys.argv[4])))
