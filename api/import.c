/*
 * import.c - body in, one result a line out.
 *
 *     body --(worker)--> lines parsed, checked, canonical --(writer)--> library
 *          --> {"created":2, … "refused":[…],"lines":[…]}
 *
 * A refused line says why and hinders no other; the answer is 200 as long as the store did its
 * work. `line` counts from 1 in this chunk; blank lines are passed over and counted.
 */
#include "api/import.h"

#include <string.h>

#include "api/instance.h"
#include "api/places.h"
#include "server/base/jx.h"
#include "server/library/checkup.h"
#include "server/library/import.h"

struct chunk {
    struct import_line *lines;
    int *numbers; /* in the body */
    int n;
};

static const char *line_end(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));

    return nl ? nl : end;
}

static bool is_blank(const char *p, const char *end)
{
    while (p < end && memchr(" \t\r", *p, 3))
        p++;
    return p == end;
}

static int count_lines(const char *p, const char *end)
{
    int n = 0;

    for (; p < end; p = line_end(p, end) + 1)
        n++;
    return n;
}

enum rc prepare_import(struct work *w, struct request *rq)
{
    const char *end = rq->body + rq->body_len;
    int number = 0, all = count_lines(rq->body, end);
    struct chunk *chunk = arena_zalloc(w->mem, sizeof *chunk);

    if (all > IMPORT_CHUNK_MAX)
        return err_set(&w->err, RC_TOO_LARGE, "a chunk has at most %d lines, this one has %d",
                       IMPORT_CHUNK_MAX, all);
    chunk->lines = arena_zalloc(w->mem, sizeof *chunk->lines * (size_t)(all + 1));
    chunk->numbers = arena_zalloc(w->mem, sizeof *chunk->numbers * (size_t)(all + 1));
    for (const char *p = rq->body, *eol; p < end; p = eol + 1) {
        eol = line_end(p, end);
        number++;
        if (is_blank(p, eol))
            continue;
        chunk->numbers[chunk->n] = number;
        import_prepare(w->mem, p, (size_t)(eol - p), &chunk->lines[chunk->n]);
        import_check(w->mem, &chunk->lines[chunk->n++], request_int(rq, "publish", 0));
    }
    rq->prepared = chunk;
    return RC_OK;
}

static void put_refused(struct buf *b, const struct import_line *line, int number)
{
    jx_put_text(b, "code", rc_name(line->why.rc));
    if (*line->why.field)
        jx_put_text(b, "field", line->why.field);
    jx_put_int(b, "line", number);
    jx_put_text(b, "originId", line->origin_id);
    jx_put_text(b, "reason", line->why.text);
}

static void put_taken(struct buf *b, const struct import_line *line, int number)
{
    char id[ID_TEXT];

    jx_put_text(b, "id", id_text(&line->id, id));
    jx_put_int(b, "line", number);
    jx_put_text(b, "originId", line->origin_id);
    jx_put_text(b, "result", import_result_name(line->result));
    if (line->unreviewed)
        jx_put_bool(b, "unreviewed", true);
    if (line->held) {
        jx_key(b, "held");
        checkup_json(b, line->held);
    }
}

/* "key":[{…},…] of the lines that were refused, or of those that were not. */
static void put_lines(struct buf *b, const char *key, const struct chunk *chunk, bool refused)
{
    jx_key(b, key);
    buf_addc(b, '[');
    for (int i = 0; i < chunk->n; i++) {
        if ((chunk->lines[i].result == IMPORT_REFUSED) != refused)
            continue;
        buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
        (refused ? put_refused : put_taken)(b, &chunk->lines[i], chunk->numbers[i]);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
}

enum rc post_import(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct chunk *chunk = rq->prepared;
    struct import_options o = { .stream = instance()->stream };
    int count[IMPORT_RESULTS] = { 0 }, held = 0, unreviewed = 0;
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = place_stream(w, request_text(rq, "stream", NULL), &o.stream)))
        return rc;
    o.authority = request_text(rq, "authority", NULL);
    o.site = request_text(rq, "site", NULL);
    o.publish = request_int(rq, "publish", 0);
    o.create = request_int(rq, "create", 0);
    o.emergency = request_text(rq, "emergency", NULL);
    if ((rc = import_apply(w, &o, chunk->lines, chunk->n)))
        return rc;
    for (int i = 0; i < chunk->n; i++) {
        count[chunk->lines[i].result]++;
        held += chunk->lines[i].held != NULL;
        unreviewed += chunk->lines[i].unreviewed;
    }
    work_fact(w, "records", chunk->n);
    work_fact(w, "refused", count[IMPORT_REFUSED]);
    work_fact(w, "publish", o.publish);
    work_fact(w, "held", held);
    work_fact(w, "unreviewed", unreviewed);
    buf_addc(&b, '{');
    for (int r = 0; r < IMPORT_RESULTS; r++)
        if (r != IMPORT_REFUSED)
            jx_put_int(&b, import_result_name((enum import_result)r), count[r]);
    jx_put_int(&b, "held", held);
    jx_put_int(&b, "unreviewed", unreviewed);
    put_lines(&b, "refused", chunk, true);
    put_lines(&b, "lines", chunk, false);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
