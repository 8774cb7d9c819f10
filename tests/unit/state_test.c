/*
 * state_test.c - every verb from every state by every set of rights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/library/state.h"

/* What the design allows, written a second time and differently: rows are verbs, columns
 * states. */
static const char *const allowed[VERB_COUNT][STATE_COUNT] = {
    [VERB_SUBMIT] = { [STATE_DRAFT] = "in_review" },
    [VERB_RETURN] = { [STATE_IN_REVIEW] = "draft", [STATE_APPROVED] = "draft" },
    [VERB_APPROVE] = { [STATE_IN_REVIEW] = "approved" },
    [VERB_PUBLISH] = { [STATE_APPROVED] = "published" },
    [VERB_PURGE] = { [STATE_APPROVED] = "published" },
    [VERB_EMERGENCY] = { [STATE_DRAFT] = "published",
                         [STATE_IN_REVIEW] = "published",
                         [STATE_APPROVED] = "published" },
    [VERB_IMPORT] = { [STATE_DRAFT] = "published" },
    [VERB_SUPERSEDE] = { [STATE_DRAFT] = "superseded",
                         [STATE_IN_REVIEW] = "superseded",
                         [STATE_APPROVED] = "superseded",
                         [STATE_PUBLISHED] = "superseded" },
    [VERB_WITHDRAW] = { [STATE_PUBLISHED] = "withdrawn" },
    [VERB_EXPIRE] = { [STATE_PUBLISHED] = "expired" },
    [VERB_GONE] = { [STATE_PUBLISHED] = "gone",
                    [STATE_WITHDRAWN] = "gone",
                    [STATE_EXPIRED] = "gone" },
    [VERB_RESTORE] = { [STATE_WITHDRAWN] = "draft", [STATE_EXPIRED] = "draft" },
};

static const unsigned needed[VERB_COUNT] = {
    [VERB_SUBMIT] = RIGHT_EDIT,       [VERB_RETURN] = RIGHT_REVIEW,
    [VERB_APPROVE] = RIGHT_REVIEW,    [VERB_PUBLISH] = RIGHT_PUBLISH,
    [VERB_PURGE] = RIGHT_PUBLISH,     [VERB_IMPORT] = RIGHT_IMPORT | RIGHT_PUBLISH,
    [VERB_WITHDRAW] = RIGHT_PUBLISH,  [VERB_EXPIRE] = RIGHT_PUBLISH,
    [VERB_GONE] = RIGHT_PUBLISH,      [VERB_RESTORE] = RIGHT_EDIT,
    [VERB_EMERGENCY] = RIGHT_PUBLISH,
};

static enum rc expected(enum verb verb, enum state from, unsigned rights)
{
    if (!allowed[verb][from])
        return RC_CONFLICT;
    return (rights & needed[verb]) == needed[verb] ? RC_OK : RC_FORBIDDEN;
}

static void every_step_is_as_the_design_says(void **unused)
{
    struct arena *mem = arena_new();
    struct work w;
    enum state to = STATE_GONE;

    (void)unused;
    for (int verb = 0; verb < VERB_COUNT; verb++)
        for (int from = 0; from < STATE_COUNT; from++)
            for (unsigned rights = 0; rights <= RIGHT_ALL; rights++) {
                enum rc want = expected(verb, from, rights);

                work_init(&w, mem, NULL, "someone", rights);
                assert_int_equal(state_step(&w, verb, 1, from, "差错", &to), want);
                if (!want)
                    assert_string_equal(state_name(to), allowed[verb][from]);
            }
    arena_free(mem);
}

static void a_step_needs_its_right_at_the_items_site(void **unused)
{
    static const struct scope one = { .site = 1, .rights = RIGHT_REVIEW };
    struct arena *mem = arena_new();
    struct work w;
    enum state to;

    (void)unused;
    work_init(&w, mem, NULL, "someone", RIGHT_READ | RIGHT_EDIT);
    w.who.scopes = &one;
    w.who.nscopes = 1;
    assert_int_equal(state_step(&w, VERB_APPROVE, 1, STATE_IN_REVIEW, NULL, &to), RC_OK);
    assert_int_equal(state_step(&w, VERB_APPROVE, 2, STATE_IN_REVIEW, NULL, &to), RC_FORBIDDEN);
    assert_int_equal(state_step(&w, VERB_PUBLISH, 1, STATE_APPROVED, NULL, &to), RC_FORBIDDEN);
    assert_int_equal(state_step(&w, VERB_SUBMIT, 2, STATE_DRAFT, NULL, &to), RC_OK);
    assert_int_equal(work_need_at(&w, RIGHT_REVIEW, EVERYWHERE), RC_FORBIDDEN);
    assert_string_equal(w.err.text, "someone lacks the right \"review\" for all sites");
    assert_int_equal(work_need(&w, RIGHT_REVIEW | RIGHT_PUBLISH), RC_OK);
    arena_free(mem);
}

static void ending_and_returning_need_a_reason(void **unused)
{
    static const struct {
        enum verb verb;
        enum state from;
        enum rc without;
        const char *words;
    } cases[] = {
        { VERB_WITHDRAW, STATE_PUBLISHED, RC_INVALID, "withdrawing needs a reason" },
        { VERB_GONE, STATE_PUBLISHED, RC_INVALID, "removing for good needs a reason" },
        { VERB_PURGE, STATE_APPROVED, RC_INVALID, "purging needs a reason" },
        { VERB_EMERGENCY, STATE_DRAFT, RC_INVALID, "an emergency needs a reason" },
        { VERB_RETURN, STATE_IN_REVIEW, RC_INVALID, "returning needs a reason" },
        { VERB_EXPIRE, STATE_PUBLISHED, RC_OK, NULL },
        { VERB_SUBMIT, STATE_DRAFT, RC_OK, NULL },
    };
    struct arena *mem = arena_new();
    struct work w;
    enum state to;
    char too_long[502];

    (void)unused;
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    work_init(&w, mem, NULL, "someone", RIGHT_ALL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(state_step(&w, cases[i].verb, 1, cases[i].from, NULL, &to),
                         cases[i].without);
        if (cases[i].words)
            assert_string_equal(w.err.text, cases[i].words);
        assert_int_equal(state_step(&w, cases[i].verb, 1, cases[i].from, "", &to),
                         cases[i].without);
        assert_int_equal(state_step(&w, cases[i].verb, 1, cases[i].from, too_long, &to),
                         RC_INVALID);
        assert_int_equal(state_step(&w, cases[i].verb, 1, cases[i].from, "a\x1b[2J", &to),
                         RC_INVALID);
    }
    arena_free(mem);
}

static void names_are_read_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < STATE_COUNT; i++)
        assert_int_equal(state_parse(state_name(i)), i);
    for (int i = 0; i < VERB_COUNT; i++)
        assert_int_equal(verb_parse(verb_name(i)), i);
    assert_int_equal(state_parse("Draft"), -1);
    assert_int_equal(verb_parse(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_as_the_design_says),
        cmocka_unit_test(a_step_needs_its_right_at_the_items_site),
        cmocka_unit_test(ending_and_returning_need_a_reason),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
