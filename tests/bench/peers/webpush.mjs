// webpush.mjs - the web-push of npm, as a service would use it.
//
//   node webpush.mjs keys N            subscriptions of N browsers, one a line: {"p256dh","auth"}
//   node webpush.mjs send URL FILE     one message to each of them at URL/wp/NUMBER, 256 at a time; prints {"cpu"}: µs that it ran
import { createECDH, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import webpush from "web-push";

const [verb, ...rest] = process.argv.slice(2);

function keys(n) {
  for (let i = 0; i < n; i++) {
    const dh = createECDH("prime256v1");
    dh.generateKeys();
    console.log(JSON.stringify({ p256dh: dh.getPublicKey("base64url"), auth: randomBytes(16).toString("base64url") }));
  }
}

async function send(url, file) {
  const browsers = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const vapid = webpush.generateVAPIDKeys();
  const options = {
    TTL: 3600,
    agent: new Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false }),
    vapidDetails: { subject: "mailto:push@example.cn", publicKey: vapid.publicKey, privateKey: vapid.privateKey },
  };
  const message = JSON.stringify({ title: "示例：明天停水", text: "八点到十点，请提前备水。", tag: "c-1", campaign: 1 });
  let next = 0;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: 256 }, async () => {
      while (next < browsers.length) {
        const i = next++;
        const said = await webpush.sendNotification({ endpoint: `${url}/wp/${i}`, keys: browsers[i] }, message, options);
        if (said.statusCode !== 201) throw new Error(`status ${said.statusCode}`);
      }
    }),
  );
  const ran = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu: ran.user + ran.system }));
}

if (verb === "keys") keys(Number(rest[0]));
else await send(...rest);
