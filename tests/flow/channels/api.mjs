// api.mjs - npm's wechat-api as a client of platforms.mjs: what we take for WeChat is taken for it by a program that nobody here wrote.
//
//     node api.mjs URL PICTURE        prints what it was told, one JSON a line
import { createRequire } from "node:module";

const WechatAPI = createRequire(import.meta.url)("wechat-api");
const [url, picture] = process.argv.slice(2);
const api = new WechatAPI("wx0123456789abcdef", "app secret");
const ask = (name, ...args) => new Promise((done, failed) => api[name](...args, (err, said) => (err ? failed(err) : done(said))));

api.endpoint = url;
for (const [name, ...args] of [["getLatestToken"], ["uploadMaterial", picture, "image"], ["uploadImage", picture]]) console.log(JSON.stringify({ name, said: await ask(name, ...args) }));
