// farm.mjs - push vendors of our own: real HTTP/2 and TLS, a count of deliveries for each token, and misbehaviour on command.
//
//     node farm.mjs CERT KEY [APNS_PUBLIC_PEM]        prints its port
//
// POST /_control {"vendor":"apns",…} sets how a vendor behaves from now on:
//     kill_every, how      its session ends with every so many requests: "destroy" (the connection dies), "goaway" (in good order), "rst" (the stream alone)
//     status, every        every so many requests are answered with this status; retry_after, location: with these fields
//     slow_ms              answers take so long
//     gone, bad, fail      tokens that are unregistered, that a part of a batch fails for, or that it fails for now (Honor)
//     lie                  a part that does not add up; OPPO: one that it does not list
//     no_task              vivo stores no message any more today
//     forget               what was granted until now is good no more (Honor, WeChat)
//     consents             to how many of WeChat's messages a citizen has agreed, one if nothing is said
// GET /_counts             {"apns":{"requests":…,"grants":…,"tokens":{token: deliveries},"streams":most at a time},…}
//                          … and of Apple's, "backs": {token: how many of these took another back}
// GET /_sums               {"apns":deliveries in all,…}
// GET /_http1             {"port":…}: the same vendors over HTTP/1.1
// GET /_screens            {"TOKEN COLLAPSE_ID": deliveries} of Apple's: a screen shows one of each id
// GET /_bodies             what browsers were sent: [{"path","headers","body" in base64}]
import crypto from "node:crypto";
import fs from "node:fs";
import http2 from "node:http2";
import https from "node:https";

const [cert, key, apnsPem] = process.argv.slice(2);
const apnsKey = apnsPem && crypto.createPublicKey(fs.readFileSync(apnsPem));
const vendors = {}, bodies = [];

function vendor(name) {
  return vendors[name] ??= { requests: 0, grants: new Set(), tokens: new Map(), away: 0, most: 0, sets: {} };
}

function delivered(v, token) {
  v.tokens.set(token, (v.tokens.get(token) ?? 0) + 1);
  v.sum = (v.sum ?? 0) + 1;
}

function json(status, value, headers = {}) {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

// ---- Apple ----
function readJwt(text) {
  const [head, claims, signature] = text.split(".");
  const h = JSON.parse(Buffer.from(head, "base64url")), c = JSON.parse(Buffer.from(claims, "base64url"));
  const good = h.alg === "ES256" && h.kid && c.iss && Math.abs(Date.now() / 1000 - c.iat) < 3600
    && crypto.verify("sha256", Buffer.from(head + "." + claims), { key: apnsKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  return good;
}

// Apple says the id of a request in every answer, and why it refused.
const reasons = { 429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable" };

function apns(v, path, headers, body, status) {
  const a = status ? json(status, { reason: reasons[status] ?? "Unknown" }) : apnsTakes(v, path, headers, body);
  return { ...a, headers: { ...a.headers, "apns-id": headers["apns-id"] ?? crypto.randomUUID() } };
}

function apnsTakes(v, path, headers, body) {
  const token = path.slice("/3/device/".length), jwt = (headers.authorization ?? "").replace(/^bearer /i, "");
  try {
    if (!jwt || !readJwt(jwt)) return json(403, { reason: "InvalidProviderToken" });
  } catch {
    return json(403, { reason: "InvalidProviderToken" });
  }
  v.grants.add(jwt);
  if (!/^[0-9a-f]{64,200}$/.test(token)) return json(400, { reason: "BadDeviceToken" });
  if (!headers["apns-topic"]) return json(400, { reason: "MissingTopic" });
  if (body.length > 4096) return json(413, { reason: "PayloadTooLarge" });
  const said = JSON.parse(body).aps;
  if (!said) return json(400, { reason: "PayloadEmpty" });
  if (v.sets.gone?.includes(token)) return json(410, { reason: "Unregistered", timestamp: Date.now() });
  delivered(v, token);
  if (said.alert?.title === "一条消息已撤回") v.backs = (v.backs ?? new Map()).set(token, (v.backs?.get(token) ?? 0) + 1);
  v.screens ??= new Map();
  const id = token + " " + (headers["apns-collapse-id"] ?? "");
  v.screens.set(id, (v.screens.get(id) ?? 0) + 1);
  return { status: 200, headers: {}, body: "" };
}

// ---- Huawei ----
function huaweiToken(v, path, headers, body) {
  const form = new URLSearchParams(body.toString());
  if (form.get("grant_type") !== "client_credentials" || !form.get("client_secret")) return json(400, { error: 1101 });
  const token = "at-" + crypto.randomUUID();
  v.grants.add(token);
  return json(200, { access_token: token, expires_in: 3600, token_type: "Bearer" });
}

function isPs256(text) {
  try {
    const h = JSON.parse(Buffer.from(text.split(".")[0], "base64url"));
    return h.alg === "PS256" && h.kid;
  } catch {
    return false;
  }
}

function huawei(v, path, headers, body) {
  const o = JSON.parse(body), next = path.startsWith("/v3/"), tokens = next ? o.target.token : o.message.token;
  const bearer = (headers.authorization ?? "").replace(/^Bearer /, "");
  if (next ? headers["push-type"] !== "0" || !isPs256(bearer) : !vendor("huawei").grants.has(bearer)) return json(401, { code: "80200001", msg: "auth" });
  if (tokens.length > 1000) return json(200, { code: "80300010", msg: "tokens" });
  const bad = tokens.filter((t) => v.sets.bad?.includes(t));
  for (const t of tokens) if (!bad.includes(t)) delivered(v, t);
  if (!bad.length) return json(200, { code: "80000000", msg: "Success", requestId: "1" });
  const listed = next ? { illegalTokens: { invalidToken: bad } } : { illegal_tokens: bad };
  return json(200, { code: "80100000", requestId: "1", msg: JSON.stringify({ success: tokens.length - bad.length - (v.sets.lie ? 1 : 0), failure: bad.length + (v.sets.lie ? 1 : 0), ...listed }) });
}

function huaweiRevoke(v, path, headers, body) {
  const o = JSON.parse(body);
  if (headers["push-type"] !== "0" || !isPs256((headers.authorization ?? "").replace(/^Bearer /, ""))) return json(401, { code: "80200001", msg: "auth" });
  if (!o.notifyId || !o.token?.length || o.token.length > 1000) return json(200, { code: "80100003", msg: "Illegal payload" });
  for (const t of o.token) v.tokens.delete(t);
  return json(200, { code: "80000000", msg: "Success", requestId: "1" });
}

// ---- Honor: Huawei's interface once, and lists of tokens beside the code ----
function honorToken(v, path, headers, body) {
  const form = new URLSearchParams(body.toString());
  if (form.get("grant_type") !== "client_credentials" || !form.get("client_id") || !form.get("client_secret")) return json(400, { error: "invalid_client" });
  const token = "ho-" + crypto.randomUUID();
  v.grants.add(token);
  return json(200, { access_token: token, expires_in: 3600, token_type: "Bearer" });
}

function honor(v, path, headers, body) {
  const o = JSON.parse(body), said = o.android?.notification, at = Number(headers.timestamp);
  if (!v.grants.has((headers.authorization ?? "").replace(/^Bearer /, ""))) return json(200, { code: 401, message: "Unauthorized" });
  if (!(Math.abs(Date.now() - at) < 600000)) return json(200, { code: 80100003, message: "timestamp" });
  if (!o.token?.length || o.token.length > 1000) return json(200, { code: 80300010, message: "token" });
  if (!said?.title || !said.body || !["LOW", "NORMAL"].includes(said.importance) || ![1, 2, 3].includes(said.clickAction?.type)) return json(200, { code: 80100003, message: "notification" });
  const expireTokens = o.token.filter((t) => v.sets.bad?.includes(t)), failTokens = o.token.filter((t) => v.sets.fail?.includes(t));
  for (const t of o.token) if (!expireTokens.includes(t) && !failTokens.includes(t)) delivered(v, t);
  return json(200, { code: 200, message: "success", data: { sendResult: true, requestId: "1", failTokens, expireTokens } });
}

// ---- WeChat: a citizen's consent is good for one message, and a value of `thing` has 20 letters ----
function wechatToken(v, path, headers, body) {
  const o = JSON.parse(body);
  if (o.grant_type !== "client_credential" || !o.appid || !o.secret) return json(200, { errcode: 40013, errmsg: "invalid appid" });
  v.token ??= "wx-" + crypto.randomUUID(); // the same as long as it is good
  v.grants.add(v.token);
  return json(200, { access_token: v.token, expires_in: 7200 });
}

function wechat(v, path, headers, body) {
  const o = JSON.parse(body), granted = new URLSearchParams(path.split("?")[1] ?? "").get("access_token"), had = v.tokens.get(o.touser) ?? 0;
  const values = [o.data?.thing1?.value, o.data?.thing2?.value];
  if (!v.token || granted !== v.token) return json(200, { errcode: 40001, errmsg: "invalid credential" });
  if (v.sets.bad?.includes(o.touser)) return json(200, { errcode: 40003, errmsg: "invalid openid" });
  if (!o.template_id) return json(200, { errcode: 40037, errmsg: "invalid template_id" });
  if (values.some((t) => !t || [...t].length > 20)) return json(200, { errcode: 47003, errmsg: "argument invalid!" });
  if (had >= (v.sets.consents ?? 1)) return json(200, { errcode: 43101, errmsg: "user refuse to accept the msg" });
  delivered(v, o.touser);
  return json(200, { errcode: 0, errmsg: "ok" });
}

// ---- Xiaomi ----
function xiaomi(v, path, headers, body) {
  const form = new URLSearchParams(body.toString()), tokens = (form.get("registration_id") ?? "").split(",");
  if (!/^key=./.test(headers.authorization ?? "")) return json(200, { result: "error", code: 21301 });
  if (tokens.length > 1000 || !form.get("title") || !form.get("description")) return json(200, { result: "error", code: 10017 });
  const bad = tokens.filter((t) => v.sets.bad?.includes(t));
  for (const t of tokens) if (!bad.includes(t)) delivered(v, t);
  return json(200, { result: "ok", code: 0, data: { id: "s1", ...(bad.length ? { bad_regids: bad.join(",") } : {}) } });
}

// ---- OPPO: one device gets one message of an app_message_id ----
function oppoToken(v, path, headers, body) {
  const form = new URLSearchParams(body.toString()), key = form.get("app_key"), at = form.get("timestamp");
  const sign = crypto.createHash("sha256").update(key + at + "secret").digest("hex");
  if (form.get("sign") !== sign || Math.abs(Date.now() - at) > 600000) return json(200, { code: 16, message: "Invalid Signature" });
  const token = crypto.randomUUID();
  v.grants.add(token);
  return json(200, { code: 0, message: "Success", data: { auth_token: token, create_time: Date.now() } });
}

function oppo(v, path, headers, body) {
  const form = new URLSearchParams(body.toString());
  if (!v.grants.has(form.get("auth_token"))) return json(200, { code: 11, message: "Invalid AuthToken" });
  const messages = JSON.parse(form.get("messages"));
  if (!messages.length || messages.length > 1000) return json(200, { code: 41, message: "Invalid Arguments" });
  v.had ??= new Set();
  const data = messages.map((m) => {
    const n = m.notification, once = n.app_message_id + " " + m.target_value, said = { messageId: "1-" + m.target_value, registrationId: m.target_value };
    if (m.target_type !== 2 || !n.title || !n.content || [...n.title].length > 50) return { ...said, errorCode: 41, errorMessage: "Invalid Arguments" };
    if (v.sets.bad?.includes(m.target_value)) return { ...said, errorCode: 10000, errorMessage: "Invalid Registration_id" };
    if (!v.had.has(once)) delivered(v, m.target_value);
    v.had.add(once);
    return said;
  });
  return json(200, { code: 0, message: "", data: v.sets.lie ? data.slice(1) : data });
}

// ---- vivo: a message is stored, and then sent to two devices or more ----
function vivoToken(v, path, headers, body) {
  const o = JSON.parse(body), sign = crypto.createHash("md5").update(o.appId + o.appKey + o.timestamp + "secret").digest("hex");
  if (o.sign !== sign || Math.abs(Date.now() - o.timestamp) > 600000) return json(200, { result: 10001, desc: "sign" });
  const token = crypto.randomUUID();
  v.grants.add(token);
  return json(200, { result: 0, desc: "", authToken: token });
}

function vivo(v, path, headers, body) {
  const o = JSON.parse(body), act = path.split("/").pop(), regIds = act === "send" ? [o.regId] : o.regIds;
  if (!v.grants.has(headers.authtoken)) return json(200, { result: 10000, desc: "auth" });
  if (!o.requestId || o.requestId.length > 64) return json(200, { result: 10054, desc: "requestId" });
  if (act !== "pushToList" && (!o.title || !o.content || !o.skipType || !o.notifyType)) return json(200, { result: 10055, desc: "message" });
  v.tasks ??= new Set();
  if (act === "saveListPayload") {
    if (v.sets.no_task) return json(200, { result: 10252, desc: "quota" });
    const taskId = String(v.tasks.size + 5000);
    v.tasks.add(taskId);
    return json(200, { result: 0, desc: "", taskId });
  }
  if (act === "pushToList" && (!v.tasks.has(o.taskId) || regIds.length < 2 || regIds.length > 1000)) return json(200, { result: 10056, desc: "list" });
  const bad = regIds.filter((t) => v.sets.bad?.includes(t));
  for (const t of regIds) if (!bad.includes(t)) delivered(v, t);
  if (act === "send" && bad.length) return json(200, { result: 10302, desc: "regId", invalidUser: { status: 1, userid: bad[0] } });
  return json(200, { result: 0, desc: "", ...(bad.length ? { invalidUsers: bad.map((userid) => ({ status: 1, userid })) } : {}) });
}

// ---- browsers ----
function webpush(v, path, headers, body) {
  if (!headers.ttl) return json(400, {});
  if (headers["content-encoding"] !== "aes128gcm" || !/^vapid t=.+, ?k=.+/.test(headers.authorization ?? "")) return json(401, {});
  if (v.sets.gone?.includes(path)) return json(410, {});
  delivered(v, path);
  bodies.push({ path, headers: { ...headers }, body: body.toString("base64") });
  return { status: 201, headers: { location: path + "/1" }, body: "" };
}

const doors = [
  ["apns", /^\/3\/device\//, apns],
  ["huawei", /^\/oauth2\/v3\/token$/, huaweiToken],
  ["huawei", /^\/v2\/[^/]+\/messages:send$/, huawei],
  ["huawei_next", /^\/v3\/[^/]+\/messages:send$/, huawei],
  ["huawei_next", /^\/v1\/client\/messages:revoke$/, huaweiRevoke],
  ["honor", /^\/auth\/realms\/developer\/protocol\/openid-connect\/token$/, honorToken],
  ["honor", /^\/api\/v1\/[^/]+\/sendMessage$/, honor],
  ["wechat", /^\/cgi-bin\/stable_token$/, wechatToken],
  ["wechat", /^\/cgi-bin\/message\/subscribe\/send\?access_token=./, wechat],
  ["xiaomi", /^\/v3\/message\/regid$/, xiaomi],
  ["oppo", /^\/server\/v1\/auth$/, oppoToken],
  ["oppo", /^\/server\/v1\/message\/notification\/unicast_batch$/, oppo],
  ["vivo", /^\/message\/auth$/, vivoToken],
  ["vivo", /^\/message\/(saveListPayload|pushToList|send)$/, vivo],
  ["webpush", /^\/wp\//, webpush],
];

function counts() {
  return Object.fromEntries(Object.entries(vendors).map(([name, v]) =>
    [name, { requests: v.requests, grants: v.grants.size, streams: v.most, tokens: Object.fromEntries(v.tokens), backs: Object.fromEntries(v.backs ?? []) }]));
}

function control(path, body) {
  if (path === "/_counts") return json(200, counts());
  if (path === "/_sums") return json(200, Object.fromEntries(Object.entries(vendors).map(([name, v]) => [name, v.sum ?? 0])));
  if (path === "/_bodies") return json(200, bodies);
  if (path === "/_http1") return json(200, { port: first.address().port });
  if (path === "/_screens") return json(200, Object.fromEntries(vendor("apns").screens ?? []));
  const o = JSON.parse(body);
  const v = vendor(o.vendor);
  v.sets = o;
  if (o.forget) {
    v.grants.clear();
    v.token = undefined;
  }
  return json(200, {});
}

function answer(path, headers, body) {
  for (const [name, pattern, act] of doors)
    if (pattern.test(path)) return [vendor(name), (v, status) => act(v, path, headers, body, status)];
  return [null, () => json(404, {})];
}

function send(stream, a) {
  if (stream.destroyed) return;
  stream.respond({ ":status": a.status, ...a.headers }, { endStream: !a.body });
  if (a.body) stream.end(a.body);
}

function endSession(stream, how) {
  if (how === "rst") stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  else if (how === "goaway") stream.session?.close();
  else stream.session?.destroy();
}

function refusal(v, act) {
  const s = v.sets, a = v === vendors.apns ? act(v, s.status) : { headers: {}, body: "" };
  return { ...a, status: s.status, headers: { ...a.headers, ...(s.retry_after ? { "retry-after": String(s.retry_after) } : {}), ...(s.location ? { location: s.location } : {}) } };
}

// What is delivered is delivered before the session ends: that is the case in which somebody gets it twice.
function serve(stream, headers, body) {
  const path = headers[":path"];
  if (path.startsWith("/_")) return send(stream, control(path, body));
  const [v, act] = answer(path, headers, body);
  if (!v) return send(stream, act());
  v.requests++;
  v.most = Math.max(v.most, ++v.away);
  stream.on("close", () => v.away--);
  const s = v.sets;
  if (s.status && v.requests % (s.every ?? 1) === 0)
    return send(stream, refusal(v, act));
  const a = act(v);
  if (s.kill_every && v.requests % s.kill_every === 0) {
    endSession(stream, s.how);
    if (s.how !== "goaway") return;
  }
  if (s.slow_ms) setTimeout(() => send(stream, a), s.slow_ms);
  else setImmediate(() => send(stream, a));
}

const server = http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key), settings: { maxConcurrentStreams: 1000 } });
server.on("stream", (stream, headers) => {
  const parts = [];
  stream.on("error", () => {});
  stream.on("data", (d) => parts.push(d));
  stream.on("end", () => {
    if (stream.aborted || stream.rstCode) return; // half a body of somebody who was killed is no request
    try {
      serve(stream, headers, Buffer.concat(parts));
    } catch (e) {
      console.error(e);
      send(stream, { status: 500, headers: {}, body: "" });
    }
  });
});
// Over HTTP/1.1, for a client that speaks nothing else: the same doors, and no misbehaviour.
const first = https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, (asked, said) => {
  const parts = [];
  asked.on("data", (d) => parts.push(d));
  asked.on("end", () => {
    const [v, act] = answer(asked.url, asked.headers, Buffer.concat(parts)), a = act(v);
    said.writeHead(a.status, a.headers).end(a.body);
  });
}).listen(0, "127.0.0.1");
server.on("session", (s) => s.on("error", () => {}));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
