/*
 * campaign_vote.c - rows of push_approval.
 */
#include "push/campaign_vote.h"

#include <string.h>

#include "push/audience.h"
#include "push/campaign_audience.h"
#include "server/base/clock.h"
#include "server/identity/role.h"
#include "server/library/row.h"
#include "server/store/db.h"

enum rc campaign_reaches(struct work *w, const struct campaign *c, int64_t many, bool *yes)
{
    struct audience *a;
    struct bits b;
    int64_t n = 0;
    enum rc rc;

    if ((rc = campaign_audience(w, c, &a)))
        return rc;
    for (int64_t block = 0; block < audience_blocks(a) && n < many && !rc; block++)
        if (!(rc = audience_block(w, a, block, &b)))
            n += bits_count(&b);
    *yes = n >= many;
    return rc;
}

enum rc campaign_eyes(struct work *w, const struct campaign *c, int *need)
{
    bool many = false;
    enum rc rc = RC_OK;

    if (c->class == PUSH_MARKETING)
        rc = campaign_is_for_all(w, c, &many);
    if (!rc && !many)
        rc = campaign_reaches(w, c, campaign_settled()->two_eyes_from, &many);
    *need = many ? 2 : 1;
    return rc;
}

static enum rc judge(struct work *w, const struct campaign *c, const uint8_t hash[HASH_BYTES],
                     struct campaign_vote *v)
{
    bool may;
    enum rc rc;

    v->is = CAMPAIGN_VOTE_OTHER;
    if (memcmp(hash, c->hash, HASH_BYTES) != 0)
        return RC_OK;
    if ((rc = role_may(w, v->actor, RIGHT_PUSH_APPROVE, c->site, &may)))
        return rc;
    v->is = !may                                          ? CAMPAIGN_VOTE_LOST
            : v->at > clock_now() - CAMPAIGN_APPROVED_FOR ? CAMPAIGN_VOTE_GOOD
                                                          : CAMPAIGN_VOTE_OLD;
    return RC_OK;
}

enum rc campaign_votes(struct work *w, const struct campaign *c, struct campaign_vote **out,
                       int *n, int *counting)
{
    struct buf list = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    struct rows q;
    enum rc rc;

    *counting = 0;
    if ((rc = db_query(w, SQL_push_approval_list, &q, "i", c->no)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct campaign_vote v = { rows_dup_text(w, &q, 0), rows_dup_text(w, &q, 3),
                                   rows_int(&q, 2), CAMPAIGN_VOTE_OTHER };

        if ((rc = row_bytes(w, &q, 1, hash, sizeof hash)) || (rc = judge(w, c, hash, &v)))
            break;
        *counting += v.is == CAMPAIGN_VOTE_GOOD;
        buf_add(&list, &v, sizeof v);
    }
    *out = (struct campaign_vote *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return row_finish(&q, rc);
}

enum rc campaign_vote(struct work *w, const struct campaign *c, const char *plan)
{
    enum rc rc = db_run(w, SQL_push_approval_add, "itbit", c->no, w->who.name, c->hash,
                        sizeof c->hash, clock_now(), plan ? plan : "");

    return rc == RC_CONFLICT ? err_set(&w->err, rc, "您已经批准过这一稿") : rc;
}
