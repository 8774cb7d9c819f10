/*
 * feed_atom.c - RFC 4287, with archives (RFC 5005) and tombstones (RFC 6721).
 *
 * The feed's id is the address of its Atom document, which is one for all its formats and archives; an entry's is the item's.
 */
#include <inttypes.h>

#include "api/feed.h"
#include "api/xml.h"
#include "server/base/clock.h"

static void put_time(struct buf *b, const char *name, int64_t at)
{
    char text[CLOCK_TEXT];

    xml_element(b, name, clock_text(at, text));
}

static void put_link(struct buf *b, const char *rel, const char *url, const char *type)
{
    if (!url)
        return;
    buf_printf(b, "<link rel=\"%s\" href=\"", rel);
    xml_text(b, url);
    if (type)
        buf_printf(b, "\" type=\"%s", type);
    buf_adds(b, "\"/>\n");
}

static void put_file(struct buf *b, const struct feed_file *f)
{
    buf_adds(b, "<link rel=\"enclosure\" href=\"");
    xml_text(b, f->url);
    buf_adds(b, "\" title=\"");
    xml_text(b, f->name);
    buf_printf(b, "\" type=\"%s\" length=\"%" PRId64 "\"/>\n", f->type, f->size);
}

static void put_place(struct buf *b, const char *stream, int64_t seq)
{
    buf_printf(b, "<tjzw:stream>%s</tjzw:stream>\n<tjzw:seq>%" PRId64 "</tjzw:seq>\n", stream,
               seq);
}

static void put_entry(struct buf *b, const struct feed_entry *e)
{
    char id[ID_TEXT];

    buf_printf(b, "<entry>\n<id>urn:uuid:%s</id>\n", id_text(&e->id, id));
    xml_element(b, "title", e->title);
    put_time(b, "updated", e->updated);
    put_time(b, "published", e->published);
    buf_adds(b, "<author>\n");
    xml_element(b, "name", e->author);
    buf_adds(b, "</author>\n");
    put_link(b, "alternate", e->url, "text/html");
    put_link(b, "via", e->origin, NULL);
    for (int i = 0; i < e->nfiles; i++)
        put_file(b, &e->files[i]);
    for (int i = 0; i < e->nterms; i++) {
        buf_adds(b, "<category term=\"");
        xml_text(b, e->terms[i]);
        buf_adds(b, "\"/>\n");
    }
    xml_element(b, "summary", e->summary);
    buf_adds(b, "<content type=\"html\">");
    xml_text(b, e->html);
    buf_adds(b, "</content>\n");
    put_place(b, e->stream, e->seq);
    buf_printf(b, "<tjzw:revision>%" PRId64 "</tjzw:revision>\n</entry>\n", e->revision);
}

static void put_gone(struct buf *b, const struct feed_gone *g)
{
    char id[ID_TEXT], at[CLOCK_TEXT];

    buf_printf(b, "<at:deleted-entry ref=\"urn:uuid:%s\" when=\"%s\">\n", id_text(&g->id, id),
               clock_text(g->at, at));
    xml_element(b, "at:comment", g->reason);
    put_place(b, g->stream, g->seq);
    buf_adds(b, "</at:deleted-entry>\n");
}

void feed_write_atom(const struct feed *f, struct buf *b)
{
    buf_printf(b,
               "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
               "<feed xmlns=\"http://www.w3.org/2005/Atom\" "
               "xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" "
               "xmlns:fh=\"http://purl.org/syndication/history/1.0\" xmlns:tjzw=\"%s\" "
               "xml:lang=\"zh-CN\">\n<id>",
               FEED_NAMESPACE);
    xml_text(b, f->current);
    buf_adds(b, "</id>\n");
    xml_element(b, "title", f->title);
    xml_element(b, "subtitle", f->about);
    put_time(b, "updated", f->updated);
    put_link(b, "self", f->self, "application/atom+xml");
    put_link(b, "alternate", f->home, "text/html");
    put_link(b, "hub", f->hub, NULL);
    put_link(b, "prev-archive", f->before, "application/atom+xml");
    if (f->archive) {
        buf_adds(b, "<fh:archive/>\n");
        put_link(b, "current", f->current, "application/atom+xml");
    }
    /* All that is no entry stands before the entries (RFC 4287 section 4.1.1). */
    for (int i = 0; i < f->ngone; i++)
        put_gone(b, &f->gone[i]);
    for (int i = 0; i < f->n; i++)
        put_entry(b, &f->entries[i]);
    buf_adds(b, "</feed>\n");
}
