/*
 * later.mjs - what is over by the clock. Called twice: before it jumps, to get things, and after, to find that they are over.
 */
import * as client from "openid-client";

import { asHeping, asking, codeFor, deny, fetching, is, issuer, post, test, truth, visit, walk, world } from "./kit.mjs";

if (!world.before) {
    const heping = await client.discovery(issuer, "heping", world.keys.heping);
    const tokens = (await post("/oauth2/token", fetching(await codeFor()), asHeping())).json;
    const device = (await post("/oauth2/device", { client_id: "screen", scope: "openid" })).json;
    const parked = new URL(await walk(asking(), null)).searchParams.get("ask");
    is((await client.tokenIntrospection(heping, tokens.access_token)).active, true);
    console.log(JSON.stringify({ kept: { code: await codeFor(), access: tokens.access_token, device: device.device_code, parked } }));
} else {
    const { code, access, device, parked } = world.before;

    await deny("a code is over after a minute", async () => is((await post("/oauth2/token", fetching(code), asHeping())).json.error, "invalid_grant"));
    await deny("an access token is over after a quarter of an hour", async () => {
        const got = await fetch(new URL("/oauth2/userinfo", issuer), { headers: { authorization: `Bearer ${access}` } });
        is(got.status, 401);
    });
    await deny("a token that is over is not active", async () =>
        is((await post("/oauth2/introspect", { token: access }, asHeping())).json, { active: false }));
    await deny("a screen that waited too long is told so", async () =>
        is((await post("/oauth2/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device, client_id: "screen" })).json.error,
            "expired_token"));
    await deny("a question that waited too long is asked anew", async () => is((await visit(`/oauth2/authorize?ask=${parked}`)).status, 400));
    await test("who signed in too long ago for the program signs in again", async () =>
        is((await walk(asking({ max_age: "600" }))).pathname, "/sign-in"));
    await test("for others he is in", async () => truth((await walk(asking())).searchParams.get("code"), "he is out"));
}
