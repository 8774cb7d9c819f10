// platforms.mjs - WeChat's interface for official accounts and Weibo's, of our own: what was drafted, published and deleted, and misbehaviour on command.
//
//     node platforms.mjs        prints its port; plain HTTP on loopback
//
// POST /_control {…} sets how it behaves from now on:
//     hold        a path whose answer never comes; acts: whether it does what was asked before that
//     fail        {path: {status, body}}: answered so, and nothing is done
//     publish_ms  so long a publication takes (50)
//     outcome     publish_status of what is published from now on (0)
//     expires_in  seconds that an access token is said to be good for (7200)
//     forget      access tokens that were granted until now are good no more
// GET /_state      {"held": paths whose answer is held back, "calls": {path: n}, "drafts": n, "articles": [{"id","source","title","content","deleted"}],
//                  "posts": [{"id","text","picture","deleted"}], "tokens": n}
//
// The limits are those that the platforms' pages name, counted again here: what is too long is refused (45002 …), so that what passes is known to fit.
import crypto from "node:crypto";
import http from "node:http";

const state = { calls: {}, held: [], drafts: new Map(), articles: [], posts: [], tokens: new Set(), token: null, jobs: new Map() };
const usual = { publish_ms: 50, outcome: 0, expires_in: 7200 };
let sets = usual, next = 1000;

const wx = (errcode, errmsg = "mock") => ({ errcode, errmsg });
const letters = (text) => [...(text ?? "")].length;

// ---- WeChat ----
function stableToken(body) {
  const o = JSON.parse(body);
  if (o.grant_type !== "client_credential" || !o.appid) return wx(40013, "invalid appid");
  if (o.secret !== "app secret") return wx(40125, "invalid appsecret");
  state.token ??= "wx-" + crypto.randomUUID(); // stable: the same for all who ask
  state.tokens.add(state.token);
  return { access_token: state.token, expires_in: sets.expires_in };
}

function picture(body) {
  const text = body.toString("latin1"), at = text.indexOf("\r\n\r\n");
  if (!/name="media"; filename="[^"]+\.(png|jpeg|jpg)"/.test(text)) return null;
  const head = text.slice(at + 4, at + 12);
  return head.startsWith("\x89PNG") || head.startsWith("\xff\xd8") ? head : null;
}

function draftAdd(body) {
  const a = JSON.parse(body).articles;
  if (!Array.isArray(a) || a.length < 1 || a.length > 8) return wx(40004);
  for (const one of a) {
    if (!one.title || letters(one.title) > 32) return wx(45003, "title size out of limit");
    if (letters(one.author) > 16) return wx(45110, "author size out of limit");
    if (letters(one.digest) > 128) return wx(45004, "description size out of limit");
    if (!one.content || letters(one.content) >= 20000 || Buffer.byteLength(one.content) >= 1048576) return wx(45002, "content size out of limit");
    if (Buffer.byteLength(one.content_source_url ?? "") > 1024) return wx(45006);
    if (!state.materials?.has(one.thumb_media_id)) return wx(40007, "invalid media_id");
    for (const [, src] of one.content.matchAll(/<img src="([^"]*)"/g)) if (!src.startsWith("https://mmbiz.example/")) return wx(45166, "invalid content: " + src);
  }
  const media_id = "draft-" + next++;
  state.drafts.set(media_id, a);
  return { media_id };
}

function submit(body) {
  const { media_id } = JSON.parse(body), draft = state.drafts.get(media_id);
  if (!draft) return wx(40007, "invalid media_id");
  const publish_id = String(next++), job = { status: 1, outcome: sets.outcome };
  state.jobs.set(publish_id, job);
  setTimeout(() => {
    job.status = job.outcome;
    if (job.outcome) return;
    state.drafts.delete(media_id);
    job.article_id = "article-" + next++;
    for (const one of draft) state.articles.push({ id: job.article_id, source: one.content_source_url, title: one.title, content: one.content, deleted: 0 });
  }, sets.publish_ms);
  return { errcode: 0, errmsg: "ok", publish_id };
}

function result(body) {
  const { publish_id } = JSON.parse(body), job = state.jobs.get(String(publish_id));
  if (!job) return wx(53600);
  if (job.status) return { publish_id, publish_status: job.status };
  return { publish_id, publish_status: 0, article_id: job.article_id, article_detail: { count: 1, item: [{ idx: 1, article_url: "https://mp.example/" + job.article_id }] }, fail_idx: [] };
}

function batchGet() {
  const live = state.articles.filter((a) => !a.deleted).slice(-20).reverse();
  return { total_count: live.length, item_count: live.length, item: live.map((a) => ({ article_id: a.id, content: { news_item: [{ title: a.title, content_source_url: a.source, url: "https://mp.example/" + a.id }] }, update_time: 1 })) };
}

function remove(body) {
  const found = state.articles.filter((a) => a.id === JSON.parse(body).article_id && !a.deleted);
  if (!found.length) return wx(53600, "article id invalid");
  for (const a of found) a.deleted++;
  return wx(0, "ok");
}

function material(body) {
  if (!picture(body)) return wx(40005);
  const media_id = "material-" + next++;
  (state.materials ??= new Set()).add(media_id);
  return { media_id, url: "https://mmbiz.example/" + media_id };
}

const wechat = {
  "/cgi-bin/stable_token": [stableToken, true],
  "/cgi-bin/token": [() => stableToken(JSON.stringify({ grant_type: "client_credential", appid: "wx", secret: "app secret" })), true],
  "/cgi-bin/material/add_material": [material],
  "/cgi-bin/media/uploadimg": [(body) => (picture(body) ? { url: "https://mmbiz.example/img-" + next++ + "?wx_fmt=png&a=1" } : wx(40005))],
  "/cgi-bin/draft/add": [draftAdd],
  "/cgi-bin/freepublish/submit": [submit],
  "/cgi-bin/freepublish/get": [result],
  "/cgi-bin/freepublish/batchget": [batchGet],
  "/cgi-bin/freepublish/delete": [remove],
};

// ---- Weibo ----
const halves = (text) => Math.ceil([...text].reduce((n, c) => n + (c.charCodeAt(0) < 128 ? 1 : 2), 0) / 2);

function fields(body, type) {
  if (!type.startsWith("multipart/")) return { ...Object.fromEntries(new URLSearchParams(body.toString())) };
  const boundary = "--" + type.split("boundary=")[1], all = {};
  for (const part of body.toString("latin1").split(boundary).slice(1, -1)) {
    const [head, ...rest] = part.split("\r\n\r\n"), name = /name="([^"]+)"/.exec(head)[1];
    const bytes = Buffer.from(rest.join("\r\n\r\n").slice(0, -2), "latin1");
    all[name] = head.includes("filename=") ? bytes : bytes.toString();
  }
  return all;
}

const refuse = (error_code, error) => ({ status: 400, body: { error, error_code, request: "/2/statuses" } });

function share(body, type) {
  const f = fields(body, type);
  if (f.access_token !== "weibo token") return refuse(21332, "invalid_access_token");
  if (!f.rip) return refuse(10008, "param error: rip");
  if (!f.status || halves(f.status) > 140) return refuse(20012, "Text too long");
  if (!/https?:\/\/(www\.example\.cn|127\.0\.0\.1)/.test(f.status) || /#[^#]+#/.test(f.status)) return refuse(20021, "content is illegal");
  if (state.posts.at(-1)?.text === f.status) return refuse(20019, "repeat content!");
  const id = 5000000000000000 + next++;
  state.posts.push({ id: String(id), text: f.status, picture: f.pic?.length ?? 0, deleted: 0 });
  return { id, idstr: String(id), mid: String(id) };
}

function destroy(body, type) {
  const f = fields(body, type), post = state.posts.find((p) => p.id === f.id && !p.deleted);
  if (!post) return refuse(20101, "target weibo does not exist!");
  post.deleted++;
  return { id: Number(f.id) };
}

const weibo = { "/2/statuses/share.json": share, "/2/statuses/destroy.json": destroy };

// ---- what is common ----
function act(path, query, body, type) {
  if (weibo[path]) return weibo[path](body, type);
  const door = wechat[path];
  if (!door) return { status: 404, body: { errcode: 404 } };
  if (!door[1] && query.get("access_token") !== state.token) return wx(40001, "invalid credential");
  return door[0](body);
}

function shown() {
  return { held: state.held, calls: state.calls, drafts: state.drafts.size, articles: state.articles, posts: state.posts, tokens: state.tokens.size };
}

function control(body) {
  sets = { ...usual, ...JSON.parse(body) };
  state.held = [];
  if (sets.forget) state.token = null;
  return {};
}

const server = http.createServer((rq, rs) => {
  const parts = [];
  rq.on("data", (p) => parts.push(p));
  rq.on("end", () => {
    const [path, query] = rq.url.split("?"), body = Buffer.concat(parts);
    const say = (status, value) => {
      rs.writeHead(status, { "content-type": "application/json" });
      rs.end(JSON.stringify(value));
    };
    if (path === "/_state") return say(200, shown());
    if (path === "/_control") return say(200, control(body));
    state.calls[path] = (state.calls[path] ?? 0) + 1;
    const fail = sets.fail?.[path];
    if (fail) return say(fail.status, fail.body);
    const answer = path === sets.hold && !sets.acts ? null : act(path, new URLSearchParams(query), body, rq.headers["content-type"] ?? "");
    if (path === sets.hold) return void state.held.push(path);
    return answer.status ? say(answer.status, answer.body) : say(200, answer);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
