/*
 * params_fuzz.c - any bytes as a query: refused with a sentence, or parameters that keep their promises, and one key for
 * all that mean the same.
 *
 * What was let in is asked for again by its key, and with its parameters in the opposite order. Both must say the same and
 * have the same key: else a cache would give one question two answers, or two questions one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct param params[] = {
    { "name", P_TEXT, 1, 20, "" }, /* in the path */
    { "id", P_ID, 0, 0, "" },
    { "n", P_INT, -5, 500, "" },
    { "q", P_TEXT, 1, 40, "" },
    { "any", P_TEXT, 0, 0, "" },
    { "hash", P_HASH, 0, 0, "" },
    { "all", P_BOOL, 0, 0, "" },
    { "big", P_INT, INT64_MIN, INT64_MAX, "" },
    { 0 },
};

static const struct route route = { .method = GET, .path = "/v1/:name", .params = params };
static const char path[] = "/v1/天";

/* The query is on the heap and no longer than it is, so that a read too far is seen. */
static enum rc fill(struct err *e, struct arena *mem, const char *query, size_t n,
                    struct request *rq)
{
    struct target t = { .path = path,
                        .segment = { { path + 1, 2 }, { path + 4, 3 } },
                        .nsegments = 2 };
    char *exact = malloc(n + !n);
    enum rc rc;

    memcpy(exact, query, n);
    t.query = (struct span){ exact, n };
    rc = params_fill(e, mem, &route, &t, rq);
    free(exact);
    return rc;
}

static void check_promises(const struct request *rq)
{
    for (int i = 0; i < rq->nargs; i++) {
        const struct arg *a = &rq->args[i];
        const struct param *p = &params[i];
        size_t n = a->set ? strlen(a->text) : 0;

        if (a->name != p->name || (i == 0 && (!a->set || strcmp(a->text, "天"))))
            abort();
        if (a->set && p->type == P_INT && (a->num < p->min || a->num > p->max))
            abort();
        if (a->set && p->type == P_BOOL && a->num != 0 && a->num != 1)
            abort();
        if (a->set && p->type == P_TEXT &&
            ((int64_t)n < p->min || (p->max && (int64_t)n > p->max)))
            abort();
        for (size_t k = 0; k < n; k++) /* no control character reaches a handler */
            if ((unsigned char)a->text[k] < ' ' || a->text[k] == 127)
                abort();
    }
}

static struct buf key_of(struct arena *mem, const struct request *rq, const char *query,
                         size_t n)
{
    struct buf raw = BUF_IN(mem), key = BUF_IN(mem);

    buf_adds(&raw, path);
    buf_addc(&raw, '?');
    buf_add(&raw, query, n);
    params_key(&route, raw.p, raw.n, rq, &key);
    return key;
}

/* The same question in other words. */
static void must_agree(struct arena *mem, const struct request *rq, const struct buf *key,
                       const char *query, size_t n)
{
    struct request other = { 0 };
    struct err e = { 0 };
    struct buf again;

    if (fill(&e, mem, query, n, &other))
        abort();
    for (int i = 0; i < rq->nargs; i++) {
        const struct arg *a = &rq->args[i], *b = &other.args[i];

        if (a->set != b->set || a->num != b->num || memcmp(&a->id, &b->id, sizeof a->id) ||
            memcmp(a->hash, b->hash, sizeof a->hash) || (a->set && strcmp(a->text, b->text)))
            abort();
    }
    again = key_of(mem, &other, query, n);
    if (again.n != key->n || memcmp(again.p, key->p, key->n))
        abort();
}

static void backwards(struct buf *out, const char *query, size_t n)
{
    while (n) {
        const char *amp = memrchr(query, '&', n);
        size_t begin = amp ? (size_t)(amp - query) + 1 : 0;

        if (out->n)
            buf_addc(out, '&');
        buf_add(out, query + begin, n - begin);
        n = begin ? begin - 1 : 0;
    }
}

static void try_query(struct arena *mem, const char *query, size_t n)
{
    struct buf key, other = BUF_IN(mem);
    struct request rq = { 0 };
    struct err e = { 0 };
    enum rc rc = fill(&e, mem, query, n, &rq);
    const char *mark;

    if (rc) {
        if (rc != RC_INVALID || !e.text[0])
            abort();
        return;
    }
    check_promises(&rq);
    key = key_of(mem, &rq, query, n);
    mark = memchr(key.p, '?', key.n);
    must_agree(mem, &rq, &key, mark ? mark + 1 : "",
               mark ? key.n - (size_t)(mark + 1 - key.p) : 0);
    backwards(&other, query, n);
    must_agree(mem, &rq, &key, other.n ? other.p : "", other.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();

    try_query(mem, (const char *)data, n < TARGET_QUERY_MAX ? n : TARGET_QUERY_MAX);
    arena_free(mem);
    return 0;
}
