/*
 * take.c - a signature is believed, then a document is read; then, in one transaction, everything that it brings about.
 */
#include "warning/take.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/bulletin.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/library/relay.h"
#include "warning/take_item.h"

enum {
    CANCEL_LEAST = 3600,
    CANCEL_MOST = 86400,
    TTL_LEAST = 60,
    TTL_MOST = 86400,
    TIME_DIGITS = 12
};

static struct {
    char site[65], column[COLUMN_PATH_MAX + 1], name[TAKE_NAME];
    unsigned pushed; /* bits 1 << enum level */
} settled;

/* ---- whom it is signed for ---- */

/* HOST or HOST:PORT of a URL; "" if it has none that is fit. */
static const char *host_of(const char *url, char out[TAKE_NAME])
{
    const char *host = strstr(url, "://");
    size_t n;

    *out = '\0';
    host = host ? host + 3 : url;
    n = strcspn(host, "/?#");
    if (n < TAKE_NAME)
        snprintf(out, TAKE_NAME, "%.*s", (int)n, host);
    return out;
}

static enum rc set_name(struct err *e, const struct conf *c)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.:-";
    char host[TAKE_NAME];
    const char *name = *c->warning_name ? c->warning_name : host_of(c->public_url, host);

    if (strlen(name) >= TAKE_NAME || strspn(name, letters) != strlen(name))
        return err_set(e, RC_INVALID,
                       "warning_name: a name is at most %d small letters, digits, '.', ':' and "
                       "'-'",
                       TAKE_NAME - 1);
    strcpy(settled.name, name);
    return RC_OK;
}

/* Of two servers that nobody gave a name each has its own: it follows from a key of theirs. */
const char *take_name(void)
{
    static _Thread_local char word[TAKE_NAME];
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];

    if (*settled.name)
        return settled.name;
    seal_index("warning_name", "", 0, hash);
    snprintf(word, sizeof word, "server-%.16s", hex_text(hash, sizeof hash, hex));
    return word;
}

enum rc take_open(struct err *e, const struct conf *c)
{
    settled.pushed = 0;
    for (int i = 0; i < c->warning_push.n; i++) {
        enum level level = level_parse(c->warning_push.v[i]);

        if (!level)
            return err_set(e, RC_INVALID, "warning_push: there is no level \"%.20s\"",
                           c->warning_push.v[i]);
        settled.pushed |= 1U << level;
    }
    snprintf(settled.site, sizeof settled.site, "%s", c->warning_site);
    snprintf(settled.column, sizeof settled.column, "%s", c->warning_column);
    return set_name(e, c) ? e->rc : column_path_check(e, settled.column);
}

/* ---- the signature ---- */

static enum rc unsigned_yet(struct work *w, const char *why)
{
    return err_set(&w->err, RC_UNAUTHORIZED, "%s", why);
}

enum { KEY, TO, TIME, SIGNATURE, MEMBERS };

/* key=…,to=…,time=…,signature=… in this order: one request has one spelling. */
static bool read_field(struct work *w, const char *authorization, const char *out[MEMBERS])
{
    static const char *const names[MEMBERS] = { "Warning-Signature key=", ",to=", ",time=",
                                                ",signature=" };
    const char *s = authorization;

    for (int i = 0; i < MEMBERS; i++) {
        size_t n = strlen(names[i]), end;

        if (!s || strncmp(s, names[i], n))
            return false;
        end = strcspn(s += n, ",");
        out[i] = arena_strndup(w->mem, s, end);
        s += end;
    }
    return !*s;
}

void take_signed(struct buf *out, const char *key, const char *to, const char *time,
                 const char *bytes, size_t n)
{
    buf_reserve(out, n + 300);
    buf_printf(out, "tjzw warning 2\n%s\n%s\n%s\n", key, to, time);
    buf_add(out, bytes, n);
}

/* What an authority signed for somebody else says nothing here: who has it could send it on. */
static enum rc check_name(struct work *w, const char *to)
{
    const char *here = take_name();

    if (!strcmp(to, here))
        return RC_OK;
    return err_set(&w->err, RC_UNAUTHORIZED,
                   "签名是给 %.100s 的，这里是 %s：请为这里另签一次（to=%s）", to, here, here);
}

/* Confirmed keys first: a proposal may name the same one again. */
static enum rc find_key(struct work *w, const char *id, struct take *t)
{
    const char *const texts[] = { t->sender.spec, t->sender.proposed };

    for (int test = 0; test < 2; test++) {
        struct warning_spec *s = &t->spec;
        enum rc rc;

        if (!*texts[test])
            continue;
        if ((rc = warning_spec_parse(w, texts[test], s)))
            return rc == RC_INVALID ? err_set(&w->err, RC_CORRUPT, "a sender's row is damaged")
                                    : rc;
        for (int i = 0; i < s->nkeys; i++)
            if (!strcmp(s->keys[i].id, id)) {
                t->key = &s->keys[i];
                t->text = texts[test];
                t->test = test;
                return RC_OK;
            }
    }
    return err_set(&w->err, RC_UNAUTHORIZED, "%s 没有代号为 %.20s 的密钥", t->sender.code, id);
}

static enum rc find_sender(struct work *w, const char *key, struct take *t)
{
    size_t n = strcspn(key, "/");
    enum rc rc;

    if (!key[n] || !ident_is_code(key, n))
        return unsigned_yet(w, "key 应是 单位编码/密钥代号，如 12000041600/main");
    rc = warning_sender_find(w, arena_strndup(w->mem, key, n), &t->sender);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_UNAUTHORIZED, "%.14s 没有登记为预警发布单位", key);
    return rc ? rc : find_key(w, key + n + 1, t);
}

/* Of the sender as he is in this moment. */
static enum rc check_sender(struct work *w, const struct take *t)
{
    int64_t now = clock_now();
    const struct signer *key = &t->key->signer;

    if (*t->sender.stopped)
        return err_set(&w->err, RC_FORBIDDEN, "%s 已停用：%s", t->spec.name, t->sender.stopped);
    if (now < t->spec.from || now >= t->spec.until)
        return err_set(&w->err, RC_FORBIDDEN, "%s 的登记不在有效期内", t->spec.name);
    if (key->until && (now < key->from || now >= key->until))
        return err_set(&w->err, RC_FORBIDDEN, "密钥 %s 的证书不在有效期内", t->key->id);
    return RC_OK;
}

static enum rc check_time(struct work *w, const char *text, int64_t *out)
{
    size_t n = strspn(text, "0123456789");

    if (!n || text[n] || n > TIME_DIGITS || *text == '0')
        return unsigned_yet(w, "time 应是签名的时刻，自 1970 年起的秒数");
    *out = strtoll(text, NULL, 10);
    if (*out < clock_now() - RULE_SKEW || *out > clock_now() + RULE_SKEW)
        return err_set(&w->err, RC_UNAUTHORIZED,
                       "签名的时刻与服务器的时钟相差超过 %d 秒：请核对时钟，重新签名",
                       RULE_SKEW);
    return RC_OK;
}

static enum rc check_signature(struct work *w, const char *const field[MEMBERS], struct take *t)
{
    uint8_t *sig = arena_alloc(w->mem, SIGNER_SIG_MAX);
    struct buf text = BUF_IN(w->mem);
    int n = b64url_parse(field[SIGNATURE], strlen(field[SIGNATURE]), sig, SIGNER_SIG_MAX);

    if (n <= 0)
        return unsigned_yet(w, "signature 应是签名的 base64url，不带 =");
    take_signed(&text, field[KEY], field[TO], field[TIME], t->bytes.p, t->bytes.n);
    if (!signer_holds(&t->key->signer, text.p, text.n, sig, (size_t)n))
        return unsigned_yet(w, "签名不对：内容、给谁、时刻或密钥与签名时不同");
    t->signature = (struct slice){ (const char *)sig, (size_t)n };
    return RC_OK;
}

enum rc take_read(struct work *w, const char *authorization, const char *bytes, size_t n,
                  struct take *out)
{
    const char *field[MEMBERS];
    enum rc rc;

    *out = (struct take){ .bytes = { bytes, n } };
    if (!read_field(w, authorization, field))
        return unsigned_yet(w, "预警要带签名：Authorization: Warning-Signature "
                               "key=单位/密钥,to=服务器,time=秒,signature=…");
    out->name = field[TO];
    if ((rc = check_name(w, field[TO])) || (rc = find_sender(w, field[KEY], out)) ||
        (rc = check_time(w, field[TIME], &out->time)) ||
        (rc = check_signature(w, field, out)) || (rc = check_sender(w, out)))
        return rc;
    return cap_read(&w->err, w->mem, bytes, n, &out->cap);
}

/* ---- what it continues ---- */

/* RC_OK, and *chain 0: nothing. */
static enum rc find_chain(struct work *w, const struct take *t, int64_t *chain)
{
    enum rc rc;

    *chain = 0;
    for (int i = 0; i < t->cap.nreferences; i++) {
        const struct cap_reference *r = &t->cap.references[i];
        struct warning x;

        if ((rc = warning_find(w, r->identifier, t->test, &x)) == RC_NOT_FOUND)
            return err_set(&w->err, RC_NOT_FOUND, "references 引用的 %.40s 不在这里",
                           r->identifier);
        if (rc)
            return rc;
        if (x.sender != t->sender.no)
            return err_set(&w->err, RC_FORBIDDEN, "references 引用的 %s 是别的单位发布的",
                           x.identifier);
        if ((x.status == CAP_ACTUAL) != (t->cap.status == CAP_ACTUAL))
            return err_set(&w->err, RC_CONFLICT, "正式的预警与演练、测试不能互相引用：%s 是 %s",
                           x.identifier, cap_status_word(x.status));
        if (*chain && x.chain != *chain)
            return err_set(&w->err, RC_CONFLICT, "references 引用了两次不同的预警：请分成两条");
        *chain = x.chain;
    }
    return RC_OK;
}

static enum rc continues(struct work *w, const struct take *t, struct warning *last)
{
    int64_t chain;
    enum rc rc = find_chain(w, t, &chain);

    *last = (struct warning){ 0 };
    if (rc || !chain)
        return rc;
    if ((rc = warning_last(w, chain, last)))
        return rc;
    if (last->type == CAP_CANCEL)
        return err_set(&w->err, RC_CONFLICT, "这次预警已由 %s 解除；再有情况请发新的 Alert",
                       last->identifier);
    if (t->cap.sent < last->sent)
        return err_set(&w->err, RC_CONFLICT, "sent 早于这次预警最近的一条 %s",
                       last->identifier);
    return RC_OK;
}

/* ---- the row ---- */

static const char *join(struct work *w, const char *const *areas, int n)
{
    struct buf b = BUF_IN(w->mem);

    for (int i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i ? "," : "", areas[i]);
    return n ? b.p : "";
}

/* What a Cancel does not say is as it was; it is shown a while, so that nobody wonders. */
static void complete(const struct take *t, const struct rule_facts *f,
                     const struct warning *last, struct warning *x)
{
    int64_t now = clock_now();

    if (t->cap.type != CAP_CANCEL)
        return;
    if (!f->info) {
        x->level = last->level;
        x->areas = last->areas;
    }
    if (!x->expires)
        x->expires = last->expires;
    if (x->expires > now + CANCEL_MOST)
        x->expires = now + CANCEL_MOST;
    if (x->expires < now + CANCEL_LEAST)
        x->expires = now + CANCEL_LEAST;
}

static void fill(struct work *w, const struct take *t, const struct rule_facts *f,
                 const struct warning *last, struct warning *x)
{
    *x = (struct warning){ .identifier = t->cap.identifier,
                           .test = t->test,
                           .sender = t->sender.no,
                           .key = arena_printf(w->mem, "%s/%s", t->sender.code, t->key->id),
                           .alg = t->key->signer.alg,
                           .pem = t->key->signer.pem,
                           .name = t->name,
                           .signed_at = t->time,
                           .signature = t->signature,
                           .bytes = t->bytes,
                           .chain = last->chain,
                           .status = t->cap.status,
                           .type = t->cap.type,
                           .level = f->level,
                           .areas = join(w, f->areas, f->nareas),
                           .title = take_title(w, f->info, last),
                           .sent = t->cap.sent,
                           .expires = f->expires,
                           .received = clock_now() };
    sha256(t->bytes.p, t->bytes.n, x->hash);
    complete(t, f, last, x);
}

/* ---- what it brings about ---- */

static enum rc show(struct work *w, const struct take *t, const struct rule_facts *f,
                    const struct warning *last, struct warning *x)
{
    struct relay r = { .site = settled.site,
                       .column = settled.column,
                       .origin_id = x->identifier };
    struct content content;
    struct item it;
    enum rc rc;

    if ((rc = take_content(w, t, f, x, &content)))
        return rc;
    r.content = &content;
    if ((rc = last->rev ? relay_next(w, &last->item, &content, &it) : relay_new(w, &r, &it)))
        return rc;
    x->item = it.id;
    x->rev = it.rev;
    return RC_OK;
}

/* An Update that is not bad enough to be pushed, and a Cancel, go to whom the earlier ones went. */
static enum rc push_it(struct work *w, const struct take *t, const struct rule_facts *f,
                       struct warning *x)
{
    bool pushed = x->type != CAP_CANCEL && settled.pushed >> x->level & 1U;
    int64_t ttl = x->expires - clock_now(), after = 0;
    struct bulletin b = { .run = RUN_BULLETINS + x->no,
                          .class = PUSH_EMERGENCY,
                          .title = x->title,
                          .text =
                              f->info && f->info->description ? f->info->description : x->title,
                          .link = "",
                          .sender = take_source(t, f),
                          .collapse = arena_printf(w->mem, "w%" PRId64, x->chain) };
    enum rc rc;

    if ((rc = warning_last_run(w, x->chain, &after)) || (!pushed && !after))
        return rc;
    b.ttl = ttl < TTL_LEAST ? TTL_LEAST : ttl > TTL_MOST ? TTL_MOST : ttl;
    if ((rc = bulletin_send(
             w, &b, pushed ? rule_audience(w->mem, f->areas, f->nareas) : rule_nobody, after)))
        return rc;
    x->run = b.run;
    return RC_OK;
}

static enum rc publish(struct work *w, const struct take *t, const struct rule_facts *f,
                       const struct warning *last, struct warning *x)
{
    struct actor who = w->who;
    enum rc rc;

    if (x->test || x->status != CAP_ACTUAL)
        return RC_OK;
    w->who = actor_operator; /* the column may have to be made */
    memcpy(w->who.name, who.name, sizeof who.name);
    if (!(rc = show(w, t, f, last, x)) && !(rc = push_it(w, t, f, x)))
        rc = warning_set_shown(w, x);
    w->who = who;
    return rc;
}

/* For the row of the audit log, which the route writes. */
static void say(struct work *w, const struct warning *x)
{
    work_fact_word(w, "identifier", x->identifier);
    work_fact_word(w, "type", cap_type_word(x->type));
    work_fact_word(w, "status", cap_status_word(x->status));
    work_fact_word(w, "level", level_word(x->level));
    work_fact(w, "test", x->test);
    work_fact(w, "pushed", x->run != 0);
    work_count(w, METRIC_warnings, 1);
}

/* ---- all of it ---- */

/* Between the worker and now he may have been stopped, or his keys changed. */
static enum rc still_may(struct work *w, const struct take *t)
{
    struct take now = *t;
    enum rc rc;

    if ((rc = warning_sender_find(w, t->sender.code, &now.sender)))
        return rc;
    if (strcmp(t->text, t->test ? now.sender.proposed : now.sender.spec))
        return err_set(&w->err, RC_CONFLICT, "登记刚刚改过：请再发一次");
    return check_sender(w, &now);
}

/* RC_NOT_FOUND: it is new. */
static enum rc find_same(struct work *w, const struct take *t, struct warning *out)
{
    uint8_t hash[HASH_BYTES];
    enum rc rc = warning_find(w, t->cap.identifier, t->test, out);

    if (rc)
        return rc;
    sha256(t->bytes.p, t->bytes.n, hash);
    if (out->sender != t->sender.no || memcmp(hash, out->hash, sizeof hash))
        return err_set(&w->err, RC_CONFLICT,
                       "预警编号 %s 已用过，而且内容不同：每条信息用新的编号", out->identifier);
    return RC_OK;
}

enum rc take(struct work *w, const struct take *t, struct warning *out, bool *again)
{
    struct rule_facts facts;
    struct warning last, x;
    enum rc rc;

    if ((rc = still_may(w, t)))
        return rc;
    snprintf(w->who.name, sizeof w->who.name, "warning:%s", t->sender.code);
    rc = find_same(w, t, out);
    *again = !rc;
    if (rc != RC_NOT_FOUND)
        return rc;
    if ((rc = rule_check(&w->err, w->mem, &t->cap, t->sender.code, &t->spec, clock_now(),
                         &facts)) ||
        (rc = continues(w, t, &last)))
        return rc;
    fill(w, t, &facts, &last, &x);
    if ((rc = warning_add(w, &x)) || (rc = publish(w, t, &facts, &last, &x)))
        return rc;
    say(w, &x);
    *out = x;
    return RC_OK;
}
