// crypt.mjs - npm's wechat-crypto, asked line by line: {"do":"sign"|"close"|"open",…} in, its answer out.
//
//     node crypt.mjs TOKEN KEY APPID
import readline from "node:readline";
import WXBizMsgCrypt from "wechat-crypto";

const [token, key, app] = process.argv.slice(2);
const crypt = new WXBizMsgCrypt(token, key, app);

for await (const line of readline.createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  const does = {
    sign: () => crypt.getSignature(ask.timestamp, ask.nonce, ask.text),
    close: () => crypt.encrypt(ask.text),
    open: () => crypt.decrypt(ask.text),
  };
  console.log(JSON.stringify({ said: does[ask.do]() }));
}
