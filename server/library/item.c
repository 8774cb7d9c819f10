/*
 * item.c - items and their revisions, for those who read and those who write.
 *
 *     item  (id, place, what lists need)  1 --- n  revision (rev 1, 2, 3 ...: state, content)
 *
 * A revision never changes its text: who edits makes the next one. What is published stays as
 * it is until the next revision is published in its place (publish.c).
 *
 * Not here: the rows themselves (item_row.c), pages of lists (list.c), what the public sees
 * (publish.c).
 */
#include "server/library/item.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/column.h"
#include "server/library/item_row.h"
#include "server/library/review.h"
#include "server/library/row.h"
#include "server/library/ruling.h"
#include "server/library/schedule.h"
#include "server/library/site.h"
#include "server/library/stream.h"

/* ---- reading ---- */

static enum rc no_item(struct work *w)
{
    return err_set(&w->err, RC_NOT_FOUND, "there is no such item");
}

static enum rc one_item(struct work *w, struct rows *q, enum rc rc, struct item *out)
{
    struct item it;

    if (!rc)
        rc = item_row(w, q, &it);
    if ((rc = row_finish(q, rc)) == RC_NOT_FOUND)
        return no_item(w);
    if (!rc)
        *out = it;
    return rc;
}

enum rc item_find(struct work *w, const struct id *id, struct item *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_item_by_id, &q, "b", id->b, sizeof id->b);

    return one_item(w, &q, rc, out);
}

enum rc item_by_origin(struct work *w, const char *authority, const char *origin_id,
                       struct item *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_item_by_origin, &q, "tt", authority, origin_id);

    return one_item(w, &q, rc, out);
}

enum rc item_record_at(struct work *w, int64_t stream, int64_t seq, struct slice *out)
{
    struct slice record;
    struct rows q;
    enum rc rc = db_one(w, SQL_item_record_of_seq, &q, "ii", stream, seq);

    if (!rc)
        record.p = rows_dup_blob(w, &q, 0, &record.n);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_GONE, "this text was taken down");
    if (!rc)
        *out = record;
    return rc;
}

enum rc item_live(struct work *w, const struct id *id, struct item *out, struct slice *record)
{
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)))
        return rc;
    if (!it.seq)
        return no_item(w);
    if ((rc = item_record_at(w, it.stream, it.seq, record)))
        return rc;
    *out = it;
    if (!it.live_rev && it.state == STATE_PUBLISHED) {
        *record = (struct slice){ "{}", 2 };
        return err_set(&w->err, RC_GONE,
                       "this platform does not show the item; %s publishes it", it.authority);
    }
    if (!it.live_rev)
        return err_set(&w->err, RC_GONE, "the item is no longer published");
    return RC_OK;
}

static enum rc revision_row(struct work *w, const struct rows *q, struct revision *out)
{
    const char *state = rows_text(q, 1);
    int state_no = state ? state_parse(state) : -1;

    if (state_no < 0)
        return err_set(&w->err, RC_CORRUPT, "a revision has an unknown state");
    *out = (struct revision){
        .rev = rows_int(q, 0),
        .state = (enum state)state_no,
        .seq = rows_int(q, 2),
        .update_type = rows_dup_text(w, q, 3),
        .note = rows_dup_text(w, q, 4),
        .author = rows_dup_text(w, q, 5),
        .created = rows_int(q, 6),
    };
    return RC_OK;
}

static enum rc find_revision(struct work *w, const struct item *it, int64_t rev,
                             struct revision *out)
{
    struct revision r;
    struct rows q;
    enum rc rc = db_one(w, SQL_revision_one, &q, "bi", it->id.b, sizeof it->id.b, rev);

    if (!rc && !(rc = revision_row(w, &q, &r)))
        r.content.p = rows_dup_blob(w, &q, 7, &r.content.n);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no revision %d", (int)rev);
    if (!rc)
        *out = r;
    return rc;
}

enum rc item_revision(struct work *w, const struct id *id, int64_t rev, struct item *item,
                      struct revision *out, struct content *content)
{
    struct revision r;
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = find_revision(w, &it, rev ? rev : it.rev, &r)) ||
        (rc = revision_content(w, &it, r.rev, content)))
        return rc;
    *item = it;
    *out = r;
    return RC_OK;
}

enum rc item_record(struct work *w, const struct id *id, int64_t rev, struct slice *record)
{
    struct revision r;
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = find_revision(w, &it, rev, &r)))
        return rc;
    if (!r.seq)
        return err_set(&w->err, RC_NOT_FOUND, "revision %d was never published", (int)rev);
    return item_record_at(w, it.stream, rev == it.live_rev ? it.seq : r.seq, record);
}

enum rc item_preview(struct work *w, const struct id *id, int64_t rev, struct item *item,
                     struct content *content)
{
    struct revision r;
    struct slice record;
    enum rc rc;

    if ((rc = item_revision(w, id, rev, item, &r, content)) || !r.seq)
        return rc;
    return item_record(w, id, r.rev, &record);
}

enum rc item_revisions(struct work *w, const struct id *id, bool published,
                       struct revision **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_revision_of_item, &q, "b", id->b, sizeof id->b)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct revision r;

        if (!(rc = revision_row(w, &q, &r)) && (r.seq || !published))
            buf_add(&list, &r, sizeof r);
    }
    if ((rc = row_finish(&q, rc)))
        return rc;
    *out = (struct revision *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc item_events(struct work *w, const struct id *id, struct item_event **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_revision_event_of_item, &q, "b", id->b, sizeof id->b)))
        return rc;
    while (rows_next(&q)) {
        struct item_event e = {
            .rev = rows_int(&q, 0),
            .verb = rows_dup_text(w, &q, 1),
            .before = rows_dup_text(w, &q, 2),
            .after = rows_dup_text(w, &q, 3),
            .actor = rows_dup_text(w, &q, 4),
            .reason = rows_dup_text(w, &q, 5),
            .at = rows_int(&q, 6),
        };

        buf_add(&list, &e, sizeof e);
    }
    *out = (struct item_event *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* ---- writing ---- */

enum rc item_place(struct work *w, int64_t site, int64_t col, struct item_place *out)
{
    struct site s;
    struct column c;
    enum rc rc;

    if ((rc = site_by_no(w, site, &s)) || (rc = column_by_no(w, col, &c)))
        return rc;
    if (c.site != site)
        return err_set(&w->err, RC_CONFLICT, "column %d belongs to another site", (int)col);
    if (!s.open || !c.open)
        return err_set(&w->err, RC_CONFLICT, "the %s \"%.200s\" is closed",
                       s.open ? "column" : "site", s.open ? c.path : s.name);
    *out = (struct item_place){ .site = s.code, .column = c.path };
    return RC_OK;
}

enum rc item_check_staff(struct err *e, enum item_kind kind)
{
    return kind == KIND_WARNING
               ? err_set(
                     e, RC_FORBIDDEN,
                     "预警由有权发布的单位签名发来，原样转发；这里不能编写、修改、发布或撤下")
               : RC_OK;
}

static enum rc check_names(struct work *w, const struct item_new *in)
{
    enum rc rc = RC_OK;

    if (in->authority)
        rc = field_check_line(&w->err, "authority", in->authority, strlen(in->authority), 1,
                              100);
    if (!rc && in->origin_id)
        rc =
            field_check_line(&w->err, "originId", in->origin_id, strlen(in->origin_id), 1, 200);
    return rc;
}

/* The newest revision of `it`, as a draft: all that is saved comes here, and the rules are asked. */
static enum rc draft_insert(struct work *w, const struct item *it, const struct content *c,
                            const char *update_type, const char *note)
{
    enum rc rc;

    if ((rc = revision_insert(w, &(struct revision_new){ &it->id, it->rev, STATE_DRAFT, 0, c,
                                                         update_type, note })) ||
        (rc = attachments_insert(w, &it->id, it->rev, c)))
        return rc;
    return ruling_note(w, &(struct ruling){ it, it->rev, c, CHECK_SAVE });
}

enum rc item_create(struct work *w, const struct item_new *in, struct item *out)
{
    struct item_place place;
    struct stream stream;
    struct site site;
    struct item it = { .id = id_new(), .born = -1, .site = in->site, .col = in->col, .rev = 1 };
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_EDIT | RIGHT_IMPORT, in->site)) ||
        (rc = item_check_staff(&w->err, in->content->kind)) || (rc = check_names(w, in)) ||
        (rc = item_place(w, in->site, in->col, &place)) ||
        (rc = site_by_no(w, in->site, &site)) || (rc = stream_by_no(w, site.stream, &stream)) ||
        (rc = stream_check_own(w, &stream)))
        return rc;
    it.stream = site.stream;
    it.state = STATE_DRAFT;
    it.authority = in->authority ? in->authority : arena_strdup(w->mem, stream.name);
    it.origin_id = in->origin_id;
    it.created = clock_now();
    item_describe(&it, in->content, it.created);
    memcpy(it.content_hash, in->content->hash, sizeof it.content_hash);
    if ((rc = item_insert(w, &it)) == RC_CONFLICT)
        return err_set(&w->err, rc, "\"%.100s\" has an item \"%.100s\" already", it.authority,
                       it.origin_id ? it.origin_id : "");
    if (rc || (rc = draft_insert(w, &it, in->content, "major", NULL)))
        return rc;
    *out = it;
    return RC_OK;
}

/* What was never published and now never will be. */
enum rc item_supersede_unpublished(struct work *w, const struct item *it)
{
    enum state to;
    enum rc rc;

    if (it->rev == it->live_rev || it->state == STATE_WITHDRAWN || it->state == STATE_EXPIRED)
        return RC_OK;
    if ((rc = state_step(w, VERB_SUPERSEDE, it->site, it->state, NULL, &to)) ||
        (rc = db_change(w, SQL_revision_set_state, "bit", it->id.b, sizeof it->id.b, it->rev,
                        state_name(to))))
        return rc;
    return revision_log(w, &it->id, it->rev, VERB_SUPERSEDE, it->state, to, NULL);
}

static bool same_value(const struct content *a, const struct content *b, enum field_no f)
{
    return a->value[f].n == b->value[f].n &&
           (!a->value[f].n || !memcmp(a->value[f].p, b->value[f].p, a->value[f].n));
}

/* What was asked once is asked so for ever, or answers would be to other questions. */
static enum rc check_survey(struct work *w, const struct item *it, const struct content *c)
{
    struct content asked;
    enum rc rc;

    if (it->born < 0 || (c->kind != KIND_SURVEY && it->kind != KIND_SURVEY))
        return RC_OK;
    if ((rc = revision_content(w, it, it->live_rev ? it->live_rev : it->rev, &asked)))
        return rc;
    if (c->kind == it->kind && same_value(c, &asked, FIELD_questions) &&
        same_value(c, &asked, FIELD_audience))
        return RC_OK;
    return err_set(
        &w->err, RC_CONFLICT,
        "the questions of a survey that was published stay as they are: withdraw it, "
        "and make another");
}

enum rc item_revise(struct work *w, struct item *it, const struct content *c,
                    const char *update_type, const char *note)
{
    enum rc rc;

    if (it->state == STATE_GONE)
        return err_set(&w->err, RC_GONE, "the item was taken down for good");
    if ((rc = check_survey(w, it, c)) || (rc = schedule_drop(w, &it->id)) ||
        (rc = item_supersede_unpublished(w, it)))
        return rc;
    it->rev++;
    it->state = STATE_DRAFT;
    memcpy(it->content_hash, c->hash, sizeof it->content_hash);
    if (!it->live_rev && it->born < 0)
        item_describe(it, c, it->created);
    rc = draft_insert(w, it, c, update_type, note);
    return rc ? rc : item_update(w, it);
}

static enum rc check_edit(struct work *w, const struct item *it, int64_t expected,
                          const char *update_type, const char *note)
{
    struct stream stream;
    enum rc rc;

    if (it->rev != expected)
        return err_set(&w->err, RC_CONFLICT, "revision %d was seen, but %d is the newest",
                       (int)expected, (int)it->rev);
    if (strcmp(update_type, "major") && strcmp(update_type, "minor") &&
        strcmp(update_type, "republish"))
        return err_field(&w->err, "updateType", "an update is major, minor or republish");
    if (note && (rc = field_check_text(&w->err, "note", note, strlen(note), 0, ITEM_NOTE_MAX)))
        return rc;
    if ((rc = stream_by_no(w, it->stream, &stream)) || (rc = stream_check_own(w, &stream)))
        return rc;
    if (strcmp(it->authority, stream.name))
        return err_set(&w->err, RC_CONFLICT,
                       "only \"%.100s\" revises this item: import its new text", it->authority);
    return RC_OK;
}

enum rc item_edit(struct work *w, const struct id *id, int64_t expected,
                  const struct content *content, const char *update_type, const char *note,
                  struct item *out)
{
    const char *type = update_type ? update_type : "minor";
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) ||
        (rc = work_need_at(w, RIGHT_EDIT | RIGHT_IMPORT, it.site)) ||
        (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = item_check_staff(&w->err, content->kind)) ||
        (rc = check_edit(w, &it, expected, type, note)) ||
        (rc = item_revise(w, &it, content, type, note)))
        return rc;
    *out = it;
    return RC_OK;
}

/* A survey asks everybody in the city's name: two people stand for it. The operator has the machine, and is nobody's second. */
static enum rc need_another(struct work *w, const struct item *it)
{
    struct revision r;
    enum rc rc;

    if (it->kind != KIND_SURVEY || w->who.operator)
        return RC_OK;
    if ((rc = find_revision(w, it, it->rev, &r)))
        return rc;
    return strcmp(r.author, w->who.name)
               ? RC_OK
               : err_set(&w->err, RC_FORBIDDEN,
                         "a survey is approved by somebody else than who wrote it");
}

/* What goes on towards the public, by whatever way, must be fit for it. */
static enum rc check_fit(struct work *w, const struct item *it, enum verb verb)
{
    struct content c;
    enum rc rc;

    if (verb == VERB_RETURN)
        return RC_OK;
    if ((rc = revision_content(w, it, it->rev, &c)))
        return rc;
    return ruling_obey(w, &(struct ruling){ it, it->rev, &c, CHECK_REVIEW });
}

/* What the reviewer decided is written down; before the last step the revision stays in review. */
static enum rc decide(struct work *w, const struct item *it, enum verb verb, const char *reason,
                      enum state *to)
{
    bool last = true;
    enum rc rc;

    if (verb == VERB_RETURN) {
        rc = schedule_drop(w, &it->id);
        return rc ? rc : review_return(w, it, reason);
    }
    if (verb != VERB_APPROVE)
        return RC_OK;
    if (!(rc = review_pass(w, it, reason, &last)) && !last)
        *to = it->state;
    return rc;
}

enum rc item_step(struct work *w, const struct id *id, int64_t rev, enum verb verb,
                  const char *reason, struct item *out)
{
    struct item it;
    enum state to;
    enum rc rc;

    if (verb != VERB_SUBMIT && verb != VERB_RETURN && verb != VERB_APPROVE)
        return err_set(&w->err, RC_INVALID, "%s is not a step of a draft", verb_name(verb));
    if ((rc = item_find(w, id, &it)) || (rc = item_check_staff(&w->err, it.kind)))
        return rc;
    if (it.rev != rev)
        return err_set(&w->err, RC_CONFLICT, "revision %d was seen, but %d is the newest",
                       (int)rev, (int)it.rev);
    if (verb == VERB_APPROVE && (rc = need_another(w, &it)))
        return rc;
    if ((rc = state_step(w, verb, it.site, it.state, reason, &to)) ||
        (rc = check_fit(w, &it, verb)) || (rc = decide(w, &it, verb, reason, &to)) ||
        (rc = db_change(w, SQL_revision_set_state, "bit", id->b, sizeof id->b, rev,
                        state_name(to))) ||
        (rc = revision_log(w, id, rev, verb, it.state, to, reason)))
        return rc;
    it.state = to;
    if ((rc = item_update(w, &it)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc item_restore(struct work *w, const struct id *id, struct item *out)
{
    struct content c;
    struct item it;
    enum state from, to;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = item_check_staff(&w->err, it.kind)))
        return rc;
    from = it.state;
    if ((rc = state_step(w, VERB_RESTORE, it.site, from, NULL, &to)) ||
        (rc = revision_content(w, &it, it.rev, &c)) ||
        (rc = item_revise(w, &it, &c, "republish", NULL)) ||
        (rc = revision_log(w, id, it.rev, VERB_RESTORE, from, to, NULL)))
        return rc;
    *out = it;
    return RC_OK;
}

enum rc item_restore_rev(struct work *w, const struct id *id, int64_t rev, struct item *out)
{
    const char *note = arena_printf(w->mem, "第 %" PRId64 " 版", rev);
    struct content c;
    struct item it;
    enum state from;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, RIGHT_EDIT, it.site)) ||
        (rc = item_check_staff(&w->err, it.kind)) ||
        (rc = check_edit(w, &it, it.rev, "minor", NULL)))
        return rc;
    from = it.state;
    if ((rc = revision_content(w, &it, rev, &c)) ||
        (rc = item_revise(w, &it, &c, "minor", NULL)) ||
        (rc = revision_log(w, id, it.rev, VERB_RESTORE, from, STATE_DRAFT, note)))
        return rc;
    *out = it;
    return RC_OK;
}
