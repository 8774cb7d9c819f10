/*
 * feed_read.c - a table of the elements of an entry; everything else is passed over.
 *
 *     rss > channel > item    rdf:RDF > item    feed > entry
 *                      \___________|___________/
 *                       title link guid description … each gathered until its end
 *
 * What an element holds that is markup itself (xhtml in Atom) is written out again, for the cleaner of pages to read; it decides what stays.
 */
#include "server/source/feed_read.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/ingest/html_url.h"

enum { SEPARATOR = ' ' };

enum slot { TITLE, LINK, ID, TEXT, SUMMARY, AUTHOR, DATE, UPDATED, SLOTS };

#define ATOM    "http://www.w3.org/2005/Atom "
#define RSS1    "http://purl.org/rss/1.0/ "
#define CONTENT "http://purl.org/rss/1.0/modules/content/ "
#define DC      "http://purl.org/dc/elements/1.1/ "

static const struct row {
    const char *name;
    enum slot slot;
} rows[] = {
    { "title", TITLE },
    { RSS1 "title", TITLE },
    { ATOM "title", TITLE },
    { "link", LINK },
    { RSS1 "link", LINK },
    { "guid", ID },
    { ATOM "id", ID },
    { "description", SUMMARY },
    { RSS1 "description", SUMMARY },
    { ATOM "summary", SUMMARY },
    { CONTENT "encoded", TEXT },
    { ATOM "content", TEXT },
    { "author", AUTHOR },
    { DC "creator", AUTHOR },
    { ATOM "name", AUTHOR },
    { "pubDate", DATE },
    { DC "date", DATE },
    { ATOM "published", DATE },
    { ATOM "updated", UPDATED },
};

struct reading {
    XML_Parser parser;
    struct err *e;
    struct arena *mem;
    const char *url;
    int depth, entry,
        element; /* depths where the entry, and the element that is gathered, stand; 0: in none */
    enum slot slot;
    bool escape; /* its text is text, and is to be HTML */
    struct buf text, slots[SLOTS], entries;
    bool failed;
};

static void stop(struct reading *r, enum rc rc, const char *why)
{
    if (r->failed)
        return;
    r->failed = true;
    (void)!err_set(r->e, rc, "%s，第 %lu 行", why,
                   (unsigned long)XML_GetCurrentLineNumber(r->parser));
    XML_StopParser(r->parser, XML_FALSE);
}

static const char *attribute(const char **all, const char *name)
{
    for (; *all; all += 2)
        if (!strcmp(*all, name))
            return all[1];
    return NULL;
}

static const char *local_name(const char *name)
{
    const char *space = strrchr(name, SEPARATOR);

    return space ? space + 1 : name;
}

static bool is_entry(const char *name)
{
    return !strcmp(name, "item") || !strcmp(name, RSS1 "item") || !strcmp(name, ATOM "entry");
}

/* ---- elements ---- */

/* Markup inside of a text: names of letters and digits alone, and the attributes that mean something. */
static void put_tag(struct reading *r, const char *name, const char **attributes)
{
    static const char *const kept[] = { "href", "src", "alt", "colspan", "rowspan", NULL };
    const char *local = local_name(name);

    if (strspn(local, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(local))
        return;
    buf_printf(&r->text, "<%s", local);
    for (const char *const *k = kept; *k; k++) {
        const char *value = attribute(attributes, *k);

        if (!value)
            continue;
        buf_printf(&r->text, " %s=\"", *k);
        buf_html(&r->text, value, strlen(value));
        buf_addc(&r->text, '"');
    }
    buf_addc(&r->text, '>');
}

/* Atom's links are attributes; the first that leads to the text itself counts. */
static void take_link(struct reading *r, const char **attributes)
{
    const char *href = attribute(attributes, "href"), *rel = attribute(attributes, "rel");

    if (href && (!rel || !strcmp(rel, "alternate")) && !r->slots[LINK].n)
        buf_adds(&r->slots[LINK], href);
}

static void open_element(struct reading *r, const char *name, const char **attributes)
{
    const char *type = attribute(attributes, "type");

    if (!strcmp(name, ATOM "link"))
        take_link(r, attributes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name)) {
            r->element = r->depth;
            r->slot = rows[i].slot;
            r->text.n = 0;
            /* Atom says what its texts are; RSS means HTML. */
            r->escape = !strncmp(name, ATOM, strlen(ATOM)) &&
                        (!type || (strcmp(type, "html") && strcmp(type, "text/html"))) &&
                        (r->slot == TEXT || r->slot == SUMMARY);
            return;
        }
}

static void XMLCALL on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *r = arg;

    if (++r->depth > FEED_DEPTH_MAX) {
        stop(r, RC_TOO_LARGE, "层层嵌套太深");
    } else if (r->element) {
        put_tag(r, name, attributes);
    } else if (r->entry) {
        open_element(r, name, attributes);
    } else if (is_entry(name)) {
        r->entry = r->depth;
        for (int i = 0; i < SLOTS; i++)
            r->slots[i].n = 0;
    }
}

static void XMLCALL on_text(void *arg, const char *s, int n)
{
    struct reading *r = arg;

    if (!r->element)
        return;
    if (r->text.n + (size_t)n > FEED_TEXT_MAX)
        stop(r, RC_TOO_LARGE, "一条的正文太长");
    else if (r->escape)
        buf_html(&r->text, s, (size_t)n);
    else
        buf_add(&r->text, s, (size_t)n);
}

/* ---- entries ---- */

/* One line without blanks at its ends; NULL: nothing is left. */
static const char *line_of(struct reading *r, enum slot slot)
{
    struct buf *b = &r->slots[slot], out = BUF_IN(r->mem);

    for (size_t i = 0; i < b->n; i++) {
        bool blank = memchr(" \t\r\n", b->p[i], 4) != NULL;

        if (!blank)
            buf_addc(&out, b->p[i]);
        else if (out.n && out.p[out.n - 1] != ' ')
            buf_addc(&out, ' ');
    }
    if (out.n && out.p[out.n - 1] == ' ')
        out.p[--out.n] = '\0';
    return out.n ? out.p : NULL;
}

static const char *absolute(struct reading *r, const char *link)
{
    struct buf out = BUF_IN(r->mem);

    return link && html_url(&out, r->url, link) ? out.p : NULL;
}

/* "Mon, 16 Mar 2026 09:30:00 +0800" of RFC 822, or what clock_parse() reads. 0: neither. */
static int64_t time_of(const char *text)
{
    struct tm tm = { 0 };
    const char *p = strchr(text, ','), *rest;
    int64_t at;
    int zone;

    if (!clock_parse(text, strlen(text), &at))
        return at;
    p = p ? p + 1 : text;
    rest = strptime(p, " %d %b %Y %H:%M:%S ", &tm);
    if (!rest && !(rest = strptime(p, " %d %b %Y %H:%M ", &tm)))
        return 0;
    zone =
        *rest == '+' || *rest == '-' ? atoi(rest) : 0; /* GMT, UT, Z; others are old and rare */
    if (abs(zone) > 1400)
        return 0;
    return (int64_t)timegm(&tm) - (int64_t)(zone / 100 * 3600 + zone % 100 * 60);
}

static const char *copy(struct reading *r, enum slot slot)
{
    const struct buf *b = &r->slots[slot];

    return b->n ? arena_strndup(r->mem, b->p, b->n) : NULL;
}

static void close_entry(struct reading *r)
{
    struct feed_entry one = { .title = line_of(r, TITLE),
                              .url = absolute(r, line_of(r, LINK)),
                              .id = line_of(r, ID),
                              .html = copy(r, TEXT),
                              .author = line_of(r, AUTHOR),
                              .date = line_of(r, DATE) };

    if (!one.html)
        one.html = copy(r, SUMMARY);
    if (!one.date)
        one.date = line_of(r, UPDATED);
    if (!one.url)
        one.url = absolute(r, one.id); /* a guid is a link unless it says otherwise */
    if (!one.id)
        one.id = one.url;
    one.at = one.date ? time_of(one.date) : 0;
    if (r->entries.n / sizeof one >= FEED_ENTRIES_MAX)
        stop(r, RC_TOO_LARGE, "条目太多");
    else
        buf_add(&r->entries, &one, sizeof one);
}

static void XMLCALL on_end(void *arg, const char *name)
{
    struct reading *r = arg;

    if (r->element && r->depth == r->element) {
        if (!r->slots[r->slot].n)
            buf_add(&r->slots[r->slot], r->text.p, r->text.n);
        r->element = 0;
    } else if (r->element) {
        const char *local = local_name(name);

        if (strspn(local, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(local))
            buf_printf(&r->text, "</%s>", local);
    } else if (r->entry && r->depth == r->entry) {
        close_entry(r);
        r->entry = 0;
    }
    r->depth--;
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *system,
                               const char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(arg, RC_INVALID, "文件里有 DOCTYPE，不读");
}

static enum rc parse(struct reading *r, const char *text, size_t n)
{
    enum XML_Error why;

    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, text, (int)n, 1) != XML_STATUS_ERROR && !r->failed)
        return RC_OK;
    why = XML_GetErrorCode(r->parser);
    return r->failed ? r->e->rc
                     : err_set(r->e, RC_INVALID, "不是完好的 XML，第 %lu 行：%s",
                               (unsigned long)XML_GetCurrentLineNumber(r->parser),
                               XML_ErrorString(why));
}

enum rc feed_read(struct err *e, struct arena *mem, const char *text, size_t n, const char *url,
                  struct feed_entry **out, int *count)
{
    struct reading r = { .e = e, .mem = mem, .url = url };
    enum rc rc;

    if (n > FEED_MAX)
        return err_set(e, RC_TOO_LARGE, "订阅源超过 5 MB");
    r.text = r.entries = BUF_IN(mem);
    for (int i = 0; i < SLOTS; i++)
        r.slots[i] = BUF_IN(mem);
    if (!(r.parser = XML_ParserCreateNS(NULL, SEPARATOR)))
        return err_set(e, RC_INTERNAL, "cannot make a parser");
    rc = parse(&r, text, n);
    XML_ParserFree(r.parser);
    if (rc)
        return rc;
    *out = (struct feed_entry *)(void *)r.entries.p;
    *count = (int)(r.entries.n / sizeof **out);
    return RC_OK;
}
