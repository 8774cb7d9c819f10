/*
 * campaign_state_test.c - each step in each state, against a list that another hand wrote; and the table of docs/push.md against the program's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/campaign_state.h"

/* Everything that may happen. What is not here may not. */
static const char *const ways[] = {
    "draft edit draft",
    "draft test draft",
    "draft tested draft",
    "draft submit submitted",
    "draft cancel cancelled",
    "draft stale draft",
    "draft drop cancelled",
    "submitted edit draft",
    "submitted tested submitted",
    "submitted approve submitted",
    "submitted pass approved",
    "submitted return returned",
    "submitted reject rejected",
    "submitted cancel cancelled",
    "submitted stale draft",
    "submitted drop cancelled",
    "returned edit draft",
    "returned test returned",
    "returned tested returned",
    "returned submit submitted",
    "returned cancel cancelled",
    "returned stale draft",
    "returned drop cancelled",
    "approved edit draft",
    "approved tested approved",
    "approved return returned",
    "approved schedule scheduled",
    "approved cancel cancelled",
    "approved stale draft",
    "approved drop cancelled",
    "scheduled edit draft",
    "scheduled cancel cancelled",
    "scheduled tested scheduled",
    "scheduled due running",
    "scheduled late paused",
    "scheduled damaged paused",
    "scheduled stale draft",
    "scheduled drop cancelled",
    "running pause paused",
    "running recall recalling",
    "running damaged paused",
    "running done done",
    "running pull recalling",
    "paused resume running",
    "paused cancel cancelled",
    "paused recall recalling",
    "paused pull recalling",
    "done recall recalling",
    "done pull recalling",
    "recalling recalled recalled",
};

enum { WAYS = sizeof ways / sizeof *ways };

static const char *leads_to(const char *state, const char *step)
{
    size_t n = strlen(state), m = strlen(step);

    for (int i = 0; i < WAYS; i++)
        if (!strncmp(ways[i], state, n) && ways[i][n] == ' ' &&
            !strncmp(ways[i] + n + 1, step, m) && ways[i][n + 1 + m] == ' ')
            return ways[i] + n + m + 2;
    return NULL;
}

static void each_step_leads_where_it_should_or_is_refused(void **state)
{
    int allowed = 0;

    (void)state;
    for (int from = 0; from < CAMPAIGN_STATES; from++)
        for (int step = 0; step < CAMPAIGN_STEPS; step++) {
            const char *word = campaign_states[from].word,
                       *expected = leads_to(word, campaign_steps[step].word);
            enum campaign_state to = CAMPAIGN_STATES;
            struct err e = { 0 };
            enum rc rc = campaign_state_next(&e, (enum campaign_step)step,
                                             (enum campaign_state)from, &to);

            if (expected) {
                assert_int_equal(rc, RC_OK);
                assert_string_equal(campaign_states[to].word, expected);
                allowed++;
                continue;
            }
            assert_int_equal(rc, RC_CONFLICT);
            assert_int_equal(to, CAMPAIGN_STATES);
            assert_non_null(strstr(e.text, campaign_states[from].chinese));
            assert_non_null(strstr(e.text, campaign_steps[step].chinese));
        }
    assert_int_equal(allowed, WAYS);
}

static void words_are_found_again_and_no_others(void **state)
{
    (void)state;
    for (int i = 0; i < CAMPAIGN_STATES; i++)
        assert_int_equal(campaign_state_parse(campaign_states[i].word), i);
    for (int i = 0; i < CAMPAIGN_STEPS; i++)
        assert_int_equal(campaign_step_parse(campaign_steps[i].word), i);
    assert_int_equal(campaign_state_parse(""), -1);
    assert_int_equal(campaign_state_parse("Draft"), -1);
    assert_int_equal(campaign_step_parse("drafts"), -1);
}

/* Taking back needs no second pair of eyes, and nothing that could be missing. */
static void who_recalls_is_asked_for_nothing_but_a_reason(void **state)
{
    const struct campaign_step_row *r = &campaign_steps[CAMPAIGN_DO_RECALL];

    (void)state;
    assert_int_equal(r->who, CAMPAIGN_BY_EITHER);
    assert_int_equal(r->asks, 0);
    assert_int_equal(r->text, CAMPAIGN_TEXT_MUST);
}

static void the_page_has_the_table_of_the_program(void **state)
{
    static char page[200000];
    struct buf table = BUF_HEAP;
    FILE *f = fopen(TJZW_PUSH_PAGE, "r");
    size_t n;

    (void)state;
    assert_non_null(f);
    n = fread(page, 1, sizeof page - 1, f);
    page[n] = '\0';
    fclose(f);
    campaign_print_doc(&table);
    if (!strstr(page, table.p))
        fprintf(stderr, "docs/push.md should have:\n%s", table.p);
    assert_non_null(strstr(page, table.p));
    buf_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_leads_where_it_should_or_is_refused),
        cmocka_unit_test(words_are_found_again_and_no_others),
        cmocka_unit_test(who_recalls_is_asked_for_nothing_but_a_reason),
        cmocka_unit_test(the_page_has_the_table_of_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
