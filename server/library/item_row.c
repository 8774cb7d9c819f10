/*
 * item_row.c - items and revisions as rows.
 *
 * The row of an item repeats what lists and searches ask for, so that a page of a list is one
 * query and no record is opened.
 */
#include "server/library/item_row.h"

#include "server/base/clock.h"
#include "server/library/row.h"

enum rc item_row(struct work *w, const struct rows *q, struct item *out)
{
    struct item it = {
        .stream = rows_int(q, 1),
        .born = rows_null(q, 2) ? -1 : rows_int(q, 2),
        .site = rows_int(q, 3),
        .col = rows_int(q, 4),
        .rev = rows_int(q, 7),
        .live_rev = rows_int(q, 8),
        .seq = rows_int(q, 9),
        .authority = rows_dup_text(w, q, 10),
        .origin_id = rows_dup_text(w, q, 11),
        .title = rows_dup_text(w, q, 13),
        .summary = rows_dup_text(w, q, 14),
        .date = rows_int(q, 15),
        .published = rows_int(q, 16),
        .updated = rows_int(q, 17),
        .expires = rows_int(q, 18),
        .created = rows_int(q, 19),
    };
    const char *kind = rows_text(q, 5), *state = rows_text(q, 6);
    int kind_no = kind ? kind_parse(kind) : -1, state_no = state ? state_parse(state) : -1;
    enum rc rc;

    if ((rc = row_bytes(w, q, 0, it.id.b, sizeof it.id.b)) ||
        (rc = row_bytes(w, q, 12, it.content_hash, sizeof it.content_hash)))
        return rc;
    if (kind_no < 0 || state_no < 0)
        return err_set(&w->err, RC_CORRUPT, "the row of an item has an unknown kind or state");
    it.kind = (enum item_kind)kind_no;
    it.state = (enum state)state_no;
    *out = it;
    return RC_OK;
}

enum rc item_insert(struct work *w, const struct item *it)
{
    return db_run(w, SQL_item_add, "biiiittiiittbttiiiii", it->id.b, sizeof it->id.b,
                  it->stream, it->born, it->site, it->col, kind_name(it->kind),
                  state_name(it->state), it->rev, it->live_rev, it->seq, it->authority,
                  it->origin_id, it->content_hash, sizeof it->content_hash, it->title,
                  it->summary, it->date, it->published, it->updated, it->expires, it->created);
}

enum rc item_update(struct work *w, const struct item *it)
{
    return db_change(w, SQL_item_set, "biiittiiibttiiii", it->id.b, sizeof it->id.b, it->born,
                     it->site, it->col, kind_name(it->kind), state_name(it->state), it->rev,
                     it->live_rev, it->seq, it->content_hash, sizeof it->content_hash,
                     it->title, it->summary, it->date, it->published, it->updated, it->expires);
}

void item_describe(struct item *it, const struct content *c, int64_t at)
{
    it->kind = c->kind;
    it->title = c->title;
    it->summary = c->summary;
    it->expires = c->expires;
    it->date = c->dated ? c->source_date : at;
}

enum rc revision_insert(struct work *w, const struct revision_new *r)
{
    struct buf text = BUF_IN(w->mem);

    if (r->content && !r->seq)
        content_write(r->content, &text);
    return db_run(w, SQL_revision_add, "bitbittti", r->item->b, sizeof r->item->b, r->rev,
                  state_name(r->state), text.p, text.n, r->seq, r->update_type, r->note,
                  w->who.name, clock_now());
}

enum rc revision_log(struct work *w, const struct id *item, int64_t rev, enum verb verb,
                     enum state before, enum state after, const char *reason)
{
    return db_run(w, SQL_revision_event_add, "bittttti", item->b, sizeof item->b, rev,
                  verb_name(verb), state_name(before), state_name(after), w->who.name, reason,
                  clock_now());
}

/* The picture above the text is a file of the revision too; it stands behind the others. */
static enum rc image_insert(struct work *w, const struct id *item, int64_t rev,
                            const struct content *c)
{
    const struct slice *value = &c->value[FIELD_image]; /* "…": 64 digits between quotes */
    uint8_t hash[HASH_BYTES];

    if (!value->p || !hex_parse(value->p + 1, value->n - 2, hash, sizeof hash))
        return RC_OK;
    return db_run(w, SQL_attachment_add, "biibtti", item->b, sizeof item->b, rev,
                  (int64_t)c->files_n, hash, sizeof hash, "", "image", (int64_t)0);
}

enum rc attachments_insert(struct work *w, const struct id *item, int64_t rev,
                           const struct content *c)
{
    enum rc rc;

    for (int i = 0; i < c->files_n; i++) {
        const struct content_file *f = &c->files[i];

        if ((rc = db_run(w, SQL_attachment_add, "biibtti", item->b, sizeof item->b, rev,
                         (int64_t)i, f->hash, sizeof f->hash, f->name, f->type, f->size)))
            return rc;
    }
    return image_insert(w, item, rev, c);
}

enum rc revision_content(struct work *w, const struct item *it, int64_t rev,
                         struct content *out)
{
    struct slice text;
    struct revision r;
    struct rows q;
    enum rc rc = db_one(w, SQL_revision_one, &q, "bi", it->id.b, sizeof it->id.b, rev);

    r.seq = rc ? 0 : rows_int(&q, 2);
    if (!rc)
        text.p = rows_dup_blob(w, &q, 7, &text.n);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no revision %d", (int)rev);
    if (rc || (!text.p && r.seq && (rc = item_record(w, &it->id, rev, &text))))
        return rc;
    if (!text.p)
        return err_set(&w->err, RC_GONE, "the text of revision %d was taken down", (int)rev);
    return content_parse(&w->err, w->mem, text.p, text.n, out);
}
