/*
 * campaign.c - rows of push_campaign, and what follows from one.
 */
#include "push/campaign.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/store/db.h"

/* ---- words ---- */

static const struct {
    const char *word, *chinese;
} classes[PUSH_CLASS_COUNT] = {
    [PUSH_SERVICE] = { "service", "服务与通讯" },
    [PUSH_MARKETING] = { "marketing", "资讯营销" },
    [PUSH_EMERGENCY] = { "emergency", "应急" },
};

const char *push_class_word(enum push_class class)
{
    return classes[class].word;
}

const char *push_class_chinese(enum push_class class)
{
    return classes[class].chinese;
}

int push_class_parse(const char *word)
{
    for (int i = 1; i < PUSH_CLASS_COUNT; i++)
        if (!strcmp(classes[i].word, word))
            return i;
    return 0;
}

const char *campaign_doubt_word(enum campaign_doubt doubt)
{
    return doubt == CAMPAIGN_RESEND ? "resend" : "skip";
}

/* ---- the hash ---- */

enum rc campaign_hash(struct work *w, struct campaign *c)
{
    struct buf text = BUF_IN(w->mem);
    char id[ID_TEXT];

    buf_adds(&text, "{\"audience\":");
    buf_adds(&text, c->audience);
    jx_put_text(&text, "class", push_class_word(c->class));
    jx_put_int(&text, "column", c->col);
    jx_key(&text, "districts");
    buf_adds(&text, c->districts);
    jx_put_text(&text, "doubt", campaign_doubt_word(c->doubt));
    jx_put_text(&text, "item", id_text(&c->item, id));
    jx_put_text(&text, "link", c->link);
    jx_put_int(&text, "pace", c->pace);
    jx_put_text(&text, "picture", c->picture);
    jx_put_int(&text, "revision", c->rev);
    jx_put_int(&text, "start", c->start);
    jx_put_text(&text, "text", c->text);
    jx_put_text(&text, "title", c->title);
    jx_put_int(&text, "ttl", c->ttl);
    buf_addc(&text, '}');
    if (crypto_generichash(c->hash, sizeof c->hash, (const uint8_t *)text.p, text.n, NULL, 0))
        return err_set(&w->err, RC_INTERNAL, "a campaign's hash cannot be made");
    return RC_OK;
}

/* ---- rows ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct campaign *c)
{
    const char *state = rows_text(q, 16);
    const void *tested;
    size_t n = 0;
    enum rc rc;

    *c = (struct campaign){ .no = rows_int(q, 0),
                            .site = rows_int(q, 1),
                            .rev = rows_int(q, 3),
                            .col = rows_int(q, 4),
                            .class = (enum push_class)rows_int(q, 5),
                            .title = rows_dup_text(w, q, 6),
                            .text = rows_dup_text(w, q, 7),
                            .link = rows_dup_text(w, q, 8),
                            .picture = rows_dup_text(w, q, 9),
                            .audience = rows_dup_text(w, q, 10),
                            .districts = rows_dup_text(w, q, 11),
                            .start = rows_int(q, 12),
                            .doubt = (enum campaign_doubt)rows_int(q, 13),
                            .ttl = rows_int(q, 14),
                            .pace = rows_int(q, 15),
                            .approved = rows_int(q, 19),
                            .fired = rows_int(q, 20),
                            .copied = rows_int(q, 21),
                            .created = rows_int(q, 22),
                            .changed = rows_int(q, 23) };
    if ((rc = row_bytes(w, q, 2, c->item.b, sizeof c->item.b)) ||
        (rc = row_bytes(w, q, 17, c->hash, sizeof c->hash)))
        return rc;
    if (campaign_state_parse(state) < 0 || c->class < 1 || c->class >= PUSH_CLASS_COUNT)
        return err_set(&w->err, RC_CORRUPT, "campaign %" PRId64 " is in no state we know",
                       c->no);
    c->state = (enum campaign_state)campaign_state_parse(state);
    tested = rows_blob(q, 18, &n);
    c->tested = tested && n == sizeof c->hash && !memcmp(tested, c->hash, n);
    return RC_OK;
}

enum rc campaign_find(struct work *w, int64_t no, struct campaign *out)
{
    struct campaign c;
    struct rows q;
    enum rc rc = db_one(w, SQL_push_campaign_one, &q, "i", no);

    if (!rc)
        rc = read_row(w, &q, &c);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_NOT_FOUND, "没有编号为 %" PRId64 " 的推送", no);
    if (!rc)
        *out = c;
    return rc;
}

enum rc campaign_list(struct work *w, const struct campaign_query *in, struct campaign **out,
                      int *n)
{
    int64_t before = in->before ? in->before : INT64_MAX;
    struct buf list = BUF_IN(w->mem);
    struct campaign c;
    struct rows q;
    enum rc rc;

    rc = in->site ? db_query(w, SQL_push_campaign_list_site, &q, "itii", before, in->state,
                             (int64_t)in->most, in->site)
                  : db_query(w, SQL_push_campaign_list, &q, "iti", before, in->state,
                             (int64_t)in->most);
    if (rc)
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = read_row(w, &q, &c)))
            buf_add(&list, &c, sizeof c);
    rc = row_finish(&q, rc);
    *out = (struct campaign *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc;
}

enum rc campaign_insert(struct work *w, struct campaign *c)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_push_campaign_add, &q, "ibiiittttttiiiitbii", c->site, c->item.b,
                        sizeof c->item.b, c->rev, c->col, (int64_t)c->class, c->title, c->text,
                        c->link, c->picture, c->audience, c->districts, c->start,
                        (int64_t)c->doubt, c->ttl, c->pace, campaign_states[c->state].word,
                        c->hash, sizeof c->hash, c->copied, c->created);

    if (!rc)
        c->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc campaign_update(struct work *w, const struct campaign *c)
{
    return db_change(w, SQL_push_campaign_set, "iiiiittttttiiiibi", c->no, c->site, c->rev,
                     c->col, (int64_t)c->class, c->title, c->text, c->link, c->picture,
                     c->audience, c->districts, c->start, (int64_t)c->doubt, c->ttl, c->pace,
                     c->hash, sizeof c->hash, clock_now());
}

/* ---- for who sends ---- */

static enum rc read_numbers(struct work *w, struct rows *q, int64_t **no, int *n)
{
    struct buf list = BUF_IN(w->mem);

    while (rows_next(q)) {
        int64_t one = rows_int(q, 0);

        buf_add(&list, &one, sizeof one);
    }
    *no = (int64_t *)(void *)list.p;
    *n = (int)(list.n / sizeof **no);
    return rows_done(q);
}

enum rc campaign_due(struct work *w, int64_t now, int most, int64_t **no, int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_push_campaign_due, &q, "ii", now, (int64_t)most);

    return rc ? rc : read_numbers(w, &q, no, n);
}

enum rc campaign_in_state(struct work *w, enum campaign_state state, int most, int64_t **no,
                          int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_push_campaign_in_state, &q, "ti", campaign_states[state].word,
                          (int64_t)most);

    return rc ? rc : read_numbers(w, &q, no, n);
}

enum rc campaign_next(struct work *w, int64_t now, int64_t *at)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_push_campaign_next, &q, "i", now);

    *at = rc ? 0 : rows_int(&q, 0);
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc campaign_fired(struct work *w, int64_t no)
{
    enum rc rc = db_change(w, SQL_push_campaign_set_fired, "ii", no, clock_now());

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "campaign %" PRId64 " has fired already", no);
    return rc;
}

enum rc campaign_tested(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES])
{
    return db_run(w, SQL_push_campaign_set_tested, "ib", no, hash, (size_t)HASH_BYTES);
}

/* 《互联网弹窗信息推送服务管理规定》: who it is from, and that it can be turned off, is said each time. */
enum rc campaign_shown(struct work *w, const struct campaign *c, struct campaign_shown *out)
{
    const char *sender = campaign_settled()->sender;
    struct site site;
    enum rc rc;

    if (!*sender) {
        if ((rc = site_by_no(w, c->site, &site)))
            return rc;
        sender = site.name;
    }
    *out = (struct campaign_shown){
        .title = c->title,
        .text = arena_printf(w->mem, "%s—%s·退订：设置→推送", c->text, sender),
        .link = c->link,
        .picture = c->picture,
        .bare = c->text,
        .sender = sender,
    };
    return RC_OK;
}

enum rc campaign_of_item(struct work *w, const struct id *item, struct campaign **out, int *n)
{
    struct buf numbers = BUF_IN(w->mem), list = BUF_IN(w->mem);
    struct campaign c;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_campaign_of_item, &q, "b", item->b, sizeof item->b)))
        return rc;
    while (rows_next(&q)) {
        int64_t no = rows_int(&q, 0);

        buf_add(&numbers, &no, sizeof no);
    }
    rc = rows_done(&q);
    for (size_t at = 0; at < numbers.n && !rc; at += sizeof(int64_t)) {
        rc = campaign_find(w, *(const int64_t *)(const void *)(numbers.p + at), &c);
        if (!rc)
            buf_add(&list, &c, sizeof c);
        else if (rc == RC_CORRUPT || rc == RC_NOT_FOUND)
            rc = RC_OK;
    }
    *out = (struct campaign *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc;
}
