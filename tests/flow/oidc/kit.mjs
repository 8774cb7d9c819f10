/*
 * kit.mjs - what the cases share: the world that oidc_test.py made, a browser with somebody signed in, and one line a case.
 *
 *     {"name": "a code is good once", "why": null, "negative": true}       why: what went wrong, or null
 */
import { createHash, randomBytes } from "node:crypto";

export const world = JSON.parse(process.env.TJZW_OIDC);
export const issuer = new URL(world.issuer);

export async function test(name, run, negative = false) {
    let why = null;
    try {
        await run();
    } catch (e) {
        why = `${e?.message ?? e} ${e?.cause ? JSON.stringify(e.cause) : ""}\n${e?.stack?.split("\n").find((l) => /cases|later|rotation/.test(l)) ?? ""}`;
    }
    console.log(JSON.stringify({ name, why, negative }));
}

/* A case of what must not come about. */
export const deny = (name, run) => test(name, run, true);

export function is(got, wanted, what = "") {
    if (JSON.stringify(got) !== JSON.stringify(wanted))
        throw new Error(`${what} ${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
}

export function truth(value, what) {
    if (!value)
        throw new Error(what);
}

/* It must fail; returns how. */
export async function refused(promise, code) {
    let done;
    try {
        done = await promise;
    } catch (e) {
        if (code && e.error !== code && e.code !== code && e.cause?.error !== code)
            throw new Error(`refused for ${e.error ?? e.code}: ${e.message}, not for ${code}`);
        return e;
    }
    throw new Error(`it was not refused: ${JSON.stringify(done)}`);
}

/* ---- a browser ---- */

/* One request, with nothing followed. `person`: a name in world.people, or null. */
export async function visit(target, person = "two", how = {}) {
    const headers = { ...(how.headers ?? {}) };
    if (person)
        headers.cookie = `__Host-tjzw=${world.people[person].access}`;
    return fetch(new URL(target, issuer), { ...how, headers, redirect: "manual" });
}

/* Follows our own addresses until it is sent elsewhere or sees a page. The address it ends at. */
export async function walk(target, person = "two") {
    let at = new URL(target, issuer);
    for (let steps = 0; steps < 10; steps++) {
        if (at.origin !== issuer.origin || !at.pathname.startsWith("/oauth2/"))
            return at;
        const to = (await visit(at, person)).headers.get("location");
        if (!to)
            return at;
        at = new URL(to, issuer);
    }
    throw new Error("it goes round in circles");
}

/* What the person answers to the page at `to`, as his browser would send it; where he is sent then. */
export async function consent(to, answer, person) {
    const page = await visit(to, person);
    is(page.status, 200);
    truth(page.headers.get("content-security-policy").includes(new URL(world.back).origin), "the form may not lead to the program");
    const fields = [...(await page.text()).matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]);
    const body = new URLSearchParams([...fields, ["answer", answer]]).toString();
    const sent = await visit("/consent", person, { method: "POST", body,
        headers: { "content-type": "application/x-www-form-urlencoded", origin: issuer.origin } });
    is(sent.status, 303);
    return walk(sent.headers.get("location"), person);
}

/* ---- a program ---- */

export const challengeOf = (verifier) => createHash("sha256").update(verifier).digest("base64url");
export const chance = () => randomBytes(32).toString("base64url");

export function basic(id, key) {
    return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(key)}`).toString("base64")}`;
}

/* A POST of a form; status, headers and JSON. */
export async function post(path, fields, headers = {}) {
    const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
    const answer = await fetch(new URL(path, issuer),
        { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
    const text = await answer.text();
    let json = {};
    try {
        json = JSON.parse(text);
    } catch {
        /* an empty answer */
    }
    return { status: answer.status, headers: answer.headers, json };
}

export const asHeping = () => ({ authorization: basic("heping", world.keys.heping) });

export const params = (more = {}) => ({
    response_type: "code", client_id: "heping", redirect_uri: world.back, scope: "openid",
    code_challenge: challengeOf(world.verifier), code_challenge_method: "S256", state: "s1", nonce: "n1", ...more,
});

/* The address of a request; a parameter that is null is left out. */
export function asking(more = {}) {
    const all = Object.entries(params(more)).filter(([, v]) => v !== null);
    return `/oauth2/authorize?${new URLSearchParams(all)}`;
}

/* A code, fetched by hand. */
export async function codeFor(more = {}, person = "two") {
    const to = await walk(asking(more), person);
    const code = to.searchParams.get("code");
    truth(code, `no code but ${to}`);
    return code;
}

export const fetching = (code, more = {}) =>
    Object.fromEntries(Object.entries({ grant_type: "authorization_code", code, redirect_uri: world.back,
        code_verifier: world.verifier, ...more }).filter(([, v]) => v !== null));
