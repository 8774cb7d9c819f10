/*
 * durable.mjs - the client of @durable-streams against its own server, doing what a phone of tjzw does.
 *
 *     node durable.mjs serve PORT DIR            a server, its data in DIR
 *     node durable.mjs seed PORT FILE            FILE as for pouch.mjs
 *     node durable.mjs sync PORT STORE           reads on from the offset in STORE; says {"ms", "requests", "documents"}
 *
 * Its client has no store: what came is parsed into a map in memory, and only the offset is written.
 */
import { readFileSync, writeFileSync, existsSync } from "node:fs";

const [command, port, where] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}/articles`;

async function serve() {
    const { DurableStreamTestServer } = await import("@durable-streams/server");

    await new DurableStreamTestServer({ port: Number(port), host: "127.0.0.1", dataDir: where }).start();
    console.log("ready");
}

async function seed() {
    const { DurableStream } = await import("@durable-streams/client");
    const lines = readFileSync(where, "utf8").split("\n").filter(Boolean);
    let handle;

    try {
        handle = await DurableStream.create({ url, contentType: "application/json" });
    } catch {
        handle = await DurableStream.connect({ url });
    }
    for (let at = 0; at < lines.length; at += 500) {
        const answer = await fetch(handle.url, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: `[${lines.slice(at, at + 500).join(",")}]`,
        });
        if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    }
}

async function sync() {
    const { stream } = await import("@durable-streams/client");
    const held = new Map();
    let requests = 0;
    const start = performance.now();
    const answer = await stream({
        url,
        offset: existsSync(where) ? readFileSync(where, "utf8") : "-1",
        live: false,
        fetch: (...a) => (requests++, fetch(...a)),
    });
    const lines = await answer.json();
    for (const one of lines) one.op === "delete" ? held.delete(one.id) : held.set(one.id, one);
    writeFileSync(where, answer.offset);
    console.log(JSON.stringify({ ms: performance.now() - start, requests, documents: held.size }));
    process.exit(0);
}

await { serve, seed, sync }[command]();
