/*
 * campaign_inbox.c - a cursor over a list of accounts.
 */
#include "push/campaign_inbox.h"

#include <inttypes.h>
#include <string.h>

#include "push/campaign_audience.h"
#include "server/citizen/entry.h"
#include "server/citizen/inbox.h"
#include "server/library/row.h"
#include "server/library/site.h"

enum state { PUTTING = 1, TAKING, OVER };

static const char *group_of(struct work *w, int64_t no)
{
    return arena_printf(w->mem, "campaign/%" PRId64, no);
}

/* ---- rows ---- */

struct cursor {
    int64_t campaign, next, put, taken;
    enum state state;
};

static void read_row(const struct rows *q, struct cursor *c)
{
    *c = (struct cursor){ .campaign = rows_int(q, 0),
                          .next = rows_int(q, 1),
                          .put = rows_int(q, 2),
                          .taken = rows_int(q, 3),
                          .state = (enum state)rows_int(q, 4) };
}

static enum rc write_row(struct work *w, const struct cursor *c)
{
    return db_change(w, SQL_push_inbox_set, "iiiii", c->campaign, c->next, c->put, c->taken,
                     (int64_t)c->state);
}

enum rc campaign_inbox_count(struct work *w, int64_t no, struct campaign_inbox *out)
{
    struct cursor c;
    struct rows q;
    enum rc rc = db_one(w, SQL_push_inbox_one, &q, "i", no);

    if (!rc) {
        read_row(&q, &c);
        *out = (struct campaign_inbox){ c.next, c.put, c.taken, c.state == OVER };
    }
    return row_finish(&q, rc);
}

/* ---- the list ---- */

/* NULL: the audience is no list. */
static enum rc read_list(struct work *w, const struct campaign *c, const json_t **out)
{
    json_t *value;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, c->audience, strlen(c->audience), &value)))
        return rc;
    *out = json_object_get(value, "accounts");
    return RC_OK;
}

enum rc campaign_inbox_begin(struct work *w, const struct campaign *c)
{
    const json_t *list;
    enum rc rc = read_list(w, c, &list);

    return rc || !list ? rc : db_run(w, SQL_push_inbox_begin, "i", c->no);
}

enum rc campaign_inbox_recall(struct work *w, int64_t no)
{
    return db_run(w, SQL_push_inbox_recall, "i", no);
}

/* ---- putting ---- */

static enum rc refuses(struct work *w, int64_t account, const char *key, bool *out)
{
    struct entry e;
    enum rc rc = entry_get(w, account, "consent", key, &e);

    *out = *out || (!rc && e.value && !strcmp(e.value, "false"));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Who wants nothing of the class or the column is in no audience. */
static enum rc is_out(struct work *w, int64_t account, const struct campaign *c,
                      const char *column, bool *out)
{
    enum rc rc;

    *out = false;
    if ((rc = refuses(w, account,
                      arena_printf(w->mem, "push/class/%s", push_class_word(c->class)), out)))
        return rc;
    return refuses(w, account, arena_printf(w->mem, "push/column/%s", column), out);
}

static enum rc find_sender(struct work *w, const struct campaign *c, const char **out)
{
    struct site site;
    enum rc rc;

    *out = campaign_settled()->sender;
    if (**out)
        return RC_OK;
    if (!(rc = site_by_no(w, c->site, &site)))
        *out = site.name;
    return rc;
}

/* An account that is gone since has no inbox. */
static enum rc put_one(struct work *w, int64_t account, const struct campaign *c,
                       const struct message *m, const char *column, int64_t *put)
{
    bool out;
    enum rc rc;

    if ((rc = is_out(w, account, c, column, &out)) || out)
        return rc;
    rc = inbox_put(w, account, m, NULL);
    *put += !rc;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc put_some(struct work *w, struct cursor *at)
{
    const char *column, *sender;
    const json_t *list = NULL;
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, at->campaign, &c)) || (rc = read_list(w, &c, &list)) ||
        (rc = campaign_column(w, &c, &column)) || (rc = find_sender(w, &c, &sender)))
        return rc;
    const struct message m = { .kind = "campaign",
                               .group = group_of(w, c.no),
                               .title = c.title,
                               .text = c.text,
                               .url = *c.link ? c.link : NULL,
                               .item = &c.item,
                               .sender = sender,
                               .optout = arena_printf(w->mem, "push/class/%s",
                                                      push_class_word(c.class)) };

    for (int i = 0; i < CAMPAIGN_INBOX_AT_ONCE && !rc; i++, at->next++) {
        const json_t *account = json_array_get(list, (size_t)at->next);

        if (!account) {
            at->state = OVER;
            return RC_OK;
        }
        rc = put_one(w, json_integer_value(account), &c, &m, column, &at->put);
    }
    /* Withdrawn, and its recall has not been read from the log yet: nothing more is put, as then. */
    if (rc == RC_CONFLICT)
        at->state = TAKING;
    return rc == RC_CONFLICT ? RC_OK : rc;
}

static enum rc take_some(struct work *w, struct cursor *at)
{
    int n = 0;
    enum rc rc = inbox_withdraw(w, group_of(w, at->campaign), CAMPAIGN_INBOX_AT_ONCE, &n);

    at->taken += n;
    if (n < CAMPAIGN_INBOX_AT_ONCE)
        at->state = OVER;
    return rc;
}

enum rc campaign_inbox_step(struct work *w, int64_t *no)
{
    struct cursor at;
    struct rows q;
    enum rc rc = db_one(w, SQL_push_inbox_next, &q, "");

    if (!rc)
        read_row(&q, &at);
    if ((rc = row_finish(&q, rc)))
        return rc;
    *no = at.campaign;
    if ((rc = at.state == TAKING ? take_some(w, &at) : put_some(w, &at)))
        return rc;
    return write_row(w, &at);
}
