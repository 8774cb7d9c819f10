/*
 * notice.c - sending one, and how it stands.
 */
#include "push/notice.h"

#include <inttypes.h>
#include <string.h>

#include "push/campaign_fit.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/citizen/inbox.h"
#include "server/identity/account.h"
#include "server/identity/consent.h"
#include "server/identity/grant_scope.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_table.h"
#include "server/library/row.h"

/* ---- rows ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct notice *n)
{
    *n = (struct notice){ .no = rows_int(q, 0),
                          .party = rows_int(q, 2),
                          .account = rows_int(q, 3),
                          .ref = rows_dup_text(w, q, 4),
                          .at = rows_int(q, 5),
                          .fate = (enum notice_fate)rows_int(q, 6),
                          .silent = rows_int(q, 7) != 0,
                          .name = rows_dup_text(w, q, 8),
                          .ttl = rows_int(q, 9) };
    return row_bytes(w, q, 1, n->id.b, sizeof n->id.b);
}

static enum rc not_here(struct work *w)
{
    return err_set(&w->err, RC_NOT_FOUND, "没有这条通知");
}

enum rc notice_find(struct work *w, const struct id *id, struct notice *out)
{
    struct notice n;
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_one, &q, "b", id->b, sizeof id->b);

    if (!rc)
        rc = read_row(w, &q, &n);
    if ((rc = row_finish(&q, rc)))
        return rc == RC_NOT_FOUND ? not_here(w) : rc;
    if ((rc = notice_may(w, n.party)))
        return w->who.key ? not_here(w) : rc;
    *out = n;
    return RC_OK;
}

/* Of the message in the inbox: at most one an account and number. */
static const char *group_of(struct work *w, int64_t party, const char *ref)
{
    return arena_printf(w->mem, "notice/%" PRId64 "/%s", party, ref);
}

/* What the order says, without saying it: a repeated one is told from another under its number. */
static void said(struct work *w, const struct notice_order *o, uint8_t hash[HASH_BYTES])
{
    struct buf text = BUF_IN(w->mem);

    buf_addc(&text, '{');
    jx_put_text(&text, "template", o->template);
    jx_put_text(&text, "to", o->to);
    if (o->values) {
        jx_key(&text, "values");
        jx_canonical(&text, o->values);
    }
    buf_addc(&text, '}');
    seal_index("notice", text.p, text.n, hash);
}

/* RC_NOT_FOUND: the number is new. */
static enum rc find_before(struct work *w, int64_t party, const char *ref,
                           const uint8_t hash[HASH_BYTES], struct notice *out)
{
    uint8_t before[HASH_BYTES];
    struct notice n;
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_by_ref, &q, "it", party, ref);

    if (!rc && !(rc = read_row(w, &q, &n)))
        rc = row_bytes(w, &q, 10, before, sizeof before);
    if ((rc = row_finish(&q, rc)))
        return rc;
    if (memcmp(before, hash, HASH_BYTES))
        return err_set(&w->err, RC_CONFLICT, "这个编号（id）已用于另一条通知，请换一个");
    *out = n;
    return RC_OK;
}

/* ---- whom ---- */

static bool ref_ok(const char *ref)
{
    static const char set[] =
        "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t n = strlen(ref);

    return n && n <= NOTICE_REF_MAX && strspn(ref, set) == n;
}

static enum rc find_account(struct work *w, int64_t party, const char *sub, struct account *out)
{
    int64_t id;
    enum rc rc = consent_of_subject(w, party, sub, SCOPE_notice, &id);

    if (!rc)
        rc = account_by_id(w, id, out);
    if (rc == RC_NOT_FOUND || (!rc && out->state != ACCOUNT_OPEN))
        return err_set(&w->err, RC_NOT_FOUND,
                       "没有这个收件人，或者他没有同意（或不再同意）接收贵方的通知");
    return rc;
}

/* Whether an entry `consent` says no. */
static enum rc refuses(struct work *w, int64_t account, const char *key, bool *out)
{
    struct entry e;
    enum rc rc = entry_get(w, account, "consent", key, &e);

    *out = !rc && e.value && !strcmp(e.value, "false");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static const char *refusal_of(struct work *w, int64_t party, const struct notice_words *t)
{
    return arena_printf(w->mem, "notice/%" PRId64 "/%s", party, t->group);
}

/* ---- sending ---- */

struct sending {
    const struct party *party;
    const struct notice_order *order;
    struct account to;
    struct notice_template template;
    struct notice_words words;
    struct notice_filled filled;
    uint8_t said[HASH_BYTES];
};

static enum rc prepare(struct work *w, struct sending *s)
{
    json_t *words;
    enum rc rc;

    if ((rc = notice_template_live(w, s->party->no, s->order->template, &s->template)) ||
        (rc = find_account(w, s->party->no, s->order->to, &s->to)) ||
        (rc = party_may_reach(w, s->to.id)) ||
        (rc = jx_object(&w->err, w->mem, s->template.words, strlen(s->template.words),
                        &words)) ||
        (rc = notice_words_read(w, words, &s->words)))
        return rc;
    return notice_words_fill(w, &s->words, s->order->values, &s->filled);
}

static enum rc insert(struct work *w, const struct sending *s, struct notice *n)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_add, &q, "biiitbiii", n->id.b, sizeof n->id.b, n->party,
                        n->account, s->template.no, n->ref, s->said, sizeof s->said, n->at,
                        (int64_t)n->fate, n->ttl);

    if (!rc)
        n->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

static enum rc put_message(struct work *w, const struct sending *s, const struct notice *n)
{
    struct message m = { .kind = "notice",
                         .group = group_of(w, n->party, n->ref),
                         .title = s->filled.title,
                         .text = s->filled.text,
                         .url = s->filled.link,
                         .item = s->words.has_item ? &s->words.item : NULL,
                         .sender = s->party->name,
                         .optout =
                             s->words.mandatory ? NULL : refusal_of(w, n->party, &s->words),
                         .expires = n->at + s->words.days * 86400 };

    return inbox_put(w, n->account, &m, NULL);
}

static unsigned transports_on(void)
{
    unsigned on = 0;

    for (int by = 1; by < TRANSPORT_COUNT; by++)
        on |= campaign_is_on((enum transport)by) ? 1U << by : 0;
    return on;
}

/* The class is refused as a whole: then no phone rings, and the inbox has it. */
static enum rc ring(struct work *w, struct notice *n)
{
    int64_t ends_ms = (n->at + n->ttl) * 1000;
    int devices = 0;
    enum rc rc;

    if ((rc = refuses(w, n->account, "push/class/service", &n->silent)))
        return rc;
    if (!n->silent && (rc = run_begin_for(w, RUN_NOTICES + n->no, n->account, PUSH_SERVICE,
                                          ends_ms, transports_on(), &devices)))
        return rc;
    n->silent = !devices;
    return n->silent ? db_change(w, SQL_notice_silent, "i", n->no) : RC_OK;
}

static enum rc send_new(struct work *w, const struct sending *s, struct notice *n)
{
    bool declined = false;
    enum rc rc;

    if (!s->words.mandatory &&
        (rc = refuses(w, s->to.id, refusal_of(w, s->party->no, &s->words), &declined)))
        return rc;
    *n = (struct notice){ .id = id_new(),
                          .party = s->party->no,
                          .account = s->to.id,
                          .at = clock_now(),
                          .ttl = s->words.ttl,
                          .ref = s->order->ref,
                          .name = s->template.name,
                          .fate = declined ? NOTICE_DECLINED : NOTICE_SENT,
                          .silent = declined };
    if ((rc = insert(w, s, n)) || declined)
        return rc;
    if ((rc = put_message(w, s, n)))
        return rc;
    return ring(w, n);
}

enum rc notice_send(struct work *w, const struct party *p, const struct notice_order *o,
                    struct notice *out, bool *is_new)
{
    struct sending s = { .party = p, .order = o };
    enum rc rc;

    if (!ref_ok(o->ref))
        return err_field(&w->err, "/id", "id 是字母、数字和 . _ -，最多 %d 个", NOTICE_REF_MAX);
    said(w, o, s.said);
    *is_new = false;
    rc = find_before(w, p->no, o->ref, s.said, out);
    if (rc != RC_NOT_FOUND)
        return rc;
    *is_new = true;
    rc = prepare(w, &s);
    return rc ? rc : send_new(w, &s, out);
}

/* ---- how it stands ---- */

/* The message in the account's inbox. RC_NOT_FOUND: it is there no more. */
static enum rc find_message(struct work *w, const struct notice *n, json_t **value)
{
    struct account a;
    struct entry e;
    struct rows q;
    int64_t no = 0;
    enum rc rc;

    if ((rc = account_by_id(w, n->account, &a)))
        return rc;
    rc = db_one(w, SQL_inbox_of_group, &q, "ti", group_of(w, n->party, n->ref), a.id);
    if (!rc)
        no = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) ||
        (rc = entry_get(w, a.id, "message", arena_printf(w->mem, "%" PRId64, no), &e)))
        return rc;
    return e.value ? jx_object(&w->err, w->mem, e.value, strlen(e.value), value) : RC_NOT_FOUND;
}

enum rc notice_status(struct work *w, const struct notice *n, struct notice_status *out)
{
    json_t *value;
    enum rc rc;

    *out = (struct notice_status){ 0 };
    if (n->fate == NOTICE_DECLINED)
        return RC_OK;
    rc = find_message(w, n, &value);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    out->there = !rc;
    if (n->silent)
        return RC_OK;
    rc = run_count(w, RUN_NOTICES + n->no, &out->on);
    out->rang = !rc;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- for the thread of push ---- */

static enum rc find_by_number(struct work *w, int64_t no, struct notice *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_by_no, &q, "i", no);

    if (!rc)
        rc = read_row(w, &q, out);
    return row_finish(&q, rc);
}

/* All of it is in the inbox. */
static const char *text_of(struct work *w, const json_t *value, int most)
{
    const char *text = jx_text(value, "text"), *sender = jx_text(value, "sender");
    const char *tail = arena_printf(w->mem, "—%s%s", sender ? sender : "",
                                    jx_text(value, "optout") ? "·退订：设置→推送" : "");
    int room = most;

    for (const char *s = tail; *s && most; s++)
        room -= (*s & 0xc0) != 0x80;
    text = text ? text : "";
    if (most)
        text = room > 0 ? campaign_cut(w, text, room) : "";
    return arena_printf(w->mem, "%s%s", text, most && room < 0 ? "" : tail);
}

enum rc notice_said(struct work *w, int64_t run, enum transport by, struct campaign_said *out)
{
    struct push_limit l = push_limit(by, PUSH_SERVICE, push_limit_day(clock_now()));
    const char *title, *text, *url;
    struct notice n;
    json_t *value;
    enum rc rc;

    if ((rc = find_by_number(w, run_campaign(run), &n)) || (rc = find_message(w, &n, &value)))
        return rc;
    title = jx_text(value, "title");
    text = jx_text(value, "text");
    url = jx_text(value, "url");
    *out = (struct campaign_said){ .class = PUSH_SERVICE,
                                   .ttl = n.ttl,
                                   .ends_ms = (n.at + n.ttl) * 1000,
                                   .shown = { .title = l.title ? campaign_cut(w, title, l.title)
                                                               : title,
                                              .text = text_of(w, value, l.text),
                                              .link = url ? url : "",
                                              .picture = "",
                                              .bare = text ? text : "",
                                              .sender = jx_text(value, "sender") } };
    campaign_shown_at(w, &out->shown, by, PUSH_SERVICE, push_limit_day(clock_now()));
    return RC_OK;
}
