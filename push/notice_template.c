/*
 * notice_template.c - rows of notice_template, and what staff do with them.
 */
#include "push/notice_template.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/url.h"
#include "server/identity/party_table.h"
#include "server/library/field.h"
#include "server/library/row.h"
#include "server/library/site.h"

static const char *const states[][2] = {
    { "submitted", "待批准" },  { "returned", "已退回" }, { "approved", "已批准" },
    { "replaced", "已有新版" }, { "retired", "已停用" },
};

const char *notice_state_chinese(const char *state)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(states[i][0], state))
            return states[i][1];
    return NULL;
}

/* They are of no site. Who has the right at some sites is told what he lacks. */
static enum rc need_everywhere(struct work *w, unsigned rights)
{
    enum rc rc = work_need_at(w, rights, EVERYWHERE);

    return rc == RC_FORBIDDEN && actor_has(&w->who, rights)
               ? err_set(&w->err, rc, "通知模板不属于哪一个网站：要有全平台的推送权限")
               : rc;
}

enum rc notice_may(struct work *w, int64_t party)
{
    if (w->who.key)
        return w->who.party == party && actor_has(&w->who, RIGHT_NOTICE)
                   ? RC_OK
                   : err_set(&w->err, RC_FORBIDDEN, "一个程序只能用它自己的通知模板");
    return need_everywhere(w, RIGHT_PUSH | RIGHT_PUSH_APPROVE);
}

/* ---- rows ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct notice_template *t)
{
    *t = (struct notice_template){ .no = rows_int(q, 0),
                                   .party = rows_int(q, 1),
                                   .name = rows_dup_text(w, q, 2),
                                   .words = rows_dup_text(w, q, 3),
                                   .state = rows_dup_text(w, q, 5),
                                   .author = rows_dup_text(w, q, 6),
                                   .approver = rows_dup_text(w, q, 7),
                                   .why = rows_dup_text(w, q, 8),
                                   .changed = rows_int(q, 9) };
    return row_bytes(w, q, 4, t->hash, sizeof t->hash);
}

enum rc notice_template_find(struct work *w, int64_t no, struct notice_template *out)
{
    struct notice_template t;
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_template_one, &q, "i", no);

    if (!rc)
        rc = read_row(w, &q, &t);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_NOT_FOUND, "没有编号为 %" PRId64 " 的通知模板", no);
    if (!rc)
        *out = t;
    return rc;
}

/* The newest of that name in a state, "" for any. RC_NOT_FOUND. */
static enum rc find_by_name(struct work *w, int64_t party, const char *name, const char *state,
                            struct notice_template *out)
{
    struct notice_template t;
    struct rows q;
    enum rc rc = db_one(w, SQL_notice_template_named, &q, "itt", party, name, state);

    if (!rc)
        rc = read_row(w, &q, &t);
    if (!(rc = row_finish(&q, rc)))
        *out = t;
    return rc;
}

enum rc notice_template_live(struct work *w, int64_t party, const char *name,
                             struct notice_template *out)
{
    struct notice_template any;
    enum rc rc = find_by_name(w, party, name, "approved", out);

    if (rc != RC_NOT_FOUND)
        return rc;
    rc = find_by_name(w, party, name, "", &any);
    if (rc == RC_NOT_FOUND)
        return err_field(&w->err, "/template", "没有这个名称的通知模板");
    return rc ? rc
              : err_set(&w->err, RC_CONFLICT, "这个通知模板%s，不能用来发送",
                        strcmp(any.state, "submitted") ? notice_state_chinese(any.state)
                                                       : "还没有批准");
}

enum rc notice_template_list(struct work *w, const struct notice_template_query *in,
                             struct notice_template **out, int *n)
{
    int64_t before = in->before ? in->before : INT64_MAX;
    struct buf list = BUF_IN(w->mem);
    struct notice_template t;
    struct rows q;
    enum rc rc;

    rc = in->party ? db_query(w, SQL_notice_template_list_party, &q, "itii", before, in->state,
                              (int64_t)NOTICE_TEMPLATE_PAGE, in->party)
                   : db_query(w, SQL_notice_template_list, &q, "iti", before, in->state,
                              (int64_t)NOTICE_TEMPLATE_PAGE);
    if (rc)
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = read_row(w, &q, &t)))
            buf_add(&list, &t, sizeof t);
    rc = row_finish(&q, rc);
    *out = (struct notice_template *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc;
}

/* ---- drafting ---- */

static bool is_address(const char *address, const char *host)
{
    size_t n, want = strlen(host);
    const char *at = url_host(address, &n);

    return n >= want && !memcmp(at, host, want) && (n == want || at[want] == ':');
}

static enum rc is_site(struct work *w, const char *host, bool *yes)
{
    struct site *sites;
    enum rc rc;
    int n;

    *yes = false;
    if ((rc = site_list(w, EVERYWHERE, &sites, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        *yes = *yes || (sites[i].open && sites[i].domain && !strcmp(sites[i].domain, host));
    return RC_OK;
}

/* A link leads to who sends it, or to us: to nobody else, whatever stands in the rest of it. */
static enum rc check_host(struct work *w, const struct party *p, const struct notice_words *t)
{
    const char *host = notice_words_host(w, t);
    bool bound = !host;
    enum rc rc;

    for (int i = 0; i < p->client.nredirects && !bound; i++)
        bound = is_address(p->client.redirects[i], host);
    for (int i = 0; i < p->client.nlogouts && !bound; i++)
        bound = is_address(p->client.logouts[i], host);
    if (!bound && (rc = is_site(w, host, &bound)))
        return rc;
    return bound ? RC_OK
                 : err_field(&w->err, "/link",
                             "链接的域名既不在这个第三方登记的地址里，也不是本平台站点的域名");
}

static enum rc make_hash(struct work *w, struct notice_template *t)
{
    struct buf text = BUF_IN(w->mem);

    buf_addc(&text, '{');
    jx_put_text(&text, "name", t->name);
    jx_put_int(&text, "party", t->party);
    jx_key(&text, "words");
    buf_adds(&text, t->words);
    buf_addc(&text, '}');
    if (crypto_generichash(t->hash, sizeof t->hash, (const uint8_t *)text.p, text.n, NULL, 0))
        return err_set(&w->err, RC_INTERNAL, "a template's hash cannot be made");
    return RC_OK;
}

static enum rc check_number(struct work *w, int64_t party)
{
    struct rows q;
    int64_t n = 0;
    enum rc rc = db_one(w, SQL_notice_template_count, &q, "i", party);

    if (!rc)
        n = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) || n < NOTICE_TEMPLATES_MAX)
        return rc;
    return err_set(&w->err, RC_CONFLICT, "通知模板已有 %d 个，请先停用一些",
                   NOTICE_TEMPLATES_MAX);
}

static enum rc insert(struct work *w, struct notice_template *t)
{
    struct rows q;
    enum rc rc;

    if ((rc = check_number(w, t->party)))
        return rc;
    rc = db_one(w, SQL_notice_template_add, &q, "ittbti", t->party, t->name, t->words, t->hash,
                sizeof t->hash, t->author, t->changed);
    if (!rc)
        t->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc notice_template_draft(struct work *w, const struct party *p, const char *name,
                              json_t *words, struct notice_template *out)
{
    struct notice_template t = { .party = p->no,
                                 .name = name,
                                 .state = "submitted",
                                 .author = arena_strdup(w->mem, w->who.name),
                                 .changed = clock_now() },
                           before;
    struct buf text = BUF_IN(w->mem);
    struct notice_words read;
    enum rc rc;

    if ((rc = notice_may(w, p->no)))
        return rc;
    if (!notice_word_ok(name))
        return err_field(&w->err, "/name", "模板的名称是小写字母、数字、- 和 _，最多 %d 个",
                         NOTICE_WORD_MAX);
    if ((rc = notice_words_read(w, words, &read)) || (rc = check_host(w, p, &read)))
        return rc;
    jx_canonical(&text, words);
    t.words = text.p;
    if ((rc = make_hash(w, &t)))
        return rc;
    rc = find_by_name(w, p->no, name, "submitted", &before);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (!rc) {
        t.no = before.no;
        rc = db_change(w, SQL_notice_template_rewrite, "itbti", t.no, t.words, t.hash,
                       sizeof t.hash, t.author, t.changed);
    } else {
        rc = insert(w, &t);
    }
    if (!rc)
        *out = t;
    return rc;
}

/* ---- steps ---- */

static enum rc set_state(struct work *w, struct notice_template *t, const char *to,
                         const char *approver, const char *why)
{
    enum rc rc = db_change(w, SQL_notice_template_state, "itttti", t->no, t->state, to,
                           approver, why, clock_now());

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "这个通知模板已经是另一个状态");
    t->state = to;
    t->approver = approver;
    t->why = why;
    t->changed = clock_now();
    return rc;
}

static enum rc need_submitted(struct work *w, int64_t no, struct notice_template *t)
{
    enum rc rc;

    if ((rc = need_everywhere(w, RIGHT_PUSH_APPROVE)) || (rc = notice_template_find(w, no, t)))
        return rc;
    if (w->who.key)
        return err_set(&w->err, RC_FORBIDDEN, "通知模板由工作人员批准，程序不能批准");
    if (strcmp(t->state, "submitted"))
        return err_set(&w->err, RC_CONFLICT, "这个通知模板%s，不在等待批准",
                       notice_state_chinese(t->state));
    return RC_OK;
}

/* Nobody approves what he wrote himself, or what his own program did. */
static enum rc need_other(struct work *w, const struct notice_template *t)
{
    int64_t person = actor_person(&w->who);
    struct party p;

    if (!strcmp(t->author, w->who.name))
        return err_set(&w->err, RC_FORBIDDEN, "自己起草的通知模板要由别人批准");
    if (party_table_find(w->mem, t->party, NULL, &p) && p.owner &&
        (p.owner == person || p.owner == w->who.account))
        return err_set(&w->err, RC_FORBIDDEN, "自己的第三方应用的通知模板要由别人批准");
    return RC_OK;
}

/* What was approved before makes room. */
static enum rc replace_others(struct work *w, const struct notice_template *t)
{
    return db_run(w, SQL_notice_template_replace, "itii", t->party, t->name, t->no,
                  clock_now());
}

static enum rc check_again(struct work *w, const struct notice_template *t)
{
    struct notice_words words;
    struct party p;
    json_t *value;
    enum rc rc;

    if (!party_table_find(w->mem, t->party, NULL, &p))
        return err_set(&w->err, RC_CONFLICT, "这个第三方已经不在");
    if ((rc = jx_object(&w->err, w->mem, t->words, strlen(t->words), &value)) ||
        (rc = notice_words_read(w, value, &words)))
        return rc;
    return check_host(w, &p, &words);
}

enum rc notice_template_approve(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                                struct notice_template *out)
{
    struct notice_template t;
    enum rc rc;

    if ((rc = need_submitted(w, no, &t)) || (rc = need_other(w, &t)))
        return rc;
    if (memcmp(hash, t.hash, sizeof t.hash))
        return err_set(&w->err, RC_CONFLICT,
                       "这个通知模板改过了，不是您看过的那一稿：请再看一遍");
    if ((rc = check_again(w, &t)) || (rc = replace_others(w, &t)) ||
        (rc = set_state(w, &t, "approved", arena_strdup(w->mem, w->who.name), NULL)))
        return rc;
    *out = t;
    return RC_OK;
}

static enum rc check_why(struct work *w, const char *why)
{
    return field_check_text(&w->err, "text", why ? why : "", why ? strlen(why) : 0, 1,
                            NOTICE_WHY_MAX)
               ? err_field(&w->err, "/text", "请写明理由，最多 %d 个字", NOTICE_WHY_MAX)
               : RC_OK;
}

enum rc notice_template_return(struct work *w, int64_t no, const char *why,
                               struct notice_template *out)
{
    enum rc rc;

    if ((rc = need_submitted(w, no, out)) || (rc = check_why(w, why)))
        return rc;
    return set_state(w, out, "returned", arena_strdup(w->mem, w->who.name), why);
}

enum rc notice_template_retire(struct work *w, int64_t no, const char *why,
                               struct notice_template *out)
{
    enum rc rc;

    if ((rc = notice_template_find(w, no, out)) || (rc = notice_may(w, out->party)) ||
        (rc = check_why(w, why)))
        return rc;
    if (strcmp(out->state, "approved") && strcmp(out->state, "submitted"))
        return err_set(&w->err, RC_CONFLICT, "这个通知模板%s",
                       notice_state_chinese(out->state));
    return set_state(w, out, "retired", out->approver, why);
}
