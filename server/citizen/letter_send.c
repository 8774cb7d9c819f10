/*
 * letter_send.c - a letter from its writer's side. What staff does: letter_staff.c.
 *
 *     send --> row, number, deadline, step, receipt: one transaction
 *     add, withdraw, rate --> a step, and the row as it is after it
 */
#include "server/citizen/letter_send.h"

#include "server/base/clock.h"
#include "server/citizen/epoch.h"
#include "server/citizen/letter_file.h"
#include "server/citizen/letter_text.h"
#include "server/citizen/receipt.h"
#include "server/citizen/workday.h"
#include "server/identity/account.h"
#include "server/library/row.h"

enum { DAY = 86400, RATING_POOR = 2, RATING_MAX = 5 };

static enum rc other_content(struct work *w)
{
    return err_set(&w->err, RC_UNPROCESSABLE, "这个编号已经用于别的信件或别的内容");
}

/* ---- send ---- */

static enum rc check_writer(struct work *w, const struct letter *l)
{
    if (w->who.level >= l->kind->level)
        return RC_OK;
    if (!w->who.level)
        return err_set(&w->err, RC_FORBIDDEN, "%s要先登录", l->kind->chinese);
    return err_set(&w->err, RC_FORBIDDEN, "%s要先实名认证", l->kind->chinese);
}

static enum rc check_day(struct work *w)
{
    int most = w->who.level ? LETTERS_A_DAY : LETTERS_A_DAY_GUEST;
    int64_t sent = 0;
    struct rows q;
    enum rc rc;

    rc = db_one(w, SQL_letter_sent_since, &q, "ii", w->who.account,
                workday_begin(workday_of(clock_now())));
    if (!rc)
        sent = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) || sent < most)
        return rc;
    return err_set(&w->err, RC_TOO_MANY, "今天已经写了 %d 封信，明天可以再写", most);
}

static const char *receipt_of(struct work *w, const struct letter *l)
{
    struct receipt r = { l->no, l->received, l->number, l->id, { 0 } };

    __builtin_memcpy(r.hash, l->hash, sizeof r.hash);
    return receipt_sign(w, &r);
}

static enum rc bind_files(struct work *w, const struct letter *l, const json_t *value)
{
    const json_t *files = json_object_get(value, "files");
    enum rc rc = RC_OK;

    for (size_t i = 0; i < json_array_size(files) && !rc; i++) {
        uint8_t hash[HASH_BYTES];

        if (hex_parse(jx_text(json_array_get(files, i), "hash"), HASH_TEXT - 1, hash,
                      sizeof hash))
            rc = letter_file_bind(w, l->no, l->account, hash);
    }
    return rc;
}

/* What a restore lost comes again with the receipt that we gave for it: then it is as old as it says, and has its number. */
static enum rc recall(struct work *w, struct letter *l, const json_t *value)
{
    struct receipt r;
    enum rc rc;

    if (!letter_recalls(w, value, l, &r))
        return RC_OK;
    if (!(rc = letter_take_number(w, l, r.index, r.number)) && l->no)
        l->received = r.time;
    return rc;
}

static enum rc insert(struct work *w, struct letter *l, const json_t *value)
{
    struct letter_act act = { .verb = LETTER_DO_SEND, .actor = "writer" };
    enum rc rc;

    l->account = w->who.account;
    l->received = clock_now();
    l->state = LETTER_SUBMITTED;
    if ((rc = check_writer(w, l)) || (rc = recall(w, l, value)) ||
        (!l->no && (rc = check_day(w))))
        return rc;
    l->due = workday_deadline(l->received, letter_days(l->kind->category, l->received).answer);
    if ((rc = letter_insert(w, l)) || (rc = bind_files(w, l, value)))
        return rc;
    act.at = l->received;
    return letter_write(w, l, &act, NULL);
}

/* A guest whose session has ended begins again as another account. Who has the UUID that his phone drew, and the same words, is he. */
static enum rc take_over(struct work *w, struct letter *l, const json_t *value)
{
    struct account before;
    enum rc rc = account_by_id(w, l->account, &before);

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (rc || before.kind != ACCOUNT_GUEST || before.state != ACCOUNT_LEAVING)
        return other_content(w);
    l->account = w->who.account;
    if ((rc = db_change(w, SQL_letter_take_over, "ii", l->no, l->account)))
        return rc;
    return bind_files(w, l, value);
}

/* It was taken before, so nothing of it is looked at again: not its item, nor what was found in its files since. */
static enum rc send_again(struct work *w, struct letter *l, const json_t *value)
{
    uint8_t hash[HASH_BYTES];

    letter_hash(w, value, hash);
    if (__builtin_memcmp(l->hash, hash, sizeof hash) != 0)
        return other_content(w);
    return l->account == w->who.account ? RC_OK : take_over(w, l, value);
}

enum rc letter_send(struct work *w, const struct id *id, const json_t *value,
                    struct letter *out, const char **receipt)
{
    struct letter l = { .id = *id };
    enum rc rc = letter_by_id(w, id, &l);

    if (!rc)
        rc = send_again(w, &l, value);
    else if (rc == RC_NOT_FOUND && !(rc = letter_read_value(w, value, &l)))
        rc = insert(w, &l, value);
    if (rc)
        return rc;
    *receipt = receipt_of(w, &l);
    *out = l;
    return RC_OK;
}

/* ---- what follows it ---- */

static const struct jx_field members[] = {
    { "files", JX_OBJECTS, false, 1, LETTER_FILES }, /* of an addition alone */
    { "letter", JX_TEXT, true, ID_TEXT - 1, ID_TEXT - 1 },
    { "text", JX_TEXT, false, 0, 0 },
    { "rating", JX_INT, false, 1, RATING_MAX }, /* of a rating alone */
    { 0 },
};

/* Another's letter is not there. */
static enum rc find_mine(struct work *w, const json_t *value, struct letter *out)
{
    const char *name = jx_text(value, "letter");
    struct id id;
    enum rc rc;

    if (!id_parse(name, ID_TEXT - 1, &id))
        return err_field(&w->err, "/letter", "信件的编号不对");
    if (!(rc = letter_by_id(w, &id, out)) && out->account != w->who.account)
        return err_set(&w->err, RC_NOT_FOUND, "没有这封信件");
    return rc;
}

static enum rc read_files(struct work *w, const json_t *value, enum letter_verb verb,
                          const char **out)
{
    const json_t *files = json_object_get(value, "files");
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if (!files)
        return RC_OK;
    if (verb != LETTER_DO_ADD)
        return err_field(&w->err, "/files", "%s不带附件", letter_verbs[verb].chinese);
    if ((rc = letter_check_files(w, value)))
        return rc;
    buf_addc(&b, '{');
    jx_key(&b, "files");
    jx_canonical(&b, files);
    buf_addc(&b, '}');
    *out = b.p;
    return RC_OK;
}

static enum rc read_act(struct work *w, const json_t *value, struct letter *l,
                        struct letter_act *act)
{
    enum rc rc;

    if (jx_check(&w->err, value, members, ""))
        return err_field(&w->err, "/", "格式不对：要有 letter，可有 text、files 与 rating");
    act->text = letter_text_lines(w->mem, jx_text(value, "text"));
    if (act->text &&
        (rc = letter_text_check(&w->err, "/text", "文字", act->text, LETTER_TEXT_MAX, true)))
        return rc;
    return find_mine(w, value, l);
}

/* *done: this very act was taken before. */
static enum rc taken(struct work *w, const struct id *id, const struct letter *l,
                     enum letter_verb verb, bool *done)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_step_by_id, &q, "b", id->b, sizeof id->b);
    bool same =
        !rc && rows_int(&q, 0) == l->no && letter_verb_parse(rows_text(&q, 1)) == (int)verb;

    *done = !rc;
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return RC_OK;
    return rc || same ? rc : other_content(w);
}

static enum rc act(struct work *w, const struct id *id, const json_t *value,
                   enum letter_verb verb,
                   enum rc (*change)(struct work *, struct letter *, const json_t *,
                                     enum letter_state),
                   struct letter *out, bool *again)
{
    struct letter_act what = { .verb = verb, .actor = "writer", .id = id };
    enum letter_state before;
    struct letter l;
    enum rc rc;

    if ((rc = read_act(w, value, &l, &what)) || (rc = taken(w, id, &l, verb, again)))
        return rc;
    before = l.state;
    if (!*again &&
        ((rc = read_files(w, value, verb, &what.files)) ||
         (rc = letter_move(w, &l, verb, what.text)) || (rc = change(w, &l, value, before)) ||
         (rc = letter_write(w, &l, &what, NULL)) || (rc = bind_files(w, &l, value))))
        return rc;
    *out = l;
    return RC_OK;
}

/* Who was asked may always answer; of himself he adds so often, and then writes another letter. What a restore lost comes again on one day. */
static enum rc check_adds(struct work *w, const struct letter *l)
{
    int64_t all = 0, today = 0;
    struct rows q;
    enum rc rc =
        db_one(w, SQL_letter_step_count, &q, "iti", l->no, letter_verbs[LETTER_DO_ADD].word,
               workday_begin(workday_of(clock_now())));

    if (!rc) {
        all = rows_int(&q, 0);
        today = rows_int(&q, 1);
    }
    if ((rc = row_finish(&q, rc)))
        return rc;
    if (all >= LETTER_ADDS)
        return err_set(
            &w->err, RC_TOO_MANY,
            "这封信已经补充了 %d 次，都收到了。还有新的情况，请另写一封，并写明这封的编号 %s",
            LETTER_ADDS, l->number);
    if (today >= LETTER_ADDS_A_DAY && l->received >= epoch_now())
        return err_set(&w->err, RC_TOO_MANY, "今天已经补充了 %d 次，都收到了，明天可以再补充",
                       LETTER_ADDS_A_DAY);
    return RC_OK;
}

/* What completes a request for disclosure begins its days anew (条例第三十条), with those that it was extended by; other letters go on with those that were left. */
static enum rc change_add(struct work *w, struct letter *l, const json_t *value,
                          enum letter_state before)
{
    (void)value;
    if (before != LETTER_ASKED)
        return check_adds(w, l);
    l->state = LETTER_PROGRESS;
    letter_resume(l);
    if (l->kind->category == LETTER_DISCLOSE)
        l->due = workday_deadline(
            clock_now(), letter_days(l->kind->category, l->received).answer + (int)l->extended);
    return RC_OK;
}

static enum rc change_withdraw(struct work *w, struct letter *l, const json_t *value,
                               enum letter_state before)
{
    (void)w, (void)value, (void)before;
    l->due = l->complete_by = 0;
    l->settled = clock_now();
    return RC_OK;
}

/* 好差评: a poor rating opens a follow-up with a deadline. */
static enum rc change_rate(struct work *w, struct letter *l, const json_t *value,
                           enum letter_state before)
{
    (void)before;
    if (!(l->rating = jx_int(value, "rating", 0)))
        return err_field(&w->err, "/rating", "评价是 1（非常不满意）到 5（非常满意）");
    l->settled = clock_now();
    if (l->rating > RATING_POOR)
        return RC_OK;
    l->state = LETTER_POOR;
    l->due = workday_deadline(l->settled, LETTER_FOLLOW_DAYS);
    return RC_OK;
}

enum rc letter_add(struct work *w, const struct id *id, const json_t *value, struct letter *out,
                   bool *again)
{
    return act(w, id, value, LETTER_DO_ADD, change_add, out, again);
}

enum rc letter_withdraw(struct work *w, const struct id *id, const json_t *value,
                        struct letter *out, bool *again)
{
    return act(w, id, value, LETTER_DO_WITHDRAW, change_withdraw, out, again);
}

enum rc letter_rate(struct work *w, const struct id *id, const json_t *value,
                    struct letter *out, bool *again)
{
    return act(w, id, value, LETTER_DO_RATE, change_rate, out, again);
}
