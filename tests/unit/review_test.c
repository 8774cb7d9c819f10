/* A site's chain of review: who may take a step, what is enough, what goes around it and is written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/agreement.h"
#include "server/library/chain.h"
#include "server/library/column.h"
#include "server/library/import.h"
#include "server/library/publish.h"
#include "server/library/review.h"
#include "server/library/schedule.h"
#include "server/library/site.h"
#include "tests/lib/library_world.h"

enum { LI = 7, WANG, ZHAO, QIAN, SUN };

static const struct actor operator_before = { .name = "operator" };

/* From now on the work is that person's; 0: the operator's. */
static void by(struct library_world *t, int64_t account)
{
    t->w.who = operator_before;
    t->w.who.rights = RIGHT_ALL;
    t->w.who.operator= !account;
    t->w.who.account = account;
    if (account)
        snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)account);
}

static void by_program(struct library_world *t)
{
    by(t, 0);
    t->w.who.operator= false;
    t->w.who.party = 3;
    strcpy(t->w.who.name, "party:cms");
}

static void set_chain(struct library_world *t, const struct chain *c)
{
    by(t, 0);
    world_begin(t);
    assert_int_equal(chain_set(&t->w, t->site, c), RC_OK);
    world_commit(t);
}

static void three_steps(struct library_world *t)
{
    set_chain(t, &(struct chain){ .steps = 3, .eyes = 1 });
}

static struct item draft(struct library_world *t, int64_t author, const char *title)
{
    struct content c = world_content(
        t, arena_printf(t->mem, "{\"body\":\"正文\",\"kind\":\"article\",\"title\":\"%s\"}",
                        title));
    struct item it;

    by(t, author);
    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    world_commit(t);
    return it;
}

static struct item again(struct library_world *t, const struct item *it)
{
    struct item now;

    assert_int_equal(item_find(&t->w, &it->id, &now), RC_OK);
    return now;
}

/* One step by that person, in a transaction that stays only if it was let through. */
static enum rc step(struct library_world *t, int64_t account, const struct item *it,
                    enum verb verb)
{
    struct item now = again(t, it), out;
    enum rc rc;

    by(t, account);
    world_begin(t);
    if (verb == VERB_PUBLISH)
        rc = publish_item(&t->w, &it->id, now.rev, &out);
    else
        rc = item_step(&t->w, &it->id, now.rev, verb, verb == VERB_RETURN ? "改" : NULL, &out);
    if (rc) {
        db_rollback(t->w.db);
        t->w.after = NULL;
        return rc;
    }
    world_commit(t);
    return RC_OK;
}

static enum rc secrecy(struct library_world *t, int64_t account, const struct item *it,
                       const char *basis)
{
    struct item now = again(t, it), out;
    enum rc rc;

    by(t, account);
    world_begin(t);
    if ((rc = review_secrecy(&t->w, &it->id, now.rev, basis, NULL, &out)))
        db_rollback(t->w.db);
    else
        world_commit(t);
    t->w.after = NULL;
    return rc;
}

static struct item edited(struct library_world *t, int64_t account, const struct item *it)
{
    struct content c =
        world_content(t, "{\"body\":\"改过\",\"kind\":\"article\",\"title\":\"改题\"}");
    struct item now = again(t, it), out;

    by(t, account);
    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it->id, now.rev, &c, NULL, NULL, &out), RC_OK);
    world_commit(t);
    return out;
}

static void three_others_review_what_one_wrote(void **state)
{
    struct library_world *t = *state;
    struct item it;

    three_steps(t);
    it = draft(t, LI, "三审");
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_CONFLICT);
    assert_int_equal(step(t, SUN, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, SUN, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(again(t, &it).state, STATE_IN_REVIEW);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, 0, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_CONFLICT);
    assert_int_equal(step(t, QIAN, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(again(t, &it).state, STATE_APPROVED);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM review WHERE verdict = 'pass' AND "
                                     "valid = 1 AND step IN (1, 2, 3)"),
                     3);
}

static void who_wrote_an_earlier_draft_of_it_is_an_author(void **state)
{
    struct library_world *t = *state;
    struct item it;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1 });
    it = draft(t, LI, "接力");
    it = edited(t, WANG, &it);
    assert_int_equal(step(t, WANG, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_PUBLISH), RC_OK);
    /* What was published is done with: he may review the next revision. */
    it = edited(t, WANG, &it);
    assert_int_equal(step(t, WANG, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_APPROVE), RC_OK);
}

static void what_is_handed_back_begins_again(void **state)
{
    struct library_world *t = *state;
    struct item it;

    three_steps(t);
    it = draft(t, LI, "退回");
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, ZHAO, &it, VERB_RETURN), RC_OK);
    assert_int_equal(again(t, &it).state, STATE_DRAFT);
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, QIAN, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(again(t, &it).state, STATE_IN_REVIEW);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(again(t, &it).state, STATE_APPROVED);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM review WHERE verdict = 'return' AND step = 2"),
        1);
}

static void the_secrecy_review_stands_before_the_last_step_or_the_publication(void **state)
{
    struct library_world *t = *state;
    struct item it;

    set_chain(t, &(struct chain){ .steps = 2, .eyes = 1, .secrecy = SECRECY_LAST });
    it = draft(t, LI, "保密");
    assert_int_equal(secrecy(t, WANG, &it, "依据"), RC_CONFLICT);
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_CONFLICT);
    assert_int_equal(secrecy(t, QIAN, &it, NULL), RC_INVALID);
    assert_int_equal(secrecy(t, LI, &it, "依据"), RC_FORBIDDEN);
    assert_int_equal(secrecy(t, QIAN, &it, "定密事项范围第3条"), RC_OK);
    assert_int_equal(world_number(t,
                                  "SELECT count(*) FROM review WHERE verdict = 'secrecy' AND "
                                  "basis = '定密事项范围第3条' AND actor = 'account:10'"),
                     1);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_OK);

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1, .secrecy = SECRECY_PUBLISH });
    it = draft(t, LI, "保密二");
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_CONFLICT);
    assert_int_equal(secrecy(t, WANG, &it, "依据"), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_OK);
}

static void named_reviewers_alone_take_their_step(void **state)
{
    static const char *const first[] = { "account:8" }, *const second[] = { "reviewer_2" },
                             *const nonsense[] = { "somebody" };
    struct library_world *t = *state;
    struct item it;

    set_chain(t, &(struct chain){ .steps = 2, .eyes = 1 });
    world_begin(t);
    assert_int_equal(chain_name(&t->w, t->site, 1, nonsense, 1), RC_INVALID);
    assert_int_equal(chain_name(&t->w, t->site, 1, first, 1), RC_OK);
    assert_int_equal(chain_name(&t->w, t->site, 2, second, 1), RC_OK);
    world_commit(t);
    world_vandalise(t, "INSERT INTO role (account, role, site, giver, since) VALUES "
                       "(9, 4, 0, 'operator', 0)");
    it = draft(t, LI, "指定");
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, QIAN, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, ZHAO, &it, VERB_APPROVE), RC_OK);
    /* Who edits and publishes does not say how he is reviewed. */
    by(t, LI);
    t->w.who.rights = RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH;
    world_begin(t);
    assert_int_equal(chain_set(&t->w, t->site, &(struct chain){ .steps = 1, .eyes = 1 }),
                     RC_FORBIDDEN);
    db_rollback(t->w.db);
}

static void a_site_without_a_chain_is_as_it_was(void **state)
{
    struct library_world *t = *state;
    struct item it = draft(t, 0, "一步");

    assert_int_equal(step(t, 0, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, 0, &it, VERB_APPROVE), RC_OK);
    assert_int_equal(step(t, 0, &it, VERB_PUBLISH), RC_OK);
    /* But a person reviews nothing of his own. */
    it = draft(t, LI, "自己的");
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, LI, &it, VERB_APPROVE), RC_FORBIDDEN);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
}

static void a_chain_that_became_longer_counts_at_the_publication(void **state)
{
    struct library_world *t = *state;
    struct item it;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1 });
    it = draft(t, LI, "后改");
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    three_steps(t);
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_CONFLICT);
    set_chain(t, &(struct chain){ .steps = 0 });
    assert_int_equal(step(t, LI, &it, VERB_PUBLISH), RC_OK);
}

static void another_sites_review_does_not_count(void **state)
{
    struct library_world *t = *state;
    struct site other = { .code = "1200000099", .name = "某区" };
    struct item it = draft(t, LI, "搬家"), live, out;
    struct column c;

    by(t, 0);
    live = world_publish(t, "已发布", t->news);
    by(t, 0);
    world_begin(t);
    other.stream = t->stream.no;
    assert_int_equal(site_create(&t->w, &other), RC_OK);
    assert_int_equal(column_at(&t->w, other.no, "新闻", true, &c), RC_OK);
    assert_int_equal(chain_set(&t->w, other.no, &(struct chain){ .steps = 1, .eyes = 1 }),
                     RC_OK);
    world_commit(t);
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    by(t, 0);
    world_begin(t);
    assert_int_equal(publish_move(&t->w, &live.id, c.no, &out), RC_CONFLICT);
    assert_int_equal(publish_move(&t->w, &it.id, c.no, &out), RC_OK);
    world_commit(t);
    assert_int_equal(step(t, QIAN, &it, VERB_PUBLISH), RC_CONFLICT);
}

static void an_emergency_goes_around_it_and_is_audited(void **state)
{
    struct library_world *t = *state;
    struct item it, out;

    three_steps(t);
    it = draft(t, LI, "应急");
    world_begin(t);
    by_program(t);
    assert_int_equal(publish_emergency(&t->w, &it.id, 1, "汛情", &out), RC_FORBIDDEN);
    by(t, LI);
    assert_int_equal(publish_emergency(&t->w, &it.id, 1, NULL, &out), RC_INVALID);
    assert_int_equal(publish_emergency(&t->w, &it.id, 1, "汛情", &out), RC_OK);
    world_commit(t);
    assert_int_equal(out.state, STATE_PUBLISHED);
    assert_int_equal(
        world_number(t,
                     "SELECT count(*) FROM audit WHERE action = 'item.emergency' AND actor = "
                     "'account:7'"),
        1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM revision_event WHERE verb = "
                                     "'emergency' AND reason = '汛情' AND before = 'draft'"),
                     1);
}

/* ---- imports ---- */

static struct import_line import(struct library_world *t, const char *id, const char *emergency,
                                 enum rc want)
{
    const char *line = arena_printf(
        t->mem,
        "{\"id\":\"%s\",\"source\":\"1200000000\",\"column\":\"新闻\",\"title\":\"外来\","
        "\"body\":\"字\"}",
        id);
    struct import_options o = { .stream = t->stream.no,
                                .publish = true,
                                .emergency = emergency };
    struct import_line l;
    enum rc rc;

    import_prepare(t->mem, line, strlen(line), &l);
    assert_int_equal(l.why.rc, RC_OK);
    world_begin(t);
    assert_int_equal(rc = import_apply(&t->w, &o, &l, 1), want);
    if (rc)
        db_rollback(t->w.db);
    else
        world_commit(t);
    t->w.after = NULL;
    return l;
}

static bool is_public(struct library_world *t, const struct import_line *l)
{
    struct item it;

    assert_int_equal(item_find(&t->w, &l->id, &it), RC_OK);
    return it.live_rev;
}

static void an_import_is_reviewed_too(void **state)
{
    struct library_world *t = *state;
    struct import_line l;

    three_steps(t);
    l = import(t, "a1", NULL, RC_OK);
    assert_true(l.unreviewed);
    assert_false(is_public(t, &l));
    l = import(t, "a1", "来不及", RC_OK);
    assert_false(l.unreviewed);
    assert_true(is_public(t, &l));
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM audit WHERE action = 'item.emergency'"), 1);
    by_program(t);
    l = import(t, "a2", NULL, RC_OK);
    assert_true(l.unreviewed);
    import(t, "a2", "来不及", RC_FORBIDDEN);
    by(t, 0);
    world_begin(t);
    assert_int_equal(
        agreement_set(&t->w, t->site, "party:cms", "publish", "协议〔2026〕1号", 0), RC_OK);
    world_commit(t);
    by_program(t);
    l = import(t, "a3", NULL, RC_OK);
    assert_false(l.unreviewed);
    assert_true(is_public(t, &l));
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM audit WHERE action = 'item.emergency'"), 1);
}

static void a_survey_takes_two_people_also_by_import(void **state)
{
    static const char line[] = "{\"id\":\"s1\",\"source\":\"1200000000\",\"column\":\"新闻\","
                               "\"title\":\"问卷\",\"kind\":"
                               "\"survey\",\"questions\":[{\"kind\":\"single\",\"title\":"
                               "\"怎么来\",\"choices\":[\"步行\",\"公交\"]}]}";
    struct library_world *t = *state;
    struct import_options o = { .stream = t->stream.no, .publish = true, .agreed = true };
    struct import_line l;

    import_prepare(t->mem, line, strlen(line), &l);
    if (l.why.rc)
        fail_msg("%s %s", l.why.field, l.why.text);
    by_program(t);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, &l, 1), RC_OK);
    world_commit(t);
    t->w.after = NULL;
    if (l.why.rc)
        fail_msg("%s %s", l.why.field, l.why.text);
    assert_true(l.unreviewed);
    assert_false(is_public(t, &l));
}

static void nobody_revises_in_anothers_name(void **state)
{
    struct library_world *t = *state;
    struct import_options o = { .stream = t->stream.no, .authority = "party:heping" };
    struct import_line l;

    by_program(t);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, &l, 0), RC_INVALID);
    o.authority = "source:heping";
    assert_int_equal(import_apply(&t->w, &o, &l, 0), RC_INVALID);
    o.authority = "party:cms";
    assert_int_equal(import_apply(&t->w, &o, &l, 0), RC_OK);
    db_rollback(t->w.db);
    t->w.after = NULL;
}

/* ---- by the clock ---- */

static struct item approved(struct library_world *t, const char *title)
{
    struct item it = draft(t, LI, title);

    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    return again(t, &it);
}

static enum rc schedule(struct library_world *t, const struct item *it, int64_t at)
{
    struct item out;
    enum rc rc;

    by(t, 0); /* who may publish for ever */
    world_begin(t);
    if ((rc = schedule_set(&t->w, &it->id, it->rev, at, &out)))
        db_rollback(t->w.db);
    else
        world_commit(t);
    t->w.after = NULL;
    return rc;
}

static int64_t releases(struct library_world *t)
{
    return world_number(t, "SELECT count(*) FROM revision_event WHERE verb = 'publish'");
}

static void what_is_scheduled_is_published_once_whatever_the_clock_does(void **state)
{
    struct library_world *t = *state;
    struct item it;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1 });
    it = draft(t, LI, "未审");
    assert_int_equal(schedule(t, &it, WORLD_NOW + 60), RC_CONFLICT);
    it = approved(t, "定时");
    schedule_tick(t->w.db, NULL); /* it found nothing, and must look again */
    assert_int_equal(schedule(t, &it, WORLD_NOW), RC_INVALID);
    assert_int_equal(schedule(t, &it, WORLD_NOW + 60), RC_OK);
    clock_set(WORLD_NOW - 86400); /* the clock is put back */
    schedule_tick(t->w.db, NULL);
    clock_set(WORLD_NOW + 59);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(releases(t), 0);
    clock_set(WORLD_NOW + 60);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(again(t, &it).state, STATE_PUBLISHED);
    assert_int_equal(releases(t), 1);
    clock_set(WORLD_NOW); /* and again */
    schedule_tick(t->w.db, NULL);
    clock_set(WORLD_NOW + 100);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(releases(t), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM schedule"), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM audit WHERE action = 'item.due'"),
                     1);
}

/* It says so to those who wait for it, and takes none of the others with it. */
static void what_may_not_be_published_by_then_is_not(void **state)
{
    struct library_world *t = *state;
    struct item changed, returned, longer, good;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1 });
    changed = approved(t, "改了");
    returned = approved(t, "退了");
    longer = approved(t, "要再审");
    good = approved(t, "好的");
    assert_int_equal(schedule(t, &changed, WORLD_NOW + 10), RC_OK);
    assert_int_equal(schedule(t, &returned, WORLD_NOW + 10), RC_OK);
    assert_int_equal(schedule(t, &longer, WORLD_NOW + 10), RC_OK);
    edited(t, LI, &changed);
    assert_int_equal(step(t, ZHAO, &returned, VERB_RETURN), RC_OK);
    assert_int_equal(step(t, LI, &returned, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &returned, VERB_APPROVE), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM schedule"), 1);
    set_chain(t, &(struct chain){ .steps = 2, .eyes = 1 });
    clock_set(WORLD_NOW + 20);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(releases(t), 0);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM review WHERE verdict = 'comment' AND said LIKE "
                        "'定时发布没有进行：%'"),
        1);
    assert_int_equal(step(t, QIAN, &good, VERB_RETURN), RC_OK);
    assert_int_equal(again(t, &longer).state, STATE_APPROVED);
}

/* It was taken from the public in a hurry, and its next revision waited for its time. */
static void what_was_withdrawn_does_not_come_back_by_itself(void **state)
{
    struct library_world *t = *state;
    struct item it, out;

    set_chain(t, &(struct chain){ .steps = 1, .eyes = 1 });
    it = approved(t, "撤了");
    assert_int_equal(step(t, WANG, &it, VERB_PUBLISH), RC_OK);
    edited(t, LI, &it);
    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    it = again(t, &it);
    assert_int_equal(schedule(t, &it, WORLD_NOW + 60), RC_OK);
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "泄密", &out), RC_OK);
    world_commit(t);
    clock_set(WORLD_NOW + 61);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(again(t, &it).live_rev, 0);
}

/* Its key ended since: what it set waits for somebody to look. */
static void a_program_that_is_closed_publishes_nothing_later(void **state)
{
    struct library_world *t = *state;
    struct item it = draft(t, LI, "程序定的"), out;

    assert_int_equal(step(t, LI, &it, VERB_SUBMIT), RC_OK);
    assert_int_equal(step(t, WANG, &it, VERB_APPROVE), RC_OK);
    it = again(t, &it);
    by_program(t);
    world_begin(t);
    assert_int_equal(schedule_set(&t->w, &it.id, it.rev, WORLD_NOW + 60, &out), RC_OK);
    world_commit(t);
    clock_set(WORLD_NOW + 61);
    schedule_tick(t->w.db, NULL);
    assert_int_equal(again(t, &it).state, STATE_APPROVED);
    assert_int_equal(
        world_number(t, "SELECT count(*) FROM review WHERE said LIKE '定时发布没有进行：%'"),
        1);
}

/* ---- earlier revisions ---- */

static void an_earlier_revision_becomes_a_draft(void **state)
{
    struct library_world *t = *state;
    struct item it = draft(t, LI, "初稿"), out;
    struct revision r;
    struct content c;

    it = edited(t, WANG, &it);
    by(t, ZHAO);
    world_begin(t);
    assert_int_equal(item_restore_rev(&t->w, &it.id, 9, &out), RC_NOT_FOUND);
    assert_int_equal(item_restore_rev(&t->w, &it.id, 1, &out), RC_OK);
    world_commit(t);
    assert_int_equal(out.rev, 3);
    assert_int_equal(out.state, STATE_DRAFT);
    assert_int_equal(item_revision(&t->w, &it.id, 0, &out, &r, &c), RC_OK);
    assert_string_equal(c.title, "初稿");
    assert_string_equal(r.author, "account:9");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, library_world_set_up, library_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_others_review_what_one_wrote),
        TEST(who_wrote_an_earlier_draft_of_it_is_an_author),
        TEST(what_is_handed_back_begins_again),
        TEST(the_secrecy_review_stands_before_the_last_step_or_the_publication),
        TEST(named_reviewers_alone_take_their_step),
        TEST(a_site_without_a_chain_is_as_it_was),
        TEST(a_chain_that_became_longer_counts_at_the_publication),
        TEST(another_sites_review_does_not_count),
        TEST(an_emergency_goes_around_it_and_is_audited),
        TEST(an_import_is_reviewed_too),
        TEST(a_survey_takes_two_people_also_by_import),
        TEST(nobody_revises_in_anothers_name),
        TEST(what_is_scheduled_is_published_once_whatever_the_clock_does),
        TEST(what_may_not_be_published_by_then_is_not),
        TEST(what_was_withdrawn_does_not_come_back_by_itself),
        TEST(a_program_that_is_closed_publishes_nothing_later),
        TEST(an_earlier_revision_becomes_a_draft),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
