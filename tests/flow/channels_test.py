#!/usr/bin/env python3
"""The outboxes of WeChat and Weibo (docs/channels.md) against platforms of our own that refuse, hang and forget: published once, or known to be unknown; deleted when it is withdrawn."""
import json
import random
import shutil
import sys
import time

from channels import Channels
from lib import World, wait_for

from tap import case, done, note, skip

SUBMIT, GET, DRAFT, COVER, IMG, DELETE = (f"/cgi-bin/{p}" for p in ("freepublish/submit", "freepublish/get", "draft/add", "material/add_material", "media/uploadimg",
                                                                   "freepublish/delete"))
LOOK = "/cgi-bin/freepublish/batchget"
NO_ID = {"status": 200, "body": {"errcode": 61024, "errmsg": "mock"}}
SHARE, DESTROY = "/2/statuses/share.json", "/2/statuses/destroy.json"


def usual(city):
    p = city.platforms
    with case("an approved version comes out at WeChat, once, with its pictures"):
        item = city.publish()
        task = city.send(city.wechat, item)
        said = city.waits(task, "done")
        (article,) = p.out(task)
        assert said["article"] == article["id"] and said["url"] == "https://mp.example/" + article["id"], said
        assert article["source"] == f"https://www.example.cn/a/{item}#tjzw-{task}" and "https://mmbiz.example/img-" in article["content"], article
        assert "/v1/blobs/" not in article["content"]
        assert city.ok("GET", f"/v1/channels/{city.wechat}")["published"]
    with case("said twice it goes once"):
        version = said["version"]
        assert city.ok("POST", f"/v1/channel-versions/{version}/send")["no"] == task
        assert city.server.admin("PATCH", f"/v1/channel-versions/{version}", '{"title":"x"}', {"content-type": "application/json"}).status == 409
    with case("and at Weibo, with the article's address and a picture"):
        task = city.send(city.weibo, city.publish(), cover=city.pictures[0])
        said = city.waits(task, "done")
        post = p.state()["posts"][-1]
        assert post["id"] == said["article"] and "https://www.example.cn/a/" in post["text"] and post["picture"] > 50, post
    with case("one access token serves all of it"):
        assert p.state()["calls"]["/cgi-bin/stable_token"] == 1, p.state()["calls"]
    with case("a withdrawal deletes it there, of both"):
        item = city.publish()
        tasks = [city.send(city.wechat, item), city.send(city.weibo, item)]
        for task in tasks:
            city.waits(task, "done")
        city.withdraw(item)
        for task in tasks:
            gone = wait_for("a deletion", 20, lambda task=task: city.deletion(task), every=0.1)
            city.waits(gone["no"], "done")
        assert p.out(tasks[0])[0]["deleted"] == 1 and p.state()["posts"][-1]["deleted"] == 1


def refusals(city):
    p = city.platforms
    with case("what is not published, or not in this revision any more, does not leave"):
        item = city.publish()
        version = city.approve(city.write(city.wechat, item))
        city.withdraw(item)
        assert city.server.admin("POST", f"/v1/channel-versions/{version['no']}/send", None).status == 409
        assert city.server.admin("POST", f"/v1/channels/{city.wechat}/versions", json.dumps({"item": item, "title": "x"}),
                                 {"content-type": "application/json"}).status == 409
    with case("what is withdrawn on its way is cancelled"):
        p.set(fail={COVER: {"status": 503, "body": {}}})
        item = city.publish()
        task = city.send(city.wechat, item)
        wait_for("a failure", 20, lambda: city.task(task)["failures"], every=0.1)
        city.withdraw(item)
        city.waits(task, "cancelled")
        p.set()
        assert not p.out(task)
    with case("a token that is refused is asked for anew"):
        p.set(forget=True)
        city.waits(city.send(city.wechat, city.publish()), "done")
    with case("what WeChat does not pass is shown, and can be tried again"):
        p.set(outcome=4)
        task = city.send(city.wechat, city.publish())
        said = city.waits(task, "failed")
        assert "审核不通过" in said["said"], said
        p.set()
        city.ok("POST", f"/v1/channel-tasks/{task}/retry")
        city.waits(task, "done")
        assert len(p.out(task)) == 1
    with case("a question about the result that is refused says nothing of the article: it is looked for, found, and not sent again"):
        p.set(fail={GET: NO_ID})
        task = city.send(city.wechat, city.publish())
        city.waits(task, "done", "failed")
        assert city.server.admin("POST", f"/v1/channel-tasks/{task}/retry", None).status == 409, city.task(task)
        assert city.task(task)["state"] == "done" and len(p.out(task)) == 1, city.task(task)
    with case("… withdrawn meanwhile it is deleted when it is found"):
        p.set(fail={GET: NO_ID, LOOK: {"status": 503, "body": {}}})
        item = city.publish()
        task = city.send(city.wechat, item)
        city.waits(task, "unknown", "failed")
        city.withdraw(item)
        wait_for("it is marked", 20, lambda: city.task(task)["withdrawn"], every=0.1)
        p.set()
        city.waits(task, "done")
        city.waits(wait_for("a deletion", 20, lambda: city.deletion(task), every=0.1)["no"], "done")
        assert [a["deleted"] for a in p.out(task)] == [1], p.out(task)
    with case("a token without a time is no token: asked for again later, and never again and again"):
        p.set(forget=True, expires_in=0)    # the one that we have is refused first
        before = p.state()["calls"]["/cgi-bin/stable_token"]
        task = city.send(city.wechat, city.publish())
        wait_for("trouble", 20, lambda: "有效期" in city.ok("GET", f"/v1/channels/{city.wechat}").get("trouble", ""), every=0.1)
        time.sleep(4)
        assert p.state()["calls"]["/cgi-bin/stable_token"] == before + 1, p.state()["calls"]
        p.set()
        city.waits(task, "done")
    with case("… and one that is good for a second is not asked for every second"):
        p.set(forget=True, expires_in=1)
        before = p.state()["calls"]["/cgi-bin/stable_token"]
        task = city.send(city.wechat, city.publish())
        wait_for("a token", 20, lambda: p.state()["calls"]["/cgi-bin/stable_token"] > before, every=0.1)
        time.sleep(6)
        assert p.state()["calls"]["/cgi-bin/stable_token"] == before + 1, p.state()["calls"]
        p.set()
        city.waits(task, "done")
    with case("an address that WeChat does not know: the account rests and says why, and nobody is asked again and again"):
        p.set(fail={COVER: {"status": 200, "body": {"errcode": 40164, "errmsg": "invalid ip"}}})
        before = p.state()["calls"].get(COVER, 0)
        task = city.send(city.wechat, city.publish())
        wait_for("trouble", 20, lambda: "白名单" in city.ok("GET", f"/v1/channels/{city.wechat}").get("trouble", ""), every=0.1)
        time.sleep(3)
        assert p.state()["calls"][COVER] == before + 1
        p.set()
        city.ok("PUT", f"/v1/channels/{city.wechat}/credentials", {"secret": "app secret", "token": "atoken"})    # whoever mended it says so
        city.ok("POST", f"/v1/channel-tasks/{task}/cancel")


def held(city, path):
    return wait_for(f"{path} is held", 30, lambda: path in city.platforms.state()["held"], every=0.05)


def killed_at(city, channel, path, acts):
    """kill -9 while the answer of that request is on its way; what the task is when all has settled."""
    p = city.platforms
    p.set(hold=path, acts=acts)
    task = city.send(channel, city.publish())
    held(city, path)
    city.restart(lambda: (city.server.kill(), p.set()))
    return task


def kills(city):
    p = city.platforms
    for path in (COVER, IMG, DRAFT, GET):
        for acts in (False, True):
            with case(f"kill -9 in {path}, which {'was' if acts else 'was not'} done: it comes out once"):
                task = killed_at(city, city.wechat, path, acts)
                city.waits(task, "done")
                assert len(p.out(task)) == 1
    with case(f"kill -9 in {SUBMIT}, which was done: unknown, looked for, found, and not sent again"):
        task = killed_at(city, city.wechat, SUBMIT, True)
        submits = p.state()["calls"][SUBMIT]
        city.waits(task, "done")
        assert len(p.out(task)) == 1 and p.state()["calls"][SUBMIT] == submits
    with case(f"kill -9 in {SUBMIT}, which was not done: unknown, shown, and a person decides"):
        task = killed_at(city, city.wechat, SUBMIT, False)
        submits = p.state()["calls"][SUBMIT]
        time.sleep(8)
        assert city.task(task)["state"] == "unknown" and p.state()["calls"][SUBMIT] == submits, city.task(task)
        assert task in [t["no"] for t in city.ok("GET", "/v1/channel-tasks?state=unknown")["tasks"]]
        assert "nobody knows" in city.w.tjzw("doctor", "--data", city.w.data, check=False).stdout.decode()
        said = json.loads(city.w.tjzw("channel", "resolve", "--data", city.w.data, "--went", "false", task).stdout)
        assert said["state"] in ("queued", "waiting", "done"), said
        city.waits(task, "done")
        assert len(p.out(task)) == 1
    with case(f"kill -9 in {SHARE}, which was done: unknown, and never again by itself; told its number, a withdrawal deletes it"):
        item = city.publish()
        p.set(hold=SHARE, acts=True)
        task = city.send(city.weibo, item)
        held(city, SHARE)
        city.restart(lambda: (city.server.kill(), p.set()))
        posts = len(p.state()["posts"])
        time.sleep(3)
        assert city.task(task)["state"] == "unknown" and len(p.state()["posts"]) == posts
        city.withdraw(item)
        wait_for("it is marked", 20, lambda: city.task(task)["withdrawn"], every=0.1)
        city.ok("POST", f"/v1/channel-tasks/{task}/resolve", {"went": True, "article": p.state()["posts"][-1]["id"]})
        gone = wait_for("a deletion", 20, lambda: city.deletion(task), every=0.1)
        city.waits(gone["no"], "done")
        assert p.state()["posts"][-1]["deleted"] == 1
    with case(f"kill -9 in {SHARE}, which was not done: a person says so, and it comes out once"):
        task = killed_at(city, city.weibo, SHARE, False)
        posts = len(p.state()["posts"])
        city.waits(task, "unknown")
        city.ok("POST", f"/v1/channel-tasks/{task}/resolve", {"went": False})
        city.waits(task, "done")
        assert len(p.state()["posts"]) == posts + 1
    for channel, path in ((city.wechat, DELETE), (city.weibo, DESTROY)):
        for acts in (False, True):
            with case(f"kill -9 in {path}, which {'was' if acts else 'was not'} done: it is gone"):
                item = city.publish()
                task = city.send(channel, item)
                city.waits(task, "done")
                p.set(hold=path, acts=acts)
                city.withdraw(item)
                held(city, path)
                city.restart(lambda: (city.server.kill(), p.set()))
                city.waits(city.deletion(task)["no"], "done")
                assert (p.out(task) if channel == city.wechat else p.state()["posts"])[-1]["deleted"] == 1


def any_time(city):
    """Six tasks under way, killed whenever it happens to be."""
    p = city.platforms
    with case("killed at any moment, ten times: nothing is out twice, nothing is lost"):
        p.set(publish_ms=300)
        tasks, posts = [], [x["text"] for x in p.state()["posts"]]
        for _ in range(10):
            for channel in (city.wechat, city.weibo, city.wechat):
                tasks.append((channel, city.send(channel, city.publish())))
            time.sleep(random.uniform(0, 1.5))
            city.restart(city.server.kill)
        unknown = 0
        for channel, task in tasks:
            t = city.waits(task, "done", "unknown", deadline=180)
            if t["state"] == "unknown" and channel == city.weibo:
                unknown += 1
            elif t["state"] == "unknown":
                city.waits(task, "done", "unknown", deadline=60)
        time.sleep(20)    # what is to be found is found
        for channel, task in tasks:
            t = city.task(task)
            if channel == city.wechat:
                assert len(p.out(task)) == (t["state"] == "done"), (t, p.out(task))
            assert t["state"] in ("done", "unknown"), t
        texts = [x["text"] for x in p.state()["posts"]][len(posts):]
        assert len(set(texts)) == len(texts), "posted twice"
        note(f"{len(tasks)} tasks, {unknown} posts of Weibo unknown, {p.state()['calls']}")


def main():
    with World() as w:
        city = Channels(w)
        try:
            usual(city)
            refusals(city)
            kills(city)
            any_time(city)
            with case("it stops in good order, and asked the system for nothing that it may not"):
                city.server.stop()
        finally:
            city.stop()


if shutil.which("node"):
    main()
else:
    skip("the outboxes of WeChat and Weibo", "node is not here")
sys.exit(done())
