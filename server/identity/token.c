/*
 * token.c - who calls us with `Authorization: Bearer tjzw_…`.
 *
 *     "tjzw_" base64url( 32 random bytes )      stored: BLAKE2b-256 of the whole text
 *
 * The text is random, so an unkeyed hash is enough: nobody can guess what hashes to what he
 * found in a stolen database. The prefix lets scanners of source code recognise a leaked token.
 * A token never has a right that its maker lacks.
 */
#include "server/identity/token.h"

#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/secret.h"
#include "server/store/db.h"

enum { RANDOM = 32 };
static const char prefix[] = "tjzw_";

/* The label stands in the path of DELETE /v1/tokens/:label, where ".." would lead elsewhere. */
static bool is_label(const char *label)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(label);

    return n && n <= TOKEN_LABEL_MAX && strspn(label, letters) == n &&
           !strchr("._-", label[0]) && !strstr(label, "..");
}

static unsigned right_by_name(const char *name, size_t n)
{
    if (n == 3 && !memcmp(name, "all", n))
        return RIGHT_ALL;
    for (unsigned right = 1; right <= RIGHT_ALL; right <<= 1)
        if (strlen(right_name((enum right)right)) == n &&
            !memcmp(right_name((enum right)right), name, n))
            return right;
    return 0;
}

static enum rc read_rights(struct work *w, const char *text, unsigned *out)
{
    unsigned rights = 0;

    for (;; text++) {
        size_t n = strcspn(text, ",");
        unsigned right = right_by_name(text, n);

        if (!right)
            return err_field(&w->err, "rights",
                             "there is no right \"%.*s\": read, import, edit, publish, "
                             "operate, audit or all",
                             n > 20 ? 20 : (int)n, text);
        rights |= right;
        text += n;
        if (!*text)
            break;
    }
    *out = rights;
    return RC_OK;
}

static enum rc check(struct work *w, const char *label, const char *rights, int64_t seconds,
                     unsigned *out)
{
    enum rc rc;

    if ((rc = work_need(w, RIGHT_OPERATE)))
        return rc;
    if (!is_label(label))
        return err_field(
            &w->err, "label",
            "a label has 1 to %d of a-z 0-9 . _ -, begins with one of a-z 0-9, and "
            "holds no \"..\"",
            TOKEN_LABEL_MAX);
    if (seconds < 1 || seconds > TOKEN_LIFETIME_MAX)
        return err_field(&w->err, "seconds", "a token lives 1 second to ten years");
    if ((rc = read_rights(w, rights, out)))
        return rc;
    if (*out & ~w->who.rights)
        return err_set(&w->err, RC_FORBIDDEN, "%s cannot give away a right it lacks",
                       w->who.name);
    return RC_OK;
}

enum rc token_create(struct work *w, const char *label, const char *rights, int64_t seconds,
                     char out[TOKEN_TEXT])
{
    uint8_t random[RANDOM], hash[HASH_BYTES];
    char text[TOKEN_TEXT];
    int64_t now = clock_now();
    unsigned bits = 0;
    enum rc rc;

    if ((rc = check(w, label, rights, seconds, &bits)))
        return rc;
    secret_random(random, sizeof random);
    memcpy(text, prefix, sizeof prefix);
    if (b64url_text(random, sizeof random, text + strlen(prefix),
                    sizeof text - strlen(prefix)) < 0)
        return err_set(&w->err, RC_INTERNAL, "a token does not fit");
    secret_wipe(random, sizeof random);
    secret_mac(NULL, text, strlen(text), hash);
    rc = db_run(w, SQL_token_add, "btiii", hash, sizeof hash, label, (int64_t)bits, now,
                now + seconds);
    if (!rc)
        memcpy(out, text, sizeof text);
    secret_wipe(text, sizeof text);
    work_fact_word(w, "rights", arena_strdup(w->mem, rights));
    work_fact(w, "seconds", seconds);
    if (rc == RC_CONFLICT)
        return err_set(&w->err, rc, "there is a token \"%s\" already: revoke it first", label);
    return rc;
}

static enum rc unknown(struct work *w)
{
    return err_set(&w->err, RC_UNAUTHORIZED, "the token is unknown or has expired");
}

enum rc token_check(struct work *w, const char *text, struct actor *out)
{
    uint8_t hash[HASH_BYTES];
    size_t n = strnlen(text, TOKEN_TEXT);
    struct actor actor;
    struct rows q;
    int64_t expires = 0;
    enum rc rc, end;

    if (n >= TOKEN_TEXT || strncmp(text, prefix, strlen(prefix)))
        return unknown(w);
    secret_mac(NULL, text, n, hash);
    if (!(rc = db_one(w, SQL_token_by_hash, &q, "b", hash, sizeof hash))) {
        snprintf(actor.name, sizeof actor.name, "token:%s", rows_text(&q, 0));
        actor.rights = (unsigned)rows_int(&q, 1) & RIGHT_ALL;
        expires = rows_int(&q, 2);
    }
    end = rows_done(&q);
    if ((rc = rc ? rc : end) && rc != RC_NOT_FOUND)
        return rc;
    if (rc || expires <= clock_now())
        return unknown(w);
    *out = actor;
    return RC_OK;
}

enum rc token_list(struct work *w, struct token **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_token_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct token t = { .label = rows_dup_text(w, &q, 0),
                           .rights = (unsigned)rows_int(&q, 1),
                           .created = rows_int(&q, 2),
                           .expires = rows_int(&q, 3) };

        buf_add(&list, &t, sizeof t);
    }
    if ((rc = rows_done(&q)))
        return rc;
    *out = (struct token *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc token_revoke(struct work *w, const char *label)
{
    enum rc rc;

    if ((rc = work_need(w, RIGHT_OPERATE)))
        return rc;
    if ((rc = db_change(w, SQL_token_drop, "t", label)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no token \"%.40s\"", label);
    return rc;
}
