/*
 * keys.c - `tjzw keys`: the public key that a phone is told to trust; `tjzw keys list`: all of the
 * chain, and the files; `tjzw keys rotate`: another key; `tjzw keys reseal`, `tjzw keys retire`: away
 * with the old ones of personal fields.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/identity/keyfile.h"
#include "server/identity/reseal.h"
#include "sync/verify.h"

#define RESEAL "/v1/keys/seal/reseal"
enum { LOOK_EVERY_US = 200000 };

/* The chain in `mem`, checked, and its present platform key. */
static int read_chain(const struct conf *c, struct arena *mem, const char **text, size_t *n,
                      uint8_t first[VERIFY_ED25519], struct verify_key *platform)
{
    const char *path = arena_printf(mem, "%s/keys/chain", c->data);
    struct sync_err why = { 0 };
    struct err e = { 0 };
    char *chain;

    if (fs_read(&e, mem, path, VERIFY_KEYS_MAX, &chain, n))
        return cli_fail(&e, "keys",
                        "they are made at the first start of tjzw serve; an edge has none, its "
                        "server does");
    if ((verify_keys_first(&why, chain, *n, first) ||
         verify_keys_current(&why, chain, *n, first, "platform", platform)) &&
        err_set(&e, RC_CORRUPT, "%s: %.300s", path, why.text))
        return cli_fail(&e, "keys", "restore the directory keys/ from the backup");
    *text = chain;
    return 0;
}

int cmd_keys(const struct args *a)
{
    struct arena *mem = arena_new();
    struct verify_key platform;
    uint8_t first[VERIFY_ED25519];
    char hex[HASH_TEXT];
    const char *text;
    struct conf c;
    size_t n;
    int code;

    if (!(code = cli_conf(a, &c))) {
        if (!(code = read_chain(&c, mem, &text, &n, first, &platform)))
            printf("platform ed25519 %s\n%s", hex_text(platform.bytes, VERIFY_ED25519, hex),
                   text);
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}

/* ---- list ---- */

struct line {
    uint64_t no, time;
    char role[VERIFY_ROLE_MAX + 1], algorithm[WIRE_ALGORITHM_MAX + 1];
    struct verify_key key;
};

static bool take_text(struct wire_text *t, char *out, size_t room)
{
    const char *word;
    size_t n;

    if (!wire_take_word(t, &word, &n) || n >= room)
        return false;
    memcpy(out, word, n);
    out[n] = '\0';
    return wire_take_lit(t, " ");
}

/* One line of a chain that holds. */
static bool take_line(struct wire_text *t, struct line *l)
{
    uint8_t bytes[VERIFY_PUBLIC_MAX];
    const char *word, *end;
    size_t n;

    if (!wire_take_lit(t, "key ") || !wire_take_u64(t, &l->no) || !wire_take_lit(t, " ") ||
        !take_text(t, l->role, sizeof l->role) ||
        !take_text(t, l->algorithm, sizeof l->algorithm) || !wire_take_word(t, &word, &n) ||
        n / 2 > sizeof bytes || !wire_unhex(word, n, bytes, n / 2) || !wire_take_lit(t, " ") ||
        !wire_take_u64(t, &l->time) || !(end = memchr(t->at, '\n', (size_t)(t->end - t->at))))
        return false;
    t->at = end + 1;
    return verify_key_of(l->algorithm, bytes, n / 2, &l->key);
}

static void print_line(const struct line *l, bool now)
{
    char id[2 * WIRE_KEY_ID + 1], clock[CLOCK_TEXT];

    wire_hex(l->key.id, WIRE_KEY_ID, id);
    printf("%4" PRIu64 "  %-24s %-8s %s  %s%s\n", l->no, l->role, l->algorithm, id,
           clock_text((int64_t)l->time, clock), now ? "  signs now" : "");
}

/* No line of the same role and algorithm stands in what follows. */
static bool is_last(const struct line *l, struct wire_text rest)
{
    struct line later;

    while (rest.at < rest.end && take_line(&rest, &later))
        if (!strcmp(l->role, later.role) && !strcmp(l->algorithm, later.algorithm))
            return false;
    return true;
}

static void print_all(const char *text, size_t n)
{
    struct wire_text t = { text, text + n };
    struct line l;

    for (wire_take_lit(&t, "tjzw keys 1\n"); t.at < t.end && take_line(&t, &l);)
        print_line(&l, is_last(&l, t));
}

/* What needs each key of personal fields; nothing is known without a library. */
static void find_needs(const struct conf *c, struct reseal_needs needs[SEAL_KEYS_MAX + 1])
{
    char path[4096];
    struct work w;

    memset(needs, 0, (SEAL_KEYS_MAX + 1) * sizeof *needs);
    snprintf(path, sizeof path, "%s/tjzw.db", c->data);
    if (!fs_exists(path) || cli_open_read(c->data, &w))
        return;
    if (reseal_needs(&w, needs))
        cli_fail(&w.err, "what needs the keys is not known", NULL);
    cli_close(&w);
}

static void print_file(const struct keyfile *f, const struct reseal_needs *needs)
{
    char clock[CLOCK_TEXT];
    int no;

    printf("%-24s %s  %s%s", f->name, clock_text(f->made, clock), f->kind->chinese,
           f->kind->use == KEY_FIXED ? "（丢失则服务不启动）" : "");
    if (sscanf(f->name, "seal.%2d", &no) == 1 && no >= 1 && no <= SEAL_KEYS_MAX)
        printf("  %" PRId64 " values, %" PRId64 " rows of the audit log", needs[no].values,
               needs[no].audit);
    putchar('\n');
}

static int print_files(const struct conf *c, struct arena *mem)
{
    struct reseal_needs needs[SEAL_KEYS_MAX + 1];
    struct keyfile *files;
    struct err e = { 0 };
    int n;

    if (keyfile_list(&e, mem, arena_printf(mem, "%s/keys", c->data), &files, &n))
        return cli_fail(&e, "keys", "they are made at the first start of tjzw serve");
    find_needs(c, needs);
    for (int i = 0; i < n; i++)
        print_file(&files[i], needs);
    return 0;
}

int cmd_keys_list(const struct args *a)
{
    struct arena *mem = arena_new();
    struct verify_key platform;
    uint8_t first[VERIFY_ED25519];
    const char *text;
    struct conf c;
    size_t n;
    int code;

    if (!(code = cli_conf(a, &c))) {
        if (!fs_exists(arena_printf(mem, "%s/keys/chain", c.data))) { /* an edge has none */
            code = print_files(&c, mem);
        } else if (!(code = read_chain(&c, mem, &text, &n, first, &platform))) {
            print_all(text, n);
            code = print_files(&c, mem);
        }
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}

/* ---- rotate ---- */

static const char *cure(const struct err *e)
{
    switch (e->rc) {
    case RC_NOT_FOUND:
        return "name platform, seal, or one of the setting streams; tjzw keys list";
    case RC_CONFLICT: return "rotate it on the server that signs it";
    case RC_FULL: return "free disk space; a chain that is full cannot grow (docs/sync.md)";
    default: return link_hint(e);
    }
}

static int rotate(const struct args *a, struct link *l, struct arena *mem)
{
    struct buf target = BUF_IN(mem);
    struct link_answer answer;
    struct err e = { 0 };

    buf_adds(&target, "/v1/keys/");
    buf_url(&target, a->pos[0], strlen(a->pos[0]));
    buf_adds(&target, "/rotate");
    if (link_call(l, &e, mem, POST, target.p, NULL, NULL, 0, &answer) ||
        (answer.status >= 300 && link_problem(&e, mem, &answer)))
        return cli_fail(&e, "the key was not exchanged", cure(&e));
    if (!strcmp(a->pos[0], "seal"))
        printf("what is sealed from now on has a new key; what was sealed before needs the old "
               "ones\n  make a backup of the keys now: tjzw keys backup\n  seal all anew, so "
               "that the old ones can go: tjzw keys reseal\n");
    else
        printf(
            "%s has a new key, and the old one is gone\n  make a backup now: one of before no "
            "longer fits what phones know\n",
            a->pos[0]);
    return 0;
}

int cmd_keys_rotate(const struct args *a)
{
    return link_command(a, false, "the key was not exchanged", rotate);
}

/* ---- reseal, retire ---- */

/* Until it is through; whoever ends the command does not end it. */
static enum rc await_reseal(struct link *l, struct err *e, struct arena *mem)
{
    struct link_answer answer;
    json_t *state;
    enum rc rc;

    do {
        usleep(LOOK_EVERY_US);
        if ((rc = link_call(l, e, mem, GET, RESEAL, NULL, NULL, 0, &answer)) ||
            (answer.status >= 300 && (rc = link_problem(e, mem, &answer))) ||
            (rc = jx_object(e, mem, answer.body, answer.len, &state)))
            return rc;
    } while (jx_bool(state, "running", false));
    printf("%" PRId64 " values have the newest key now\n", jx_int(state, "done", 0));
    if (jx_int(state, "failed", 0))
        return err_set(e, RC_CORRUPT, "%" PRId64 " values could not be sealed anew",
                       jx_int(state, "failed", 0));
    return RC_OK;
}

static int reseal(const struct args *a, struct link *l, struct arena *mem)
{
    struct link_answer answer;
    struct err e = { 0 };

    (void)a;
    if (link_call(l, &e, mem, POST, RESEAL, NULL, NULL, 0, &answer) ||
        (answer.status >= 300 && link_problem(&e, mem, &answer)) || await_reseal(l, &e, mem))
        return cli_fail(&e, "not everything was sealed anew",
                        e.rc == RC_CORRUPT ? "see not_resealed in the log" : link_hint(&e));
    printf("  which keys are still needed: tjzw keys list; the others: tjzw keys retire\n");
    return 0;
}

int cmd_keys_reseal(const struct args *a)
{
    return link_command(a, false, "nothing was sealed anew", reseal);
}

static int retire(const struct args *a, struct link *l, struct arena *mem)
{
    struct buf target = BUF_IN(mem);
    struct link_answer answer;
    struct err e = { 0 };

    buf_adds(&target, "/v1/keys/");
    buf_url(&target, a->pos[0], strlen(a->pos[0]));
    buf_adds(&target, "/retire");
    if (link_call(l, &e, mem, POST, target.p, NULL, NULL, 0, &answer) ||
        (answer.status >= 300 && link_problem(&e, mem, &answer)))
        return cli_fail(&e, "the key stays",
                        e.rc == RC_CONFLICT ? "tjzw keys reseal; rows of the audit log keep "
                                              "their key until they go"
                                            : link_hint(&e));
    printf("%s is needed no more, and its file is gone; older backups have their own\n",
           a->pos[0]);
    return 0;
}

int cmd_keys_retire(const struct args *a)
{
    return link_command(a, false, "the key stays", retire);
}
