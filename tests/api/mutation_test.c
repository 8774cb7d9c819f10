/* Mutations: made once or not at all, whoever asks how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/store/db.h"
#include "tests/lib/world.h"

static atomic_int calls; /* of write_row() */

/* Its effect is a row that GET /rows/BODY sees once it is committed. */
static enum rc write_row(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct rows q;
    enum rc rc, end;

    calls++;
    rc = db_one(w, SQL_idempotency_put, &q, "ttbiti", "effect", rq->body, "x", (size_t)1,
                (int64_t)1, "", (int64_t)WORLD_NOW);
    end = rows_done(&q);
    if ((rc = rc ? rc : end))
        return rc;
    if (rq->body_len == 4 && !memcmp(rq->body, "fail", 4))
        return err_field(&w->err, "/body", "the body says fail");
    buf_printf(&b, "{\"call\":%d}", calls);
    rp->status = 201;
    reply_header(rp, "location", "/made");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc prepare_row(struct work *w, struct request *rq)
{
    if (rq->body_len && rq->body[0] == '!')
        return err_set(&w->err, RC_INVALID, "refused before the writer");
    rq->prepared = arena_strdup(w->mem, "prepared");
    return RC_OK;
}

static enum rc write_prepared(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    reply_body(rp, TYPE_TEXT, rq->prepared, strlen(rq->prepared));
    return RC_OK;
}

static enum rc has_row(struct work *w, const struct request *rq, struct reply *rp)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_idempotency_find, &q, "tti", "effect",
                          request_text(rq, "name", ""), (int64_t)0);

    if (rc)
        return rc;
    reply_body(rp, TYPE_TEXT, rows_next(&q) ? "yes" : "no", 3);
    return rows_done(&q);
}

static const struct param named[] = { { "name", P_TEXT, 1, 16, "" }, { 0 } };

static const struct route table[] = {
    { POST, "/rows", RIGHT_EDIT, ON_WRITER, 0, NULL, 16, write_row, NULL, "", "", NULL },
    { PUT, "/rows", RIGHT_EDIT, ON_WRITER, R_NO_KEY, NULL, 16, write_row, NULL, "", "", NULL },
    { GET, "/rows/:name", RIGHT_READ, ON_WORKER, 0, named, 0, has_row, NULL, "", "", NULL },
    { POST, "/prepared", RIGHT_EDIT, ON_WRITER, 0, NULL, 16, write_prepared, prepare_row, "",
      "", NULL },
    { 0 },
};

static int open_world(void **state)
{
    struct err e;

    calls = 0;
    gate_set(&world_editor);
    *state = world_open(table);
    return seal_load(&e, world_dir(*state), SEAL_XCHACHA);
}

static int close_world(void **state)
{
    world_close(*state);
    seal_forget();
    return 0;
}

static bool made(struct world *t, const char *name)
{
    return !strcmp(ask(t, GET, arena_printf(world_mem(t), "/rows/%s", name), NULL).body, "yes");
}

static void a_mutation_is_made_or_rolled_back(void **state)
{
    struct world *t = *state;
    struct answer a =
        ask(t, POST, "/rows", &(struct ask){ .headers = AS_EDITOR, .body = "one" });

    assert_int_equal(a.status, 201);
    assert_string_equal(HEADER(a, "location"), "/made");
    assert_true(made(t, "one"));
    a = ask(t, POST, "/rows", &(struct ask){ .headers = AS_EDITOR, .body = "fail" });
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "\"pointer\":\"#/body\""));
    assert_false(made(t, "fail"));
    a = ask(t, POST, "/rows", &(struct ask){ .origin = ORIGIN_ADMIN, .body = "two" });
    assert_int_equal(a.status, 201);
}

static void a_key_makes_a_mutation_happen_once(void **state)
{
    struct world *t = *state;
    struct ask how = { .headers = AS_EDITOR "idempotency-key: k1", .body = "one" };
    struct answer first = ask(t, POST, "/rows", &how), second = ask(t, POST, "/rows", &how);

    assert_int_equal(first.status, 201);
    assert_int_equal(second.status, 201);
    assert_string_equal(second.body, first.body);
    assert_string_equal(HEADER(second, "location"), "/made");
    assert_string_equal(HEADER(second, "content-type"), TYPE_JSON);
    assert_string_equal(HEADER(first, "idempotency-replayed"), "");
    assert_string_equal(HEADER(second, "idempotency-replayed"), "true");
    assert_int_equal(calls, 1);

    how.body = "other";
    second = ask(t, POST, "/rows", &how);
    assert_int_equal(second.status, 422);
    assert_false(made(t, "other"));
    assert_int_equal(calls, 1);
    how.origin = ORIGIN_ADMIN; /* another actor's key is another key */
    assert_int_equal(ask(t, POST, "/rows", &how).status, 201);
    how = (struct ask){ .headers = AS_EDITOR "idempotency-key: k1", .body = "one" };
    assert_int_equal(ask(t, PUT, "/rows", &how).status, 201); /* R_NO_KEY */
    assert_int_equal(calls, 3);
    clock_set(WORLD_NOW + 86401);
    assert_int_equal(ask(t, POST, "/rows", &how).status, 201);
    assert_int_equal(calls, 4);
}

static void a_failed_mutation_may_be_tried_again_under_its_key(void **state)
{
    struct world *t = *state;
    struct ask how = { .headers = AS_EDITOR "idempotency-key: k", .body = "fail" };

    assert_int_equal(ask(t, POST, "/rows", &how).status, 400);
    assert_int_equal(ask(t, POST, "/rows", &how).status, 400);
    assert_int_equal(calls, 2);
    how.headers = AS_EDITOR "idempotency-key: two words";
    assert_int_equal(ask(t, POST, "/rows", &how).status, 400);
    assert_int_equal(calls, 2);
}

static void preparation_runs_before_the_writer(void **state)
{
    struct world *t = *state;

    assert_string_equal(
        ask(t, POST, "/prepared", &(struct ask){ .headers = AS_EDITOR, .body = "x" }).body,
        "prepared");
    assert_string_equal(
        ask(t, POST, "/prepared", &(struct ask){ .origin = ORIGIN_ADMIN, .body = "x" }).body,
        "prepared");
    assert_int_equal(
        ask(t, POST, "/prepared", &(struct ask){ .headers = AS_EDITOR, .body = "!" }).status,
        400);
}

static void a_write_that_has_begun_is_finished_without_its_client(void **state)
{
    struct world *t = *state;
    struct ask how = { .headers = "idempotency-key: lift",
                       .origin = ORIGIN_ADMIN,
                       .body = "lift" };
    struct answer again;

    ask_hang_up(t, ask_begin(t, POST, "/rows", &how));
    world_settle(t);
    assert_true(made(t, "lift"));
    again = ask(t, POST, "/rows", &how); /* and who comes back learns what became of it */
    assert_string_equal(HEADER(again, "idempotency-replayed"), "true");
    assert_int_equal(calls, 1);
}

#define IN(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_mutation_is_made_or_rolled_back),
        IN(a_key_makes_a_mutation_happen_once),
        IN(a_failed_mutation_may_be_tried_again_under_its_key),
        IN(preparation_runs_before_the_writer),
        IN(a_write_that_has_begun_is_finished_without_its_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
