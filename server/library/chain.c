/*
 * chain.c - rows of site_chain and site_reviewer.
 */
#include "server/library/chain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/identity/role.h"
#include "server/library/field.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/store/db.h"

static const char *const secrecies[SECRECY_COUNT] = { "none", "last", "publish" };
static const char account_prefix[] = "account:";

enum secrecy secrecy_parse(const char *word)
{
    for (int i = 0; i < SECRECY_COUNT; i++)
        if (!strcmp(secrecies[i], word))
            return (enum secrecy)i;
    return SECRECY_COUNT;
}

enum rc chain_of(struct work *w, int64_t site, struct chain *out)
{
    struct chain c = { .steps = 1, .eyes = 1 };
    struct rows q;
    enum rc rc = db_one(w, SQL_site_chain_of, &q, "i", site);

    if (!rc)
        c = (struct chain){ .own = true,
                            .steps = (int)rows_int(&q, 0),
                            .secrecy = secrecy_parse(rows_text(&q, 1)),
                            .eyes = (int)rows_int(&q, 2) };
    if ((rc = row_finish(&q, rc)) && rc != RC_NOT_FOUND)
        return rc;
    if (c.secrecy == SECRECY_COUNT)
        return err_set(&w->err, RC_CORRUPT, "the chain of site %" PRId64 " has an unknown word",
                       site);
    *out = c;
    return RC_OK;
}

static enum rc unset(struct work *w, int64_t site)
{
    enum rc rc = db_run(w, SQL_site_chain_unset, "i", site);

    for (int step = 0; step <= CHAIN_STEPS_MAX && !rc; step++)
        rc = db_run(w, SQL_site_reviewer_clear, "ii", site, (int64_t)step);
    return rc;
}

enum rc chain_set(struct work *w, int64_t site, const struct chain *in)
{
    enum rc rc;

    if ((rc = work_need(w, RIGHT_SECURE)))
        return rc;
    if (!in->steps)
        return unset(w, site);
    if (in->steps < 0 || in->steps > CHAIN_STEPS_MAX)
        return err_field(&w->err, "/steps", "审核流程是一到三步");
    if (in->secrecy >= SECRECY_COUNT)
        return err_field(&w->err, "/secrecy", "保密审查是 none、last 或 publish");
    if (in->eyes != 1 && in->eyes != 2)
        return err_field(&w->err, "/eyes", "撤稿由一人或两人办理");
    return db_run(w, SQL_site_chain_set, "iiti", site, (int64_t)in->steps,
                  secrecies[in->secrecy], (int64_t)in->eyes);
}

/* ---- who takes a step ---- */

static bool is_account(const char *name)
{
    const char *digits = name + sizeof account_prefix - 1;

    return !strncmp(name, account_prefix, sizeof account_prefix - 1) && *digits &&
           *digits != '0' && strlen(digits) < 19 &&
           strspn(digits, "0123456789") == strlen(digits);
}

enum rc chain_name(struct work *w, int64_t site, int step, const char *const *who, int n)
{
    enum rc rc;

    if ((rc = work_need(w, RIGHT_SECURE)))
        return rc;
    if (step < 0 || step > CHAIN_STEPS_MAX || n > CHAIN_NAMED_MAX)
        return err_field(&w->err, "/who", "一步最多指定 %d 人，步骤是 0（保密审查）到 %d",
                         CHAIN_NAMED_MAX, CHAIN_STEPS_MAX);
    for (int i = 0; i < n; i++)
        if (!is_account(who[i]) && !role_find(who[i]))
            return err_field(&w->err, "/who",
                             "审核人写作 account:编号，或角色的名称如 reviewer_1");
    rc = db_run(w, SQL_site_reviewer_clear, "ii", site, (int64_t)step);
    for (int i = 0; i < n && !rc; i++)
        rc = db_run(w, SQL_site_reviewer_add, "iit", site, (int64_t)step, who[i]);
    return rc == RC_CONFLICT ? err_field(&w->err, "/who", "同一个审核人写了两次") : rc;
}

static enum rc holds(struct work *w, int64_t site, const char *word, bool *yes)
{
    const struct role_info *role = role_find(word);
    struct rows q;
    enum rc rc;

    if (!role || !w->who.account)
        return RC_OK;
    if ((rc = db_query(w, SQL_role_of_account, &q, "i", actor_person(&w->who))))
        return rc;
    while (rows_next(&q))
        if (rows_int(&q, 1) == (int64_t)role->role &&
            (rows_int(&q, 2) == EVERYWHERE || rows_int(&q, 2) == site))
            *yes = true;
    return rows_done(&q);
}

struct named {
    int step;
    const char *who;
};

static enum rc all_named(struct work *w, int64_t site, struct named **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_site_reviewer_of, &q, "i", site)))
        return rc;
    while (rows_next(&q)) {
        struct named one = { (int)rows_int(&q, 0), rows_dup_text(w, &q, 1) };

        buf_add(&list, &one, sizeof one);
    }
    *out = (struct named *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

enum rc chain_admits(struct work *w, int64_t site, int step, bool *yes)
{
    const char *self =
        arena_printf(w->mem, "%s%" PRId64, account_prefix, actor_person(&w->who));
    struct named *named;
    bool any = false, me = false;
    enum rc rc;
    int n;

    if ((rc = all_named(w, site, &named, &n)))
        return rc;
    for (int i = 0; i < n && !me; i++) {
        if (named[i].step != step)
            continue;
        any = true;
        if (is_account(named[i].who))
            me = !strcmp(named[i].who, self);
        else if ((rc = holds(w, site, named[i].who, &me)))
            return rc;
    }
    *yes = me || !any;
    return RC_OK;
}

enum rc chain_json(struct work *w, int64_t site, struct buf *out)
{
    struct named *named;
    struct chain c;
    enum rc rc;
    int n, before = -1;

    if ((rc = chain_of(w, site, &c)) || (rc = all_named(w, site, &named, &n)))
        return rc;
    buf_addc(out, '{');
    jx_put_int(out, "eyes", c.eyes);
    jx_put_bool(out, "own", c.own);
    jx_key(out, "reviewers");
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        if (named[i].step != before) {
            buf_adds(out, before < 0 ? "{" : "]},{");
            jx_put_int(out, "step", before = named[i].step);
            jx_key(out, "who");
            buf_addc(out, '[');
        } else {
            buf_addc(out, ',');
        }
        jx_quote(out, named[i].who, strlen(named[i].who));
    }
    buf_adds(out, n ? "]}]" : "]");
    jx_put_text(out, "secrecy", secrecies[c.secrecy]);
    jx_put_int(out, "steps", c.steps);
    buf_addc(out, '}');
    return RC_OK;
}
