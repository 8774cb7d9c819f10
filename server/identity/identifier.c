/*
 * identifier.c - the one spelling of each kind, and the rows.
 *
 * The same thing must always be found under the same bytes, and two different things never: so 138 0013 8000, +86 138-0013-8000 and
 * what a full-width keyboard makes of them are one number, and a sign-in name has no letters but a to z and Han, of which none looks
 * like another's (a Cyrillic "а" is refused, not taken for an "a").
 *
 * A name of digits alone is refused, so that what is typed at a sign-in reads as a number or as a name, never as both.
 */
#include "server/identity/identifier.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/store/db.h"

enum { PHONE_MIN = 7, PHONE_MAX = 15, LOGIN_MIN = 3, LOGIN_MAX = 64 };

static const char digits[] = "0123456789";

/* ---- normal forms ---- */

/* NFKC, and lower case where that is asked for; NULL: too long, or no text. The caller frees. */
static char *compatible(const char *text, bool lower)
{
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t n;
    int how = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
              UTF8PROC_REJECTNA | (lower ? UTF8PROC_CASEFOLD : 0);

    if (strnlen(text, IDENTIFIER_TEXT) >= IDENTIFIER_TEXT)
        return NULL;
    n = utf8proc_map((const utf8proc_uint8_t *)text, 0, &out, (utf8proc_option_t)how);
    if (n == UTF8PROC_ERROR_NOMEM)
        memory_end(); /* or a good name were a bad one */
    return n < 0 ? NULL : (char *)out;
}

/* 13 to 19 and nine more: the mobile numbers of the mainland. */
static bool is_mobile(const char *s)
{
    return strlen(s) == 11 && s[0] == '1' && s[1] >= '3' && s[1] <= '9';
}

/* The digits of a number as it is written, with its country's; false: it is none. */
static bool read_phone(const char *text, char out[IDENTIFIER_TEXT])
{
    bool abroad = *text == '+' || !strncmp(text, "00", 2);
    size_t n = 0;

    for (const char *p = text + (*text == '+' ? 1 : abroad ? 2 : 0); *p; p++) {
        if (strchr(" -()", *p))
            continue;
        if (!strchr(digits, *p) || n == PHONE_MAX)
            return false;
        out[n++] = *p;
    }
    out[n] = '\0';
    if (!abroad && is_mobile(out)) {
        memmove(out + 2, out, n + 1);
        memcpy(out, "86", 2);
        return true;
    }
    if (!strncmp(out, "86", 2))
        return is_mobile(out + 2);
    return abroad && n >= PHONE_MIN && out[0] != '0';
}

static enum rc normal_phone(struct err *e, const char *text, char out[IDENTIFIER_TEXT])
{
    char *plain = compatible(text, false);
    bool good = plain && read_phone(plain, out);

    free(plain);
    return good ? RC_OK
                : err_field(e, "phone",
                            "this is no mobile number; one of another country begins with +");
}

static bool is_han(utf8proc_int32_t c)
{
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf);
}

static bool is_login(const char *s)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s;
    utf8proc_int32_t c;
    int n = 0;

    for (; *p; n++) {
        p += utf8proc_iterate(p, -1, &c);
        if (!is_han(c) && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            !(c < 0x80 && strchr("._@-", c)))
            return false;
    }
    return n >= LOGIN_MIN && n <= LOGIN_MAX && strspn(s, digits) < strlen(s);
}

static enum rc normal_login(struct err *e, const char *text, char out[IDENTIFIER_TEXT])
{
    char *plain = compatible(text, true);
    bool good = plain && strlen(plain) < IDENTIFIER_TEXT && is_login(plain);

    if (good)
        strcpy(out, plain);
    free(plain);
    return good
               ? RC_OK
               : err_field(e, "login",
                           "a sign-in name has 3 to 64 letters a-z, Han characters, digits and "
                           "._@-, and not digits alone");
}

static enum rc normal_foreign(struct err *e, const char *text, char out[IDENTIFIER_TEXT])
{
    size_t n = strnlen(text, IDENTIFIER_TEXT);

    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x21 || text[i] > 0x7e)
            n = 0;
    if (!n || n >= IDENTIFIER_TEXT)
        return err_field(e, "identifier", "this has 1 to 255 visible ASCII characters");
    memcpy(out, text, n + 1);
    return RC_OK;
}

static const struct kind {
    const char *name; /* one that ends in a colon is the beginning of many */
    enum rc (*normal)(struct err *e, const char *text, char out[IDENTIFIER_TEXT]);
} kinds[] = {
    { "phone", normal_phone },       { "login", normal_login },
    { "wechat", normal_foreign },    { "wechat:", normal_foreign },
    { "upstream:", normal_foreign },
};

static const struct kind *find_kind(const char *name)
{
    size_t n = strnlen(name, IDENTIFIER_KIND_MAX + 1), colon = strcspn(name, ":");

    if (n > IDENTIFIER_KIND_MAX)
        return NULL;
    for (const struct kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++)
        if (name[colon] ? n > colon + 1 && !strncmp(k->name, name, colon + 1)
                        : !strcmp(k->name, name))
            return k;
    return NULL;
}

enum rc identifier_normal(struct err *e, const char *kind, const char *text,
                          char out[IDENTIFIER_TEXT])
{
    const struct kind *k = find_kind(kind);

    return k ? k->normal(e, text, out)
             : err_set(e, RC_INVALID, "there is no such kind of identifier");
}

enum rc identifier_guess(struct err *e, const char *text, const char **kind,
                         char out[IDENTIFIER_TEXT])
{
    struct err ignored;

    *kind = "phone";
    if (!normal_phone(&ignored, text, out))
        return RC_OK;
    *kind = "login";
    return normal_login(e, text, out);
}

void identifier_index(const char *kind, const char *value, uint8_t out[HASH_BYTES])
{
    seal_index(kind, value, strlen(value), out);
}

const char *identifier_hint(struct arena *mem, const struct identifier *i)
{
    bool home = !strcmp(i->kind, "phone") && !strncmp(i->value, "86", 2);
    const char *shown = home ? i->value + 2 : i->value;
    size_t n = strlen(shown);

    if (!strcmp(i->kind, "login"))
        return i->value;
    if (strcmp(i->kind, "phone") != 0)
        return "";
    return arena_printf(mem, "%s%.3s****%s", home ? "" : "+", shown, shown + n - 4);
}

/* ---- rows ---- */

static struct seal_place place_of(int64_t account)
{
    return (struct seal_place){ "identifier.value", account };
}

enum rc identifier_owner(struct work *w, const char *kind, const char *value, int64_t *account)
{
    uint8_t find[HASH_BYTES];
    struct rows q;
    enum rc rc, end;

    identifier_index(kind, value, find);
    if (!(rc = db_one(w, SQL_identifier_owner, &q, "tb", kind, find, sizeof find)))
        *account = rows_int(&q, 0);
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc add(struct work *w, int64_t account, const char *kind, const char *value)
{
    struct identifier *there;
    uint8_t find[HASH_BYTES], *sealed;
    size_t sealed_n;
    enum rc rc;
    int n;

    if ((rc = identifier_list(w, account, &there, &n)))
        return rc;
    if (n >= IDENTIFIERS_MAX)
        return err_set(&w->err, RC_CONFLICT, "this account has %d identifiers already", n);
    if ((rc = seal_close(w, place_of(account), value, strlen(value), &sealed, &sealed_n)))
        return rc;
    identifier_index(kind, value, find);
    return db_run(w, SQL_identifier_add, "tbibi", kind, find, sizeof find, account, sealed,
                  sealed_n, clock_now());
}

enum rc identifier_add(struct work *w, int64_t account, const char *kind, const char *value)
{
    uint8_t find[HASH_BYTES];
    int64_t owner;
    enum rc rc = identifier_owner(w, kind, value, &owner);

    if (rc == RC_NOT_FOUND)
        return add(w, account, kind, value);
    if (rc)
        return rc;
    if (owner != account)
        return err_set(&w->err, RC_CONFLICT, "another account is found by this");
    identifier_index(kind, value, find);
    return db_change(w, SQL_identifier_proved, "tbii", kind, find, sizeof find, account,
                     clock_now());
}

enum rc identifier_remove(struct work *w, int64_t account, const char *kind, const char *value)
{
    uint8_t find[HASH_BYTES];
    enum rc rc;

    identifier_index(kind, value, find);
    rc = db_change(w, SQL_identifier_drop, "tbi", kind, find, sizeof find, account);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "this account is not found by that") : rc;
}

struct row {
    struct identifier i;
    const void *find;
    size_t find_n;
};

static enum rc read_rows(struct work *w, int64_t account, struct buf *out)
{
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_identifier_of_account, &q, "i", account)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct row r = { .i = { .kind = rows_dup_text(w, &q, 0), .proved = rows_int(&q, 3) } };
        size_t n, plain_n;
        const void *sealed = rows_blob(&q, 2, &n);
        char *value = NULL;

        r.find = rows_dup_blob(w, &q, 1, &r.find_n);
        if (!(rc = seal_open(w, place_of(account), sealed, n, &value, &plain_n))) {
            r.i.value = value;
            buf_add(out, &r, sizeof r);
        }
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc identifier_list(struct work *w, int64_t account, struct identifier **out, int *n)
{
    struct buf all = BUF_IN(w->mem), list = BUF_IN(w->mem);
    enum rc rc = read_rows(w, account, &all);

    if (rc)
        return rc;
    for (size_t at = 0; at < all.n; at += sizeof(struct row))
        buf_add(&list, &((struct row *)(void *)(all.p + at))->i, sizeof(struct identifier));
    *out = (struct identifier *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc identifier_move(struct work *w, int64_t from, int64_t into)
{
    struct buf all = BUF_IN(w->mem);
    enum rc rc = read_rows(w, from, &all);

    for (size_t at = 0; at < all.n && !rc; at += sizeof(struct row)) {
        const struct row *r = (struct row *)(void *)(all.p + at);
        uint8_t *sealed;
        size_t n;

        if (!(rc = seal_close(w, place_of(into), r->i.value, strlen(r->i.value), &sealed, &n)))
            rc = db_change(w, SQL_identifier_move, "tbib", r->i.kind, r->find, r->find_n, into,
                           sealed, n);
    }
    return rc;
}
