/*
 * letter_template.c - three statements.
 */
#include "server/citizen/letter_template.h"

#include "server/citizen/letter_staff.h"
#include "server/citizen/letter_text.h"
#include "server/library/row.h"

enum rc letter_template_list(struct work *w, int64_t unit, struct letter_template **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = letter_may(w, unit)) ||
        (rc = db_query(w, SQL_letter_template_all, &q, "i", unit)))
        return rc;
    while (rows_next(&q)) {
        struct letter_template t = { rows_dup_text(w, &q, 0), rows_dup_text(w, &q, 1) };

        buf_add(&list, &t, sizeof t);
    }
    *out = (struct letter_template *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

enum rc letter_template_put(struct work *w, int64_t unit, const struct letter_template *t)
{
    const char *text = letter_text_lines(w->mem, t->text);
    struct letter_template *all;
    enum rc rc;
    int n;

    if ((rc = letter_text_check(&w->err, "/name", "名称", t->name, LETTER_LINE_MAX, false)) ||
        (rc = letter_text_check(&w->err, "/text", "正文", text, LETTER_TEXT_MAX, true)) ||
        (rc = letter_template_list(w, unit, &all, &n)))
        return rc;
    if (n >= LETTER_TEMPLATES_MAX)
        return err_set(&w->err, RC_CONFLICT, "模板已有 %d 个，请先删除一些", n);
    return db_run(w, SQL_letter_template_put, "itt", unit, t->name, text);
}

enum rc letter_template_drop(struct work *w, int64_t unit, const char *name)
{
    enum rc rc;

    if ((rc = letter_may(w, unit)))
        return rc;
    rc = db_change(w, SQL_letter_template_drop, "it", unit, name);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "没有这个模板") : rc;
}
