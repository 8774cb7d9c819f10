/*
 * word.c - claims to identifiers, a level, a phone; and these to rows.
 *
 * What an upstream says beside who it is may be wrong in form and is passed over then: a telephone that is none must not keep anybody out.
 */
#include "server/identity/word.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/seal.h"
#include "server/identity/name.h"

enum { LINES_MAX = 1200, NAMED_FROM = 2 };

/* ---- what is said ---- */

static enum rc add_id(struct err *e, struct word *d, const char *kind, const char *value)
{
    enum rc rc = identifier_normal(e, kind, value, d->id[d->n].value);

    if (rc)
        return rc;
    snprintf(d->id[d->n++].kind, sizeof d->id->kind, "%s", kind);
    return RC_OK;
}

/* A text, or a whole number as text, from the first that has it; NULL: nobody says it. */
static const char *claim(const json_t *claims, const json_t *more, const char *name,
                         char number[24])
{
    const json_t *v = name ? json_object_get(claims, name) : NULL;

    if (name && !v)
        v = json_object_get(more, name);
    if (!json_is_integer(v))
        return json_string_value(v);
    snprintf(number, 24, "%" PRId64, (int64_t)json_integer_value(v));
    return number;
}

static int level_of(const struct upstream *u, const char *said)
{
    int level = u->level;

    for (int i = 0; said && i < u->nlevels; i++)
        if (!strcmp(u->levels[i].said, said))
            level = u->levels[i].level;
    return level < u->level_max ? level : u->level_max;
}

/* OpenID Connect Core section 5.1: a number may stand there that nobody verified. What says so in a form of its own ("false", 0) says no "true". */
static bool is_unproved(const struct upstream *u, const json_t *o)
{
    const json_t *verified = json_object_get(o, "phone_number_verified");

    return !strcmp(u->claims.phone, "phone_number") && verified && !json_is_true(verified);
}

enum rc word_of_claims(struct err *e, const struct upstream *u, const json_t *claims,
                       const json_t *more, struct word *out)
{
    char kind[IDENTIFIER_KIND_MAX + 1], number[24];
    struct word d = { .of = u };
    const char *sub, *phone, *name;
    struct err ignored;
    enum rc rc;

    snprintf(kind, sizeof kind, "upstream:%s", u->name);
    if (!(sub = claim(claims, more, u->claims.sub, number)))
        return err_set(e, RC_INVALID, "the claim %.60s is missing: who is it?", u->claims.sub);
    if ((rc = add_id(e, &d, kind, sub)))
        return rc;
    d.level = level_of(u, claim(claims, more, u->claims.level, number));
    phone = claim(claims, more, u->claims.phone, number);
    if (phone && u->trusts_phone && !is_unproved(u, claims) && !is_unproved(u, more) &&
        identifier_normal(&ignored, "phone", phone, d.phone))
        d.phone[0] = '\0';
    name = claim(claims, more, u->claims.name, number);
    if (name && strlen(name) <= ACCOUNT_NAME_MAX && name_is_fit(name))
        strcpy(d.name, name);
    *out = d;
    return RC_OK;
}

enum rc word_of_wechat(struct err *e, const struct upstream *u, const struct wechat_ids *ids,
                       struct word *out)
{
    char kind[IDENTIFIER_KIND_MAX + 1];
    struct word d = { .of = u, .level = u->level };
    enum rc rc;

    snprintf(kind, sizeof kind, "wechat:%s", u->client);
    if ((rc = add_id(e, &d, kind, ids->openid)) ||
        (ids->unionid && (rc = add_id(e, &d, "wechat", ids->unionid))))
        return rc;
    *out = d;
    return RC_OK;
}

/* ---- what comes of it ---- */

enum rc word_owner(struct work *w, const struct word *d, struct account *out, bool *by_phone)
{
    enum rc rc = RC_NOT_FOUND;

    *by_phone = false;
    for (int i = 0; i < d->n && rc == RC_NOT_FOUND; i++)
        rc = account_by_identifier(w, d->id[i].kind, d->id[i].value, out);
    if (rc != RC_NOT_FOUND || !*d->phone)
        return rc;
    *by_phone = true;
    return account_by_identifier(w, "phone", d->phone, out);
}

/* Nobody's yet, or this account's already: then it has been proved again. */
static enum rc add(struct work *w, int64_t account, const char *kind, const char *value)
{
    int64_t owner;
    enum rc rc = identifier_owner(w, kind, value, &owner);

    if (rc == RC_NOT_FOUND || (!rc && owner == account))
        return identifier_add(w, account, kind, value);
    return rc;
}

static enum rc has_phone(struct work *w, int64_t account, bool *out)
{
    struct identifier *list;
    enum rc rc;
    int n;

    if ((rc = identifier_list(w, account, &list, &n)))
        return rc;
    *out = false;
    for (int i = 0; i < n; i++)
        *out = *out || !strcmp(list[i].kind, "phone");
    return RC_OK;
}

enum rc word_keep(struct work *w, const struct word *d, struct account *a)
{
    bool phone = true;
    enum rc rc = RC_OK;

    for (int i = 0; i < d->n && !rc; i++)
        rc = add(w, a->id, d->id[i].kind, d->id[i].value);
    if (!rc && *d->phone && !(rc = has_phone(w, a->id, &phone)) && !phone)
        rc = add(w, a->id, "phone", d->phone);
    if (!rc && *d->name && !a->name && d->level >= NAMED_FROM)
        rc = account_set_name(w, a->id, d->name);
    if (rc || (rc = account_raise(w, a->id, d->level, d->id[0].kind)))
        return rc;
    return account_by_id(w, a->id, a);
}

enum rc word_link(struct work *w, const struct word *d, int64_t account)
{
    struct account a;
    int64_t owner;
    enum rc rc;

    if ((rc = account_by_id(w, account, &a)))
        return rc;
    if (a.kind != ACCOUNT_CITIZEN)
        return err_set(&w->err, RC_CONFLICT, "only citizens are found by an upstream");
    for (int i = 0; i < d->n; i++) {
        rc = identifier_owner(w, d->id[i].kind, d->id[i].value, &owner);
        if (!rc && owner != a.id)
            return err_set(&w->err, RC_CONFLICT, "another account is found by this");
        if (rc && rc != RC_NOT_FOUND)
            return rc;
    }
    return word_keep(w, d, &a);
}

/* ---- while it waits ---- */

static struct seal_place place_of(const struct slip *s)
{
    return (struct seal_place){ "sign_in.word", (int64_t)s->random };
}

enum rc word_ticket(struct work *w, const struct word *d, const char **out)
{
    struct slip slip = slip_new(SLIP_WORD, d->of->no, 0);
    char *text = arena_alloc(w->mem, WORD_TICKET_MAX);
    struct buf lines = BUF_IN(w->mem);
    uint8_t *sealed;
    size_t n;
    enum rc rc;

    buf_printf(&lines, "%d\n%s\n%s\n", d->level, d->phone, d->name);
    for (int i = 0; i < d->n; i++)
        buf_printf(&lines, "%s\n%s\n", d->id[i].kind, d->id[i].value);
    if ((rc = seal_close(w, place_of(&slip), lines.p, lines.n, &sealed, &n)))
        return rc;
    slip_put(&slip, text);
    if (lines.n > LINES_MAX ||
        b64url_text(sealed, n, text + strlen(text), WORD_TICKET_MAX - strlen(text)) < 0)
        return err_set(&w->err, RC_INTERNAL, "a word does not fit into its ticket");
    *out = text;
    return RC_OK;
}

/* The next line, or "". */
static const char *line(char **at)
{
    const char *text = *at ? strsep(at, "\n") : NULL;

    return text ? text : "";
}

static void read_lines(char *text, struct word *d)
{
    d->level = (int)strtol(line(&text), NULL, 10);
    snprintf(d->phone, sizeof d->phone, "%s", line(&text));
    snprintf(d->name, sizeof d->name, "%s", line(&text));
    while (text && *text && d->n < WORD_IDENTIFIERS) {
        snprintf(d->id[d->n].kind, sizeof d->id->kind, "%s", line(&text));
        snprintf(d->id[d->n++].value, sizeof d->id->value, "%s", line(&text));
    }
}

enum rc word_from_ticket(struct work *w, const char *text, struct slip *slip, struct word *out)
{
    size_t length = strnlen(text, WORD_TICKET_MAX), head = SLIP_TEXT - 1, size;
    uint8_t *sealed = arena_alloc(w->mem, WORD_TICKET_MAX);
    struct word d = { 0 };
    char *lines;
    int n = -1;

    if (length > head && length < WORD_TICKET_MAX &&
        slip_read(arena_strndup(w->mem, text, head), SLIP_WORD, WORD_LIFE, slip))
        n = b64url_parse(text + head, length - head, sealed, WORD_TICKET_MAX);
    d.of = n > 0 ? upstream_at(slip->note) : NULL;
    if (!d.of || seal_open(w, place_of(slip), sealed, (size_t)n, &lines, &size))
        return err_set(&w->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
    read_lines(lines, &d);
    *out = d;
    return RC_OK;
}
