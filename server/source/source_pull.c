/*
 * source_pull.c - asked with what is known of the last answer; each entry becomes a record and is handed in like any other; what cannot be is a fault of the source's, by name.
 */
#include "server/source/source_pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/ingest/html_page.h"
#include "server/ingest/html_tree.h"
#include "server/library/site.h"
#include "server/source/feed_record.h"
#include "server/store/writer.h"

enum { ENTRY_SHOWN = 120 /* bytes of an entry's name */, PAGES_AT_ONCE = 20 };

struct pull {
    struct work *w;
    struct source s;
    struct site site;
    const char *name; /* "source:minzheng" */
    struct buf faults;
    int nfaults;
    int64_t taken;
    const struct fetch_door *door;
    bool cut, more; /* more: something was left for the next time */
};

/* ---- faults ---- */

static void fault(struct pull *p, const char *entry, const char *said)
{
    size_t n = entry ? strlen(entry) : 0;
    char *shown;

    if (p->nfaults++ >= SOURCE_FAULTS_MAX)
        return;
    if (n > ENTRY_SHOWN)
        for (n = ENTRY_SHOWN; n && (entry[n] & 0xc0) == 0x80;)
            n--;
    shown = arena_strndup(p->w->mem, entry ? entry : "", n);
    buf_adds(&p->faults, p->nfaults > 1 ? ",{" : "{");
    jx_put_text(&p->faults, "entry", shown);
    jx_put_text(&p->faults, "said", said);
    buf_addc(&p->faults, '}');
}

/* ---- a record is handed in ---- */

struct handing {
    struct pull *p;
    struct submission_new in;
    bool known;
};

static enum rc hand_in(struct work *w, void *arg)
{
    struct handing *h = arg;
    struct submission s;
    enum rc rc = source_stands(w, &h->p->s);

    return rc ? rc : submission_take(w, &h->in, &s, &h->known);
}

/* The source may import at its own site, and no more. */
static enum rc on_writer(struct pull *p, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct scope here = { p->s.site, RIGHT_IMPORT };
    struct work w;
    enum rc rc;

    work_init(&w, p->w->mem, NULL, p->name, 0);
    w.who.scopes = &here;
    w.who.nscopes = 1;
    rc = writer_call(&w, run, arg);
    p->w->err = w.err;
    return rc;
}

static bool is_refusal(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_CONFLICT || rc == RC_GONE ||
           rc == RC_TOO_LARGE || rc == RC_FORBIDDEN;
}

/* What cannot be taken is a fault, and hinders no other; RC_OK but for the store's own failures. */
static enum rc take_record(struct pull *p, const char *entry, json_t *record)
{
    char *body = json_dumps(record, JSON_COMPACT);
    struct handing h = { .p = p,
                         .in = { .site = p->s.site,
                                 .source = p->name,
                                 .body = body ? body : "",
                                 .len = body ? strlen(body) : 0 } };
    struct submitted read;
    enum rc rc;

    if (!(rc = submission_read(&p->w->err, p->w->mem, record, &p->site, NULL, 0, &read))) {
        import_check(p->w->mem, &read.line, false);
        h.in.read = &read;
        rc = on_writer(p, hand_in, &h);
    }
    free(body);
    if (is_refusal(rc)) {
        fault(p, entry, p->w->err.text);
        return RC_OK;
    }
    p->taken += !rc && !h.known;
    return rc;
}

/* ---- kinds ---- */

static void set(json_t *record, const char *name, const char *value)
{
    if (value)
        json_object_set_new(record, name, json_string(value));
}

static enum rc take_feed(struct pull *p, const char *text, size_t n)
{
    struct feed_entry *all;
    enum rc rc;
    int count;

    if ((rc = feed_read(&p->w->err, p->w->mem, text, n, p->s.url, &all, &count)))
        return rc;
    if (!count)
        return err_set(&p->w->err, RC_INVALID, "里面没有条目：不是 RSS 或 Atom，或者是空的");
    while (count-- && !rc) { /* the oldest stands last */
        const struct feed_entry *f = &all[count];
        json_t *record;

        if (!f->id || !f->title) {
            fault(p, f->id ? f->id : f->title, f->id ? "没有标题" : "没有编号，也没有链接");
            continue;
        }
        if (f->date && !f->at)
            fault(p, f->title, "发布时间不是订阅源的写法，没有采用");
        record = feed_record(f);
        set(record, "column", p->s.column);
        rc = take_record(p, f->title, record);
        json_decref(record);
    }
    return rc;
}

static enum rc take_line(struct pull *p, const char *line, size_t n, int number)
{
    const char *entry = arena_printf(p->w->mem, "第 %d 行", number);
    struct err e = { 0 };
    json_t *record;

    if (jx_object(&e, p->w->mem, line, n, &record)) {
        fault(p, entry, e.text);
        return RC_OK;
    }
    if (!json_object_get(record, "column"))
        set(record, "column", p->s.column);
    return take_record(p, entry, record);
}

static enum rc take_records(struct pull *p, const char *text, size_t n)
{
    const char *end = text + n, *to;
    int number = 0;
    enum rc rc = RC_OK;

    for (const char *at = text; at < end && !rc; at = to + 1) {
        to = memchr(at, '\n', (size_t)(end - at));
        to = to ? to : end;
        number++;
        if (to > at && strspn(at, " \t\r") < (size_t)(to - at))
            rc = take_line(p, at, (size_t)(to - at), number);
    }
    return rc;
}

/* ---- pages ---- */

/* Why an answer is none. */
static const char *refused(struct pull *p, const struct fetched *got)
{
    if (got->too_large)
        return "超过 5 MB";
    if (!got->status)
        return "连不上对方服务器，或它不是公网地址";
    if (got->status >= 300 && got->status < 400 && *got->moved)
        return arena_printf(p->w->mem, "搬到了 %.200s，请改用新的地址", got->moved);
    return arena_printf(p->w->mem, "对方服务器答复 %d", got->status);
}

struct page { /* of an article */
    struct pull *p;
    const char *url;
};

static void say_fault(void *arg, const char *said)
{
    const struct page *page = arg;

    fault(page->p, page->url, said);
}

/* "2026/03/16 09:30" is told, and taken for what it means. */
static const char *date_of(struct pull *p, const char *said)
{
    char *date = arena_strdup(p->w->mem, said);
    int64_t at;

    for (char *c = date; c && *c; c++)
        if (*c == '/')
            *c = '-';
    return date && *date && !clock_parse(date, strlen(date), &at) ? date : NULL;
}

static const char *or_nothing(const char *s)
{
    return s && *s && strcasecmp(s, "null") ? s : NULL;
}

static enum rc take_page(struct pull *p, const char *url, const char *id,
                         const struct fetched *got)
{
    struct page page = { p, url };
    struct html_page found;
    json_t *record;
    enum rc rc;

    if (html_page_read(&p->w->err, p->w->mem, got->body.p ? got->body.p : "", got->body.n, url,
                       &found)) {
        fault(p, url, p->w->err.text);
        return RC_OK;
    }
    html_page_judge(&found, true, say_fault, &page);
    if (!or_nothing(found.meta[PAGE_TITLE]) || !found.text || found.other_charset)
        return RC_OK; /* no article, or one that says nothing of itself: it was told */
    record = json_object();
    set(record, "id", id);
    set(record, "column", p->s.column);
    set(record, "title", found.meta[PAGE_TITLE]);
    json_object_set_new(record, "html", json_stringn(found.text, found.text_n));
    set(record, "url", url);
    set(record, "pubDate", date_of(p, found.meta[PAGE_DATE]));
    set(record, "contentSource", or_nothing(found.meta[PAGE_SOURCE]));
    set(record, "author", or_nothing(found.meta[PAGE_AUTHOR]));
    set(record, "summary", or_nothing(found.meta[PAGE_DESCRIPTION]));
    rc = take_record(p, url, record);
    json_decref(record);
    return rc;
}

static enum rc ask_page(struct pull *p, const char *url, const char *id)
{
    struct fetched got = { 0 };
    enum rc rc = RC_OK;

    p->door->get(p->door->arg, &(struct fetch_request){ .url = url, .max = HTML_MAX }, &got);
    p->cut |= got.cut;
    if (!got.cut && got.status == 200) {
        rc = take_page(p, url, id, &got);
    } else if (!got.cut) {
        fault(p, url, refused(p, &got));
        p->more = true;
    }
    buf_done(&got.body);
    return rc;
}

/* A column's page: the articles it leads to that are not here yet, so many at a time. */
static enum rc take_pages(struct pull *p, const char *text, size_t n)
{
    struct page page = { p, p->s.url };
    struct html_page list;
    int asked = 0;
    enum rc rc;

    if ((rc = html_page_read(&p->w->err, p->w->mem, text, n, p->s.url, &list)))
        return rc;
    html_page_judge(&list, false, say_fault, &page);
    if (!list.nlinks)
        return err_set(&p->w->err, RC_INVALID, "网页里没有本站文章的链接");
    for (int i = 0; i < list.nlinks && !p->cut && !rc; i++) {
        char id[FEED_ORIGIN_TEXT];
        bool known = false;

        if ((rc = submission_known(p->w, p->name, feed_origin_id(list.links[i], id), &known)) ||
            known)
            continue;
        p->more |= asked == PAGES_AT_ONCE;
        if (asked < PAGES_AT_ONCE && ++asked)
            rc = ask_page(p, list.links[i], id);
    }
    return rc;
}

static enum rc (*const takers[])(struct pull *p, const char *text, size_t n) = {
    [SOURCE_FEED] = take_feed, [SOURCE_RECORDS] = take_records, [SOURCE_PAGES] = take_pages
};

/* ---- a round ---- */

struct note {
    const struct pull *p;
    const char *said, *etag, *modified, *faults;
};

static enum rc note(struct work *w, void *arg)
{
    const struct note *n = arg;

    return source_note(w, &n->p->s, n->said, n->etag, n->modified, n->faults, n->p->taken);
}

static enum rc take_answer(struct pull *p, const struct fetched *got)
{
    struct note n = { .p = p, .etag = p->s.etag, .modified = p->s.modified };
    enum rc rc;

    if (got->status == 304)
        return on_writer(p, note, &n);
    if (got->status != 200) {
        n.said = refused(p, got);
        return on_writer(p, note, &n);
    }
    buf_addc(&p->faults, '[');
    rc = takers[p->s.kind](p, got->body.p ? got->body.p : "", got->body.n);
    buf_addc(&p->faults, ']');
    if (p->cut)
        return err_set(&p->w->err, RC_BUSY, "the server stops");
    if (rc && !is_refusal(rc))
        return rc;
    n.faults = p->faults.p;
    if (rc) {
        n.said = arena_strdup(p->w->mem, p->w->err.text);
    } else if (p->more) { /* … in whole again */
        n.etag = n.modified = NULL;
    } else { /* what could not be read is asked for in whole again */
        n.etag = *got->etag ? got->etag : NULL;
        n.modified = *got->modified ? got->modified : NULL;
    }
    return on_writer(p, note, &n);
}

enum rc source_pull_next(struct work *w, const struct fetch_door *door)
{
    struct pull p = { .w = w, .door = door, .faults = BUF_IN(w->mem) };
    struct fetched got = { 0 };
    enum rc rc;

    if ((rc = source_next(w, &p.s)) || (rc = site_by_no(w, p.s.site, &p.site)))
        return rc;
    p.name = arena_printf(w->mem, "source:%s", p.s.id);
    door->get(door->arg, &(struct fetch_request){ p.s.url, FEED_MAX, p.s.etag, p.s.modified },
              &got);
    rc = got.cut ? err_set(&w->err, RC_BUSY, "the server stops") : take_answer(&p, &got);
    buf_done(&got.body);
    return rc;
}
