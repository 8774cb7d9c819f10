/* key_world.c - three programs, and what they ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/key_world.h"

#include "api/witness.h"
#include "server/base/seal.h"
#include "server/citizen/receipt.h"

#define RIGHTS "import,edit,review,publish,push,push_approve,letters,operate,audit,notice"

const char *trial, *team, *live;

static const char *make_key(struct world *t, const char *id, const char *kind)
{
    struct answer a =
        tell(t, POST, "/v1/parties",
             URL("{\"id\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\",\"rights\":\"" RIGHTS "\"}",
                 id, id, kind));

    assert_int_equal(a.status, 201);
    a = tell(t, POST, URL("/v1/parties/%s/keys", id), NULL);
    assert_int_equal(a.status, 201);
    return URL("authorization: Bearer %s\n", text_of(t, &a, "key"));
}
int key_world_set_up(void **state)
{
    struct world *t;
    struct err e;

    service_world_set_up(state);
    t = *state;
    witness_set(&witness_audit);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}").status, 201);
    assert_int_equal(
        tell(t, POST, "/v1/orgs", "{\"code\":\"nankai\",\"name\":\"南开区\"}").status, 201);
    trial = make_key(t, "trial", "test");
    team = make_key(t, "team", "team");
    live = make_key(t, "live", "live");
    return seal_load(&e, world_dir(t), SEAL_XCHACHA) || receipt_load(&e, world_dir(t));
}

int key_world_tear_down(void **state)
{
    int rc;

    witness_set(NULL);
    rc = service_world_tear_down(state);
    receipt_forget(); /* refusals may have been told until now, and sealed */
    seal_forget();
    return rc;
}
struct answer as(struct world *t, const char *key, enum method m, const char *target,
                 const char *body)
{
    return ask(t, m, target, &(struct ask){ .headers = key, .body = body });
}
struct answer tried(struct world *t, const char *key, enum method m, const char *target,
                    const char *body)
{
    static struct all_rows before;
    struct answer a;
    const char *table;

    all_rows_read(t, &before);
    a = as(t, key, m, target, body);
    if ((table = all_rows_changed(t, &before)))
        fail_msg("%s %s changed %s (%d)", method_name(m), target, table, a.status);
    return a;
}

/* First tried, then real. */ void write_letter(struct world *t, const struct person *p, int n,
                                                const char *key, const char *category)
{
    json_t *a = bring(t, p, DEVICE_A, n,
                      URL("\"type\":\"letter.send\",\"key\":\"%s\",\"value\":{\"category\":"
                          "\"%s\",\"public\":true,\"text\":\"路灯坏了，请修。\","
                          "\"title\":\"路灯\",\"unit\":\"heping\"}",
                          key, category));

    assert_string_equal(result_of(t, a, 0), "done");
}
