// listen.mjs URL [TOKEN] - what npm's eventsource hears, a line of JSON each: {"event","id","data"}, {"open":true}, {"error":status}.
import { EventSource } from "eventsource";

const [url, token] = process.argv.slice(2);
const say = (o) => console.log(JSON.stringify(o));
const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) } }),
});
source.addEventListener("open", () => say({ open: true }));
source.addEventListener("error", (e) => say({ error: e.code ?? 0 }));
for (const name of ["head", "me"]) source.addEventListener(name, (e) => say({ event: name, id: e.lastEventId, data: JSON.parse(e.data) }));
