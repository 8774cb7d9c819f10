/*
 * pouch.mjs - PouchDB against express-pouchdb, doing what a phone of tjzw does.
 *
 *     node pouch.mjs serve PORT DIR              a server, its data in DIR (leveldb)
 *     node pouch.mjs seed PORT FILE              FILE: lines of {"op": "put", "id": ..., ...} or {"op": "delete", "id": ...}
 *     node pouch.mjs sync PORT STORE BATCH       replicates into STORE (leveldb); says {"ms", "requests", "documents"}
 *     node pouch.mjs push PORT STORE NUMBER      writes so many documents into STORE offline, then replicates them up; says the same
 *
 * Run in a directory whose node_modules has package.json's packages (bench.py copies this file there).
 */
import { createRequire } from "node:module";
import { readFileSync, mkdirSync } from "node:fs";

const require = createRequire(import.meta.url);
const PouchDB = require("pouchdb");
const [command, port, where, batch] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}/articles`;
let requests = 0;

/* Counts; the agent keeps connections, as a phone would. */
function counting(target, options) {
    requests++;
    return PouchDB.fetch(target, options);
}

async function serve() {
    const express = require("express");

    mkdirSync(where, { recursive: true });
    const app = express();
    app.use("/", require("express-pouchdb")(PouchDB.defaults({ prefix: where + "/" }), { mode: "minimumForPouchDB" }));
    app.listen(Number(port), "127.0.0.1", () => console.log("ready"));
}

async function seed() {
    const db = new PouchDB(url);
    const lines = readFileSync(where, "utf8").split("\n").filter(Boolean).map(JSON.parse);
    for (let at = 0; at < lines.length; at += 500) {
        const part = lines.slice(at, at + 500);
        const held = await db.allDocs({ keys: part.map((x) => x.id) });
        const docs = part.map(({ op, id, ...rest }, i) => {
            const rev = held.rows[i].value && !held.rows[i].value.deleted ? { _rev: held.rows[i].value.rev } : {};
            return op === "delete" ? { _id: id, ...rev, _deleted: true } : { _id: id, ...rev, ...rest };
        });
        for (const answer of await db.bulkDocs(docs))
            if (answer.error) throw new Error(`${answer.id}: ${answer.reason}`);
    }
}

async function sync() {
    const local = new PouchDB(where);
    const remote = new PouchDB(url, { fetch: counting, skip_setup: true });
    const start = performance.now();
    await local.replicate.from(remote, { batch_size: Number(batch), batches_limit: 10 });
    const ms = performance.now() - start;
    console.log(JSON.stringify({ ms, requests, documents: (await local.info()).doc_count }));
    process.exit(0);
}

/* What a phone wrote with the network cut. */
async function push() {
    const local = new PouchDB(where);
    const remote = new PouchDB(url, { fetch: counting });
    await remote.info();
    const docs = Array.from({ length: Number(batch) }, (_, i) => ({ _id: `${where}-${i}`, at: i }));
    await local.bulkDocs(docs);
    requests = 0;
    const start = performance.now();
    await local.replicate.to(remote);
    const ms = performance.now() - start;
    console.log(JSON.stringify({ ms, requests, documents: (await remote.info()).doc_count }));
    process.exit(0);
}

await { serve, seed, sync, push }[command]();
