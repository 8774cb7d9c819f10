/*
 * review.c - the chain of review gone through: rows of `review`.
 *
 * How many steps have passed is counted, never stored: the rows of the revision that are valid and of the item's site. So a chain that
 * became longer after the approval counts at the publication, and an item that moved to another site is reviewed there.
 */
#include "server/library/review.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/identity/party_table.h"
#include "server/library/row.h"
#include "server/store/db.h"

/* ---- who ---- */

bool review_is_person(const struct actor *who)
{
    return who->account && !who->party && !who->operator;
}

const char *review_behind(struct work *w)
{
    struct party p;

    if (review_is_person(&w->who))
        return arena_printf(w->mem, "account:%" PRId64, actor_person(&w->who));
    if (!w->who.party || !party_table_find(w->mem, w->who.party, NULL, &p) || !p.owner)
        return "";
    return arena_printf(w->mem, "account:%" PRId64, p.owner);
}

/* RC_FORBIDDEN if he, or a program of his, wrote or handed in what is to be reviewed. */
static enum rc check_other(struct work *w, const struct item *it)
{
    const char *behind = review_behind(w);
    struct rows q;
    enum rc rc = row_finish(&q, db_one(w, SQL_review_hand, &q, "biitti", it->id.b,
                                       sizeof it->id.b, it->live_rev, it->rev, w->who.name,
                                       *behind ? behind : w->who.name, actor_person(&w->who)));

    if (rc == RC_NOT_FOUND)
        rc = row_finish(&q, db_one(w, SQL_review_handed, &q, "bitt", it->id.b, sizeof it->id.b,
                                   it->rev, w->who.name, *behind ? behind : w->who.name));
    if (!rc)
        return err_set(&w->err, RC_FORBIDDEN, "本人或本人的程序写过、送审过的稿件，由别人审核");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- what stands ---- */

struct standing {
    int passed; /* steps */
    bool secrecy;
    bool mine; /* the actor took one of the steps */
};

/* `people`: what programs and the operator decided does not count. */
static enum rc stand(struct work *w, const struct item *it, bool people, struct standing *out)
{
    const char *behind = review_behind(w);
    struct standing s = { 0 };
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_review_standing, &q, "bii", it->id.b, sizeof it->id.b, it->rev,
                       it->site)))
        return rc;
    while (rows_next(&q)) {
        if (people && strncmp(rows_text(&q, 2), "account:", strlen("account:")) != 0)
            continue;
        if (!strcmp(rows_text(&q, 1), "secrecy")) {
            s.secrecy = true;
            continue;
        }
        s.passed++;
        if (!strcmp(rows_text(&q, 2), w->who.name) ||
            (*behind && !strcmp(rows_text(&q, 3), behind)))
            s.mine = true;
    }
    *out = s;
    return rows_done(&q);
}

static enum rc add(struct work *w, const struct item *it, int step, const char *verdict,
                   const char *said, const char *basis)
{
    return db_run(w, SQL_review_add, "biiittttti", it->id.b, sizeof it->id.b, it->rev, it->site,
                  (int64_t)step, verdict, w->who.name, review_behind(w), said, basis,
                  clock_now());
}

/* ---- steps ---- */

static enum rc lacks_secrecy(struct work *w, const char *before)
{
    return err_set(&w->err, RC_CONFLICT, "这个站点要求先作保密审查，%s", before);
}

/*
 * Whether he may review at this step. Without a chain of the site's own, a program and the operator may review what they brought in:
 * there is nobody else behind them.
 */
static enum rc check_reviewer(struct work *w, const struct item *it, const struct chain *c,
                              int step)
{
    bool yes;
    enum rc rc;

    if (c->own && !review_is_person(&w->who))
        return err_set(&w->err, RC_FORBIDDEN,
                       "这个站点由工作人员逐步审核，程序和本机的运行人员不能代审；"
                       "来不及审的，写明原因应急发布（emergency）");
    if ((c->own || review_is_person(&w->who)) && (rc = check_other(w, it)))
        return rc;
    if ((rc = chain_admits(w, it->site, step, &yes)))
        return rc;
    return yes ? RC_OK
               : err_set(&w->err, RC_FORBIDDEN, "这一步指定了别的审核人：看 tjzw site chain");
}

enum rc review_pass(struct work *w, const struct item *it, const char *said, bool *last)
{
    struct standing s;
    struct chain c;
    int step;
    enum rc rc;

    if ((rc = chain_of(w, it->site, &c)) || (rc = stand(w, it, c.own, &s)))
        return rc;
    step = s.passed < c.steps ? s.passed + 1 : c.steps;
    if ((rc = check_reviewer(w, it, &c, step)))
        return rc;
    if (s.mine && (c.own || review_is_person(&w->who)))
        return err_set(&w->err, RC_FORBIDDEN, "同一个人不能审两步");
    if (c.secrecy == SECRECY_LAST && step == c.steps && !s.secrecy)
        return lacks_secrecy(w, "再审最后一步");
    if ((rc = add(w, it, step, "pass", said, NULL)))
        return rc;
    *last = step >= c.steps;
    return RC_OK;
}

enum rc review_return(struct work *w, const struct item *it, const char *reason)
{
    struct standing s;
    enum rc rc;

    if ((rc = stand(w, it, false, &s)) ||
        (rc = db_run(w, SQL_review_void, "bi", it->id.b, sizeof it->id.b, it->rev)))
        return rc;
    return add(w, it, s.passed + 1 <= CHAIN_STEPS_MAX ? s.passed + 1 : 0, "return", reason,
               NULL);
}

enum rc review_passed(struct work *w, const struct item *it)
{
    struct standing s;
    struct chain c;
    enum rc rc;

    if ((rc = chain_of(w, it->site, &c)) || !c.own)
        return rc;
    if ((rc = stand(w, it, true, &s)))
        return rc;
    if (s.passed < c.steps)
        return err_set(&w->err, RC_CONFLICT,
                       "这个站点审 %d 步，这一版只审过 %d 步：退回后重新送审", c.steps,
                       s.passed);
    if (c.secrecy != SECRECY_NONE && !s.secrecy)
        return lacks_secrecy(w, "再发布");
    return RC_OK;
}

/* ---- beside the chain ---- */

static enum rc check_room(struct work *w, const struct id *id)
{
    struct rows q;
    int64_t n = 0;
    enum rc rc = db_one(w, SQL_review_count, &q, "b", id->b, sizeof id->b);

    if (!rc)
        n = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)))
        return rc;
    return n < REVIEW_ROWS_MAX ? RC_OK
                               : err_set(&w->err, RC_CONFLICT,
                                         "这一条已有 %d 条审稿记录，不再添加", REVIEW_ROWS_MAX);
}

static enum rc check_words(struct work *w, const char *name, const char *text, int64_t min,
                           int64_t max)
{
    if (!text)
        return min ? err_field(&w->err, name, "%s is missing", name) : RC_OK;
    return field_check_text(&w->err, name, text, strlen(text), min, max);
}

enum rc review_secrecy(struct work *w, const struct id *id, int64_t rev, const char *basis,
                       const char *said, struct item *out)
{
    struct chain c;
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, RIGHT_REVIEW, it.site)) ||
        (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = check_words(w, "basis", basis, 1, REVIEW_BASIS_MAX)) ||
        (rc = check_words(w, "said", said, 0, REVIEW_SAID_MAX)))
        return rc;
    if (it.rev != rev || (it.state != STATE_IN_REVIEW && it.state != STATE_APPROVED))
        return err_set(&w->err, RC_CONFLICT, "保密审查的是送审了、还没有发布的最新一版");
    if ((rc = chain_of(w, it.site, &c)) || (rc = check_reviewer(w, &it, &c, 0)) ||
        (rc = check_room(w, id)) || (rc = add(w, &it, 0, "secrecy", said, basis)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc review_comment(struct work *w, const struct id *id, const char *said, struct item *out)
{
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, it.site)) ||
        (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = check_words(w, "said", said, 1, REVIEW_SAID_MAX)))
        return rc;
    if (it.state == STATE_GONE)
        return err_set(&w->err, RC_GONE, "the item was taken down for good");
    if ((rc = check_room(w, id)) || (rc = add(w, &it, 0, "comment", said, NULL)))
        return rc;
    *out = it;
    return RC_OK;
}

/* ---- read ---- */

enum rc review_list(struct work *w, const struct id *id, struct review **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_review_of_item, &q, "b", id->b, sizeof id->b)))
        return rc;
    while (rows_next(&q)) {
        struct review r = { .rev = rows_int(&q, 0),
                            .step = (int)rows_int(&q, 1),
                            .verdict = rows_dup_text(w, &q, 2),
                            .actor = rows_dup_text(w, &q, 3),
                            .said = rows_dup_text(w, &q, 4),
                            .basis = rows_dup_text(w, &q, 5),
                            .valid = rows_int(&q, 6),
                            .at = rows_int(&q, 7) };

        buf_add(&list, &r, sizeof r);
    }
    *out = (struct review *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

static void put_review(struct buf *out, const struct review *r)
{
    char at[CLOCK_TEXT];

    buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    jx_put_text(out, "actor", r->actor);
    jx_put_text(out, "at", clock_text(r->at, at));
    jx_put_text(out, "basis", r->basis);
    jx_put_int(out, "revision", r->rev);
    jx_put_text(out, "said", r->said);
    if (r->step)
        jx_put_int(out, "step", r->step);
    jx_put_bool(out, "valid", r->valid);
    jx_put_text(out, "verdict", r->verdict);
    buf_addc(out, '}');
}

enum rc review_json(struct work *w, const struct item *it, struct buf *out)
{
    struct review *list;
    struct standing s;
    struct chain c;
    enum rc rc;
    int n;

    if ((rc = chain_of(w, it->site, &c)) || (rc = stand(w, it, c.own, &s)) ||
        (rc = review_list(w, &it->id, &list, &n)))
        return rc;
    jx_key(out, "chain");
    if ((rc = chain_json(w, it->site, out)))
        return rc;
    if (it->state == STATE_IN_REVIEW)
        jx_put_int(out, "nextStep", s.passed < c.steps ? s.passed + 1 : c.steps);
    jx_key(out, "reviews");
    buf_addc(out, '[');
    for (int i = 0; i < n; i++)
        put_review(out, &list[i]);
    buf_addc(out, ']');
    return RC_OK;
}
