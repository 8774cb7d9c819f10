/*
 * channel_account.c - rows of channel_account.
 */
#include "server/channel/channel_account.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/channel/wechat_crypt.h"
#include "server/library/field.h"
#include "server/library/org.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/store/db.h"

static const char SECRET[] = "channel_account.secret", GRANT[] = "channel_account.grant_text";

static const struct {
    const char *word, *chinese;
    bool sends;
} kinds[] = {
#define CHANNEL_KIND(word, chinese, sends) { word, chinese, sends },
#include "server/channel/channel_kind.def"
#undef CHANNEL_KIND
};

static const char *const states[][2] = {
    { "filing", "备案中" }, { "active", "在用" }, { "paused", "停更" }, { "closed", "已注销" }
};

static int kind_of(const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].word, word))
            return (int)i;
    return -1;
}

bool channel_kind_sends(const char *kind)
{
    int i = kind_of(kind);

    return i >= 0 && kinds[i].sends;
}

bool channel_is_active(const struct channel_account *a)
{
    return !strcmp(a->state, "active");
}

const char *channel_state_chinese(const char *state)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(states[i][0], state))
            return states[i][1];
    return NULL;
}

/* ---- rows ---- */

static struct channel_account read_row(struct work *w, const struct rows *q)
{
    struct channel_account a = {
        .no = rows_int(q, 0),
        .kind = rows_dup_text(w, q, 1),
        .name = rows_dup_text(w, q, 2),
        .handle = rows_dup_text(w, q, 3),
        .site = rows_int(q, 4),
        .org = rows_int(q, 5),
        .filing = rows_dup_text(w, q, 6),
        .state = rows_dup_text(w, q, 7),
        .domain = rows_dup_text(w, q, 8),
        .scope = rows_dup_text(w, q, 9),
        .replies = rows_dup_text(w, q, 10),
        .published = rows_int(q, 11),
        .changed = rows_int(q, 12),
        .grant_renew = rows_int(q, 15),
        .grant_until = rows_int(q, 16),
        .trouble = rows_dup_text(w, q, 17),
        .trouble_until = rows_int(q, 18),
    };

    a.secret = rows_dup_blob(w, q, 13, &a.secret_n);
    a.grant = rows_dup_blob(w, q, 14, &a.grant_n);
    return a;
}

enum rc channel_account_find(struct work *w, int64_t no, struct channel_account *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_account_one, &q, "i", no);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "没有编号为 %" PRId64 " 的账号", no);
    return rc;
}

enum rc channel_account_list(struct work *w, int64_t after, struct channel_account **out,
                             int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_channel_account_page, &q, "ii", after, (int64_t)CHANNEL_PAGE)))
        return rc;
    while (rows_next(&q)) {
        struct channel_account a = read_row(w, &q);

        buf_add(&list, &a, sizeof a);
    }
    *out = (struct channel_account *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* ---- the register ---- */

static enum rc check_replies(struct work *w, const char *text)
{
    static const struct jx_field members[] = { { "key", JX_TEXT, true, 1, 128 },
                                               { "text", JX_TEXT, false, 1,
                                                 CHANNEL_REPLY_BYTES },
                                               { "q", JX_TEXT, false, 1, 100 },
                                               { 0 } };
    json_t *object, *one;
    size_t i;
    enum rc rc;

    if (!text)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &object)))
        return rc;
    json_array_foreach(json_object_get(object, "replies"), i, one)
    {
        if ((rc = jx_check(&w->err, one, members, "/replies")))
            return rc;
        if (!jx_text(one, "text") == !jx_text(one, "q"))
            return err_field(&w->err, "/replies",
                             "每条自动回复写 text（固定的文字）或 q（检索的词）之一");
        if (jx_text(one, "text") && strlen(jx_text(one, "text")) > CHANNEL_REPLY_BYTES)
            return err_field(&w->err, "/replies", "自动回复的文字最多 %d 字节",
                             CHANNEL_REPLY_BYTES);
    }
    return RC_OK;
}

static bool is_domain(const char *text)
{
    size_t n = strlen(text);

    return n >= 3 && n <= 253 && strchr(text, '.') &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n && text[0] != '.';
}

static enum rc check(struct work *w, const struct channel_account *a)
{
    struct org org;
    enum rc rc;

    if (kind_of(a->kind) < 0)
        return err_field(&w->err, "/kind", "没有这一类平台");
    if (!channel_state_chinese(a->state))
        return err_field(&w->err, "/state", "状态是 filing、active、paused、closed 之一");
    if (strcmp(a->scope, "all") && strcmp(a->scope, "site"))
        return err_field(&w->err, "/scope", "检索的范围是 all 或 site");
    if ((rc = field_check_line(&w->err, "/name", a->name, strlen(a->name), 1,
                               CHANNEL_NAME_MAX)) ||
        (rc = field_check_line(&w->err, "/handle", a->handle, strlen(a->handle), 1,
                               CHANNEL_HANDLE_MAX)))
        return rc;
    if (a->filing &&
        (rc = field_check_line(&w->err, "/filing", a->filing, strlen(a->filing), 1, 64)))
        return rc;
    if (a->domain && !is_domain(a->domain))
        return err_field(&w->err, "/domain", "安全域名是小写的域名，如 www.tj.gov.cn");
    if (a->org && (rc = org_by_no(w, a->org, &org)))
        return rc;
    return check_replies(w, a->replies);
}

enum rc channel_account_create(struct work *w, struct channel_account *in)
{
    struct rows q;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_PUBLISH, in->site)) || (rc = check(w, in)))
        return rc;
    rc = db_one(w, SQL_channel_account_add, &q,
                "tttiitttt"
                "ti",
                in->kind, in->name, in->handle, in->site, in->org, in->filing, in->state,
                in->domain, in->scope, in->replies, clock_now());
    if (!rc)
        in->no = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) == RC_CONFLICT)
        return err_set(&w->err, rc, "这个账号已经登记过了");
    return rc;
}

enum rc channel_account_edit(struct work *w, const struct channel_account *in)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_PUBLISH, in->site)) || (rc = check(w, in)))
        return rc;
    return db_change(w, SQL_channel_account_set, "itittttti", in->no, in->name, in->org,
                     in->filing, in->state, in->domain, in->scope, in->replies, clock_now());
}

/* ---- credentials ---- */

enum rc channel_credentials_check(struct err *e, const char *kind,
                                  const struct channel_credentials *c)
{
    uint8_t key[WECHAT_KEY];

    if (!strcmp(kind, "weibo"))
        return c->secret && c->token && c->address && !c->key
                   ? RC_OK
                   : err_set(e, RC_INVALID,
                             "微博账号的凭证要有 secret、token 和 address（服务器的公网地址）");
    if (!c->secret || !c->token || c->address)
        return err_set(e, RC_INVALID,
                       "公众号的凭证要有 secret（AppSecret）、token（令牌），安全模式还有 key");
    if (strlen(c->token) < 3 || strlen(c->token) > 32)
        return err_field(e, "/token", "token 有 3 至 32 个字符");
    return c->key && !wechat_key(c->key, key)
               ? err_field(e, "/key", "key（EncodingAESKey）是 43 个字母和数字")
               : RC_OK;
}

static const struct jx_field credential_members[] = { { "secret", JX_TEXT, true, 1, 128 },
                                                      { "token", JX_TEXT, true, 1, 512 },
                                                      { "key", JX_TEXT, false, 43, 43 },
                                                      { "address", JX_TEXT, false, 2, 45 },
                                                      { 0 } };

static struct channel_credentials credentials_in(const json_t *in)
{
    return (struct channel_credentials){ .secret = jx_text(in, "secret"),
                                         .token = jx_text(in, "token"),
                                         .key = jx_text(in, "key"),
                                         .address = jx_text(in, "address") };
}

enum rc channel_credentials_set(struct work *w, int64_t no, const json_t *in)
{
    struct buf text = BUF_IN(w->mem);
    struct channel_credentials c;
    struct channel_account a;
    uint8_t *sealed;
    size_t n;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_OPERATE)) || (rc = channel_account_find(w, no, &a)))
        return rc;
    if (!channel_kind_sends(a.kind))
        return err_set(&w->err, RC_CONFLICT, "这一类账号只登记，不由本平台发布，不需要凭证");
    if ((rc = jx_check(&w->err, in, credential_members, "")))
        return rc;
    c = credentials_in(in);
    if ((rc = channel_credentials_check(&w->err, a.kind, &c)))
        return rc;
    jx_canonical(&text, in);
    rc = seal_close(w, (struct seal_place){ SECRET, no }, text.p, text.n, &sealed, &n);
    secret_wipe(text.p, text.n);
    return rc ? rc
              : db_change(w, SQL_channel_account_secret, "ibi", no, sealed, n, clock_now());
}

enum rc channel_credentials(struct work *w, const struct channel_account *a,
                            struct channel_credentials *out)
{
    json_t *in;
    char *text;
    size_t n;
    enum rc rc;

    if (!a->secret)
        return err_set(&w->err, RC_CONFLICT, "账号“%s”还没有凭证：tjzw channel credentials",
                       a->name);
    if ((rc = seal_open(w, (struct seal_place){ SECRET, a->no }, a->secret, a->secret_n, &text,
                        &n)) ||
        (rc = jx_object(&w->err, w->mem, text, n, &in)))
        return rc;
    *out = credentials_in(in);
    return RC_OK;
}

/* ---- what requests are made with ---- */

enum rc channel_grant(struct work *w, const struct channel_account *a, int64_t now,
                      const char **out)
{
    char *text = NULL;
    size_t n;
    enum rc rc = RC_OK;

    if (a->grant && now < a->grant_until)
        rc = seal_open(w, (struct seal_place){ GRANT, a->no }, a->grant, a->grant_n, &text, &n);
    *out = text;
    return rc;
}

enum rc channel_grant_set(struct work *w, int64_t no, const char *text, int64_t renew,
                          int64_t until)
{
    uint8_t *sealed;
    size_t n;
    enum rc rc =
        seal_close(w, (struct seal_place){ GRANT, no }, text, strlen(text), &sealed, &n);

    return rc ? rc
              : db_change(w, SQL_channel_account_grant, "ibii", no, sealed, n, renew, until);
}

enum rc channel_grant_refuse(struct work *w, int64_t no, int64_t at)
{
    return db_change(w, SQL_channel_account_refuse, "ii", no, at);
}

enum rc channel_trouble(struct work *w, int64_t no, const char *why, int64_t until)
{
    return db_change(w, SQL_channel_account_trouble, "iti", no, why, until);
}

/* ---- answers that are set ---- */

bool channel_reply(struct work *w, const struct channel_account *a, const char *key,
                   const char **text, const char **q)
{
    struct err ignored;
    json_t *object, *one;
    size_t i;

    *text = *q = NULL;
    if (!a->replies || jx_object(&ignored, w->mem, a->replies, strlen(a->replies), &object))
        return false;
    json_array_foreach(json_object_get(object, "replies"), i,
                       one) if (!strcmp(jx_text(one, "key"), key))
    {
        *text = jx_text(one, "text");
        *q = jx_text(one, "q");
        return true;
    }
    return false;
}
