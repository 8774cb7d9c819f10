/*
 * audit.c - `tjzw audit verify` and `tjzw audit export`; `tjzw audit list` is a request like any other (staff.c).
 */
#include <inttypes.h>
#include <stdio.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/identity/audit_verify.h"
#include "server/identity/session.h"
#include "server/store/backup.h"
#include "server/store/db.h"

void cli_note(const struct args *a, const struct conf *c, const char *action)
{
    struct arena *mem = arena_new();
    struct link_answer answer;
    struct link *l = NULL;
    struct err e = { 0 };

    if (link_open(&e, a, c, false, &l) ||
        link_call(l, &e, mem, POST, arena_printf(mem, "/v1/audit/%s", action), NULL, NULL, 0,
                  &answer) ||
        (answer.status >= 300 && link_problem(&e, mem, &answer)))
        fprintf(stderr, "tjzw: the audit log does not say that this was done: %s\n", e.text);
    link_close(l);
    arena_free(mem);
}

/* ---- verify ---- */

static void print_fault(void *unused, int64_t no, const char *text)
{
    (void)unused;
    printf("FAULT record %" PRId64 ": %s\n", no, text);
}

static void print_sum(const struct audit_sum *s)
{
    printf("%s: %" PRId64 " records", s->faults ? "NOT WHOLE" : "whole", s->rows);
    if (s->rows)
        printf(", %" PRId64 " to %" PRId64, s->first, s->last);
    printf(", %" PRId64 " signatures", s->heads);
    if (s->faults)
        printf(", %" PRId64 " faults", s->faults);
    printf("\n");
    if (s->removed)
        printf("  up to %" PRId64 " they were kept their time and removed\n", s->removed);
    if (s->lost)
        printf("  %" PRId64 " were lost when a backup was restored: see audit.cut\n", s->lost);
}

static int verify(const struct args *a, const struct conf *c, struct work *w)
{
    const char *heads =
        arg_text(a, "heads", arena_printf(w->mem, "%s/" AUDIT_HEADS_NAME, c->data));
    struct audit_sum sum;
    enum rc rc;

    if (audit_head_load_public(&w->err, c->data))
        return cli_fail(&w->err, "the audit log cannot be verified",
                        "tjzw keys restore brings the key back");
    rc = audit_verify(w, heads, print_fault, NULL, &sum);
    audit_head_forget();
    if (rc && !sum.faults)
        return cli_fail(&w->err, "the audit log cannot be verified", NULL);
    print_sum(&sum);
    return rc ? cli_fail(&w->err, "the audit log is not what was written",
                         "keep this directory as it is, and compare it with the backups")
              : 0;
}

int cmd_audit_verify(const struct args *a)
{
    struct work w;
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    if (!(code = cli_open_read(c.data, &w))) {
        code = verify(a, &c, &w);
        cli_close(&w);
    }
    conf_done(&c);
    return code;
}

/* ---- export ---- */

static void put_blob(struct buf *b, const char *key, const void *p, size_t n)
{
    jx_key(b, key);
    buf_addc(b, '"');
    buf_hex(b, p, n);
    buf_addc(b, '"');
}

/* All that the chain covers, as it is: the address stays sealed. */
static void put_row(struct buf *b, const struct audit_row *r)
{
    buf_addc(b, '{');
    jx_put_text(b, "action", r->action);
    jx_put_text(b, "actor", r->actor);
    if (r->address)
        put_blob(b, "address", r->address, r->address_n);
    jx_put_int(b, "at", r->at);
    put_blob(b, "chain", r->chain, HASH_BYTES);
    jx_put_text(b, "details", r->details);
    jx_put_int(b, "no", r->no);
    jx_put_text(b, "object", r->object);
    jx_put_text(b, "result", r->result);
    jx_key(b, "session");
    buf_printf(b, "\"" SESSION_NAME "\"", r->session);
    buf_adds(b, "}\n");
}

static enum rc export_rows(struct work *w)
{
    struct buf b = BUF_HEAP;
    struct audit_row row;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_audit_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        (void)audit_read(&q, &row);
        b.n = 0;
        put_row(&b, &row);
        fwrite(b.p, 1, b.n, stdout);
    }
    buf_done(&b);
    return rows_done(&q);
}

static enum rc export_heads(struct work *w)
{
    struct buf b = BUF_HEAP;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_audit_head_all, &q, "")))
        return rc;
    while (rows_next(&q)) {
        size_t n;
        const char *note = rows_blob(&q, 2, &n);

        b.n = 0;
        buf_adds(&b, "{\"signed\":");
        jx_quote(&b, note ? note : "", note ? n : 0);
        buf_adds(&b, "}\n");
        fwrite(b.p, 1, b.n, stdout);
    }
    buf_done(&b);
    return rows_done(&q);
}

int cmd_audit_export(const struct args *a)
{
    struct work w;
    struct conf c;
    int code;

    if ((code = cli_conf(a, &c)))
        return code;
    cli_note(a, &c, audit_word(AUDIT_audit_export));
    if (!(code = cli_open_read(c.data, &w))) {
        if (export_rows(&w) || export_heads(&w))
            code = cli_fail(&w.err, "not all was exported", "see tjzw doctor");
        cli_close(&w);
    }
    conf_done(&c);
    return code;
}
