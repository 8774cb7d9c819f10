/*
 * ruling.c - the rules, the lists as they are now, and the site's own severities brought together.
 */
#include "server/library/ruling.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/check/lists.h"
#include "server/library/row.h"
#include "server/store/db.h"

enum { SENTENCE_MAX = 450 }; /* bytes of what a refusal says first */

struct asked {
    enum check_step step;
    uint64_t edition; /* of the lists */
    struct check_result result;
};

static const struct {
    enum check_step step;
    const char *name;
} steps[] = { { CHECK_SAVE, "save" },
              { CHECK_REVIEW, "review" },
              { CHECK_PUBLISH, "publish" } };

static const char *step_name(int64_t step)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].step == step)
            return steps[i].name;
    return "";
}

/* What the rules need for it, some ten times the text, goes at once: an import keeps all lines of a chunk. */
static void ask(struct arena *mem, const struct content *c, enum check_step step,
                int64_t published, const uint8_t *severity, const struct lists *lists,
                struct check_result *out)
{
    const struct check_context context = { .now = clock_now(),
                                           .published = published,
                                           .words = lists->words,
                                           .hosts = lists->hosts,
                                           .severity = severity };
    struct arena *scratch = arena_new();

    checkup(scratch, c, step, &context, out);
    out->verdicts = arena_dup(mem, out->verdicts, (size_t)out->n * sizeof *out->verdicts);
    for (int i = 0; i < out->n; i++)
        out->verdicts[i].said = arena_strdup(mem, out->verdicts[i].said);
    arena_free(scratch);
}

enum rc ruling_ask(struct work *w, const struct ruling *r, struct check_result *out)
{
    const struct asked *asked = r->content->asked;
    const struct lists *lists;
    const uint8_t *severity;
    enum rc rc;

    if ((rc = site_rules(w, r->item->site, &severity)))
        return rc;
    lists = lists_take();
    if (asked && !severity && !r->item->published && asked->step == r->step &&
        asked->edition == lists->edition)
        *out = asked->result;
    else
        ask(w->mem, r->content, r->step, r->item->published, severity, lists, out);
    lists_drop(lists);
    return RC_OK;
}

void ruling_prepare(struct arena *mem, struct content *c, enum check_step step)
{
    struct asked *asked = arena_zalloc(mem, sizeof *asked);
    const struct lists *lists = lists_take();

    asked->step = step;
    asked->edition = lists->edition;
    ask(mem, c, step, 0, NULL, lists, &asked->result);
    lists_drop(lists);
    c->asked = asked;
}

static enum rc keep(struct work *w, const struct ruling *r, const struct check_result *found)
{
    const struct id *id = &r->item->id;
    enum rc rc =
        db_run(w, SQL_check_result_renew, "bii", id->b, sizeof id->b, r->rev, (int64_t)r->step);

    for (int i = 0; i < found->n && !rc; i++) {
        const struct check_verdict *v = &found->verdicts[i];

        rc = db_run(w, SQL_check_result_add, "biiitittiii", id->b, sizeof id->b, r->rev,
                    (int64_t)r->step, (int64_t)i, check_rules[v->rule].name,
                    (int64_t)check_rules[v->rule].version, check_severity_name(v->severity),
                    v->field, (int64_t)v->from, (int64_t)v->to, clock_now());
    }
    return rc;
}

enum rc ruling_note(struct work *w, const struct ruling *r)
{
    struct check_result found;
    enum rc rc = ruling_ask(w, r, &found);

    return rc ? rc : keep(w, r, &found);
}

/* The first that blocks, and how many more. */
static enum rc refuse(struct err *e, const struct check_result *found)
{
    int blocking = 0;

    for (int i = 0; i < found->n; i++)
        blocking += found->verdicts[i].severity == CHECK_BLOCKING;
    for (int i = 0; i < found->n; i++) {
        const struct check_verdict *v = &found->verdicts[i];
        size_t n = strlen(v->said);

        if (v->severity != CHECK_BLOCKING)
            continue;
        while (n > SENTENCE_MAX || (v->said[n] & 0xc0) == 0x80)
            n--;
        if (blocking == 1)
            return err_set(e, RC_UNFIT, "%.*s", (int)n, v->said);
        return err_set(e, RC_UNFIT, "%.*s（另有%d处也必须改正）", (int)n, v->said,
                       blocking - 1);
    }
    return err_set(e, RC_UNFIT, "内容有必须改正的问题");
}

enum rc ruling_obey(struct work *w, const struct ruling *r)
{
    struct check_result found;
    enum rc rc = ruling_ask(w, r, &found);

    if (rc)
        return rc;
    return found.blocked ? refuse(&w->err, &found) : keep(w, r, &found);
}

enum rc ruling_kept(struct work *w, const struct id *item, int64_t rev, struct buf *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_check_result_of, &q, "bi", item->b, sizeof item->b, rev)))
        return rc;
    buf_addc(out, '[');
    while (rows_next(&q)) {
        char at[CLOCK_TEXT];

        buf_adds(out, out->p[out->n - 1] == '[' ? "{" : ",{");
        jx_put_text(out, "at", clock_text(rows_int(&q, 7), at));
        jx_put_text(out, "field", rows_text(&q, 4));
        jx_put_int(out, "from", rows_int(&q, 5));
        jx_put_text(out, "rule", rows_text(&q, 1));
        jx_put_text(out, "severity", rows_text(&q, 3));
        jx_put_text(out, "step", step_name(rows_int(&q, 0)));
        jx_put_int(out, "to", rows_int(&q, 6));
        jx_put_int(out, "version", rows_int(&q, 2));
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
    return rows_done(&q);
}

/* ---- sites ---- */

enum { NO_SEVERITY = -1 };

static int severity_parse(const char *name)
{
    for (int i = CHECK_OFF; i <= CHECK_BLOCKING; i++)
        if (!strcmp(check_severity_name((enum check_severity)i), name))
            return i;
    return NO_SEVERITY;
}

enum rc site_rules(struct work *w, int64_t site, const uint8_t **out)
{
    uint8_t *own = NULL;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_site_rule_of, &q, "i", site)))
        return rc;
    while (rows_next(&q)) {
        enum check_rule_no rule = check_rule_find(rows_text(&q, 0));
        int severity = severity_parse(rows_text(&q, 1));

        if (rule == CHECK_RULES || severity == NO_SEVERITY)
            continue; /* a rule that this program no longer has */
        if (!own) {
            own = arena_alloc(w->mem, CHECK_RULES);
            memset(own, CHECK_UNSET, CHECK_RULES);
        }
        own[rule] = (uint8_t)severity;
    }
    *out = own;
    return rows_done(&q);
}

enum rc site_rule_set(struct work *w, int64_t site, const char *rule, const char *severity)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_EDIT, site)))
        return rc;
    if (check_rule_find(rule) == CHECK_RULES)
        return err_set(&w->err, RC_NOT_FOUND, "there is no rule \"%.40s\"", rule);
    if (!strcmp(severity, "default"))
        return db_run(w, SQL_site_rule_unset, "it", site, rule);
    if (severity_parse(severity) == NO_SEVERITY)
        return err_field(&w->err, "/severity",
                         "a rule is off, warning, blocking, or as it is by default");
    return db_run(w, SQL_site_rule_set, "itt", site, rule, severity);
}
