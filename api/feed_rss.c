/*
 * feed_rss.c - RSS 2.0 with the extensions that readers know: content:encoded, dc:creator, atom:link, and history (RFC 5005).
 *
 * It cannot say that an item is gone: the item is not there. An item has one enclosure at most; the others stand in the content.
 */
#include <inttypes.h>
#include <time.h>

#include "api/feed.h"
#include "api/xml.h"
#include "server/base/clock.h"

/* RFC 822 section 5 as RSS has it, in Beijing time, in English whatever the locale is. */
static void put_time(struct buf *b, const char *name, int64_t at)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t local = (time_t)(at + 8 * 3600);
    struct tm tm;

    gmtime_r(&local, &tm);
    buf_printf(b, "<%s>%s, %02d %s %d %02d:%02d:%02d +0800</%s>\n", name, days[tm.tm_wday],
               tm.tm_mday, months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min,
               tm.tm_sec, name);
}

static void put_link(struct buf *b, const char *rel, const char *url)
{
    if (!url)
        return;
    buf_printf(b, "<atom:link rel=\"%s\" href=\"", rel);
    xml_text(b, url);
    buf_adds(b, "\"/>\n");
}

static void put_entry(struct buf *b, const struct feed_entry *e)
{
    char id[ID_TEXT], updated[CLOCK_TEXT];

    buf_adds(b, "<item>\n");
    xml_element(b, "title", e->title);
    xml_element(b, "link", e->url);
    buf_printf(b, "<guid isPermaLink=\"false\">urn:uuid:%s</guid>\n", id_text(&e->id, id));
    put_time(b, "pubDate", e->published);
    xml_element(b, "atom:updated", clock_text(e->updated, updated));
    xml_element(b, "dc:creator", e->author);
    xml_element(b, "description", e->summary);
    xml_element(b, "content:encoded", e->html);
    for (int i = 0; i < e->nterms; i++)
        xml_element(b, "category", e->terms[i]);
    if (e->nfiles) {
        buf_adds(b, "<enclosure url=\"");
        xml_text(b, e->files[0].url);
        buf_printf(b, "\" length=\"%" PRId64 "\" type=\"%s\"/>\n", e->files[0].size,
                   e->files[0].type);
    }
    buf_printf(b,
               "<tjzw:stream>%s</tjzw:stream>\n<tjzw:seq>%" PRId64
               "</tjzw:seq>\n<tjzw:revision>%" PRId64 "</tjzw:revision>\n</item>\n",
               e->stream, e->seq, e->revision);
}

void feed_write_rss(const struct feed *f, struct buf *b)
{
    buf_printf(
        b,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" "
        "xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
        "xmlns:fh=\"http://purl.org/syndication/history/1.0\" xmlns:tjzw=\"%s\">\n<channel>\n",
        FEED_NAMESPACE);
    xml_element(b, "title", f->title);
    xml_element(b, "link", f->home);
    xml_element(b, "description", f->about);
    buf_adds(b, "<language>zh-CN</language>\n");
    put_time(b, "lastBuildDate", f->updated);
    put_link(b, "self", f->self);
    put_link(b, "hub", f->hub);
    put_link(b, "prev-archive", f->before);
    if (f->archive) {
        buf_adds(b, "<fh:archive/>\n");
        put_link(b, "current", f->current);
    }
    for (int i = 0; i < f->n; i++)
        put_entry(b, &f->entries[i]);
    buf_adds(b, "</channel>\n</rss>\n");
}
