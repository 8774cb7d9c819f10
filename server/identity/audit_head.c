/*
 * audit_head.c - from the newest row to a signed text, and what the file knows that the table lost.
 *
 * A head is in the table with its COMMIT and in the file right after it. A crash in between is made
 * up for at the next start. So the file never names a row that was not there; if it does, the
 * rows were taken away afterwards.
 */
#include "server/identity/audit_head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/secret.h"
#include "server/base/sm2.h"
#include "server/identity/audit.h"
#include "server/identity/audit_mark.h"
#include "server/store/backup.h"
#include "server/store/db.h"

enum { PATH = 4112 };

static struct {
    struct secrets {
        uint8_t ed25519[VERIFY_SECRET];
        uint8_t sm2[SM2_SECRET];
    } * secret; /* NULL: we only read */
    struct audit_keys keys;
    char data[PATH - 32];
} signer;

/* ---- as text ---- */

static const char *const kinds[] = { [AUDIT_HEAD] = "head", [AUDIT_BOUNDARY] = "boundary" };

static bool take_kind(struct wire_text *t, enum audit_head_kind *out)
{
    *out = wire_take_lit(t, "kind boundary\n") ? AUDIT_BOUNDARY : AUDIT_HEAD;
    return *out == AUDIT_BOUNDARY || wire_take_lit(t, "kind head\n");
}

static bool take_number(struct wire_text *t, const char *name, int64_t *out)
{
    uint64_t v;

    if (!wire_take_lit(t, name) || !wire_take_u64(t, &v) || v > INT64_MAX)
        return false;
    *out = (int64_t)v;
    return wire_take_lit(t, "\n");
}

bool audit_head_parse(const char *text, size_t n, struct audit_head *out,
                      struct wire_note *note, size_t *len)
{
    struct wire_text t = { text, text + n };
    struct audit_head h = { 0 };
    struct wire_note w = { 0 };
    struct sync_err ignored;

    if (!wire_take_lit(&t, "tjzw audit 1\n") || !take_kind(&t, &h.kind) ||
        !take_number(&t, "no ", &h.no) || !take_number(&t, "at ", &h.at) ||
        !take_number(&t, "time ", &h.time) || !wire_take_lit(&t, "chain ") ||
        !wire_take_hex(&t, h.chain, HASH_BYTES) || !wire_take_lit(&t, "\n"))
        return false;
    h.with_sm2 = wire_take_lit(&t, "with sm2\n");
    w.signed_len = (size_t)(t.at - text);
    if (wire_take_sigs(&ignored, &t, "audit head", &w))
        return false;
    for (size_t i = 0; i < w.nsigs; i++)
        h.sm2 |= !strcmp(w.sigs[i].algorithm, "sm2");
    *out = h;
    *note = w;
    *len = (size_t)(t.at - text);
    return true;
}

enum audit_heads_step audit_heads_next(const char *file, size_t n, size_t *at,
                                       struct audit_head *out, struct wire_note *note,
                                       const char **text)
{
    static const char begin[] = "\n\ntjzw audit 1\n";
    const char *next;
    size_t len;

    if (*at == n)
        return AUDIT_HEADS_END;
    *text = file + *at;
    if (audit_head_parse(*text, n - *at, out, note, &len) && *at + len < n) {
        *at += len + 1;
        return AUDIT_HEADS_ONE;
    }
    next = memmem(*text, n - *at, begin, sizeof begin - 1);
    *at = next ? (size_t)(next + 2 - file) : n;
    return AUDIT_HEADS_DAMAGED;
}

static size_t print(const struct audit_head *h, char out[AUDIT_HEAD_MAX])
{
    char hex[HASH_TEXT];

    return (size_t)snprintf(
        out, AUDIT_HEAD_MAX,
        "tjzw audit 1\nkind %s\nno %" PRId64 "\nat %" PRId64 "\ntime %" PRId64 "\nchain %s\n%s",
        kinds[h->kind], h->no, h->at, h->time, hex_text(h->chain, HASH_BYTES, hex),
        h->with_sm2 ? "with sm2\n" : "");
}

static bool sig_holds(const struct audit_keys *keys, const char *text, size_t n,
                      const struct wire_sig *sig)
{
    if (!memcmp(sig->key_id, keys->ed25519.id, WIRE_KEY_ID))
        return !strcmp(sig->algorithm, "ed25519") && sig->len == crypto_sign_BYTES &&
               !crypto_sign_verify_detached(sig->bytes, (const uint8_t *)text, n,
                                            keys->ed25519.bytes);
    return keys->sm2.len && !memcmp(sig->key_id, keys->sm2.id, WIRE_KEY_ID) &&
           !strcmp(sig->algorithm, "sm2") &&
           sm2_holds(keys->sm2.bytes, text, n, sig->bytes, sig->len);
}

bool audit_head_holds(const struct audit_keys *keys, const char *text,
                      const struct wire_note *note)
{
    bool ours = false;

    for (size_t i = 0; i < note->nsigs; i++) {
        if (!sig_holds(keys, text, note->signed_len, &note->sigs[i]))
            return false;
        ours |= !strcmp(note->sigs[i].algorithm, "ed25519");
    }
    return ours;
}

/* ---- keys ---- */

static enum rc take_ed25519(struct err *e, const uint8_t seed[SECRET_BYTES])
{
    uint8_t pk[VERIFY_ED25519];

    (void)e;
    crypto_sign_seed_keypair(pk, signer.secret->ed25519, seed);
    verify_key_ed25519(pk, &signer.keys.ed25519);
    audit_end_key(seed);
    return RC_OK;
}

static enum rc take_sm2(struct err *e, const uint8_t secret[SECRET_BYTES])
{
    uint8_t pk[SM2_PUBLIC];
    enum rc rc;

    if ((rc = sm2_public(e, secret, pk)))
        return rc;
    memcpy(signer.secret->sm2, secret, SM2_SECRET);
    (void)verify_key_of("sm2", pk, sizeof pk, &signer.keys.sm2);
    return RC_OK;
}

static const struct {
    const char *file;
    enum rc (*take)(struct err *e, const uint8_t seed[SECRET_BYTES]);
} files[] = { { "audit", take_ed25519 }, { "audit.sm2", take_sm2 } };

/* The file is made if it is wanted and not there. */
static enum rc load_one(struct err *e, int i, bool wanted, bool may_make)
{
    uint8_t seed[SECRET_BYTES];
    char path[PATH];
    enum rc rc;

    snprintf(path, sizeof path, "%s/keys/%s", signer.data, files[i].file);
    if (!fs_exists(path) && !wanted)
        return RC_OK;
    if (!fs_exists(path) && !may_make)
        return err_set(e, RC_NOT_FOUND, "%s is not there: tjzw keys restore brings it back",
                       path);
    if ((rc = secret_load_or_make(e, path, seed, sizeof seed)))
        return rc;
    rc = files[i].take(e, seed);
    secret_wipe(seed, sizeof seed);
    return rc;
}

static enum rc load(struct err *e, const char *data, bool sm2, bool may_make)
{
    enum rc rc;

    if (sodium_init() < 0)
        return err_set(e, RC_INTERNAL, "libsodium cannot start");
    audit_head_forget();
    if (!(signer.secret = sodium_malloc(sizeof *signer.secret)))
        return err_set(e, RC_INTERNAL, "no memory that can be locked for the keys");
    snprintf(signer.data, sizeof signer.data, "%s", data);
    if ((rc = load_one(e, 0, true, may_make)) || (rc = load_one(e, 1, sm2, may_make)))
        audit_head_forget();
    return rc;
}

enum rc audit_head_load(struct err *e, const char *data, bool sm2)
{
    enum rc rc = load(e, data, sm2, true);

    return rc ? rc : audit_mark_open(e, data);
}

enum rc audit_head_load_public(struct err *e, const char *data)
{
    return load(e, data, false, false);
}

void audit_head_forget(void)
{
    audit_mark_close();
    sodium_free(signer.secret);
    signer.secret = NULL;
    signer.keys = (struct audit_keys){ 0 };
    audit_end_key(NULL);
}

const struct audit_keys *audit_head_keys(void)
{
    return &signer.keys;
}

const char *audit_head_data(void)
{
    return signer.data;
}

/* ---- signing ---- */

static enum rc add_sm2(struct err *e, size_t signed_n, char *text, size_t *n)
{
    struct wire_sig sig = { .algorithm = "sm2", .len = SM2_SIG };
    struct sync_err se;
    enum rc rc =
        sm2_sign(e, signer.secret->sm2, signer.keys.sm2.bytes, text, signed_n, sig.bytes);

    if (rc)
        return rc;
    memcpy(sig.key_id, signer.keys.sm2.id, sizeof sig.key_id);
    if (wire_sig_append(&se, &sig, text, n, AUDIT_HEAD_MAX))
        return err_set(e, RC_INTERNAL, "sign: %s", se.text);
    return RC_OK;
}

static enum rc sign(struct err *e, const struct audit_head *h, char text[AUDIT_HEAD_MAX],
                    size_t *n)
{
    struct audit_head said = *h;
    struct sync_err se;
    size_t signed_n;

    if (!signer.secret)
        return err_set(e, RC_INTERNAL, "there is no key to sign the audit log with");
    said.with_sm2 = signer.keys.sm2.len;
    *n = signed_n = print(&said, text);
    if (verify_sign(&se, signer.secret->ed25519, text, n, AUDIT_HEAD_MAX))
        return err_set(e, RC_INTERNAL, "sign: %s", se.text);
    return signer.keys.sm2.len ? add_sm2(e, signed_n, text, n) : RC_OK;
}

/* ---- the file ---- */

static const char *heads_path(char out[PATH])
{
    snprintf(out, PATH, "%s/" AUDIT_HEADS_NAME, signer.data);
    return out;
}

/* All of it, or the file is as it was: a piece at the end would come to lie in the midst. */
static int write_whole(int fd, const char *text, size_t n)
{
    off_t before = lseek(fd, 0, SEEK_END);
    ssize_t done = before < 0 ? -1 : write(fd, text, n);

    if (done == (ssize_t)n)
        return fsync(fd);
    if (done > 0 && ftruncate(fd, before))
        LOG(LOG_ERROR, "audit_head_in_part", L_STR("why", strerror(errno)));
    if (done >= 0)
        errno = ENOSPC;
    return -1;
}

/* After COMMIT: a failure here is made up for at the next start. */
static void append(void *note)
{
    const char *text = note;
    char path[PATH];
    AUTO(closep)
    int fd = open(heads_path(path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write_whole(fd, text, strlen(text)))
        LOG(LOG_ERROR, "audit_head_not_appended", L_STR("why", strerror(errno)));
}

static enum rc store(struct work *w, const struct audit_head *h)
{
    char text[AUDIT_HEAD_MAX];
    size_t n;
    enum rc rc;

    if ((rc = sign(&w->err, h, text, &n)) ||
        (rc = db_run(w, SQL_audit_head_put, "iib", h->no, (int64_t)h->kind, text, n)))
        return rc;
    work_after_commit(w, append, arena_printf(w->mem, "%.*s\n", (int)n, text));
    return RC_OK;
}

/* The time of a row, and its chain; RC_NOT_FOUND. */
static enum rc row_at(struct work *w, int64_t no, int64_t *at, uint8_t chain[HASH_BYTES])
{
    struct rows q;
    const void *p;
    enum rc rc, end;
    size_t n;

    if (!(rc = db_one(w, SQL_audit_chain_at, &q, "i", no))) {
        *at = rows_int(&q, 0);
        p = rows_blob(&q, 1, &n);
        if (p && n == HASH_BYTES)
            memcpy(chain, p, n);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

static enum rc is_signed(struct work *w, int64_t no, bool *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_audit_head_at, &q, "i", no)))
        return rc;
    *out = rows_next(&q);
    return rows_done(&q);
}

enum rc audit_head_sign(struct work *w)
{
    struct audit_head h = { .kind = AUDIT_HEAD, .time = clock_now() };
    struct audit_end end;
    bool done;
    enum rc rc;

    if ((rc = audit_end_read(w, &end)) || (rc = is_signed(w, end.no, &done)))
        return rc;
    if (!end.no || done)
        return RC_OK;
    rc = row_at(w, end.no, &h.at, h.chain);
    if (rc == RC_NOT_FOUND) /* somebody took the end away: tjzw audit verify says so */
        return RC_OK;
    h.no = end.no;
    return rc ? rc : store(w, &h);
}

enum rc audit_head_bound(struct work *w, const struct audit_head *boundary)
{
    enum rc rc = db_run(w, SQL_audit_head_drop, "i", boundary->no);

    return rc ? rc : store(w, boundary);
}

/* ---- after a crash or a restore ---- */

struct known {
    struct audit_head newest; /* of the file; no 0: it has none */
    struct audit_head agreed; /* … whose row is there as it was signed */
    struct buf have;          /* struct audit_head each, as the file has them */
};

static bool has(const struct known *k, const struct audit_head *h)
{
    const struct audit_head *all = (const void *)k->have.p;

    for (size_t i = k->have.n / sizeof *all; i-- > 0;)
        if (all[i].no == h->no && all[i].kind == h->kind)
            return true;
    return false;
}

static enum rc know(struct work *w, struct known *k, const struct audit_head *h)
{
    uint8_t chain[HASH_BYTES] = { 0 };
    int64_t at;
    enum rc rc;

    buf_add(&k->have, h, sizeof *h);
    if (h->kind != AUDIT_HEAD)
        return RC_OK;
    k->newest = *h;
    rc = row_at(w, h->no, &at, chain);
    if (!rc && !memcmp(chain, h->chain, HASH_BYTES))
        k->agreed = *h;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* A crash while the newest was appended leaves less than one at the end. */
static enum rc remove_torn(struct work *w, const char *path, size_t whole, size_t n)
{
    AUTO(closep) int fd = -1;

    if (n - whole >= AUDIT_HEAD_MAX)
        return RC_OK;
    LOG(LOG_WARN, "audit_heads_torn", L_INT("bytes", (int64_t)(n - whole)));
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)whole) || fsync(fd))
        return err_errno(&w->err, "shorten %s", path);
    return RC_OK;
}

/* What is damaged in its midst is left alone: tjzw audit verify names it. */
static enum rc read_file(struct work *w, struct known *k)
{
    enum audit_heads_step step = AUDIT_HEADS_ONE;
    size_t n, at = 0, before = 0;
    struct wire_note note;
    struct audit_head h;
    const char *one;
    char path[PATH], *text;
    enum rc rc = fs_read(&w->err, w->mem, heads_path(path), AUDIT_HEADS_MAX, &text, &n);

    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    for (; !rc && at < n; before = step == AUDIT_HEADS_ONE ? at : before) {
        step = audit_heads_next(text, n, &at, &h, &note, &one);
        if (step == AUDIT_HEADS_ONE && audit_head_holds(&signer.keys, one, &note))
            rc = know(w, k, &h);
    }
    return !rc && step == AUDIT_HEADS_DAMAGED ? remove_torn(w, path, before, n) : rc;
}

/* Heads of the table that the file lacks. */
static enum rc complete_file(struct work *w, const struct known *k)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_audit_head_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        struct audit_head h = { .no = rows_int(&q, 0),
                                .kind = (enum audit_head_kind)rows_int(&q, 1) };
        size_t n;
        const char *text = rows_blob(&q, 2, &n);

        if (text && !has(k, &h))
            work_after_commit(w, append, arena_printf(w->mem, "%.*s\n", (int)n, text));
    }
    return rows_done(&q);
}

static enum rc boundary_no(struct work *w, int64_t *out)
{
    struct rows q;
    enum rc rc;

    *out = 0;
    if ((rc = db_query(w, SQL_audit_boundary, &q, "")))
        return rc;
    if (rows_next(&q))
        *out = rows_int(&q, 0);
    return rows_done(&q);
}

static enum rc say_cut(struct work *w, const struct known *k)
{
    struct audit_end end;
    int64_t next;
    enum rc rc;

    if ((rc = audit_end_read(w, &end)))
        return rc;
    next = (k->newest.no > end.no ? k->newest.no : end.no) + 1;
    LOG(LOG_WARN, "audit_cut", L_INT("after", end.no), L_INT("signed", k->newest.no));
    work_fact(w, "after", end.no);
    work_fact(w, "agreed", k->agreed.no);
    work_fact(w, "signed", k->newest.no);
    rc = audit_add_at(w, AUDIT_audit_cut, next);
    work_forget_facts(w);
    return rc ? rc : audit_head_sign(w);
}

/* Rows that were there and that nothing had signed yet are missed by the mark. */
static enum rc know_mark(struct work *w, int64_t gone, struct known *k)
{
    uint8_t chain[HASH_BYTES] = { 0 };
    struct audit_end mark;
    bool own;
    int64_t at;
    enum rc rc;

    if (!audit_mark(&mark, &own) || mark.no <= gone || mark.no <= k->newest.no)
        return RC_OK;
    rc = row_at(w, mark.no, &at, chain);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (rc || memcmp(chain, mark.chain, HASH_BYTES) != 0)
        k->newest.no = mark.no;
    return RC_OK;
}

enum rc audit_head_settle(struct work *w)
{
    struct known k = { .have = BUF_IN(w->mem) };
    int64_t gone;
    enum rc rc;

    if ((rc = boundary_no(w, &gone)) || (rc = read_file(w, &k)) ||
        (rc = complete_file(w, &k)) || (rc = know_mark(w, gone, &k)))
        return rc;
    if (k.newest.no == k.agreed.no || k.newest.no <= gone)
        return RC_OK;
    return say_cut(w, &k);
}
