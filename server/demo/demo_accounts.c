/*
 * demo_accounts.c - two tables of people, made in one transaction.
 */
#include "server/demo/demo_accounts.h"

#include <inttypes.h>
#include <string.h>

#include "push/campaign_step.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/factor.h"
#include "server/identity/identifier.h"
#include "server/identity/password.h"
#include "server/identity/role.h"
#include "server/library/item.h"
#include "server/library/site.h"
#include "server/store/writer.h"

static const struct {
    const char *phone, *name;
    bool district; /* acts for the district */
} citizens[] = {
    { "13800000001", "示例市民", false },
    { "13800000002", "示例长者", false },
    { "13800000003", "示例区经办人", true },
};

static const char district[] = "示例区政务服务办公室";

/* The demo's one site; the administrators are the whole server's. */
static const char site_code[] = "9900000001";
static const struct {
    const char *login, *name, *role;
    bool everywhere;
} staff[] = {
    { "demo.system", "示例系统管理员", "system", true },
    { "demo.security", "示例安全管理员", "security", true },
    { "demo.auditor", "示例审计管理员", "auditor", true },
    { "demo.site", "示例站点管理员", "site_admin", false },
    { "demo.editor", "示例编辑", "editor", false },
    { "demo.review1", "示例初审", "reviewer_1", false },
    { "demo.review2", "示例复审", "reviewer_2", false },
    { "demo.review3", "示例终审", "reviewer_3", false },
    { "demo.publisher", "示例发布员", "publisher", false },
    { "demo.letters", "示例信件员", "letter_clerk", false },
    { "demo.push", "示例推送员", "push_operator", false },
    { "demo.approver1", "示例推送审批员甲", "push_approver", false },
    { "demo.approver2", "示例推送审批员乙", "push_approver", false },
};

enum { PASSWORD = 14 };

struct demo {
    const char *path;
    char password[PASSWORD + 1], hash[PASSWORD_HASH];
    struct buf text;
};

static enum rc make(struct work *w, enum account_kind kind, const char *name, const char *by,
                    const char *value, struct account *out)
{
    const struct account_new new = { kind, 1, name };
    char normal[IDENTIFIER_TEXT];
    enum rc rc;

    if ((rc = account_make(w, &new, out)))
        return rc;
    if (!by)
        return RC_OK;
    if ((rc = identifier_normal(&w->err, by, value, normal)))
        return rc;
    return identifier_add(w, out->id, by, normal);
}

static enum rc make_citizens(struct work *w, struct demo *d)
{
    enum { YEAR = 366 * 86400 };
    struct account office, person;
    enum rc rc;

    if ((rc = make(w, ACCOUNT_ORGANISATION, district, NULL, NULL, &office)))
        return rc;
    for (size_t i = 0; i < sizeof citizens / sizeof *citizens; i++) {
        if ((rc = make(w, ACCOUNT_CITIZEN, citizens[i].name, "phone", citizens[i].phone,
                       &person)))
            return rc;
        if (citizens[i].district &&
            (rc = acting_give(w, person.id, office.id, clock_now() + YEAR)))
            return rc;
        buf_printf(&d->text, "  市民      手机号 %s　%s%s%s\n", citizens[i].phone,
                   citizens[i].name, citizens[i].district ? "，可以代表" : "",
                   citizens[i].district ? district : "");
    }
    buf_adds(&d->text,
             "            用短信验证码登录；演示时短信不发出去，验证码在这个终端的日志里\n");
    return RC_OK;
}

static enum rc add_app(struct work *w, struct demo *d, int64_t account)
{
    struct factor_new n = { .slip = slip_new(SLIP_FACTOR, FACTOR_TOTP, account),
                            .name = "示例验证器",
                            .step = -1 };
    uint8_t secret[TOTP_SECRET];
    char text[TOTP_BASE32];
    int64_t no;

    factor_secret(&n.slip, secret);
    totp_base32(secret, text);
    buf_printf(&d->text, "　密钥 %s\n", text);
    secret_wipe(secret, sizeof secret);
    return factor_add(w, account, &n, &no);
}

static enum rc make_staff(struct work *w, struct demo *d)
{
    struct account person;
    struct site site;
    enum rc rc;

    if ((rc = site_find(w, site_code, &site)))
        return rc;
    buf_printf(&d->text,
               "  工作人员  密码都是 %s，再加验证器应用里的 6 位数字\n            "
               "（把密钥输进应用，或运行 "
               "oathtool -b --totp 密钥）\n",
               d->password);
    for (size_t i = 0; i < sizeof staff / sizeof *staff; i++) {
        if ((rc = make(w, ACCOUNT_STAFF, staff[i].name, "login", staff[i].login, &person)) ||
            (rc = account_set_password(w, person.id, d->hash)) ||
            (rc = role_grant(w, person.id, role_find(staff[i].role),
                             staff[i].everywhere ? EVERYWHERE : site.no)))
            return rc;
        buf_printf(&d->text, "            %-14s %s", staff[i].login, staff[i].name);
        if ((rc = add_app(w, d, person.id)))
            return rc;
    }
    return RC_OK;
}

/* A draft about the newest item that may be pushed: news needs a licence that a demo has not, and a warning is nobody's to push. Sent to nobody: no transport is on. */
static enum rc make_campaign(struct work *w, struct demo *d)
{
    struct item_query all = { .by = LIST_ALL, .limit = ITEM_PAGE_MAX };
    struct campaign c = { .class = PUSH_MARKETING,
                          .title = "示例推送",
                          .text = "示例：这条推送还是草稿，没有发给任何人。",
                          .audience = "{\"all\":true}" };
    struct item_page page;
    enum rc rc;

    if ((rc = item_list(w, &all, &page)))
        return rc;
    rc = RC_INVALID;
    for (int i = 0; i < page.n && (rc == RC_INVALID || rc == RC_FORBIDDEN); i++) {
        c.item = page.items[i].id;
        rc = campaign_create(w, &c, &c);
    }
    if (!rc)
        buf_printf(&d->text,
                   "  推送      第 %" PRId64
                   " 号是一条示例草稿：tjzw push show --data DIR %" PRId64
                   "，预计用 tjzw push plan\n",
                   c.no, c.no);
    return rc == RC_INVALID ? RC_OK : rc;
}

static enum rc make_all(struct work *w, void *arg)
{
    struct demo *d = arg;
    int64_t there;
    enum rc rc = identifier_owner(w, "login", staff[0].login, &there);

    if (rc != RC_NOT_FOUND)
        return rc;
    d->text = BUF_IN(w->mem);
    if ((rc = make_citizens(w, d)) || (rc = make_staff(w, d)) || (rc = make_campaign(w, d)))
        return rc;
    return fs_write(&w->err, d->path, d->text.p, d->text.n, 0600);
}

/* "abcd-efgh-jkmn": nothing that looks like something else. */
static void make_password(char out[PASSWORD + 1])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    uint8_t chance[PASSWORD];

    secret_random(chance, sizeof chance);
    for (int i = 0; i < PASSWORD; i++)
        out[i] = i % 5 == 4 ? '-' : letters[chance[i] % (sizeof letters - 1)];
    out[PASSWORD] = '\0';
}

enum rc demo_accounts_make(struct err *e, const char *data)
{
    struct arena *mem = arena_new();
    struct demo d = { .path = arena_printf(mem, "%s/" DEMO_ACCOUNTS, data) };
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "demo", RIGHT_ALL);
    w.who = actor_operator;
    make_password(d.password);
    if ((rc = password_hash(&w.err, d.password, d.hash)) ||
        (rc = writer_call(&w, make_all, &d)))
        *e = w.err;
    secret_wipe(&d, sizeof d);
    arena_free(mem);
    return rc;
}
