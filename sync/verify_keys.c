/*
 * verify_keys.c - the permanent chain of keys: which key speaks for a stream, and why.
 *
 *     tjzw keys 1
 *     key 1 platform    ed25519 PUB time SIGNER SIGNATURE     signed by itself
 *     key 2 stream:main ed25519 PUB time SIGNER SIGNATURE     by the last platform key above
 *
 * Each signature also covers the hash of the line before, so whoever signs a line vouches for
 * everything above it. That is what makes a key built into a phone useful after the platform's
 * key has changed: it vouches for the lines below it that it or its successors signed, and,
 * once there is one, through that line's hash for those above. A trusted key that merely stands
 * somewhere in the chain vouches for nothing: a stranger could write a chain of his own and put
 * our key at its end.
 *
 * A stream may have a key of each algorithm; the last line of a role and an algorithm is its
 * current one. Platform keys are Ed25519 alone, and so is every signature in here: whoever knows
 * only that algorithm can follow the whole chain, and carries the other keys along.
 */
#include "sync/verify.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char header[] = "tjzw keys 1\n";
enum { LINE_MAX_BYTES = 640 };

struct key_line {
    uint64_t no, time;
    char role[VERIFY_ROLE_MAX + 1];
    struct verify_key key;
    uint8_t signer[WIRE_KEY_ID];
    uint8_t sig[WIRE_SIG_MAX];
    size_t sig_len;
    const char *values; /* from the number to the time: what is signed */
    size_t values_len;
};

struct walk {
    struct wire_text text;
    uint64_t no;
    uint8_t before[2 * WIRE_HASH + 1]; /* hex of the hash of the line before */
    bool rooted;
    struct verify_key platform; /* the last one */
};

/* ---- reading ---- */

static bool take_role(struct wire_text *t, char out[VERIFY_ROLE_MAX + 1])
{
    const char *word;
    size_t n;

    if (!wire_take_word(t, &word, &n) || n > VERIFY_ROLE_MAX)
        return false;
    memcpy(out, word, n);
    out[n] = '\0';
    return strcmp(out, "platform") == 0 ||
           (strncmp(out, "stream:", 7) == 0 && wire_stream_ok(out + 7, n - 7));
}

static bool take_key(struct wire_text *t, struct verify_key *key)
{
    char algorithm[WIRE_ALGORITHM_MAX + 1];
    uint8_t bytes[VERIFY_PUBLIC_MAX];
    const char *word;
    size_t n;

    if (!wire_take_word(t, &word, &n) || n > WIRE_ALGORITHM_MAX)
        return false;
    memcpy(algorithm, word, n);
    algorithm[n] = '\0';
    return wire_take_lit(t, " ") && wire_take_word(t, &word, &n) && n <= 2 * sizeof bytes &&
           wire_unhex(word, n, bytes, n / 2) && verify_key_of(algorithm, bytes, n / 2, key);
}

static bool is_platform(const struct key_line *l)
{
    return strcmp(l->role, "platform") == 0;
}

/* Platform lines are Ed25519: what signs the others must be readable by all. */
static bool may_hold(const struct key_line *l)
{
    return !is_platform(l) || strcmp(l->key.algorithm, "ed25519") == 0;
}

static bool take_line(struct wire_text *t, struct key_line *l)
{
    const char *word;
    size_t n;

    if (!wire_take_lit(t, "key "))
        return false;
    l->values = t->at;
    if (!wire_take_u64(t, &l->no) || !wire_take_lit(t, " ") || !take_role(t, l->role) ||
        !wire_take_lit(t, " ") || !take_key(t, &l->key) || !may_hold(l) ||
        !wire_take_lit(t, " ") || !wire_take_u64(t, &l->time))
        return false;
    l->values_len = (size_t)(t->at - l->values);
    return wire_take_lit(t, " ") && wire_take_hex(t, l->signer, WIRE_KEY_ID) &&
           wire_take_lit(t, " ") && wire_take_word(t, &word, &n) &&
           wire_unbase64(word, n, l->sig, sizeof l->sig, &l->sig_len) && wire_take_lit(t, "\n");
}

/* The three lines a key's signature is over. */
static size_t signed_text(const char *values, size_t n, const uint8_t *before, char *out)
{
    return (size_t)snprintf(out, LINE_MAX_BYTES, "tjzw key 1\n%.*s\n%s\n", (int)n, values,
                            (const char *)before);
}

static bool line_holds(const struct walk *w, const struct key_line *l)
{
    const struct verify_key *signer = w->rooted ? &w->platform : &l->key;
    char text[LINE_MAX_BYTES];
    size_t n = signed_text(l->values, l->values_len, w->before, text);

    return memcmp(l->signer, signer->id, WIRE_KEY_ID) == 0 && l->sig_len == crypto_sign_BYTES &&
           crypto_sign_verify_detached(l->sig, (const uint8_t *)text, n, signer->bytes) == 0;
}

static enum sync_rc walk_begin(struct sync_err *e, struct walk *w, const char *text, size_t n)
{
    *w = (struct walk){ .text = { text, text + n } };
    memset(w->before, '0', 2 * WIRE_HASH);
    if (n > VERIFY_KEYS_MAX || !wire_take_lit(&w->text, header) || w->text.at == w->text.end)
        return sync_err_set(e, SYNC_INVALID, "keys: not a key chain of version 1");
    return SYNC_OK;
}

static void walk_pass(struct walk *w, const char *line, size_t n)
{
    uint8_t hash[WIRE_HASH];

    verify_sha256(line, n, hash);
    wire_hex(hash, WIRE_HASH, (char *)w->before);
}

/* The next line, its signature checked. */
static enum sync_rc walk_next(struct sync_err *e, struct walk *w, struct key_line *l,
                              bool *more)
{
    const char *start = w->text.at;

    *more = start < w->text.end;
    if (!*more)
        return SYNC_OK;
    w->no++;
    if (!take_line(&w->text, l) || l->no != w->no)
        return sync_err_set(e, SYNC_INVALID, "keys: line %" PRIu64 " is malformed", w->no);
    if (!w->rooted && !is_platform(l))
        return sync_err_set(e, SYNC_INVALID, "keys: the first key is not a platform key");
    if (!line_holds(w, l))
        return sync_err_set(e, SYNC_UNTRUSTED,
                            "keys: the signature of line %" PRIu64 " does not hold", w->no);
    if (is_platform(l)) {
        w->platform = l->key;
        w->rooted = true;
    }
    walk_pass(w, start, (size_t)(w->text.at - start) - 1);
    return SYNC_OK;
}

/* ---- what a chain says ---- */

struct wanted {
    const char *role, *algorithm;
};

struct verdict {
    uint64_t lines;
    uint64_t trusted;      /* line of the trusted key, 0: none */
    uint64_t found;        /* the current line of the role and algorithm wanted, 0: none */
    struct verify_key key; /* of that line */
};

/* Walks the whole chain; `trust` and `want` may be NULL. */
static enum sync_rc survey(struct sync_err *e, const char *text, size_t n, const uint8_t *trust,
                           const struct wanted *want, struct verdict *v)
{
    struct key_line l;
    struct walk w;
    bool more;
    enum sync_rc rc;

    *v = (struct verdict){ 0 };
    if ((rc = walk_begin(e, &w, text, n)))
        return rc;
    while (!(rc = walk_next(e, &w, &l, &more)) && more) {
        v->lines = l.no;
        if (trust && v->trusted == 0 && is_platform(&l) &&
            memcmp(l.key.bytes, trust, VERIFY_ED25519) == 0)
            v->trusted = l.no;
        if (want && strcmp(l.role, want->role) == 0 &&
            strcmp(l.key.algorithm, want->algorithm) == 0) {
            v->found = l.no;
            v->key = l.key;
        }
    }
    return rc;
}

/* See the top of the file: what the trusted key vouches for. */
static bool vouched(const struct verdict *v, uint64_t line)
{
    return v->trusted != 0 && (line >= v->trusted || v->lines > v->trusted);
}

enum sync_rc verify_keys_accept(struct sync_err *e, const char *text, size_t n,
                                const char *held, size_t held_n,
                                const uint8_t trust[VERIFY_ED25519])
{
    struct verdict v;
    enum sync_rc rc;

    if ((rc = survey(e, text, n, trust, NULL, &v)))
        return rc;
    if (held_n > 0 && n >= held_n && memcmp(text, held, held_n) == 0)
        return SYNC_OK;
    if (held_n > 0 && memcmp(text, held, n < held_n ? n : held_n) == 0)
        return sync_err_set(e, SYNC_ROLLBACK, "keys: older than the chain held");
    if (!vouched(&v, 1))
        return sync_err_set(e, SYNC_UNTRUSTED,
                            "keys: the trusted key does not vouch for this chain");
    return SYNC_OK;
}

enum sync_rc verify_keys_current_of(struct sync_err *e, const char *text, size_t n,
                                    const uint8_t trust[VERIFY_ED25519], const char *role,
                                    const char *algorithm, struct verify_key *out)
{
    struct wanted want = { role, algorithm };
    struct verdict v;
    enum sync_rc rc;

    if ((rc = survey(e, text, n, trust, &want, &v)))
        return rc;
    if (v.trusted == 0)
        return sync_err_set(e, SYNC_UNTRUSTED, "keys: the trusted key is not in the chain");
    if (v.found == 0)
        return sync_err_set(e, SYNC_UNTRUSTED, "keys: no %s key for %s", algorithm, role);
    if (!vouched(&v, v.found))
        return sync_err_set(e, SYNC_UNTRUSTED, "keys: the trusted key does not vouch for %s",
                            role);
    *out = v.key;
    return SYNC_OK;
}

enum sync_rc verify_keys_current(struct sync_err *e, const char *text, size_t n,
                                 const uint8_t trust[VERIFY_ED25519], const char *role,
                                 struct verify_key *out)
{
    return verify_keys_current_of(e, text, n, trust, role, "ed25519", out);
}

enum sync_rc verify_keys_first(struct sync_err *e, const char *text, size_t n,
                               uint8_t out[VERIFY_ED25519])
{
    struct key_line first, l;
    struct walk w;
    bool more;
    enum sync_rc rc;

    if ((rc = walk_begin(e, &w, text, n)) || (rc = walk_next(e, &w, &first, &more)))
        return rc;
    while (!(rc = walk_next(e, &w, &l, &more)) && more)
        ;
    if (rc)
        return rc;
    memcpy(out, first.key.bytes, VERIFY_ED25519);
    return SYNC_OK;
}

/* ---- writing ---- */

enum sync_rc verify_keys_append(struct sync_err *e, char *text, size_t *n, size_t room,
                                const char *role, const struct verify_key *key, uint64_t time,
                                const uint8_t signer[VERIFY_SECRET])
{
    char hex[2 * VERIFY_PUBLIC_MAX + 1], values[LINE_MAX_BYTES], over[LINE_MAX_BYTES];
    char id[2 * WIRE_KEY_ID + 1], sig_text[WIRE_SIG_TEXT];
    uint8_t sig[crypto_sign_BYTES];
    struct walk w = { 0 };
    struct verify_key by;
    struct key_line l;
    bool more = true;
    size_t len = *n, added, over_n, values_n;
    enum sync_rc rc;

    memset(w.before, '0', 2 * WIRE_HASH);
    if (len > 0) {
        if ((rc = walk_begin(e, &w, text, len)))
            return rc;
        while (more)
            if ((rc = walk_next(e, &w, &l, &more)))
                return rc;
    }
    verify_key_ed25519(signer + 32, &by);
    wire_hex(key->bytes, key->len, hex);
    wire_hex(by.id, WIRE_KEY_ID, id);
    values_n = (size_t)snprintf(values, sizeof values, "%" PRIu64 " %s %s %s %" PRIu64,
                                w.no + 1, role, key->algorithm, hex, time);
    over_n = signed_text(values, values_n, w.before, over);
    crypto_sign_detached(sig, NULL, (const uint8_t *)over, over_n, signer);
    wire_base64(sig, sizeof sig, sig_text);
    added = (size_t)snprintf(text + len, room - len, "%skey %s %s %s\n", len ? "" : header,
                             values, id, sig_text);
    if (added >= room - len)
        return sync_err_set(e, SYNC_USAGE, "keys: no room for another line");
    /* Whoever cannot be believed must not be published: read it back as a phone will. */
    if ((rc = survey(e, text, len + added, NULL, NULL, &(struct verdict){ 0 })))
        return rc;
    *n = len + added;
    return SYNC_OK;
}
