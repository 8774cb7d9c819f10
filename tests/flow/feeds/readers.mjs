// readers.mjs FILE: what each of npm's readers finds in a feed, as one line of JSON: {"reader": {"title": …, "items": [{"id", "title", "link"}]}}; or {"error"}.
import { readFileSync, createReadStream } from "node:fs";
import Parser from "rss-parser";
import FeedParser from "feedparser";
import { parseFeed } from "feedsmith";
import { parseFeed as parseRowan } from "@rowanmanning/feed-parser";
import { extractFromXml, extractFromJson } from "@extractus/feed-extractor";

const file = process.argv[2], text = readFileSync(file, "utf8"), json = file.endsWith(".json");

function stream() {
    return new Promise((resolve, reject) => {
        const items = [];
        let title;
        createReadStream(file).pipe(new FeedParser()).on("error", reject).on("meta", meta => { title = meta.title; })
            .on("data", i => items.push({ id: i.guid, title: i.title, link: i.link })).on("end", () => resolve({ title, items }));
    });
}

const readers = {
    "rss-parser": async () => {
        const f = await new Parser().parseString(text);
        return { title: f.title, items: f.items.map(i => ({ id: i.id ?? i.guid, title: i.title, link: i.link })) };
    },
    feedparser: stream,
    feedsmith: () => {
        const { format, feed } = parseFeed(text);
        const rows = format === "atom" ? feed.entries : feed.items;
        return { title: feed.title?.value ?? feed.title, items: rows.map(i => ({ id: i.id ?? i.guid?.value ?? i.guid, title: i.title?.value ?? i.title,
            link: i.url ?? i.link ?? i.links?.find(l => l.rel === "alternate")?.href })) };
    },
    "@rowanmanning/feed-parser": () => {
        const f = parseRowan(text);
        return { title: f.title, items: f.items.map(i => ({ id: i.id, title: i.title, link: i.url })) };
    },
    "@extractus/feed-extractor": () => {
        const f = json ? extractFromJson(JSON.parse(text)) : extractFromXml(text);
        return { title: f.title, items: f.entries.map(i => ({ id: i.id, title: i.title, link: i.link })) };
    },
};
const knowsJson = ["feedsmith", "@extractus/feed-extractor"], said = {};

for (const [name, read] of Object.entries(readers)) {
    if (json && !knowsJson.includes(name)) continue;
    try { said[name] = await read(); } catch (e) { said[name] = { error: String(e) }; }
}
console.log(JSON.stringify(said));
