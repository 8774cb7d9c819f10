// judge.mjs - what others say of our mocks and of our messages.
//
//     browser-new                    {"p256dh","auth","secret"}: a browser's subscription
//     browser-read SECRET AUTH BODY  the message in it
//     webpush ENDPOINT P256DH AUTH TEXT   sends with web-push; {"status":n}
//     service CERT KEY             is web-push-testing over TLS until its input ends; {"port":n}
//     apns PORT CA KEY TOKEN…        sends with @parse/node-apn; {"sent":n,"failed":[status…]}
import crypto from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url), [what, ...args] = process.argv.slice(2);

function browserNew() {
  const pair = crypto.createECDH("prime256v1");
  pair.generateKeys();
  return { p256dh: pair.getPublicKey("base64url"), auth: crypto.randomBytes(16).toString("base64url"), secret: pair.getPrivateKey("base64url") };
}

function browserRead(secret, auth, body) {
  const pair = crypto.createECDH("prime256v1");
  pair.setPrivateKey(Buffer.from(secret, "base64url"));
  return JSON.parse(require("http_ece").decrypt(Buffer.from(body, "base64"), { version: "aes128gcm", privateKey: pair, authSecret: auth }));
}

async function webpush(endpoint, p256dh, auth, text) {
  const push = require("web-push"), vapid = push.generateVAPIDKeys();
  const options = { TTL: 60, topic: "c-1", agent: new (require("node:https").Agent)({ rejectUnauthorized: false }),
    vapidDetails: { subject: "mailto:push@example.cn", publicKey: vapid.publicKey, privateKey: vapid.privateKey } };
  try {
    return { status: (await push.sendNotification({ endpoint, keys: { p256dh, auth } }, text, options)).statusCode };
  } catch (e) {
    return { status: e.statusCode };
  }
}

async function service(cert, key) {
  const fs = require("node:fs"), { PushApiModel } = require("web-push-testing/src/PushApiModel.js"), Server = require("web-push-testing/src/server.js");
  const model = new PushApiModel(), app = new Server(model, 1);
  app.setRequestHandlers();
  const server = require("node:https").createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, app._app);
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  model.notifyUrl = `https://127.0.0.1:${server.address().port}/notify/`;
  console.log(JSON.stringify({ port: server.address().port }));
  await new Promise((over) => process.stdin.on("end", over).resume());
}

async function apns(port, ca, key, ...tokens) {
  const apn = require("@parse/node-apn");
  const provider = new apn.Provider({ token: { key, keyId: "KEY1234567", teamId: "TEAM123456" }, address: "127.0.0.1", port: Number(port), production: false, ca: [require("node:fs").readFileSync(ca)] });
  const note = new apn.Notification({ topic: "cn.example.app", alert: "hello" });
  const said = await provider.send(note, tokens);
  await provider.shutdown();
  return { sent: said.sent.length, failed: said.failed.map((f) => [f.status, f.response?.reason]) };
}

const acts = { "browser-new": browserNew, "browser-read": browserRead, webpush, service, apns };
const said = await acts[what](...args);
if (said) console.log(JSON.stringify(said));
process.exit(0);
