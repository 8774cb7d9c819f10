/*
 * letter_publish_test.c - answers to letters that become drafts of the library, if their writers agreed, and name nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/jx.h"
#include "server/citizen/letter_import.h"
#include "server/citizen/letter_publish.h"
#include "tests/lib/letter_world.h"

static struct letter_line import(struct library_world *t, const char *text)
{
    struct letter_line line;

    letter_import_read(t->mem, text, strlen(text), &line);
    t->w.who = (struct actor){ .rights = RIGHT_ALL, .operator= true };
    world_begin(t);
    assert_int_equal(letter_import(&t->w, "12345", &line, 1), RC_OK);
    world_commit(t);
    return line;
}

static enum rc publish(struct library_world *t, const char *number, struct item *out)
{
    static const char *const names[] = { "韩梅梅" };
    enum rc rc;

    world_begin(t);
    rc = letter_publish(&t->w, number, t->news, names, 1, out);
    if (rc)
        db_rollback(t->w.db);
    else
        world_commit(t);
    return rc;
}

static void an_answer_becomes_a_draft_without_personal_data_if_its_writer_agreed(void **state)
{
    struct library_world *t = *state;
    struct letter_line line = import(
        t, "{\"answer\":\"李雷您好，请带身份证到街道办理。\",\"answered\":\"2025-11-20\","
           "\"category\":\"consult\",\"contact\":{\"name\":\"李雷\"},\"origin\":\"1\","
           "\"public\":true,\"received\":\"2025-11-18\",\"text\":\"我是李雷，邻居韩梅梅，电话"
           "13800138000\",\"title\":\"李雷咨询居住证\",\"unit\":\"heping\"}");
    struct revision revision;
    struct content content;
    struct item item;
    const char *body;

    assert_int_equal(publish(t, line.number, &item), RC_OK);
    assert_int_equal(item.state, STATE_DRAFT);
    assert_int_equal(item_revision(&t->w, &item.id, 0, &item, &revision, &content), RC_OK);
    assert_string_equal(content.title, "李某咨询居住证");
    body = arena_strndup(t->mem, revision.content.p, revision.content.n);
    assert_non_null(strstr(body, "我是李某，邻居韩某，电话［手机号］"));
    assert_non_null(strstr(body, "李某您好，请带身份证到街道办理。"));
    assert_null(strstr(body, "13800138000"));
    assert_int_equal(publish(t, line.number, &item), RC_CONFLICT); /* once */
    line =
        import(t, "{\"answer\":\"好\",\"answered\":\"2025-11-20\",\"category\":\"consult\","
                  "\"origin\":\"2\",\"received\":\"2025-11-18\",\"text\":\"x\",\"title\":\"x\","
                  "\"unit\":\"heping\"}");
    assert_int_equal(publish(t, line.number, &item), RC_CONFLICT); /* without consent */
    line = import(t, "{\"category\":\"consult\",\"origin\":\"3\",\"public\":true,\"received\":"
                     "\"2025-11-18\",\"text\":\"x\",\"title\":\"x\",\"unit\":\"heping\"}");
    assert_int_equal(publish(t, line.number, &item), RC_CONFLICT); /* without an answer */
}

/* Whatever he said of himself, wherever it stands again, and no way back to the letter. */
static void what_is_published_names_neither_its_writer_nor_the_letter(void **state)
{
    static const char *const secrets[] = { "李雷", "27301234", "迎水道", "li@a.cn", "天塔旁" };
    struct library_world *t = *state;
    struct letter_line line = import(
        t,
        "{\"answer\":\"李雷您好，已上门到迎水道12号3门402，天塔旁的路灯修好了。\",\"answered\":"
        "\"2025-11-20\",\"category\":\"consult\",\"contact\":{\"name\":\"李雷\",\"phone\":"
        "\"27301234\",\"address\":\"迎水道12号3门402\",\"email\":\"li@a.cn\"},\"origin\":\"9\","
        "\"place\":\"天塔旁\",\"public\":true,\"received\":\"2025-11-18\",\"text\":"
        "\"我住迎水道12号3门402，有事打2730-1234，或li@a.cn\",\"title\":"
        "\"迎水道12号3门402没有路灯\","
        "\"unit\":\"heping\"}");
    struct revision revision;
    struct content content;
    struct item item;
    const char *body;

    assert_int_equal(publish(t, line.number, &item), RC_OK);
    assert_int_equal(item_revision(&t->w, &item.id, 0, &item, &revision, &content), RC_OK);
    body = arena_strndup(t->mem, revision.content.p, revision.content.n);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strstr(body, secrets[i]))
            fail_msg("%s stands in %s", secrets[i], body);
    assert_null(strstr(body, "2730-1234"));
    assert_null(strstr(item.origin_id, strchr(line.number, '-')));
    assert_int_equal(publish(t, line.number, &item), RC_CONFLICT); /* once all the same */
}

/* Consent is his to take back, as long as nobody else has read it. */
static void a_writer_takes_his_consent_back(void **state)
{
    struct library_world *t = *state;
    struct letter_line line = import(
        t,
        "{\"answer\":\"好\",\"answered\":\"2025-11-20\",\"category\":\"consult\",\"origin\":"
        "\"8\","
        "\"public\":true,\"received\":\"2025-11-18\",\"text\":\"路灯不亮\",\"title\":\"路灯\","
        "\"unit\":\"heping\"}");
    struct actor staff = t->w.who;
    struct revision revision;
    struct content content;
    struct letter l;
    struct item item;

    assert_int_equal(publish(t, line.number, &item), RC_OK);
    assert_int_equal(letter_find(&t->w, line.number, &l), RC_OK);
    world_vandalise(t, "UPDATE letter SET account = 900");
    be_writer(t, OTHER, 1);
    world_begin(t);
    assert_int_equal(letter_keep_private(&t->w, &l.id), RC_NOT_FOUND);
    be_writer(t, WRITER, 1);
    assert_int_equal(letter_keep_private(&t->w, &l.id), RC_OK);
    world_commit(t);
    t->w.who = staff;
    assert_int_equal(item_revision(&t->w, &item.id, 0, &item, &revision, &content), RC_OK);
    assert_null(strstr(arena_strndup(t->mem, revision.content.p, revision.content.n), "路灯"));
    assert_int_equal(item.state, STATE_DRAFT);
    assert_int_equal(publish(t, line.number, &item), RC_CONFLICT);
    assert_non_null(strstr(t->w.err.text, "没有同意"));
}

/* ---- lines that come again ---- */

static struct letter_line rated(struct library_world *t, int rating)
{
    static const char answered[] = "{\"answer\":\"已修好\",\"answered\":\"2025-11-20\","
                                   "\"category\":\"help\",\"origin\":\"r\",%s"
                                   "\"received\":\"2025-11-18\",\"text\":\"坏了\","
                                   "\"title\":\"路灯\",\"unit\":\"heping\"}";
    const char *said = rating ? arena_printf(t->mem, "\"rating\":%d,", rating) : "";

    return import(t, arena_printf(t->mem, answered, said));
}

static void a_first_rating_may_come_behind_its_answer(void **state)
{
    struct library_world *t = *state;
    struct letter_line line = rated(t, 0);
    struct letter_step *steps;
    struct letter l;
    int n;

    assert_int_equal(line.result, LETTER_CREATED);
    assert_int_equal(rated(t, 4).result, LETTER_UPDATED);
    assert_int_equal(letter_find(&t->w, line.number, &l), RC_OK);
    assert_int_equal(l.rating, 4);
    assert_int_equal(l.state, LETTER_CLOSED);
    assert_int_equal(letter_steps(&t->w, &l, &steps, &n), RC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(rated(t, 4).result, LETTER_UNCHANGED);
    assert_int_equal(rated(t, 5).result, LETTER_REFUSED_LINE); /* once */
    assert_int_equal(rated(t, 0).result, LETTER_REFUSED_LINE);
}

int main(void)
{
#define T(name) \
    cmocka_unit_test_setup_teardown(name, letter_world_set_up, letter_world_tear_down)
    const struct CMUnitTest tests[] = {
        T(an_answer_becomes_a_draft_without_personal_data_if_its_writer_agreed),
        T(what_is_published_names_neither_its_writer_nor_the_letter),
        T(a_writer_takes_his_consent_back),
        T(a_first_rating_may_come_behind_its_answer),
    };

    return cmocka_run_group_tests_name("letter_publish", tests, NULL, NULL);
}
