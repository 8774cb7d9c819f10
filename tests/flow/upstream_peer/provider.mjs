// provider.mjs - npm oidc-provider as an upstream: somebody else's reading of the same specifications.
import fs from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";

const [port, cert, key, secret, redirects] = process.argv.slice(2);
const issuer = `https://127.0.0.1:${port}`;
const people = { 1001: { name: "李雷", phone_number: "+8613800138000", phone_number_verified: true } };

const provider = new Provider(issuer, {
  clients: [{
    client_id: "tjzw", client_secret: secret, redirect_uris: redirects.split(","), grant_types: ["authorization_code"],
    response_types: ["code"], token_endpoint_auth_method: "client_secret_basic", application_type: "web",
  }],
  claims: { openid: ["sub", "acr"], profile: ["name"], phone: ["phone_number", "phone_number_verified"] },
  acrValues: ["L2", "L3"],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, acr: "L3", ...people[sub] }) }),
});
provider.proxy = false;
https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, provider.callback())
  .listen(port, "127.0.0.1", () => console.log("ready"));
