/*
 * letter_staff.c - a verb: may he, does the state allow it, what changes besides the state, then a step is written.
 *
 *     submitted --accept--> accepted --assign--> assigned --begin--> in_progress --draft, review, answer--> answered
 *         \---transfer--> transferred (another unit's) --accept, …
 *     ask, consult stop the clock; add (the writer's) and resume let it run on
 *
 * What a verb needs and where it leads stands in letter_verb.def; here is only what a table cannot say.
 */
#include "server/citizen/letter_staff.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/letter_entry.h"
#include "server/citizen/letter_text.h"
#include "server/citizen/workday.h"
#include "server/identity/account.h"
#include "server/identity/party_reach.h"
#include "server/identity/role.h"
#include "server/library/org.h"
#include "server/library/row.h"

/* ---- who may ---- */

/* Whose letters he may handle by this right at a site; 0: nobody's. */
static enum rc unit_of_scope(struct work *w, const struct scope *s, int64_t *unit)
{
    struct rows q;
    enum rc rc;

    *unit = 0;
    if (!(s->rights & RIGHT_LETTERS))
        return RC_OK;
    if (!(rc = db_one(w, SQL_letter_unit_of_site, &q, "i", s->site)))
        *unit = rows_int(&q, 0);
    rc = row_finish(&q, rc);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc forbidden(struct work *w)
{
    return err_set(&w->err, RC_FORBIDDEN, "办理这个单位的信件，要有它的“办理信件”权限");
}

enum rc letter_may(struct work *w, int64_t unit)
{
    int64_t his;
    enum rc rc;

    if (actor_has_at(&w->who, RIGHT_LETTERS, EVERYWHERE))
        return RC_OK;
    for (int i = 0; i < w->who.nscopes; i++)
        if ((rc = unit_of_scope(w, &w->who.scopes[i], &his)) || (his && his == unit))
            return rc;
    return forbidden(w);
}

enum rc letter_own_unit(struct work *w, int64_t *unit)
{
    int64_t his;
    enum rc rc;

    *unit = 0;
    if (actor_has_at(&w->who, RIGHT_LETTERS, EVERYWHERE))
        return RC_OK;
    for (int i = 0; i < w->who.nscopes; i++) {
        if ((rc = unit_of_scope(w, &w->who.scopes[i], &his)))
            return rc;
        if (*unit && his && his != *unit)
            return err_field(&w->err, "unit", "您可以办理几个单位的信件：请说明是哪一个");
        *unit = his ? his : *unit;
    }
    return *unit ? RC_OK : forbidden(w);
}

bool letter_shows_writer(const struct work *w, const struct letter *l)
{
    return !l->hidden || actor_has_at(&w->who, RIGHT_LETTERS, EVERYWHERE);
}

/* ---- what changes besides the state ---- */

static enum rc no(struct work *w, const char *why)
{
    return err_set(&w->err, RC_CONFLICT, "%s", why);
}

static struct letter_days days_of(const struct letter *l)
{
    return letter_days(l->kind->category, l->received);
}

/* A complex letter takes so many days more than another: the time in which its clock stood stays uncounted. */
static enum rc set_complex(struct work *w, struct letter *l, const struct letter_order *o)
{
    if (!o->complex || l->complex)
        return RC_OK;
    if (!l->kind->complex)
        return err_field(&w->err, "/complex", "%s没有“情况复杂”的期限", l->kind->chinese);
    if (letter_is_late(l))
        return no(w, "已经超过期限，不能再按情况复杂办理，请尽快答复");
    l->complex = true;
    l->due = workday_deadline(l->due - 1, days_of(l).complex - days_of(l).answer);
    return RC_OK;
}

/* Whether he may handle the letters of this unit himself. */
static enum rc may_handle(struct work *w, int64_t account, int64_t unit)
{
    struct actor asks = w->who;
    enum rc rc;

    w->who = (struct actor){ .account = account };
    role_apply(account, w->mem, &w->who);
    rc = letter_may(w, unit);
    w->who = asks;
    return rc;
}

static enum rc set_clerk(struct work *w, struct letter *l, const struct letter_order *o)
{
    struct account a;
    enum rc rc = RC_OK;

    if (o->clerk)
        rc = account_by_id(w, o->clerk, &a);
    if (rc == RC_NOT_FOUND || (!rc && o->clerk && a.kind != ACCOUNT_STAFF))
        return err_field(&w->err, "/clerk", "没有这个工作人员账号");
    if (!rc && o->clerk && (rc = may_handle(w, o->clerk, l->unit)) == RC_FORBIDDEN)
        return err_field(&w->err, "/clerk", "这位工作人员没有办理这个单位信件的权限");
    l->clerk = o->clerk;
    return rc ? rc : set_complex(w, l, o);
}

static enum rc set_unit(struct work *w, struct letter *l, const struct letter_order *o)
{
    struct org org;
    enum rc rc;

    if (!o->unit)
        return err_field(&w->err, "/unit", "转办要写明转给哪个单位");
    if (o->unit == l->unit)
        return err_field(&w->err, "/unit", "信件已经在这个单位");
    if ((rc = org_by_no(w, o->unit, &org)))
        return rc;
    l->unit = o->unit;
    l->clerk = 0;
    l->draft = 0;
    l->reviewed = false;
    return RC_OK;
}

static enum rc settle(struct work *w, struct letter *l, const struct letter_order *o)
{
    (void)w, (void)o;
    l->due = 0;
    l->settled = clock_now();
    return RC_OK;
}

/* 补正: all at once, and within so many working days (条例第三十条). Whom nobody can reach is not waited for. */
static enum rc ask(struct work *w, struct letter *l, const struct letter_order *o)
{
    int within = days_of(l).ask;

    (void)o;
    if (!l->account)
        return no(w,
                  "写信人在这里收不到消息（信件从别的系统转来，或者他已注销），不能请他补充："
                  "请按信中的联系方式联系他，或者直接办理");
    if (within && l->asked)
        return no(w, "补正要一次告知，已经告知过了");
    if (within && clock_now() >= workday_deadline(l->received, within))
        return no(w, "收到申请 7 个工作日以后不能再要求补正");
    l->asked++;
    l->complete_by = workday_deadline(clock_now(), days_of(l).complete);
    letter_pause(l);
    return RC_OK;
}

static enum rc consult(struct work *w, struct letter *l, const struct letter_order *o)
{
    (void)o;
    if (l->kind->category != LETTER_DISCLOSE)
        return no(w, "只有依申请公开的答复期限不计征求第三方意见的时间");
    letter_consult(l, days_of(l).third);
    return RC_OK;
}

static enum rc resume(struct work *w, struct letter *l, const struct letter_order *o)
{
    (void)w, (void)o;
    letter_resume(l);
    return RC_OK;
}

static enum rc extend(struct work *w, struct letter *l, const struct letter_order *o)
{
    int most = days_of(l).extension;
    int64_t days = o->days ? o->days : most;

    if (l->extended)
        return no(w, "已经延期过一次");
    if (letter_is_late(l))
        return no(w, "已经超过期限，不能再延期，请尽快答复");
    if (days < 1 || days > most)
        return err_field(&w->err, "/days", "最多延期 %d 个工作日", most);
    l->extended = days;
    l->due = workday_deadline(l->due - 1, (int)days);
    return RC_OK;
}

static enum rc drop_draft(struct work *w, struct letter *l, const struct letter_order *o)
{
    (void)o;
    if (!l->draft)
        return no(w, "还没有答复稿");
    l->draft = 0;
    l->reviewed = false;
    return RC_OK;
}

/* The step that the draft is; RC_CONFLICT if there is none. */
static enum rc find_draft(struct work *w, const struct letter *l, struct letter_step *out)
{
    enum rc rc = letter_step_one(w, l, l->draft, out);

    return rc == RC_NOT_FOUND ? no(w, "还没有答复稿") : rc;
}

/* Four eyes: another person, or the operator of the machine; and of the draft that he read, not of one that took its place meanwhile. */
static enum rc review(struct work *w, struct letter *l, const struct letter_order *o)
{
    struct letter_step draft;
    enum rc rc;

    if ((rc = find_draft(w, l, &draft)))
        return rc;
    if (!o->draft)
        return err_field(&w->err, "/draft", "审核要写明是哪一稿：信件的 draft");
    if (o->draft != l->draft)
        return no(w, "这一稿已经改过，请先看最新的一稿，再审核");
    if (!w->who.operator&& !strcmp(draft.actor, w->who.name))
        return no(w, "拟稿的人不能自己审核");
    l->reviewed = true;
    return RC_OK;
}

static enum rc no_change(struct work *w, struct letter *l, const struct letter_order *o)
{
    (void)w, (void)l, (void)o;
    return RC_OK;
}

static enum rc (*const changes[LETTER_VERBS])(struct work *w, struct letter *l,
                                              const struct letter_order *o) = {
    [LETTER_DO_ACCEPT] = set_complex, [LETTER_DO_REFUSE] = settle,
    [LETTER_DO_ASSIGN] = set_clerk,   [LETTER_DO_TRANSFER] = set_unit,
    [LETTER_DO_BEGIN] = set_complex,  [LETTER_DO_ASK] = ask,
    [LETTER_DO_CONSULT] = consult,    [LETTER_DO_RESUME] = resume,
    [LETTER_DO_EXTEND] = extend,      [LETTER_DO_DRAFT] = no_change,
    [LETTER_DO_RETURN] = drop_draft,  [LETTER_DO_REVIEW] = review,
    [LETTER_DO_ANSWER] = settle,      [LETTER_DO_FOLLOW] = settle,
};

/* The reviewed draft; a unit's own system has had its answer reviewed at home, and says it outright. */
static enum rc answer_text(struct work *w, const struct letter *l, const char *said,
                           const char **out)
{
    struct letter_step draft;
    enum rc rc;

    *out = said;
    if (w->who.party)
        return said ? RC_OK : err_field(&w->err, "/text", "答复要有正文");
    if (said)
        return err_field(&w->err, "/text", "答复就是审核过的稿子：用 draft 修改它");
    if ((rc = find_draft(w, l, &draft)))
        return rc;
    if (!l->reviewed)
        return no(w, "答复稿还没有审核");
    *out = draft.text;
    return RC_OK;
}

static enum rc check_text(struct work *w, enum letter_verb verb, const char *text)
{
    bool answer = verb == LETTER_DO_DRAFT || verb == LETTER_DO_ANSWER;

    if (!text)
        return RC_OK;
    return letter_text_check(&w->err, "/text", "文字", text,
                             answer ? LETTER_TEXT_MAX : LETTER_WORDS_MAX, true);
}

enum rc letter_reach(struct work *w, const struct letter *l, const char *what)
{
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "letter", l->number);
    jx_put_text(&b, "verb", what);
    buf_adds(&b, "}");
    return party_reach(w, l->account, "letter", b.p);
}

enum rc letter_do(struct work *w, const char *name, enum letter_verb verb,
                  const struct letter_order *o, struct letter *out)
{
    const char *text = letter_text_lines(w->mem, o->text);
    struct letter_act act = { .verb = verb, .actor = w->who.name, .text = text };
    struct letter before, l;
    enum rc rc;

    if (letter_verbs[verb].who != LETTER_BY_STAFF)
        return err_set(&w->err, RC_NOT_FOUND, "there is no such verb");
    if ((rc = letter_find(w, name, &l)) || (rc = letter_may(w, l.unit)) ||
        (rc = letter_reach(w, &l, letter_verbs[verb].word)) || (rc = check_text(w, verb, text)))
        return rc;
    before = l;
    if ((rc = letter_move(w, &l, verb, text)) ||
        (verb == LETTER_DO_ANSWER && (rc = answer_text(w, &l, text, &act.text))))
        return rc;
    if (before.state == LETTER_ASKED) /* whatever it is, it goes on without the writer */
        letter_resume(&l);
    if (before.state == LETTER_CONSULTING)
        letter_consulted(&l);
    if ((rc = changes[verb](w, &l, o)) || (rc = letter_write(w, &l, &act, NULL)) ||
        (rc = letter_tell(w, &l, NULL)))
        return rc;
    if (l.unit != before.unit &&
        (rc = db_run(w, SQL_letter_left_add, "iii", l.turn, l.no, before.unit)))
        return rc;
    *out = l;
    return RC_OK;
}
