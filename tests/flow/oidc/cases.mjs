/*
 * cases.mjs - every grant, driven by openid-client and oauth4webapi, and what must be refused: half by them, half by us.
 */
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { randomBytes } from "node:crypto";

import { asHeping, asking, basic, challengeOf, chance, codeFor, consent, deny, fetching, is, issuer, post, refused, test, truth, visit, walk, world } from "./kit.mjs";

const { keys, back, local } = world;

/* ---- the good way, by openid-client ---- */

const heping = await client.discovery(issuer, "heping", keys.heping, client.ClientSecretBasic(keys.heping));
const hepingPost = await client.discovery(issuer, "heping", keys.heping, client.ClientSecretPost(keys.heping));
const app = await client.discovery(issuer, "desk", undefined, client.None());
const screen = await client.discovery(issuer, "screen", undefined, client.None());
const script = await client.discovery(issuer, "script", keys.script, client.ClientSecretBasic(keys.script));

/* Where the browser comes back to, and what must be checked there. */
async function begin(config, more = {}, person = "two") {
    const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(config, {
        redirect_uri: back, scope: "openid", state, nonce, code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256", ...more });
    return { at: await walk(url, person), checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } };
}

async function signIn(config, more = {}, person = "two", checks = {}) {
    const b = await begin(config, more, person);
    return client.authorizationCodeGrant(config, b.at, { ...b.checks, ...checks });
}

for (const [name, config] of [["by Basic", heping], ["by the form", hepingPost]])
    await test(`openid-client signs in, its key ${name}`, async () => {
        const tokens = await signIn(config), claims = tokens.claims();
        is(claims.iss, world.issuer);
        is(claims.aud, "heping");
        is(claims.azp, "heping");
        truth(claims.exp - claims.iat <= 3600, "it lives longer than an hour");
        is(tokens.token_type, "bearer");
        is(tokens.expires_in, 900);
        is(tokens.refresh_token, undefined, "offline_access was not asked for");
        is(tokens.scope, "openid");
    });

await test("openid-client signs a native program in, without a key and at any port", async () => {
    const tokens = await signIn(app, { redirect_uri: local, scope: "openid" });
    is(tokens.claims().aud, "desk");
});

for (const [person, level] of [["one", "1"], ["two", "2"], ["four", "3"]])
    await test(`acr says how well ${person} is known, up to the party's ceiling`, async () => {
        const claims = (await signIn(heping, {}, person)).claims();
        is(claims.acr, level);
        truth(Array.isArray(claims.amr) && claims.amr.includes("sms"), "amr");
    });

await test("max_age is answered with auth_time", async () => {
    const tokens = await signIn(heping, { max_age: "3600" }, "two", { maxAge: 3600 });
    truth(Math.abs(tokens.claims().auth_time - Date.now() / 1000) < 3600, "auth_time");
});

await test("acr_values that he has already ask for nothing more", async () => {
    is((await signIn(heping, { acr_values: "2" })).claims().acr, "2");
});

for (const scope of ["openid", "openid profile", "openid phone", "openid profile phone"])
    await test(`userinfo for "${scope}", and nothing of it in the ID token`, async () => {
        const named = await fetch(new URL("/v1/me", issuer), { method: "PATCH", body: JSON.stringify({ name: "王小二" }),
            headers: { authorization: `Bearer ${world.people.two.access}`, "content-type": "application/json" } });
        is(named.status, 200);
        const tokens = await signIn(heping, { scope });
        const info = await client.fetchUserInfo(heping, tokens.access_token, tokens.claims().sub);
        is(info.name, scope.includes("profile") ? "王小二" : undefined, "name");
        is([info.phone_number, info.phone_number_verified], scope.includes("phone") ? ["+8613811110002", true] : [undefined, undefined], "phone");
        is([tokens.claims().name, tokens.claims().phone_number], [undefined, undefined], "the ID token");
        is(tokens.scope, scope);
    });

await test("a token without openid tells nothing, and comes without an ID token", async () => {
    const got = await post("/oauth2/token", fetching(await codeFor({ scope: "phone" })), asHeping());
    is(got.status, 200);
    is(got.json.id_token, undefined);
    const info = await fetch(new URL("/oauth2/userinfo", issuer), { headers: { authorization: `Bearer ${got.json.access_token}` } });
    is(info.status, 403);
    truth(info.headers.get("www-authenticate").includes("insufficient_scope"), "the header says why");
});

await test("two parties know one person by two numbers, and one of the same sector by the same", async () => {
    const a = (await signIn(heping)).claims().sub, b = (await signIn(app, { redirect_uri: local })).claims().sub;
    truth(a !== b && a.length === 43, "they can compare");
    is((await signIn(heping)).claims().sub, a);
    truth((await signIn(heping, {}, "one")).claims().sub !== a, "two people are one");
});

await test("a refresh token is exchanged", async () => {
    const tokens = await signIn(heping, { scope: "openid offline_access" });
    const next = await client.refreshTokenGrant(heping, tokens.refresh_token);
    truth(next.refresh_token !== tokens.refresh_token, "it is the same");
    await client.fetchUserInfo(heping, next.access_token, tokens.claims().sub);
    await client.fetchUserInfo(heping, tokens.access_token, tokens.claims().sub);
});

await test("a native program's refresh token is exchanged ten times", async () => {
    let tokens = await signIn(app, { redirect_uri: local, scope: "openid offline_access" });
    for (let i = 0; i < 10; i++)
        tokens = await client.refreshTokenGrant(app, tokens.refresh_token);
    await client.fetchUserInfo(app, tokens.access_token, client.skipSubjectCheck);
});

await test("an exchange whose answer was lost is answered again", async () => {
    const tokens = await signIn(heping, { scope: "openid offline_access" });
    const [a, b] = await Promise.all([client.refreshTokenGrant(heping, tokens.refresh_token), client.refreshTokenGrant(heping, tokens.refresh_token)]);
    is(a.refresh_token, b.refresh_token);
});

await test("a program gets a token for itself", async () => {
    const tokens = await client.clientCredentialsGrant(script);
    is(tokens.expires_in, 900);
    is(tokens.refresh_token, undefined);
    is((await client.tokenIntrospection(script, tokens.access_token)).active, true);
});

await test("introspection tells a party of its own tokens", async () => {
    const tokens = await signIn(heping, { scope: "openid offline_access" });
    const seen = await client.tokenIntrospection(heping, tokens.access_token);
    is([seen.active, seen.client_id, seen.scope, seen.sub, seen.acr],
        [true, "heping", "openid offline_access", tokens.claims().sub, "2"]);
    is((await client.tokenIntrospection(heping, tokens.refresh_token)).active, true);
});

for (const which of ["access_token", "refresh_token"])
    await test(`revoking the ${which} ends both`, async () => {
        const tokens = await signIn(heping, { scope: "openid offline_access" });
        await client.tokenRevocation(heping, tokens[which]);
        is((await client.tokenIntrospection(heping, tokens.access_token)).active, false);
        await refused(client.refreshTokenGrant(heping, tokens.refresh_token), "invalid_grant");
        await refused(client.fetchUserInfo(heping, tokens.access_token, client.skipSubjectCheck));
    });

await test("who leaves by a program is sent back to it", async () => {
    const tokens = await signIn(heping, {}, "leaving");
    const url = client.buildEndSessionUrl(heping, { post_logout_redirect_uri: world.out, id_token_hint: tokens.id_token, state: "bye" });
    is((await walk(url, "leaving")).href, `${world.out}?state=bye`);
    is((await walk(asking(), "leaving")).pathname, "/sign-in");
});

/* ---- the good way, by oauth4webapi ---- */

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));

await test("oauth4webapi signs in, step by step", async () => {
    const c = { client_id: "heping" }, auth = oauth.ClientSecretBasic(keys.heping);
    const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce();
    const at = await walk(asking({ state, nonce, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), scope: "openid profile offline_access" }));
    const got = oauth.validateAuthResponse(as, c, at, state);
    const answer = await oauth.authorizationCodeGrantRequest(as, c, auth, got, back, verifier);
    is(answer.headers.get("cache-control"), "no-store");
    const tokens = await oauth.processAuthorizationCodeResponse(as, c, answer, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, answer);
    const sub = oauth.getValidatedIdTokenClaims(tokens).sub;
    await oauth.processUserInfoResponse(as, c, sub, await oauth.userInfoRequest(as, c, tokens.access_token));
    const next = await oauth.processRefreshTokenResponse(as, c, await oauth.refreshTokenGrantRequest(as, c, auth, tokens.refresh_token));
    const seen = await oauth.processIntrospectionResponse(as, c, await oauth.introspectionRequest(as, c, auth, next.access_token));
    is(seen.active, true);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, c, auth, next.refresh_token));
});

await test("oauth4webapi gets a program's own token", async () => {
    const c = { client_id: "script" }, auth = oauth.ClientSecretPost(keys.script);
    await oauth.processClientCredentialsResponse(as, c, await oauth.clientCredentialsGrantRequest(as, c, auth, new URLSearchParams()));
});

/* ---- what we say of ourselves ---- */

await test("discovery names what there is, and no weak way", async () => {
    const doc = heping.serverMetadata();
    is(doc.code_challenge_methods_supported, ["S256"]);
    is(doc.response_types_supported, ["code"]);
    is(doc.id_token_signing_alg_values_supported, ["ES256"]);
    is(doc.subject_types_supported, ["pairwise"]);
    is(doc.authorization_response_iss_parameter_supported, true);
    truth(!JSON.stringify(doc).includes("password"), "password");
    for (const [name, value] of Object.entries(doc))
        if (name.endsWith("_endpoint") || name === "jwks_uri")
            truth(value.startsWith(`${world.issuer}/`), `${name}: ${value}`);
});

await test("the key set has ES256 keys and no secret", async () => {
    const set = await (await fetch(as.jwks_uri)).json();
    truth(set.keys.length >= 1, "no key");
    for (const key of set.keys)
        is([key.kty, key.crv, key.alg, key.use, key.d], ["EC", "P-256", "ES256", "sig", undefined]);
});

for (const path of ["/.well-known/openid-configuration", "/oauth2/keys", "/oauth2/token", "/oauth2/userinfo"])
    await test(`a page of another origin may ask ${path}`, async () => {
        const answer = await fetch(new URL(path, issuer), { method: "OPTIONS", headers: { origin: "https://app.example",
            "access-control-request-method": path.endsWith("token") ? "POST" : "GET", "access-control-request-headers": "authorization" } });
        is(answer.headers.get("access-control-allow-origin"), "*");
        is(answer.headers.get("access-control-allow-credentials"), null);
    });

await deny("a page of another origin may not ask /oauth2/authorize", async () => {
    is((await visit(asking(), "two", { headers: { origin: "https://app.example" } })).headers.get("access-control-allow-origin"), null);
});

/* ---- who is asked ---- */

for (const [name, more, person, page] of [
    ["nobody is sent to sign in", {}, null, "/sign-in"],
    ["prompt=login asks again", { prompt: "login" }, "two", "/sign-in"],
    ["prompt=select_account asks again", { prompt: "select_account" }, "two", "/sign-in"],
    ["max_age=0 asks again", { max_age: "0" }, "two", "/sign-in"],
    ["a higher acr asks for more", { acr_values: "3" }, "two", "/sign-in"],
    ["prompt=consent asks once more", { prompt: "consent" }, "two", "/consent"],
    ["who was not asked yet is", {}, "fresh", "/consent"],
])
    await test(name, async () => is((await walk(asking(more), person)).pathname, page));

for (const [name, more, person, error] of [
    ["nobody", {}, null, "login_required"],
    ["an old sign-in", { max_age: "0" }, "two", "login_required"],
    ["too low a level", { acr_values: "3" }, "two", "interaction_required"],
    ["a missing consent", {}, "fresh", "consent_required"],
])
    await deny(`prompt=none with ${name}: ${error}`, async () =>
        is((await walk(asking({ prompt: "none", ...more }), person)).searchParams.get("error"), error));

await test("prompt=none with nothing missing gives a code", async () => {
    truth((await walk(asking({ prompt: "none" }))).searchParams.get("code"), "no code");
});

await test("who says no is let alone, and who says yes is asked once", async () => {
    const no = await begin(heping, {}, "fresh");
    const denied = await consent(no.at, "no", "fresh");
    is([denied.searchParams.get("error"), denied.searchParams.get("iss")], ["access_denied", world.issuer]);
    await refused(client.authorizationCodeGrant(heping, denied, no.checks), "access_denied");
    const yes = await begin(heping, { scope: "openid phone" }, "fresh");
    const tokens = await client.authorizationCodeGrant(heping, await consent(yes.at, "yes", "fresh"), yes.checks);
    is(tokens.scope, "openid phone");
    await signIn(heping, {}, "fresh");
    is((await walk(asking({ scope: "openid profile" }), "fresh")).pathname, "/consent");
});

await test("what was allowed is taken back, and the tokens end", async () => {
    const tokens = await signIn(heping, { scope: "openid offline_access" }, "one"), access = world.people.one.access;
    const headers = { authorization: `Bearer ${access}` };
    const list = await (await fetch(new URL("/v1/me/consents", issuer), { headers })).json();
    const { no } = list.consents.find((c) => c.id === "heping");
    is((await fetch(new URL(`/v1/me/consents/${no}`, issuer), { method: "DELETE", headers })).status, 204);
    is((await client.tokenIntrospection(heping, tokens.access_token)).active, false);
    const again = await begin(heping, {}, "one");
    is(again.at.pathname, "/consent");
    await consent(again.at, "yes", "one");
});

/* ---- mix-up, injection: what the program's library must notice ---- */

for (const [name, harm, code] of [
    ["an answer of another server (mix-up)", (u) => u.searchParams.set("iss", "https://evil.example"), "OAUTH_INVALID_RESPONSE"],
    ["an answer that does not say whose it is", (u) => u.searchParams.delete("iss"), "OAUTH_INVALID_RESPONSE"],
    ["an answer for another state (CSRF)", (u) => u.searchParams.set("state", "other"), "OAUTH_INVALID_RESPONSE"],
    ["an answer without state", (u) => u.searchParams.delete("state"), "OAUTH_INVALID_RESPONSE"],
    ["an answer with two codes", (u) => u.searchParams.append("code", "x"), undefined],
])
    await deny(`openid-client refuses ${name}`, async () => {
        const b = await begin(heping);
        harm(b.at);
        await refused(client.authorizationCodeGrant(heping, b.at, b.checks), code);
    });

await deny("openid-client refuses an ID token for another nonce", async () => {
    const b = await begin(heping);
    await refused(client.authorizationCodeGrant(heping, b.at, { ...b.checks, expectedNonce: "other" }));
});

await deny("a code that is injected into another browser's sign-in is refused", async () => {
    const mine = await begin(heping), theirs = await begin(heping, {}, "one");
    mine.at.searchParams.set("code", theirs.at.searchParams.get("code"));
    const e = await refused(client.authorizationCodeGrant(heping, mine.at, mine.checks), "invalid_grant");
    is(e.status, 400);
});

await deny("a parked request of one server is no request of another", async () => {
    is((await visit(`/oauth2/authorize?ask=${chance()}${chance()}`)).status, 400);
});

/* ---- addresses: nobody is sent anywhere but where the party said ---- */

for (const address of [
    "https://evil.example/back", `${back}/`, `${back}?x=1`, `${back}#x`, back.toUpperCase(), back.replace("https", "http"),
    back.replace("https://", "https://user@"), back.replace("/back", "/%62ack"), back.replace("/back", "/../back"),
    back.replace("heping.example", "heping.example.evil.example"), back.replace("heping.example", "heping.example@evil.example"),
    back.replace("heping.example", "heping.example:8443"), "//heping.example/back", "/back", "javascript:alert(1)", "data:text/html,x",
    "https://heping.example\\@evil.example/back", "http://127.0.0.1:8080/done", "", null,
])
    await deny(`no answer goes to ${JSON.stringify(address)}`, async () => {
        const answer = await visit(asking({ redirect_uri: address }));
        is([answer.status, answer.headers.get("location")], [400, null]);
        truth(answer.headers.get("content-type").startsWith("text/html"), "it is a page");
    });

for (const address of [local.replace("49152", "99999999"), local.replace("127.0.0.1", "localhost"), local.replace("127.0.0.1", "127.0.0.1.evil.example"),
    local.replace("/done", "/other"), local.replace("http:", "https:")])
    await deny(`no answer to a native program goes to ${address}`, async () =>
        is((await visit(asking({ client_id: "desk", redirect_uri: address }))).status, 400));

for (const [name, more] of [["an unknown client", { client_id: "nobody" }], ["no client", { client_id: null }], ["another's client", { client_id: "desk" }]])
    await deny(`${name} gets no answer`, async () => is((await visit(asking(more))).status, 400));

for (const twice of ["client_id", "redirect_uri", "state", "scope", "code_challenge", "response_type", "nonce", "prompt"])
    await deny(`${twice} twice is refused without an answer to anybody`, async () => {
        const answer = await visit(`${asking({ prompt: "none" })}&${twice}=x`);
        is([answer.status, answer.headers.get("location")], [400, null]);
    });

/* ---- what is wrong and may be told ---- */

for (const [name, more, error] of [
    ["no response_type", { response_type: null }, "invalid_request"],
    ["implicit", { response_type: "token" }, "unsupported_response_type"],
    ["an ID token by the address", { response_type: "id_token" }, "unsupported_response_type"],
    ["hybrid", { response_type: "code id_token" }, "unsupported_response_type"],
    ["fragment", { response_mode: "fragment" }, "invalid_request"],
    ["no PKCE (downgrade)", { code_challenge: null, code_challenge_method: null }, "invalid_request"],
    ["PKCE without a method (downgrade)", { code_challenge_method: null }, "invalid_request"],
    ["plain PKCE (downgrade)", { code_challenge_method: "plain" }, "invalid_request"],
    ["a challenge that is none", { code_challenge: "x" }, "invalid_request"],
    ["no scope", { scope: null }, "invalid_scope"],
    ["a scope that there is not", { scope: "everything" }, "invalid_scope"],
    ["prompt=none with others", { prompt: "none login" }, "invalid_request"],
    ["an unknown prompt", { prompt: "create" }, "invalid_request"],
    ["a max_age that is none", { max_age: "soon" }, "invalid_request"],
    ["an acr above the ceiling", { acr_values: "4" }, "unmet_authentication_requirements"],
    ["a request object", { request: "eyJhbGciOiJub25lIn0.e30." }, "request_not_supported"],
    ["a request by reference", { request_uri: "https://evil.example/r" }, "request_uri_not_supported"],
    ["a long state", { state: "x".repeat(513) }, "invalid_request"],
])
    await deny(`${name}: ${error}`, async () => {
        const to = await walk(asking(more));
        is(`${to.origin}${to.pathname}`, back);
        is([to.searchParams.get("error"), to.searchParams.get("iss"), to.searchParams.get("code")], [error, world.issuer, null]);
    });

/* ---- codes ---- */

for (const [name, more, error] of [
    ["without its verifier", { code_verifier: null }, "invalid_request"],
    ["with another verifier", { code_verifier: chance() }, "invalid_grant"],
    ["with the challenge as its verifier", { code_verifier: challengeOf(world.verifier) }, "invalid_grant"],
    ["with a short verifier", { code_verifier: "short" }, "invalid_grant"],
    ["for another address", { redirect_uri: `${back}2` }, "invalid_grant"],
    ["without its address", { redirect_uri: null }, "invalid_request"],
    ["altered", { code: `toc_${chance()}` }, "invalid_grant"],
    ["cut short", { code: "toc_" }, "invalid_grant"],
    ["left out", { code: null }, "invalid_request"],
])
    await deny(`a code ${name} is refused, and stays good`, async () => {
        const code = await codeFor();
        const got = await post("/oauth2/token", fetching(code, more), asHeping());
        is([got.status, got.json.error, got.headers.get("cache-control")], [400, error, "no-store"]);
        is((await post("/oauth2/token", fetching(code), asHeping())).status, 200);
    });

await deny("a code that comes twice ends what it gave", async () => {
    const code = await codeFor({ scope: "openid offline_access" }), first = await post("/oauth2/token", fetching(code), asHeping());
    is((await client.tokenIntrospection(heping, first.json.access_token)).active, true);
    const second = await post("/oauth2/token", fetching(code), asHeping());
    is([second.status, second.json.error], [400, "invalid_grant"]);
    is((await client.tokenIntrospection(heping, first.json.access_token)).active, false);
    await refused(client.refreshTokenGrant(heping, first.json.refresh_token), "invalid_grant");
});

await deny("of twenty who fetch one code at once, one gets it, and loses it again", async () => {
    const code = await codeFor();
    const all = await Promise.all(Array.from({ length: 20 }, () => post("/oauth2/token", fetching(code), asHeping())));
    const good = all.filter((a) => a.status === 200);
    is(good.length, 1);
    is((await client.tokenIntrospection(heping, good[0].json.access_token)).active, false);
});

await deny("a code of one party is none of another", async () => {
    const code = await codeFor();
    is((await post("/oauth2/token", { ...fetching(code), client_id: "desk" })).json.error, "invalid_grant");
    is((await post("/oauth2/token", fetching(code), asHeping())).status, 200);
});

/* ---- clients ---- */

for (const [name, fields, headers, status, error] of [
    ["no key", { client_id: "script" }, {}, 401, "invalid_client"],
    ["another's key", { client_id: "script", client_secret: keys.heping }, {}, 401, "invalid_client"],
    ["an altered key", { client_id: "script", client_secret: `${keys.script}x` }, {}, 401, "invalid_client"],
    ["an empty key", {}, { authorization: basic("script", "") }, 401, "invalid_client"],
    ["nobody", { client_id: "nobody", client_secret: keys.script }, {}, 401, "invalid_client"],
    ["Basic that is none", {}, { authorization: "Basic !!!!" }, 401, "invalid_client"],
    ["two keys", { client_secret: keys.script }, { authorization: basic("script", keys.script) }, 400, "invalid_request"],
    ["two names", { client_id: "heping" }, { authorization: basic("script", keys.script) }, 400, "invalid_request"],
    ["a person's scope", { client_id: "script", client_secret: keys.script, scope: "openid" }, {}, 400, "invalid_scope"],
    ["a native program, which has no key of its own", { client_id: "desk" }, {}, 400, "unauthorized_client"],
])
    await deny(`a program's own token: ${name} is refused`, async () => {
        const got = await post("/oauth2/token", { grant_type: "client_credentials", ...fields }, headers);
        is([got.status, got.json.error], [status, error]);
        if (status === 401)
            truth(got.headers.get("www-authenticate").startsWith("Basic "), "the header says how");
    });

for (const [name, body, error] of [
    ["no grant_type", "a=1", "invalid_request"],
    ["password", "grant_type=password&username=a&password=b", "unsupported_grant_type"],
    ["an assertion", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=x", "unsupported_grant_type"],
    ["a field twice", "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"],
    ["a broken escape", "grant_type=%zz", "invalid_request"],
    ["bytes that are no text", "grant_type=%C0%AF", "invalid_request"],
])
    await deny(`the token endpoint refuses ${name}`, async () => {
        const got = await post("/oauth2/token", body, asHeping());
        is([got.status, got.json.error], [400, error]);
    });

await deny("the token endpoint takes no JSON, and no GET", async () => {
    is((await post("/oauth2/token", "{}", { "content-type": "application/json" })).status, 415);
    is((await fetch(new URL("/oauth2/token?grant_type=client_credentials", issuer))).status, 405);
});

/* ---- tokens ---- */

await deny("a refresh token that comes a second time ends the session", async () => {
    const a = await signIn(heping, { scope: "openid offline_access" });
    const b = await client.refreshTokenGrant(heping, a.refresh_token), c = await client.refreshTokenGrant(heping, b.refresh_token);
    await refused(client.refreshTokenGrant(heping, a.refresh_token), "invalid_grant");
    await refused(client.refreshTokenGrant(heping, c.refresh_token), "invalid_grant");
    is((await client.tokenIntrospection(heping, c.access_token)).active, false);
});

await deny("a refresh token of one party is none of another", async () => {
    const a = await signIn(heping, { scope: "openid offline_access" });
    await refused(client.refreshTokenGrant(app, a.refresh_token), "invalid_grant");
    await client.refreshTokenGrant(heping, a.refresh_token);
});

await deny("a refresh token gives no more than was allowed", async () => {
    const a = await signIn(heping, { scope: "openid offline_access" });
    await refused(client.refreshTokenGrant(heping, a.refresh_token, { scope: "openid phone" }), "invalid_scope");
});

await deny("our own app's refresh token is no party's", async () => {
    await refused(client.refreshTokenGrant(heping, world.people.two.refresh), "invalid_grant");
    is((await client.tokenIntrospection(heping, world.people.two.refresh)).active, false);
});

await deny("introspection tells nobody of another's tokens, nor a program without a key of any", async () => {
    const a = await signIn(heping);
    is(await client.tokenIntrospection(script, a.access_token), { active: false });
    is(await client.tokenIntrospection(heping, "garbage"), { active: false });
    is(await client.tokenIntrospection(heping, world.people.two.access), { active: false });
    is((await post("/oauth2/introspect", { client_id: "desk", token: a.access_token })).status, 401);
});

await deny("revocation ends nobody else's tokens", async () => {
    const a = await signIn(heping);
    await client.tokenRevocation(script, a.access_token);
    await client.tokenRevocation(heping, "garbage");
    is((await client.tokenIntrospection(heping, a.access_token)).active, true);
});

for (const path of ["/v1/me", "/v1/me/sessions", "/v1/tokens", "/v1/parties", "/v1/staff/items", "/v1/audit", "/v1/mirrors"])
    await deny(`a party's token opens no ${path}`, async () => {
        const a = await signIn(heping, { scope: "openid profile phone offline_access" }, "four");
        const got = await fetch(new URL(path, issuer), { headers: { authorization: `Bearer ${a.access_token}` } });
        truth([401, 403, 404].includes(got.status), `${got.status}`);
    });

await deny("a party's token is no browser's session", async () => {
    const a = await signIn(heping, {}, "four");
    const got = await fetch(new URL(asking(), issuer), { redirect: "manual", headers: { cookie: `__Host-tjzw=${a.access_token}` } });
    truth(got.headers.get("location").startsWith("/sign-in?"), "it is");
});

await deny("our own token tells a program nothing", async () => {
    const got = await fetch(new URL("/oauth2/userinfo", issuer), { headers: { authorization: `Bearer ${world.people.two.access}` } });
    is(got.status, 401);
    truth(got.headers.get("www-authenticate").includes("invalid_token"), "the header says why");
});

/* ---- ID tokens that are none: who leaves by one stays in ---- */

const b64 = (o) => Buffer.from(typeof o === "string" ? o : JSON.stringify(o)).toString("base64url");
const { id_token: genuine } = await signIn(heping);
const [header, payload, signature] = genuine.split(".");
const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
const pem = await (async () => {
    const { createPublicKey } = await import("node:crypto");
    const set = await (await fetch(as.jwks_uri)).json();
    return createPublicKey({ key: set.keys.find((k) => k.kid === read(header).kid), format: "jwk" }).export({ type: "spki", format: "pem" });
})();
const { createHmac } = await import("node:crypto");
const hs256 = (h, p) => createHmac("sha256", pem).update(`${h}.${p}`).digest("base64url");

for (const [name, token] of [
    ["alg none", `${b64({ alg: "none", typ: "JWT" })}.${payload}.`],
    ["alg NoNe with its signature", `${b64({ ...read(header), alg: "NoNe" })}.${payload}.${signature}`],
    ["HS256 with our public key (confusion)", (() => { const h = b64({ ...read(header), alg: "HS256" }); return `${h}.${payload}.${hs256(h, payload)}`; })()],
    ["no signature", `${header}.${payload}.`],
    ["another's claims", `${header}.${b64({ ...read(payload), sub: "x" })}.${signature}`],
    ["an unknown kid", `${b64({ ...read(header), kid: "other" })}.${payload}.${signature}`],
    ["crit", `${b64({ ...read(header), crit: ["x"] })}.${payload}.${signature}`],
    ["a second alg", `${b64(JSON.stringify(read(header)).replace("{", '{"alg":"none",'))}.${payload}.${signature}`],
    ["another typ", `${b64({ ...read(header), typ: "at+jwt" })}.${payload}.${signature}`],
    ["padding", `${genuine}=`],
    ["four parts", `${genuine}.x`],
    ["a random signature", `${header}.${payload}.${randomBytes(64).toString("base64url")}`],
])
    await deny(`an ID token with ${name} is not believed`, async () => {
        const url = `/oauth2/logout?${new URLSearchParams({ id_token_hint: token, post_logout_redirect_uri: world.out })}`;
        is((await walk(url)).pathname, "/sign-out");
        truth((await walk(asking())).searchParams.get("code"), "he is out");
    });

await deny("leaving goes to no address that the party did not register", async () => {
    for (const to of ["https://evil.example/", `${world.out}x`, `${world.out}#x`])
        is((await visit(`/oauth2/logout?${new URLSearchParams({ id_token_hint: genuine, post_logout_redirect_uri: to })}`)).status, 400);
});

await deny("nobody leaves by another's ID token", async () => {
    is((await walk(`/oauth2/logout?id_token_hint=${genuine}`, "one")).pathname, "/sign-out");
    truth((await walk(asking(), "one")).searchParams.get("code"), "he is out");
});

/* ---- devices ---- */

async function answerDevice(letters, allow, person = "two") {
    return fetch(new URL("/v1/me/device", issuer), { method: "POST", body: JSON.stringify({ allow, code: letters }),
        headers: { authorization: `Bearer ${world.people[person].access}`, "content-type": "application/json" } });
}

const poll = (code, more = {}) => post("/oauth2/token",
    { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: code, client_id: "screen", ...more });

await test("openid-client signs a screen in", async () => {
    const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid offline_access" });
    truth(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/.test(begun.user_code), begun.user_code);
    is(begun.verification_uri, `${world.issuer}/device`);
    is((await answerDevice(begun.user_code.toLowerCase().replace("-", ""), true)).status, 204);
    const tokens = await client.pollDeviceAuthorizationGrant(screen, { ...begun, interval: 0.1 });
    is(tokens.claims().aud, "screen");
    await client.refreshTokenGrant(screen, tokens.refresh_token);
});

await test("oauth4webapi signs a screen in, step by step", async () => {
    const c = { client_id: "screen" }, none = oauth.None();
    const begun = await oauth.processDeviceAuthorizationResponse(as, c,
        await oauth.deviceAuthorizationRequest(as, c, none, { scope: "openid offline_access" }));
    is([begun.expires_in, begun.interval], [600, 5]);
    is(begun.verification_uri_complete, `${world.issuer}/device?user_code=${begun.user_code}`);
    is((await answerDevice(begun.user_code, true)).status, 204);
    const answer = await oauth.deviceCodeGrantRequest(as, c, none, begun.device_code);
    is(answer.headers.get("cache-control"), "no-store");
    const tokens = await oauth.processDeviceCodeResponse(as, c, answer);
    await oauth.validateApplicationLevelSignature(as, answer);
    const { aud, sub } = oauth.getValidatedIdTokenClaims(tokens);
    is(aud, "screen");
    await oauth.processUserInfoResponse(as, c, sub, await oauth.userInfoRequest(as, c, tokens.access_token));
    await oauth.processRefreshTokenResponse(as, c, await oauth.refreshTokenGrantRequest(as, c, none, tokens.refresh_token));
});

await deny("oauth4webapi is told that a screen's person has not answered yet, and that he refused", async () => {
    const c = { client_id: "screen" }, none = oauth.None();
    const begun = await oauth.processDeviceAuthorizationResponse(as, c, await oauth.deviceAuthorizationRequest(as, c, none, { scope: "openid" }));
    const ask = async () => oauth.processDeviceCodeResponse(as, c, await oauth.deviceCodeGrantRequest(as, c, none, begun.device_code));
    await refused(ask(), "authorization_pending");
    is((await answerDevice(begun.user_code, false)).status, 204);
    await new Promise((done) => setTimeout(done, 5500));
    await refused(ask(), "access_denied");
});

await deny("a screen whose person refuses is told so", async () => {
    const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid" });
    is((await answerDevice(begun.user_code, false)).status, 204);
    await refused(client.pollDeviceAuthorizationGrant(screen, { ...begun, interval: 0.1 }), "access_denied");
});

await deny("a screen waits, and is slowed down if it does not", async () => {
    const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid" });
    is((await poll(begun.device_code)).json.error, "authorization_pending");
    is((await poll(begun.device_code)).json.error, "slow_down");
});

await test("a device code gives one session", async () => {
    const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid" });
    await answerDevice(begun.user_code, true);
    is((await poll(begun.device_code)).status, 200);
    is((await poll(begun.device_code)).json.error, "invalid_grant");
});

await deny("letters are answered once, by who is known well enough", async () => {
    const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid", acr_values: "2" });
    is((await answerDevice(begun.user_code, true, "one")).status, 403);
    is((await answerDevice(begun.user_code, true)).status, 204);
    is((await answerDevice(begun.user_code, true)).status, 404);
    is((await answerDevice("BCDF-GHJK", true)).status, 404);
    is((await answerDevice("AEIO-UAEI", true)).status, 404);
});

for (const [name, run, error] of [
    ["a device code of another party", async () => {
        const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid" });
        return post("/oauth2/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: begun.device_code }, asHeping());
    }, "unauthorized_client"],
    ["a made-up device code", () => poll(`tod_${chance()}`), "invalid_grant"],
    ["no device code", () => post("/oauth2/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id: "screen" }), "invalid_request"],
    ["a screen that may not ask so much", () => post("/oauth2/device", { client_id: "screen", scope: "phone" }), "invalid_scope"],
    ["a screen that asks above its ceiling", () => post("/oauth2/device", { client_id: "screen", scope: "openid", acr_values: "3" }), "invalid_request"],
    ["a program that is no device", () => post("/oauth2/device", { client_id: "desk", scope: "openid" }), "unauthorized_client"],
    ["a device that nobody knows", () => post("/oauth2/device", { client_id: "nobody", scope: "openid" }), "invalid_client"],
])
    await deny(`${name} is refused`, async () => is((await run()).json.error, error));

/* ---- tokens that somebody made up ---- */

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One character of it is another, or one stands there besides. */
function alter(text) {
    const at = Math.floor(Math.random() * text.length);
    const other = letters[(letters.indexOf(text[at]) + 1 + Math.floor(Math.random() * 62)) % 64];
    return text.slice(0, at) + other + text.slice(at + (Math.random() < 0.9));
}

const errorOf = (answer) => [answer.status, answer.json.error];
const userinfo = async (token) => {
    const got = await fetch(new URL("/oauth2/userinfo", issuer), { headers: { authorization: `Bearer ${token}` } });
    return [got.status, /error="([a-z_]+)"/.exec(got.headers.get("www-authenticate"))?.[1] ?? null];
};
const refresh = async (token) => errorOf(await post("/oauth2/token", { grant_type: "refresh_token", refresh_token: token }, asHeping()));
const fetchCode = async (code) => errorOf(await post("/oauth2/token", fetching(code), asHeping()));
const leave = async (token) => (await walk(`/oauth2/logout?id_token_hint=${token}`)).pathname;

await deny(`${world.mutations} altered tokens and codes open nothing, and end nothing`, async () => {
    const good = await signIn(heping, { scope: "openid offline_access" });
    let code = await codeFor();
    for (let i = 0; i < world.mutations; i++) {
        const [text, run, wanted] = [
            [good.access_token, userinfo, [401, "invalid_token"]],
            [good.refresh_token, refresh, [400, "invalid_grant"]],
            [code, fetchCode, [400, "invalid_grant"]],
            [genuine, leave, "/sign-out"],
        ][i % 4];
        const altered = alter(text);
        is(await run(altered), wanted, `${altered} of ${text}:`);
        if (i % 100 === 99) { /* a code lives for a minute */
            is(await fetchCode(code), [200, undefined], "the code itself");
            is(await userinfo(good.access_token), [200, null], `the token itself, after ${i}`); /* of 51 sessions the one that rested longest would end */
            code = await codeFor();
        }
    }
    is(await userinfo(good.access_token), [200, null], "the token itself");
    await client.refreshTokenGrant(heping, good.refresh_token);
    truth((await walk(asking())).searchParams.get("code"), "he is out");
});
