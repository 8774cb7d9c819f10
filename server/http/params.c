/*
 * params.c - one reader for each type; the route's table says which.
 *
 * An unknown query parameter is an error and not ignored: a misspelt one would quietly give the
 * wrong answer, and endless variants of one URL would wash the caches out. For the same reason
 * an empty "&&" is an error, and one query has one key, in whatever order and escapes it came.
 */
#include "server/http/params.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Decimal, an optional minus, no leading zeros: one number has one spelling. */
static bool read_int(const char *s, size_t n, int64_t *out)
{
    size_t digits = strspn(s + (*s == '-'), "0123456789");
    const char *first = s + (*s == '-');

    if (digits == 0 || digits > 18 || digits + (*s == '-') != n || (*first == '0' && n > 1))
        return false;
    *out = strtoll(s, NULL, 10);
    return true;
}

static enum rc want_int(struct err *e, const struct param *p, struct arg *a, size_t n)
{
    if (!read_int(a->text, n, &a->num))
        return err_field(e, p->name, "parameter \"%s\" should be a whole number", p->name);
    if (a->num < p->min || a->num > p->max)
        return err_field(e, p->name, "parameter \"%s\" should be from %" PRId64 " to %" PRId64,
                         p->name, p->min, p->max);
    return RC_OK;
}

static enum rc want_text(struct err *e, const struct param *p, struct arg *a, size_t n)
{
    (void)a;
    if ((int64_t)n < p->min || (p->max && (int64_t)n > p->max))
        return err_field(e, p->name,
                         "parameter \"%s\" should have %" PRId64 " to %" PRId64 " bytes",
                         p->name, p->min, p->max);
    return RC_OK;
}

static enum rc want_id(struct err *e, const struct param *p, struct arg *a, size_t n)
{
    if (!id_parse(a->text, n, &a->id))
        return err_field(e, p->name, "parameter \"%s\" should be a UUID in lower case",
                         p->name);
    return RC_OK;
}

static enum rc want_hash(struct err *e, const struct param *p, struct arg *a, size_t n)
{
    if (!hex_parse(a->text, n, a->hash, sizeof a->hash))
        return err_field(e, p->name,
                         "parameter \"%s\" should be 64 hexadecimal digits in lower case",
                         p->name);
    return RC_OK;
}

static enum rc want_bool(struct err *e, const struct param *p, struct arg *a, size_t n)
{
    if (n != 1 || (*a->text != '0' && *a->text != '1'))
        return err_field(e, p->name, "parameter \"%s\" should be 0 or 1", p->name);
    a->num = *a->text - '0';
    return RC_OK;
}

static enum rc (*const want[])(struct err *, const struct param *, struct arg *, size_t) = {
    [P_INT] = want_int,   [P_TEXT] = want_text, [P_ID] = want_id,
    [P_HASH] = want_hash, [P_BOOL] = want_bool,
};

/* Which of the path's segments is ":name"; -1: none, so that it is a query parameter. */
static int segment_of(const struct route *r, const char *name)
{
    int i = 0;

    for (const char *at = r->path; *at; i++) {
        size_t n = strcspn(at + 1, "/");

        if (at[1] == ':' && strlen(name) == n - 1 && !memcmp(at + 2, name, n - 1))
            return i;
        at += 1 + n;
    }
    return -1;
}

static enum rc set_arg(struct err *e, const struct param *p, struct arg *a, char *text,
                       size_t n)
{
    a->set = true;
    a->text = text;
    return want[p->type](e, p, a, n);
}

/* One "name=value" of the query. */
static enum rc take_pair(struct err *e, struct arena *mem, const struct route *r,
                         struct span pair, struct request *rq)
{
    const char *equals = memchr(pair.p, '=', pair.n);
    size_t name_n = equals ? (size_t)(equals - pair.p) : pair.n,
           value_n = pair.n - name_n - (equals ? 1 : 0);
    char *text = arena_alloc(mem, pair.n + 2), *value;
    long n = target_decode(pair.p, name_n, true, text);
    const struct param *p = r->params;

    if (n < 0)
        return err_set(e, RC_INVALID, "the query is not valid percent-encoded UTF-8 text");
    text[n] = '\0';
    while (p && p->name && (strcmp(p->name, text) || segment_of(r, p->name) >= 0))
        p++;
    if (!p || !p->name)
        return err_field(e, *text ? arena_printf(mem, "?%s", text) : "",
                         "there is no query parameter \"%.64s\" here", text);
    if (rq->args[p - r->params].set)
        return err_field(e, p->name, "parameter \"%s\" is given twice", p->name);
    value = text + n + 1;
    n = equals ? target_decode(equals + 1, value_n, true, value) : 0;
    if (n < 0)
        return err_field(e, p->name, "parameter \"%s\" is not valid percent-encoded UTF-8 text",
                         p->name);
    value[n] = '\0';
    return set_arg(e, p, &rq->args[p - r->params], value, (size_t)n);
}

static enum rc take_query(struct err *e, struct arena *mem, const struct route *r,
                          struct span query, struct request *rq)
{
    enum rc rc;

    for (bool more = query.n > 0; more;) {
        const char *amp = memchr(query.p, '&', query.n);
        struct span pair = { query.p, amp ? (size_t)(amp - query.p) : query.n };

        if (!pair.n)
            return err_set(e, RC_INVALID, "the query has a \"&\" with no parameter beside it");
        if ((rc = take_pair(e, mem, r, pair, rq)))
            return rc;
        more = amp;
        query.p += pair.n + more;
        query.n -= pair.n + more;
    }
    return RC_OK;
}

enum rc params_fill(struct err *e, struct arena *mem, const struct route *r,
                    const struct target *t, struct request *rq)
{
    enum rc rc;

    rq->nargs = 0;
    for (const struct param *p = r->params; p && p->name; p++) {
        struct arg *a = &rq->args[rq->nargs++];
        int at = segment_of(r, p->name);

        *a = (struct arg){ .name = p->name };
        if (at < 0)
            continue;
        rc = set_arg(e, p, a, arena_strndup(mem, t->segment[at].p, t->segment[at].n),
                     t->segment[at].n);
        if (rc)
            return rc;
    }
    return (r->flags & R_FORM && r->method == GET) || r->prompt
               ? RC_OK
               : take_query(e, mem, r, t->query, rq);
}

void params_key(const struct route *r, const char *raw, size_t n, const struct request *rq,
                struct buf *out)
{
    const char *mark = memchr(raw, '?', n);
    char before = '?';

    buf_add(out, raw, mark ? (size_t)(mark - raw) : n);
    for (int i = 0; i < rq->nargs; i++) {
        const struct arg *a = &rq->args[i];

        if (!a->set || segment_of(r, a->name) >= 0)
            continue;
        buf_printf(out, "%c%s=", before, a->name);
        buf_url(out, a->text, strlen(a->text));
        before = '&';
    }
}
