/*
 * attachment.c - two questions to one table.
 */
#include "server/library/attachment.h"

#include "server/library/row.h"

static enum rc answer(struct work *w, struct rows *q, enum rc rc)
{
    if ((rc = row_finish(q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no such file, or it is not published");
    return rc;
}

enum rc attachment_public(struct work *w, const uint8_t hash[HASH_BYTES])
{
    struct rows q;
    enum rc rc = db_one(w, SQL_attachment_public, &q, "b", hash, (size_t)HASH_BYTES);

    return answer(w, &q, rc);
}

enum rc attachment_of(struct work *w, const struct id *item, int64_t rev,
                      const uint8_t hash[HASH_BYTES])
{
    struct rows q;
    enum rc rc = db_one(w, SQL_attachment_of, &q, "bib", item->b, sizeof item->b, rev, hash,
                        (size_t)HASH_BYTES);

    return answer(w, &q, rc);
}
