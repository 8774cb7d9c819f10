/*
 * sync_http.c - see the header. Changes are written to the log as the library does, without the
 * library's rules about items.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "server/http/cache.h"
#include "server/library/change.h"
#include "server/library/site.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "tests/lib/sync_http.h"

static void before_writer(void)
{
    sync_watch();
    sync_on_cut(cache_forget_all);
}

static enum rc make_site(struct work *w, void *arg)
{
    struct sync_http *f = arg;
    struct site s = { .stream = live_no(live_own()), .code = "1200000000", .name = "天津" };
    enum rc rc = site_create(w, &s);

    f->site = s.no;
    return rc;
}

static enum rc write_change(struct work *w, void *arg)
{
    return change_write(w, arg);
}

static enum rc on_writer(enum rc (*fn)(struct work *, void *), void *arg)
{
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "operator", RIGHT_ALL);
    rc = writer_call(&w, fn, arg);
    arena_free(w.mem);
    return rc;
}

int sync_http_set_up(void **state)
{
    struct sync_http *f = calloc(1, sizeof *f);
    const struct world_conf conf = { .before_writer = before_writer };
    struct err e;

    f->world = world_open_with(routes_table, &conf);
    assert_int_equal(conf_load(&e, NULL, NULL, &f->conf), RC_OK);
    assert_int_equal(conf_set(&e, &f->conf, "data", world_dir(f->world)), RC_OK);
    assert_int_equal(sync_start(&e, &f->conf, NULL, NULL), RC_OK);
    assert_int_equal(on_writer(make_site, f), RC_OK);
    *state = f;
    return 0;
}

void sync_http_restart(struct sync_http *f)
{
    const char *path = arena_printf(world_mem(f->world), "%s/tjzw.db", world_dir(f->world));
    struct err e;

    sync_stop();
    writer_stop();
    sync_done();
    cache_forget_all();
    before_writer();
    assert_int_equal(writer_start(&e, path, 100), RC_OK);
    assert_int_equal(sync_start(&e, &f->conf, NULL, NULL), RC_OK);
}

int sync_http_tear_down(void **state)
{
    struct sync_http *f = *state;

    sync_stop();
    world_close(f->world);
    sync_done();
    sync_on_cut(NULL);
    conf_done(&f->conf);
    free(f);
    return 0;
}

void put_bytes(struct sync_http *f, int item, unsigned flags, const char *bytes, size_t n)
{
    struct change c = { .stream = live_no(live_own()),
                        .born = item < f->items ? item : -1,
                        .op = CHANGE_PUT,
                        .flags = flags,
                        .site = f->site,
                        .col = 1,
                        .title = "通知",
                        .bytes = bytes,
                        .n = n };

    if (item == f->items)
        f->id[f->items++] = id_new();
    c.item = f->id[item];
    assert_int_equal(on_writer(write_change, &c), RC_OK);
}

void put(struct sync_http *f, int item, unsigned flags)
{
    put_bytes(f, item, flags, "{\"a\":1}", 7);
}

struct wire_head head(void)
{
    struct wire_head h = { 0 };
    struct err e;

    assert_int_equal(head_flush(live_own(), &e), RC_OK);
    assert_true(head_values(live_own(), &h));
    return h;
}

struct answer get(struct sync_http *f, const char *target, const char *headers)
{
    const struct ask how = { .headers = headers };

    return ask(f->world, GET, target, &how);
}

void assert_header(struct sync_http *f, const struct answer *a, const char *name,
                   const char *value)
{
    assert_string_equal(answer_header(f->world, a, name), value);
}

void assert_forever(struct sync_http *f, const struct answer *a)
{
    assert_int_equal(a->status, 200);
    assert_header(f, a, "cache-control", "public, max-age=31536000, immutable");
    assert_header(f, a, "accept-ranges", "bytes");
    assert_header(f, a, "link", "");
    assert_true(answer_header(f->world, a, "etag")[0] == '"');
}

void assert_refused(struct sync_http *f, const char *target, int status)
{
    static const struct {
        int status;
        const char *type;
    } types[] = { { 400, "\"type\":\"/problems/invalid\"" },
                  { 404, "\"type\":\"/problems/not-found\"" },
                  { 410, "\"type\":\"/problems/gone\"" },
                  { 413, "\"type\":\"/problems/too-large\"" } };
    struct answer a = get(f, target, NULL);
    size_t i = 0;

    if (a.status != status)
        fail_msg("%s: %d instead of %d", target, a.status, status);
    while (types[i].status != status)
        i++;
    assert_non_null(memmem(a.body, a.len, types[i].type, strlen(types[i].type)));
    assert_header(f, &a, "link", "</v1/sync/main/head>; rel=\"latest-version\"");
    assert_header(f, &a, "cache-control", "no-store");
    assert_header(f, &a, "content-type", "application/problem+json");
}

void assert_all_refused(struct sync_http *f, const struct refusal *cases, size_t n,
                        uint64_t epoch)
{
    char target[200];

    for (size_t i = 0; i < n; i++) {
        snprintf(target, sizeof target, cases[i].format, epoch);
        assert_refused(f, target, cases[i].status);
    }
}
