/*
 * rotation.mjs - one client that lives through the exchange of our signing keys, and has the key set of before.
 *
 *     day 0        A signs
 *     day 89       A signs, B is shown          whoever fetches the set once a day has B in time
 *     day 90       B signs, A is shown          the last statement of A can be verified
 *     an hour on   B signs
 *
 * oidc_test.py moves the clock that the server and this program share, and starts the server anew, which moves its keys on at once and not at
 * the next minute. The client, which keeps a key set for five minutes, verifies the signature of each ID token that it gets.
 */
import { createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";
import * as client from "openid-client";

import { deny, is, issuer, post, test, truth, walk, world } from "./kit.mjs";

const DAY = 86400, answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/* The person at the browser stays signed in. */
async function forward(seconds) {
    console.log(JSON.stringify({ forward: seconds }));
    await answers.next();
    const { two } = world.people;
    const answer = await post("/v1/auth/refresh", JSON.stringify({ refresh: two.refresh }), { "content-type": "application/json" });
    is(answer.status, 200, "his session");
    Object.assign(two, answer.json);
}

let fetched = 0;
const heping = await client.discovery(issuer, "heping", world.keys.heping);
client.enableNonRepudiationChecks(heping);
heping[client.customFetch] = (url, how) => {
    fetched += new URL(url).pathname === "/oauth2/keys";
    return fetch(url, how);
};

async function signIn() {
    const pkceCodeVerifier = client.randomPKCECodeVerifier(), expectedState = client.randomState(), expectedNonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(heping, { redirect_uri: world.back, scope: "openid", state: expectedState, nonce: expectedNonce,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256" });
    const tokens = await client.authorizationCodeGrant(heping, await walk(url), { pkceCodeVerifier, expectedState, expectedNonce });
    return tokens.id_token;
}

const set = async () => (await (await fetch(new URL("/oauth2/keys", issuer))).json()).keys;
const shown = async () => (await set()).map((key) => key.kid).sort();
const kidOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;

/* Whether the key set that we show now vouches for it. */
async function holds(token) {
    const [head, claims, signature] = token.split("."), key = (await set()).find((k) => k.kid === kidOf(token));
    return key !== undefined && verify("sha256", Buffer.from(`${head}.${claims}`),
        { key: createPublicKey({ key, format: "jwk" }), dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

const [first] = await shown();
let second, last;

await test("the first key signs, and a client verifies with it", async () => {
    is(await shown(), [first]);
    is(kidOf(await signIn()), first);
    is(fetched, 1);
});

await test("a day before its end the next key is shown, and the first signs on", async () => {
    await forward(88 * DAY);
    is(await shown(), [first], "the day before");
    await forward(DAY);
    is((await shown()).length, 2);
    second = (await shown()).find((kid) => kid !== first);
    is(kidOf(await signIn()), first);
});

await test("the next key signs, and a client with the key set of before believes it without asking again", async () => {
    await forward(DAY - 100);
    last = await signIn();
    is(kidOf(last), first, "two minutes before");
    const before = fetched;
    await forward(120);
    is(kidOf(await signIn()), second);
    is(fetched, before, "key sets fetched");
});

await test("the last statement of the first key can be verified by whoever fetches the set only now", async () => {
    is((await shown()).length, 2);
    truth(await holds(last), "it cannot");
});

await deny("an hour after its last statement the first key is gone, and nobody believes it for ever", async () => {
    await forward(2 * 3600);
    is(await shown(), [second]);
    is(await holds(last), false);
    is(kidOf(await signIn()), second);
});
process.stdin.destroy();
