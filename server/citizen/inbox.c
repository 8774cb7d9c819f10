/*
 * inbox.c - a row of `inbox` says where a message stands and until when; what it says is in the entry, sealed.
 *
 *     put --> entry `message` + row --withdrawn, dropped--> entry gone, the row stays: of its group no second one comes
 *                                   \--expires-----------> both go, and the mark that it was read
 */
#include "server/citizen/inbox.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "server/identity/party_reach.h"
#include "server/library/field.h"
#include "server/library/item.h"
#include "server/library/stream.h"

enum { EXPIRE_BATCH = 200, NUMBER_TEXT = 24 };

static const char *number(struct work *w, int64_t no)
{
    return arena_printf(w->mem, "%" PRId64, no);
}

/* ---- put ---- */

static enum rc check_text(struct work *w, const struct message *m)
{
    static const char *const kinds[] = { "notice", "letter", "campaign" };
    size_t group = m->group ? strlen(m->group) : 0;
    bool known = false;
    enum rc rc;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        known = known || !strcmp(kinds[i], m->kind);
    if (!known)
        return err_field(&w->err, "kind", "there is no kind of message \"%.20s\"", m->kind);
    if (group > INBOX_GROUP_MAX || (m->group && !group))
        return err_field(&w->err, "group", "a group has 1 to %d bytes", INBOX_GROUP_MAX);
    if (m->expires && m->expires <= clock_now())
        return err_field(&w->err, "expires", "this message is over already");
    if ((rc = field_need_line(&w->err, "title", m->title, INBOX_TITLE_MAX)))
        return rc;
    return m->text
               ? field_check_text(&w->err, "text", m->text, strlen(m->text), 0, INBOX_TEXT_MAX)
               : RC_OK;
}

/* "main/0190…", and as of which state of the stream it is there. */
static enum rc find_item(struct work *w, const struct id *id, const char **link,
                         const char **needs)
{
    struct stream stream;
    char text[ID_TEXT];
    struct item item;
    enum rc rc;

    if ((rc = item_find(w, id, &item)))
        return rc;
    if (!item.live_rev)
        return err_set(&w->err, RC_CONFLICT,
                       "a message points at what is published, and this item is not");
    if ((rc = stream_by_no(w, item.stream, &stream)))
        return rc;
    *link = arena_printf(w->mem, "%s/%s", stream.name, id_text(id, text));
    *needs = arena_printf(w->mem, "{\"%s\":\"%" PRId64 ".%" PRId64 "\"}", stream.name,
                          stream.epoch, item.seq);
    return RC_OK;
}

static const char *value_of(struct work *w, const struct message *m, const char *link,
                            int64_t expires)
{
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    jx_put_int(&b, "at", clock_now());
    jx_put_int(&b, "expires", expires);
    jx_put_text(&b, "kind", m->kind);
    jx_put_text(&b, "letter", m->letter);
    jx_put_text(&b, "link", link);
    jx_put_text(&b, "optout", m->optout);
    jx_put_text(&b, "sender", m->sender);
    jx_put_text(&b, "text", m->text);
    jx_put_text(&b, "title", m->title);
    jx_put_text(&b, "url", m->url);
    buf_addc(&b, '}');
    return b.p;
}

/* The number of the account's message of that group; 0: it had none. */
static enum rc find_group(struct work *w, int64_t account, const char *group, int64_t *no)
{
    struct rows q;
    enum rc rc, end;

    *no = 0;
    if (!group)
        return RC_OK;
    if (!(rc = db_one(w, SQL_inbox_of_group, &q, "ti", group, account)))
        *no = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

static enum rc put_new(struct work *w, int64_t account, const struct message *m, int64_t *no)
{
    int64_t expires = m->expires ? m->expires : clock_now() + INBOX_KEPT, seq;
    const char *link = NULL, *needs = NULL;
    struct citizen before;
    enum rc rc;

    if ((m->item && (rc = find_item(w, m->item, &link, &needs))) ||
        (rc = citizen_get(w, account, &before)))
        return rc;
    *no = before.seq + 1;
    if ((rc = entry_put(w, account, "message", number(w, *no), value_of(w, m, link, expires),
                        needs, &seq)))
        return rc;
    return db_run(w, SQL_inbox_add, "iiti", account, *no, m->group, expires);
}

enum rc inbox_put(struct work *w, int64_t account, const struct message *m, int64_t *no)
{
    struct account a;
    int64_t had;
    enum rc rc;

    if ((rc = check_text(w, m)) || (rc = account_by_id(w, account, &a)) ||
        (rc = party_may_reach(w, a.id)) || (rc = find_group(w, a.id, m->group, &had)))
        return rc;
    if (!had && (rc = put_new(w, a.id, m, &had)))
        return rc;
    if (no)
        *no = had;
    return RC_OK;
}

/* ---- taken back ---- */

struct place {
    int64_t account, no;
};

static enum rc read_places(struct rows *q, struct buf *out)
{
    while (rows_next(q)) {
        struct place p = { rows_int(q, 0), rows_int(q, 1) };

        buf_add(out, &p, sizeof p);
    }
    return rows_done(q);
}

static enum rc take_back(struct work *w, const struct place *p)
{
    const char *key = number(w, p->no);
    enum rc rc;

    if ((rc = entry_put(w, p->account, "message", key, NULL, NULL, NULL)))
        return rc;
    return entry_put(w, p->account, "seen", key, NULL, NULL, NULL);
}

enum rc inbox_withdraw(struct work *w, const char *group, int most, int *n)
{
    struct buf list = BUF_IN(w->mem);
    const struct place *p;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_inbox_group, &q, "ti", group, (int64_t)most)) ||
        (rc = read_places(&q, &list)))
        return rc;
    p = (const struct place *)(const void *)list.p;
    *n = (int)(list.n / sizeof *p);
    for (int i = 0; i < *n; i++)
        if ((rc = take_back(w, &p[i])) ||
            (rc = db_change(w, SQL_inbox_set_gone, "ii", p[i].account, p[i].no)))
            return rc;
    return RC_OK;
}

/* ---- two accounts become one ---- */

struct moving {
    struct place at;
    const char *group; /* NULL: none */
    int64_t expires;
};

static enum rc list_moving(struct work *w, int64_t from, struct moving **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_inbox_all, &q, "i", from)))
        return rc;
    while (rows_next(&q)) {
        struct moving m = { { from, rows_int(&q, 0) },
                            rows_dup_text(w, &q, 1),
                            rows_int(&q, 2) };

        buf_add(&list, &m, sizeof m);
    }
    *out = (struct moving *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* RC_OK with *out all zero, too, for one that is gone. */
static enum rc find_entry(struct work *w, const struct place *at, const char *type,
                          struct entry *out)
{
    enum rc rc;

    *out = (struct entry){ 0 };
    rc = entry_get(w, at->account, type, number(w, at->no), out);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* What was withdrawn or dropped leaves its group behind, so that it does not come again. */
static enum rc move_one(struct work *w, const struct moving *m, int64_t into)
{
    struct entry message, seen;
    struct citizen before;
    struct place to;
    int64_t had;
    enum rc rc;

    if ((rc = find_group(w, into, m->group, &had)) || had ||
        (rc = find_entry(w, &m->at, "message", &message)) || (!message.value && !m->group) ||
        (rc = find_entry(w, &m->at, "seen", &seen)) || (rc = citizen_get(w, into, &before)))
        return rc;
    to = (struct place){ into, before.seq + 1 };
    if ((rc = entry_put(w, into, "message", number(w, to.no),
                        message.value ? message.value : "{}", message.needs, NULL)) ||
        (rc = db_run(w, SQL_inbox_add, "iiti", into, to.no, m->group, m->expires)))
        return rc;
    if (!message.value)
        return (rc = take_back(w, &to)) ? rc
                                        : db_change(w, SQL_inbox_set_gone, "ii", into, to.no);
    return seen.value ? entry_put(w, into, "seen", number(w, to.no), seen.value, NULL, NULL)
                      : RC_OK;
}

enum rc inbox_move(struct work *w, int64_t from, int64_t into)
{
    struct moving *list;
    enum rc rc;
    int n;

    rc = list_moving(w, from, &list, &n);
    for (int i = 0; i < n && !rc; i++)
        rc = move_one(w, &list[i], into);
    if (rc || (rc = db_run(w, SQL_inbox_drop_entries, "i", from)))
        return rc;
    return db_run(w, SQL_erase_inbox, "i", from);
}

/* ---- over ---- */

static enum rc expire(struct work *w, int *n)
{
    struct buf list = BUF_IN(w->mem);
    const struct place *p;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_inbox_over, &q, "ii", clock_now(), (int64_t)EXPIRE_BATCH)) ||
        (rc = read_places(&q, &list)))
        return rc;
    p = (const struct place *)(const void *)list.p;
    *n = (int)(list.n / sizeof *p);
    for (int i = 0; i < *n; i++)
        if ((rc = take_back(w, &p[i])) ||
            (rc = db_change(w, SQL_inbox_remove, "ii", p[i].account, p[i].no)))
            return rc;
    return RC_OK;
}

void inbox_tick(struct db *db, void *unused)
{
    struct work w;
    enum rc rc;
    int n = 0;

    (void)unused;
    work_init(&w, arena_new(), db, "clock", RIGHT_READ);
    if (!(rc = db_begin(&w)) && ((rc = expire(&w, &n)) || (rc = db_commit(&w))))
        db_rollback(db);
    if (rc)
        LOG(LOG_ERROR, "inbox_failed", L_STR("why", w.err.text));
    else
        work_committed(&w);
    arena_free(w.mem);
}

/* ---- read ---- */

/* False: it is gone. */
static enum rc read_one(struct work *w, int64_t account, int64_t no, struct inbox_message *out,
                        bool *there)
{
    const char *key = number(w, no);
    struct entry e, seen = { 0 };
    json_t *value;
    enum rc rc;

    *there = false;
    if ((rc = entry_get(w, account, "message", key, &e)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (!e.value)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, e.value, strlen(e.value), &value)))
        return rc;
    if ((rc = entry_get(w, account, "seen", key, &seen)) && rc != RC_NOT_FOUND)
        return rc;
    *there = true;
    *out = (struct inbox_message){ .no = no,
                                   .at = jx_int(value, "at", 0),
                                   .kind = jx_text(value, "kind"),
                                   .title = jx_text(value, "title"),
                                   .text = jx_text(value, "text"),
                                   .link = jx_text(value, "link"),
                                   .letter = jx_text(value, "letter"),
                                   .url = jx_text(value, "url"),
                                   .sender = jx_text(value, "sender"),
                                   .seen = seen.value != NULL };
    return RC_OK;
}

enum rc inbox_list(struct work *w, int64_t account, int64_t before, struct inbox_message **out,
                   int *n)
{
    struct buf places = BUF_IN(w->mem), list = BUF_IN(w->mem);
    const struct place *p;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_inbox_page, &q, "iii", account, before ? before : INT64_MAX,
                       (int64_t)INBOX_PAGE)) ||
        (rc = read_places(&q, &places)))
        return rc;
    p = (const struct place *)(const void *)places.p;
    for (size_t i = 0; i < places.n / sizeof *p; i++) {
        struct inbox_message m;
        bool there;

        if ((rc = read_one(w, account, p[i].no, &m, &there)))
            return rc;
        if (there)
            buf_add(&list, &m, sizeof m);
    }
    *out = (struct inbox_message *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

static enum rc need(struct work *w, int64_t account, int64_t no)
{
    struct entry e;
    enum rc rc = entry_get(w, account, "message", number(w, no), &e);

    if (rc == RC_NOT_FOUND || (!rc && !e.value))
        return err_set(&w->err, RC_NOT_FOUND, "there is no such message");
    return rc;
}

enum rc inbox_see(struct work *w, int64_t account, int64_t no)
{
    enum rc rc = need(w, account, no);

    return rc ? rc : entry_put(w, account, "seen", number(w, no), "true", NULL, NULL);
}

enum rc inbox_drop(struct work *w, int64_t account, int64_t no)
{
    enum rc rc = take_back(w, &(struct place){ account, no });

    return rc ? rc : db_run(w, SQL_inbox_set_gone, "ii", account, no);
}
