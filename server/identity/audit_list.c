/*
 * audit_list.c - a page is what lies before a time and a number, so that rows which come meanwhile move nothing.
 *
 *     cursor   "TIME.NUMBER" of the last row shown
 *
 * An address that does not open (its key was lost, the row was tampered with) hinders no page: the reader is
 * told that there was one.
 */
#include "server/identity/audit_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/seal.h"
#include "server/store/db.h"

static enum rc read_cursor(struct work *w, const char *text, int64_t *at, int64_t *no)
{
    int end = 0;

    if (strspn(text, "0123456789.") != strlen(text) || strlen(text) >= AUDIT_CURSOR ||
        sscanf(text, "%18" SCNd64 ".%18" SCNd64 "%n", at, no, &end) != 2 || text[end])
        return err_field(&w->err, "cursor", "this is no cursor of the audit log");
    return RC_OK;
}

static enum rc query(struct work *w, const struct audit_filter *f, int64_t at, int64_t no,
                     struct rows *q)
{
    int64_t n = f->n + 1; /* one more tells that there is a next page */

    if (f->actor && f->action)
        return db_query(w, SQL_audit_page_by_both, q, "iiiitt", f->since, at, no, n, f->actor,
                        f->action);
    if (f->actor)
        return db_query(w, SQL_audit_page_by_actor, q, "iiiit", f->since, at, no, n, f->actor);
    if (f->action)
        return db_query(w, SQL_audit_page_by_action, q, "iiiit", f->since, at, no, n,
                        f->action);
    return db_query(w, SQL_audit_page, q, "iiii", f->since, at, no, n);
}

static const char *address_of(struct work *w, const struct audit_row *r)
{
    char *text;
    size_t n;

    if (!r->address)
        return "";
    return seal_open(w, (struct seal_place){ "audit.address", r->no }, r->address, r->address_n,
                     &text, &n)
               ? NULL
               : text;
}

static void keep(struct work *w, const struct rows *q, struct audit_row *r)
{
    (void)audit_read(q, r);
    r->actor = rows_dup_text(w, q, 3);
    r->action = rows_dup_text(w, q, 4);
    r->object = rows_dup_text(w, q, 5);
    r->result = rows_dup_text(w, q, 6);
    r->details = rows_dup_text(w, q, 8);
    r->address = rows_dup_blob(w, q, 7, &r->address_n);
}

static enum rc read_page(struct work *w, struct rows *q, int max, struct audit_page *out)
{
    out->rows = arena_alloc(w->mem, (size_t)max * sizeof *out->rows);
    out->addresses = arena_alloc(w->mem, (size_t)max * sizeof *out->addresses);
    out->n = 0;
    out->next[0] = '\0';
    while (rows_next(q)) {
        if (out->n == max) {
            const struct audit_row *last = &out->rows[max - 1];

            snprintf(out->next, sizeof out->next, "%" PRId64 ".%" PRId64, last->at, last->no);
            break;
        }
        keep(w, q, &out->rows[out->n]);
        out->addresses[out->n] = address_of(w, &out->rows[out->n]);
        out->n++;
    }
    return rows_done(q);
}

enum rc audit_list(struct work *w, const struct audit_filter *f, struct audit_page *out)
{
    int64_t at = f->until ? f->until : INT64_MAX, no = 0;
    struct rows q;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_AUDIT)))
        return rc;
    if (f->action && audit_find(f->action) == AUDIT_NOTHING)
        return err_field(&w->err, "action", "there is no action \"%.40s\"", f->action);
    if (f->cursor && (rc = read_cursor(w, f->cursor, &at, &no)))
        return rc;
    if ((rc = query(w, f, at, no, &q)))
        return rc;
    return read_page(w, &q, f->n, out);
}
