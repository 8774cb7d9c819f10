/*
 * plan_count.c - the counts of a plan, block by block.
 */
#include <stdio.h>
#include <string.h>

#include "push/campaign_audience.h"
#include "push/campaign_vote.h"
#include "push/ledger.h"
#include "push/plan.h"
#include "push/sets.h"
#include "push/trait.h"
#include "server/base/clock.h"
#include "server/store/db.h"

enum { DAY = 86400, BEIJING = 8 * 3600 };

struct counting {
    struct work *w;
    struct campaign campaign;
    struct audience *all, *wanted; /* the expression; and without those who refuse */
    int64_t traits[TRANSPORT_COUNT], areas[CAMPAIGN_DISTRICTS];
    int a_day[TRANSPORT_COUNT], a_person; /* 0: no limit */
    bool today;                           /* it starts */
    struct plan *plan;
};

static enum rc number_of(struct work *w, const char *word, int64_t *no)
{
    enum rc rc = trait_find(w, word, no);

    if (rc == RC_NOT_FOUND)
        *no = 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int64_t day_of(int64_t at)
{
    return (at + BEIJING) / DAY;
}

/* ---- before the blocks ---- */

static enum rc open_audiences(struct counting *k)
{
    struct work *w = k->w;
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, k->campaign.audience, strlen(k->campaign.audience),
                        &value)) ||
        (rc = audience_parse(w, value, &k->all)) || (rc = audience_open(w, k->all)))
        return rc;
    return campaign_audience(w, &k->campaign, &k->wanted);
}

static enum rc open_lines(struct counting *k)
{
    const struct campaign *c = &k->campaign;
    int32_t day = push_limit_day(k->plan->start);
    bool news = false;
    enum rc rc = campaign_is_news(k->w, c, &news);

    for (int by = 1; by < TRANSPORT_COUNT && !rc; by++) {
        struct push_limit l = push_limit((enum transport)by, c->class, day);

        k->plan->lines[k->plan->n++] = (struct plan_line){
            .by = (enum transport)by,
            .on = campaign_is_on((enum transport)by),
            .tried = transport_type(by)->tried,
            .pace = (int64_t)l.pace * (l.pace_of == PUSH_REQUESTS ? l.tokens : 1),
            .limit = l,
        };
        k->a_day[by] = news ? l.news_day : l.day;
        rc = number_of(k->w, arena_printf(k->w->mem, "transport/%s", transport_type(by)->word),
                       &k->traits[by]);
    }
    return rc;
}

static enum rc open_districts(struct counting *k)
{
    struct work *w = k->w;
    const char *text = arena_printf(w->mem, "{\"d\":%s}", k->campaign.districts);
    const json_t *list, *code;
    json_t *value;
    enum rc rc;
    size_t i;

    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &value)))
        return rc;
    list = json_object_get(value, "d");
    json_array_foreach(list, i, code)
    {
        struct plan_district *d = &k->plan->districts[k->plan->ndistricts];

        strncpy(d->code, json_string_value(code), sizeof d->code - 1);
        if ((rc = number_of(w, arena_printf(w->mem, "area/%s", d->code),
                            &k->areas[k->plan->ndistricts++])))
            return rc;
    }
    return RC_OK;
}

/* What runs has begun; all of one haste is one. */
static enum rc add_running(struct counting *k)
{
    struct plan *p = k->plan;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(k->w, SQL_push_plan_running, &q, "i", k->campaign.no)))
        return rc;
    while (rows_next(&q)) {
        int haste = (int)rows_int(&q, 0);
        int64_t by = rows_int(&q, 1);

        if (!p->nothers || p->others[p->nothers - 1].haste != haste)
            p->others[p->nothers++] = (struct plan_other){ .haste = haste, .start = p->made };
        if (by > 0 && by < TRANSPORT_COUNT)
            p->others[p->nothers - 1].left[by] = rows_int(&q, 2);
    }
    return rows_done(&q);
}

/* What the last approver saw of it: `send` of each transport. */
static void read_plan(struct work *w, const char *text, struct plan_other *out)
{
    struct err e = { 0 };
    const json_t *line;
    json_t *plan;
    size_t i;

    if (!text || !*text || jx_object(&e, w->mem, text, strlen(text), &plan))
        return;
    json_array_foreach(json_object_get(plan, "transports"), i, line)
    {
        const char *word = json_string_value(json_object_get(line, "transport"));
        int by = word ? transport_parse(word) : 0;

        if (by)
            out->left[by] = json_integer_value(json_object_get(line, "send"));
    }
}

static enum rc add_scheduled(struct counting *k)
{
    struct plan *p = k->plan;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(k->w, SQL_push_plan_scheduled, &q, "ii", k->campaign.no,
                       (int64_t)PLAN_OTHERS)))
        return rc;
    while (rows_next(&q) && p->nothers < PLAN_OTHERS) {
        struct plan_other o = { .haste = (int)rows_int(&q, 0), .start = rows_int(&q, 1) };

        read_plan(k->w, rows_dup_text(k->w, &q, 2), &o);
        o.start = o.start > p->made ? o.start : p->made;
        p->others[p->nothers++] = o;
    }
    return rows_done(&q);
}

static enum rc open_others(struct counting *k)
{
    enum rc rc = add_running(k);

    return rc ? rc : add_scheduled(k);
}

/* ---- a block ---- */

/* Of today: of another day nobody had any yet. */
static enum rc read_had(struct counting *k, enum transport by, int64_t block, struct bits *out)
{
    struct ledger_ask ask = { .block = block,
                              .except = k->campaign.no,
                              .class = k->campaign.class,
                              .by = by,
                              .a_day = k->a_day[by],
                              .a_person = k->a_person };
    enum rc rc;

    bits_clear(out);
    if (!k->today)
        return RC_OK;
    rc = ledger_had(k->w, &ask, out);
    return rc == RC_CORRUPT ? RC_OK : rc; /* what is damaged is said by who sends */
}

static enum rc read_quiet(struct counting *k, int64_t block, struct bits *out)
{
    bits_clear(out);
    return k->campaign.class == PUSH_MARKETING
               ? ledger_quiet(k->w, block, push_limit_minute(k->plan->start), out)
               : RC_OK;
}

static enum rc count_line(struct counting *k, struct plan_line *l, int64_t block,
                          const struct bits *wanted, const struct bits *quiet)
{
    struct bits there, had, both;
    enum rc rc;

    if (!k->traits[l->by])
        return RC_OK;
    if ((rc = sets_read(k->w, k->traits[l->by], block, &there)))
        return rc;
    bits_and(&there, wanted);
    l->reach += bits_count(&there);
    if ((rc = read_had(k, l->by, block, &had)))
        return rc;
    both = there;
    bits_and(&both, quiet);
    l->quiet += bits_count(&both);
    bits_without(&there, quiet);
    bits_and(&there, &had);
    l->quota += bits_count(&there);
    return RC_OK;
}

/* Whoever is in two districts counts in the first, where he is sent to. */
static enum rc count_districts(struct counting *k, int64_t block, struct bits *rest)
{
    struct bits there;
    enum rc rc = RC_OK;

    for (int i = 0; i < k->plan->ndistricts && !rc; i++) {
        if (!k->areas[i] || (rc = sets_read(k->w, k->areas[i], block, &there)))
            continue;
        bits_and(&there, rest);
        k->plan->districts[i].devices += bits_count(&there);
        bits_without(rest, &there);
    }
    return rc;
}

static enum rc count_block(struct counting *k, int64_t block)
{
    struct bits all, wanted, quiet;
    int n;
    enum rc rc;

    if ((rc = audience_block(k->w, k->all, block, &all)) || !(n = bits_count(&all)) ||
        (rc = audience_block(k->w, k->wanted, block, &wanted)))
        return rc;
    k->plan->audience += n;
    k->plan->refused += n - bits_count(&wanted);
    if ((rc = read_quiet(k, block, &quiet)))
        return rc;
    for (int i = 0; i < k->plan->n && !rc; i++)
        rc = count_line(k, &k->plan->lines[i], block, &wanted, &quiet);
    return rc ? rc : count_districts(k, block, &wanted);
}

enum rc plan_of(struct work *w, const struct campaign *c, struct plan *out)
{
    struct counting *k = arena_zalloc(w->mem, sizeof *k);
    int64_t now = clock_now();
    enum rc rc;

    *out = (struct plan){ .made = now,
                          .start = c->start > now ? c->start : now,
                          .ttl = c->ttl,
                          .haste = (int)c->class };
    k->w = w;
    k->campaign = *c;
    k->plan = out;
    k->today = day_of(out->start) == day_of(now);
    k->a_person = c->class == PUSH_MARKETING ? (int)campaign_settled()->a_person : 0;
    if ((rc = open_audiences(k)) || (rc = open_lines(k)) || (rc = open_districts(k)) ||
        (rc = open_others(k)) || (rc = campaign_eyes(w, c, &out->eyes)))
        return rc;
    for (int64_t block = 0; block < audience_blocks(k->all) && !rc; block++)
        rc = count_block(k, block);
    plan_reckon(out, c->pace);
    return rc;
}
