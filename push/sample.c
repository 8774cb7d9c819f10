/*
 * sample.c - the next five devices of the audience behind a place that the campaign's hash names.
 */
#include "push/sample.h"

#include <string.h>

#include "push/campaign_audience.h"
#include "push/campaign_vote.h"
#include "server/identity/identifier.h"
#include "server/library/row.h"
#include "server/store/db.h"

static enum rc add_person(struct work *w, int64_t no, struct sample_person *out)
{
    struct identifier *list;
    int64_t account = 0;
    struct rows q;
    enum rc rc;
    int n;

    *out = (struct sample_person){ 0 };
    if (!(rc = db_one(w, SQL_push_sample_one, &q, "i", no))) {
        const char *area = rows_text(&q, 2); /* "\"120101001\"" */

        account = rows_int(&q, 0);
        out->by = (enum transport)rows_int(&q, 1);
        if (area && strlen(area) > 7)
            out->area = arena_strndup(w->mem, area + 1, 6);
    }
    if ((rc = row_finish(&q, rc)) || (rc = identifier_list(w, account, &list, &n)))
        return rc;
    for (int i = 0; i < n && !out->hint; i++)
        if (!strcmp(list[i].kind, "phone"))
            out->hint = identifier_hint(w->mem, &list[i]);
    return RC_OK;
}

static uint64_t number_in(const uint8_t hash[HASH_BYTES])
{
    uint64_t n = 0;

    for (int i = 0; i < 7; i++)
        n = n << 8 | hash[i];
    return n;
}

/* All blocks once, from one in the middle of it on; of that one its head comes last. */
static enum rc walk(struct work *w, const struct campaign *c, const struct audience *a,
                    struct sample_person *out, int *n)
{
    int64_t blocks = audience_blocks(a),
            first = (int64_t)(number_in(c->hash) / BITS % (uint64_t)blocks);
    int from = (int)(number_in(c->hash) % BITS);
    struct bits b;
    enum rc rc;

    for (int64_t i = 0; i <= blocks && *n < SAMPLE_MOST; i++) {
        int64_t block = (first + i) % blocks;

        if ((rc = audience_block(w, a, block, &b)))
            return rc;
        for (int at = bits_next(&b, i ? 0 : from); at >= 0 && *n < SAMPLE_MOST;
             at = bits_next(&b, at + 1)) {
            if (i == blocks && at >= from)
                break;
            if ((rc = add_person(w, block * BITS + at, &out[*n])))
                return rc;
            ++*n;
        }
    }
    return RC_OK;
}

enum rc sample(struct work *w, const struct campaign *c, struct sample_person **out, int *n)
{
    struct audience *a;
    bool enough;
    enum rc rc;

    *n = 0;
    *out = arena_zalloc(w->mem, SAMPLE_MOST * sizeof **out);
    if ((rc = campaign_reaches(w, c, SAMPLE_LEAST_OF, &enough)) || !enough)
        return rc;
    if ((rc = campaign_audience(w, c, &a)))
        return rc;
    return walk(w, c, a, *out, n);
}
