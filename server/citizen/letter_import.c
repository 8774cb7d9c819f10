/*
 * letter_import.c - a line is read on a worker, checked by the same rules as a phone's letter, and written with its past.
 */
#include "server/citizen/letter_import.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/letter_text.h"
#include "server/citizen/workday.h"
#include "server/identity/party_reach.h"
#include "server/library/row.h"

enum { ORIGIN_MAX = 100, RATING_MAX = 5 };

static const struct jx_field members[] = {
    { "origin", JX_TEXT, true, 1, ORIGIN_MAX },       { "received", JX_TEXT, true, 10, 40 },
    { "answer", JX_TEXT, false, 1, LETTER_TEXT_MAX }, { "answered", JX_TEXT, false, 10, 40 },
    { "rating", JX_INT, false, 1, RATING_MAX },       { 0 },
};

static enum rc read_time(struct err *e, const json_t *v, const char *name, int64_t *out)
{
    const char *text = jx_text(v, name);

    if (!text)
        return RC_OK;
    if (clock_parse(text, strlen(text), out))
        return err_field(e, name, "%s is no time", name);
    if (*out > clock_now())
        return err_field(e, name, "%s is in the future", name);
    return RC_OK;
}

static enum rc read_line(struct err *e, struct arena *mem, const char *text, size_t n,
                         struct letter_line *line)
{
    json_t *v;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, &v)) || (rc = jx_check_known(e, v, members, "")))
        return rc;
    line->origin = arena_strdup(mem, jx_text(v, "origin")); /* its member goes below */
    line->answer = letter_text_lines(mem, arena_strdup(mem, jx_text(v, "answer")));
    line->rating = jx_int(v, "rating", 0);
    if ((rc = read_time(e, v, "received", &line->received)) ||
        (rc = read_time(e, v, "answered", &line->answered)) ||
        (rc = letter_text_check(e, "origin", "origin", line->origin, ORIGIN_MAX, false)))
        return rc;
    if (!line->answer != !line->answered)
        return err_field(e, "answered", "answer and answered come together");
    if (line->answered && line->answered < line->received)
        return err_field(e, "answered", "it was answered before it was received");
    if (line->answer &&
        (rc = letter_text_check(e, "answer", "答复", line->answer, LETTER_TEXT_MAX, true)))
        return rc;
    for (const struct jx_field *m = members; m->name; m++)
        json_object_del(v, m->name); /* what is left is what a phone sends */
    line->value = v;
    return RC_OK;
}

void letter_import_read(struct arena *mem, const char *text, size_t n, struct letter_line *line)
{
    *line = (struct letter_line){ 0 };
    if (read_line(&line->why, mem, text, n, line))
        line->value = NULL;
}

/* The same letter has the same UUID however often it comes: version 8 (RFC 9562), of its origin's hash. */
static struct id id_of(const char *origin)
{
    uint8_t hash[HASH_BYTES];
    struct id id;

    sha256(origin, strlen(origin), hash);
    memcpy(id.b, hash, sizeof id.b);
    id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

static enum rc write_answer(struct work *w, struct letter *l, const struct letter_line *line)
{
    const struct letter_act answered = {
        .verb = LETTER_DO_ANSWER, .actor = "import", .text = line->answer, .at = line->answered
    };

    l->state = LETTER_CLOSED;
    l->due = 0;
    l->draft = 0;
    l->reviewed = false;
    l->settled = line->answered;
    l->rating = line->rating;
    return letter_write(w, l, &answered, NULL);
}

static enum rc create(struct work *w, struct letter *l, struct letter_line *line)
{
    const struct letter_act sent = { .verb = LETTER_DO_SEND,
                                     .actor = "import",
                                     .at = line->received };
    enum rc rc;

    l->id = id_of(l->origin);
    l->received = line->received;
    l->due = workday_deadline(l->received, letter_days(l->kind->category, l->received).answer);
    if ((rc = letter_insert(w, l)) || (rc = letter_write(w, l, &sent, NULL)) ||
        (line->answer && (rc = write_answer(w, l, line))))
        return rc;
    line->result = LETTER_CREATED;
    line->number = l->number;
    return RC_OK;
}

/* ---- it comes again ---- */

static enum rc refuse(struct letter_line *line, const char *field, const char *why)
{
    (void)err_field(&line->why, field, "%s", why);
    line->result = LETTER_REFUSED_LINE;
    return RC_OK;
}

/* A citizen rates in the other system days after he was answered there: the first that is told counts. */
static enum rc take_rating(struct work *w, struct letter *there, struct letter_line *line)
{
    const struct letter_act rated = { .verb = LETTER_DO_RATE, .actor = "import" };

    there->rating = line->rating;
    line->result = LETTER_UPDATED;
    return letter_write(w, there, &rated, NULL);
}

/* One that was open when it came takes the answer that it has now. */
static enum rc take_answer(struct work *w, struct letter *there, struct letter_line *line)
{
    struct letter_step had;
    enum rc rc;

    if (!line->answer)
        return RC_OK;
    rc = letter_step_last(w, there, LETTER_DO_ANSWER, &had);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (!rc) {
        if (!had.text || strcmp(had.text, line->answer) != 0)
            return refuse(line, "answer", "这封信件已经有另一份答复");
        if (there->rating == line->rating)
            return RC_OK;
        return there->rating || there->state != LETTER_CLOSED
                   ? refuse(line, "rating", "这封信件已经有另一份评价，或者在这里等写信人评价")
                   : take_rating(w, there, line);
    }
    if (there->settled)
        return refuse(line, "answer", "这封信件在这里已经办结");
    line->result = LETTER_UPDATED;
    return write_answer(w, there, line);
}

static enum rc compare(struct work *w, const struct letter *said, struct letter *there,
                       struct letter_line *line)
{
    line->result = LETTER_UNCHANGED;
    line->number = there->number;
    if (memcmp(said->hash, there->hash, sizeof there->hash) != 0)
        return refuse(line, "origin", "这个 origin 的信件早已收入，内容与这一行不同");
    if (line->received != there->received)
        return refuse(line, "received", "这封信件早已收入，收到的时间与这一行不同");
    return take_answer(w, there, line);
}

/* What is wrong with the line goes to line->why; what is returned is wrong with the store. */
static enum rc take(struct work *w, const char *from, struct letter_line *line)
{
    struct letter l = { .origin = arena_printf(w->mem, "%s/%s", from, line->origin) }, there;
    enum rc rc = letter_read_value(w, line->value, &l);

    if (rc == RC_INVALID || rc == RC_NOT_FOUND) {
        line->why = w->err;
        return RC_OK;
    }
    if (rc)
        return rc;
    rc = letter_by_origin(w, l.origin, &there);
    if (rc == RC_NOT_FOUND)
        return create(w, &l, line);
    return rc ? rc : compare(w, &l, &there, line);
}

enum rc letter_import(struct work *w, const char *from, struct letter_line *lines, int n)
{
    enum rc rc = work_need_at(w, RIGHT_LETTERS, EVERYWHERE);

    if (!rc)
        rc = party_may_reach(w, 0); /* letters of people that nobody knows yet */
    for (int i = 0; i < n && !rc; i++)
        if (lines[i].value)
            rc = take(w, from, &lines[i]);
    return rc;
}
