#include "tests/lib/service_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "api/instance.h"
#include "api/openapi.h"
#include "api/porter.h"
#include "api/routes.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/seal.h"
#include "server/citizen/epoch.h"
#include "server/citizen/known.h"
#include "server/derived/derived.h"
#include "server/http/router.h"
#include "server/identity/party.h"
#include "server/identity/party_key.h"
#include "server/identity/party_log.h"
#include "server/identity/provider.h"
#include "server/identity/role.h"
#include "server/identity/session.h"
#include "server/identity/staff_device.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "server/projections.h"
#include "server/store/writer.h"

static enum rc load_credentials(struct work *w, void *key)
{
    enum rc rc = session_load(w, key);

    known_forget_all();
    if (rc || (rc = role_load(w)) || (rc = staff_device_load(w)) || (rc = epoch_load(w)))
        return rc;
    return party_load(w);
}

static enum rc make_stream(struct work *w, void *arg)
{
    return stream_make(w, "main", arg);
}

/* What programs are told of the interface: read once. */
static json_t *description(void)
{
    static struct arena *mem;
    static json_t *doc;
    struct buf text = BUF_HEAP;
    struct err e = { 0 };

    if (doc)
        return doc;
    mem = arena_new();
    openapi_print(&text);
    if (jx_object(&e, mem, text.p, text.n, &doc))
        fail_msg("%s", e.text);
    buf_done(&text);
    return doc;
}

/* No answer has a status that the description does not name for its route. */
static void is_described(struct world *t, enum method m, const char *target,
                         const struct answer *a)
{
    struct buf path = BUF_IN(world_mem(t));
    struct err e = { 0 };
    struct target parsed;
    const struct route *r;
    const json_t *operation;
    char method[8] = "";

    if (target_parse(&e, world_mem(t), target, strlen(target), &parsed))
        return;
    r = router_find(&parsed, m).route;
    if (!r || !openapi_shows(r))
        return;
    routes_put_path(&path, r);
    for (size_t i = 0; method_name(r->method)[i]; i++)
        method[i] = (char)tolower((unsigned char)method_name(r->method)[i]);
    operation = json_object_get(
        json_object_get(json_object_get(description(), "paths"), path.p), method);
    if (!json_object_get(json_object_get(operation, "responses"),
                         arena_printf(world_mem(t), "%d", a->status)))
        fail_msg("%s %s answers %d, which /openapi.json does not say", method, path.p,
                 a->status);
}

int service_world_set_up(void **state)
{
    struct world *t = world_open(routes_table);
    struct instance in = { .public_url = "https://www.example.cn", .dir = world_dir(t) };
    uint8_t key[32] = "of tokens";
    struct gate_source source;
    struct stream stream;
    struct err e = { 0 };
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(writer_call(&w, make_stream, &stream), RC_OK);
    assert_int_equal(writer_call(&w, load_credentials, key), RC_OK);
    assert_int_equal(preview_key_load(&e, world_dir(t), &in.preview), RC_OK);
    in.stream = stream.no;
    instance_set(&in);
    assert_int_equal(takedown_open(&e, world_dir(t)), RC_OK);
    assert_int_equal(fs_mkdirs(&e, URL("%s/keys", world_dir(t)), 0700), RC_OK);
    assert_int_equal(seal_load(&e, URL("%s/keys", world_dir(t)), SEAL_XCHACHA), RC_OK);
    assert_int_equal(provider_open(&e, world_dir(t), &party_clients), RC_OK);
    source = porter_source(NULL);
    gate_set(&source);
    *state = t;
    world_check_answers(t, is_described);
    assert_int_equal(tell(t, POST, "/v1/sites",
                          "{\"code\":\"1200000000\",\"name\":\"示例市人民政府\",\"domain\":"
                          "\"www.example.cn\"}")
                         .status,
                     201);
    assert_int_equal(
        tell(t, POST, "/v1/columns", "{\"site\":\"1200000000\",\"path\":\"要闻\"}").status,
        201);
    assert_int_equal(
        tell(t, POST, "/v1/columns",
             "{\"site\":\"1200000000\",\"path\":\"通知公告\",\"description\":\"正式的通知\"}")
            .status,
        201);
    return 0;
}

int service_world_tear_down(void **state)
{
    party_log_finish(); /* while there is a writer */
    world_close(*state);
    provider_close();
    seal_forget();
    takedown_close();
    return 0;
}

int service_world_derived_set_up(void **state)
{
    int failed = service_world_set_up(state);
    struct err e = { 0 };

    if (derived_open(&e, world_dir(*state), projections))
        fail_msg("%s", e.text);
    return failed;
}

int service_world_derived_tear_down(void **state)
{
    derived_close();
    return service_world_tear_down(state);
}

struct answer tell_with(struct world *t, enum method m, const char *target, const char *headers,
                        const char *body)
{
    return ask(t, m, target,
               &(struct ask){ .headers = headers, .body = body, .origin = ORIGIN_ADMIN });
}

struct answer tell(struct world *t, enum method m, const char *target, const char *body)
{
    return tell_with(t, m, target, NULL, body);
}

const char *text_of(struct world *t, const struct answer *a, const char *key)
{
    const char *mark = arena_printf(world_mem(t), "\"%s\":\"", key);
    const char *at = strstr(a->body, mark);

    if (!at)
        return "";
    at += strlen(mark);
    return arena_strndup(world_mem(t), at, strcspn(at, "\""));
}

const char *service_program(struct world *t, const char *id, const char *rights)
{
    struct answer a;

    a = tell(t, POST, "/v1/parties",
             URL("{\"id\":\"%s\",\"name\":\"%s\",\"kind\":\"live\",\"rights\":\"%s\"}", id, id,
                 rights));
    assert_int_equal(a.status, 201);
    a = tell(t, POST, URL("/v1/parties/%s/keys", id), NULL);
    assert_int_equal(a.status, 201);
    return URL("authorization: Bearer %s\n", text_of(t, &a, "key"));
}

const char *service_publish(struct world *t, const char *title, const char *body,
                            const char *more)
{
    struct buf b = BUF_IN(world_mem(t));
    struct answer a;
    const char *id;

    buf_adds(&b, "{\"site\":\"1200000000\",\"column\":\"要闻\"");
    jx_put_text(&b, "title", title);
    jx_put_text(&b, "body", body);
    buf_adds(&b, more ? more : "");
    buf_addc(&b, '}');
    a = tell(t, POST, "/v1/items", b.p);
    assert_int_equal(a.status, 201);
    id = text_of(t, &a, "id");
    assert_int_equal(
        tell(t, POST, arena_printf(world_mem(t), "/v1/items/%s/submit", id), NULL).status, 200);
    assert_int_equal(
        tell(t, POST, arena_printf(world_mem(t), "/v1/items/%s/approve", id), NULL).status,
        200);
    assert_int_equal(
        tell(t, POST, arena_printf(world_mem(t), "/v1/items/%s/publish", id), NULL).status,
        200);
    return id;
}

json_t *json_of(struct world *t, const struct answer *a)
{
    struct err e = { 0 };
    json_t *v;

    if (jx_object(&e, world_mem(t), a->body, a->len, &v))
        fail_msg("%s in %s", e.text, a->body);
    return v;
}
