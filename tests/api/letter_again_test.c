/* A letter that comes again: from the guest who followed its writer, and to a server that was restored. Its files have to be there before it is taken: docs/letters.md sections 2 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/citizen/letter_file.h"
#include "server/citizen/receipt.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/phone_state.h"

#define LETTER "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"
#define PDF    "%PDF-1.7 a lamp"

static int set_up(void **state)
{
    struct world *t;
    struct err e;

    service_world_set_up(state);
    t = *state;
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}").status, 201);
    return seal_load(&e, world_dir(t), SEAL_XCHACHA) || receipt_load(&e, world_dir(t)) ||
           letter_files_open(&e, world_dir(t));
}

static int tear_down(void **state)
{
    receipt_forget();
    seal_forget();
    return service_world_tear_down(state);
}

static struct person guest(struct world *t)
{
    struct answer a = ask(t, POST, "/v1/guest", &(struct ask){ .body = "{\"device\":\"x\"}" });

    assert_int_equal(a.status, 201);
    return (struct person){ .header =
                                URL("authorization: Bearer %s\n", text_of(t, &a, "access")),
                            .account = number_of(json_of(t, &a), "account") };
}

static void on_writer(struct world *t, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    if (writer_call(&w, run, arg))
        fail_msg("%s", w.err.text);
}

static enum rc end_sessions(struct work *w, void *arg)
{
    return session_end_all(w, *(int64_t *)arg, 0);
}

/* As a server does that takes the old token of an exchange for a thief's. */
static void lose_session(struct world *t, struct person *p)
{
    on_writer(t, end_sessions, &p->account);
}

static const char *name_of(struct world *t, const char *file)
{
    uint8_t hash[HASH_BYTES];

    sha256(file, strlen(file), hash);
    return hex_text(hash, HASH_BYTES, arena_alloc(world_mem(t), HASH_TEXT));
}

static void upload(struct world *t, const struct person *p, const char *file)
{
    struct ask how = { .headers = URL("%scontent-range: bytes 0-%zu/%zu\n", p->header,
                                      strlen(file) - 1, strlen(file)),
                       .body = file };

    assert_int_equal(ask(t, PUT, URL("/v1/me/blobs/%s", name_of(t, file)), &how).status, 201);
}

/* What is said of a lamp, with a file; `more`: members with a comma behind each. */
static const char *value(struct world *t, const char *more)
{
    return URL("{\"category\":\"report\",\"files\":[{\"hash\":\"%s\",\"name\":\"f.pdf\"}],"
               "%s\"text\":\"路灯不亮\",\"title\":\"路灯\",\"unit\":\"heping\"}",
               name_of(t, PDF), more);
}

static const char *bring_letter(struct world *t, const struct person *p, int64_t n,
                                const char *value)
{
    return result_of(
        t,
        bring(t, p, DEVICE_A, n,
              URL("\"type\":\"letter.send\",\"key\":\"" LETTER "\",\"value\":%s", value)),
        0);
}

static int letter_status(struct world *t)
{
    return tell(t, GET, "/v1/letters/" LETTER, NULL).status;
}

static int file_status(struct world *t)
{
    return tell(t, GET, URL("/v1/letters/" LETTER "/files/%s", name_of(t, PDF)), NULL).status;
}

/* It was his without its file, so that the next time it came it was taken as it was, and the unit never saw the file again. */
static void it_goes_to_who_follows_its_writer_with_its_files_or_not_at_all(void **state)
{
    struct world *t = *state;
    struct person first = guest(t), next = guest(t);

    upload(t, &first, PDF);
    assert_string_equal(bring_letter(t, &first, 1, value(t, "")), "done");
    assert_int_equal(file_status(t), 200);
    lose_session(t, &first);
    assert_string_equal(bring_letter(t, &next, 1, value(t, "")), "refused:missing");
    assert_int_equal(file_status(t), 200); /* it is the first one's still */
    upload(t, &next, PDF);
    assert_string_equal(bring_letter(t, &next, 2, value(t, "")), "done");
    assert_int_equal(file_status(t), 200);
    assert_string_equal(bring_letter(t, &next, 3, value(t, "")), "done"); /* and again */
    assert_int_equal(file_status(t), 200);
}

/* As restore.c does it: numbers go on further on. */
static enum rc skip_numbers(struct work *w, void *unused)
{
    static const int64_t bases[] = { 0, 1, 2026 };
    enum rc rc = RC_OK;

    (void)unused;
    for (size_t i = 0; i < sizeof bases / sizeof *bases && !rc; i++)
        rc = db_run(w, SQL_letter_count_base, "i", bases[i]);
    return rc ? rc : db_run(w, SQL_letter_count_skip, "i", (int64_t)100000);
}

/* As the server signed it before the backup from which it was restored. */
static const char *receipt(struct world *t, const char *value, const char *number)
{
    struct receipt r = { .index = 7, .time = WORLD_NOW - 3 * 86400, .number = number };
    struct buf said = BUF_IN(world_mem(t)), out = BUF_IN(world_mem(t));
    json_t *v = json_loads(value, 0, NULL);
    struct work w;
    const char *text;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    jx_canonical(&said, v);
    json_decref(v);
    sha256(said.p, said.n, r.hash);
    assert_true(id_parse(LETTER, ID_TEXT - 1, &r.letter));
    text = receipt_sign(&w, &r);
    buf_adds(&out, "\"receipt\":");
    jx_quote(&out, text, strlen(text));
    buf_addc(&out, ',');
    return out.p;
}

static void what_a_restore_lost_is_not_taken_without_its_files(void **state)
{
    struct world *t = *state;
    struct person p = person_sign_in(t, SESSION_CITIZEN, 1);
    const char *again = value(t, receipt(t, value(t, ""), "JB2026-000007"));
    struct answer a;

    on_writer(t, skip_numbers, NULL);
    assert_string_equal(bring_letter(t, &p, 1, again), "refused:missing");
    assert_int_equal(letter_status(t), 404);
    upload(t, &p, PDF);
    assert_string_equal(bring_letter(t, &p, 2, again), "done");
    assert_int_equal(file_status(t), 200);
    a = tell(t, GET, "/v1/letters/" LETTER, NULL);
    assert_string_equal(text_of(t, &a, "number"), "JB2026-000007");
    assert_non_null(strstr(a.body, "\"verb\":\"send\""));
}

#define DISCLOSE(receipt)                                                                    \
    URL("{\"category\":\"disclose\",%s\"text\":\"请公开\",\"title\":\"公开\",\"unit\":" \
        "\"nankai\"}",                                                                       \
        receipt)

/* A receipt says when, not who: the unit is told who wrote by the account that sends it now. And a letter lies with a unit, or nowhere. */
static void a_receipt_stands_for_neither_its_writers_name_nor_the_unit(void **state)
{
    struct world *t = *state;
    struct person hardly = person_sign_in(t, SESSION_CITIZEN, 1),
                  well = person_sign_in(t, SESSION_CITIZEN, 2);
    const char *again = DISCLOSE(receipt(t, DISCLOSE(""), "YSQ2026-000003"));
    struct answer a;

    on_writer(t, skip_numbers, NULL);
    assert_string_equal(bring_letter(t, &well, 1, again), "refused:missing");
    assert_int_equal(letter_status(t), 404);
    tell(t, POST, "/v1/orgs", "{\"code\":\"nankai\",\"name\":\"南开区\"}");
    assert_string_equal(bring_letter(t, &hardly, 1, again), "refused:rights");
    assert_int_equal(letter_status(t), 404);
    assert_string_equal(bring_letter(t, &well, 2, again), "done");
    a = tell(t, GET, "/v1/letters/" LETTER, NULL);
    assert_string_equal(text_of(t, &a, "number"), "YSQ2026-000003");
    assert_string_equal(bring_letter(t, &hardly, 2, again), "refused:conflict");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(it_goes_to_who_follows_its_writer_with_its_files_or_not_at_all),
        CASE(a_receipt_stands_for_neither_its_writers_name_nor_the_unit),
        CASE(what_a_restore_lost_is_not_taken_without_its_files),
    };

    return cmocka_run_group_tests_name("letter_again", tests, NULL, NULL);
}
