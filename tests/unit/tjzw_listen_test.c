/*
 * tjzw_listen_test.c - what a phone makes of hints: true ones, old ones, forged ones, and a server that gives none.
 */
#include "tests/lib/tjzw_phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A server of hints: says `text`, then is silent until it is left, or ends. */
struct hints {
    struct phone *p;
    char text[2048];
    int status;
    bool ends;
    bool moves_on; /* the server, after the sync that the listening begins with */
    unsigned connections, syncs, changed;
    char last_id[256];
    char paths[4096]; /* asked of the rest of the server since the hint */
};

static void say(struct hints *h, const char *stream, const char *path, unsigned spread)
{
    size_t n = strlen(h->text);

    snprintf(h->text + n, sizeof h->text - n,
             "id: %s=1.2.3\nevent: head\ndata: {\"stream\":\"%s\",\"head\":\"%s\",\"seq\":4,"
             "\"poll\":60,\"spread\":%u}\n\n",
             stream, stream, path, spread);
}

static void answer_hints(struct hints *h, struct tjzw_request *r, bool (*stop)(void *),
                         void *stop_ctx)
{
    const struct timespec step = { .tv_nsec = 5 * 1000000L };

    h->connections++;
    for (const char *const *line = r->headers; *line; line++)
        if (strncmp(*line, "Last-Event-ID: ", 15) == 0)
            snprintf(h->last_id, sizeof h->last_id, "%s", *line + 15);
    r->on_status(r, h->status);
    if (h->status != 200) {
        r->on_header(r, "Retry-After", "1");
        return;
    }
    h->paths[0] = '\0';
    if (r->on_body(r, h->text, strlen(h->text)))
        return;
    while (!stop(stop_ctx) && !h->ends)
        nanosleep(&step, NULL);
}

static void get(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                void *stop_ctx)
{
    struct hints *h = ctx;

    if (strstr(requests[0].url, "/v1/events")) {
        answer_hints(h, &requests[0], stop, stop_ctx);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(h->paths);

        snprintf(h->paths + at, sizeof h->paths - at, "%s ", strstr(requests[i].url, "/v1/"));
    }
    phone_carry(&h->p->net, requests, n, stop, stop_ctx);
}

/* Only a hint leads to what it has now. */
static void move_on(struct hints *h)
{
    char twin[WIRE_URL_MAX];

    fake_publish(h->p->server, "刚刚发布", "{\"body\":\"刚刚发布\"}");
    fake_head(h->p->server);
    fake_twin(h->p->server, twin);
    say(h, "main", twin, 1);
    phone_refuses = "/heads/";
}

static bool on_synced(void *ctx, const char *stream, const struct tjzw_sync_result *r,
                      enum tjzw_code code, const struct tjzw_error *e)
{
    struct hints *h = ctx;

    (void)e;
    assert_string_equal(stream, "main");
    assert_int_equal(code, TJZW_OK);
    h->syncs++;
    if (h->moves_on && h->syncs == 1)
        move_on(h);
    else
        h->changed += r->changed;
    return h->moves_on && h->changed > 0; /* what the hint led to */
}

static void listen_for(struct phone *p, struct hints *h, uint32_t seconds)
{
    struct tjzw_transport transport = { h, get };
    struct tjzw_listen_options options = { .seconds = seconds, .synced = on_synced, .ctx = h };

    tjzw_set_transport(p->t, &transport);
    OK(p, tjzw_listen(p->t, &options, &p->e));
}

static void start(struct phone *p, struct hints *h)
{
    phone_start(p);
    *h = (struct hints){ .p = p, .status = 200 };
    phone_sync(p);
}

static void a_hint_leads_to_the_head_that_it_names(void **state)
{
    char twin[WIRE_URL_MAX];
    struct hints h;
    struct phone p;

    (void)state;
    start(&p, &h);
    h.moves_on = true;
    listen_for(&p, &h, 10);
    fake_twin(p.server, twin);
    phone_refuses = NULL;
    assert_non_null(strstr(h.paths, twin));
    assert_int_equal(phone_found(&p, "刚刚发布"), 1);
    phone_check(&p);
    phone_end(&p);
}

static void what_leads_nowhere_is_dropped(void **state)
{
    char held[WIRE_URL_MAX];
    struct hints h;
    struct phone p;

    (void)state;
    start(&p, &h);
    fake_twin(p.server, held);
    say(&h, "main", held, 0);                             /* held already */
    say(&h, "main", "/v1/sync/main/../../etc/passwd", 0); /* no twin */
    say(&h, "main", "https://elsewhere/v1/sync/main/head/1.2.3", 0);
    say(&h, "main", "/v1/sync/main/log/1/0/0-5", 0);
    say(&h, "other", "/v1/sync/other/head/1763712000.1.1", 0); /* not followed */
    snprintf(h.text + strlen(h.text), 200,
             "event: head\ndata: {not json\n\nevent: party\ndata: {}\n\n");
    listen_for(&p, &h, 2);
    assert_string_equal(h.paths, "");
    say(&h, "main", "/v1/sync/main/head/1763712000.999999.1", 0); /* 404 */
    h.syncs = 0;
    listen_for(&p, &h, 2);
    assert_non_null(strstr(h.paths, "999999"));
    assert_true(h.syncs <= 2); /* the one it begins with, and one that found nothing */
    phone_check(&p);
    phone_end(&p);
}

static void it_comes_back_with_the_id_it_was_given(void **state)
{
    struct hints h;
    struct phone p;

    (void)state;
    start(&p, &h);
    snprintf(h.text, sizeof h.text, "retry: 60000\n\nid: main=9.9.9\n\n:\n\nretry: 100\n\n");
    h.ends = true;
    listen_for(&p, &h, 2);
    assert_true(h.connections >= 3);
    assert_string_equal(h.last_id, "main=9.9.9");
    phone_end(&p);
}

static void a_server_without_hints_is_asked_again_when_it_says(void **state)
{
    struct hints h;
    struct phone p;

    (void)state;
    start(&p, &h);
    h.status = 503; /* Retry-After: 1 */
    listen_for(&p, &h, 3);
    assert_in_range(h.connections, 2, 3);
    h.status = 404;
    h.connections = 0;
    listen_for(&p, &h, 2);
    assert_in_range(h.connections, 1, 2);
    phone_end(&p);
}

static bool stop_at_once(void *ctx, const char *stream, const struct tjzw_sync_result *r,
                         enum tjzw_code code, const struct tjzw_error *e)
{
    (void)stream, (void)r, (void)code, (void)e;
    tjzw_stop(((struct phone *)ctx)->t);
    return false;
}

static void it_can_be_stopped(void **state)
{
    struct hints h;
    struct phone p;

    (void)state;
    start(&p, &h);
    tjzw_set_transport(p.t, &(struct tjzw_transport){ &h, get });
    assert_int_equal(
        tjzw_listen(p.t, &(struct tjzw_listen_options){ .synced = stop_at_once, .ctx = &p },
                    &p.e),
        TJZW_STOPPED);
    assert_int_equal(tjzw_listen(p.t, &(struct tjzw_listen_options){ .stream = "other" }, &p.e),
                     TJZW_NOT_FOUND);
    phone_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hint_leads_to_the_head_that_it_names),
        cmocka_unit_test(what_leads_nowhere_is_dropped),
        cmocka_unit_test(it_comes_back_with_the_id_it_was_given),
        cmocka_unit_test(a_server_without_hints_is_asked_again_when_it_says),
        cmocka_unit_test(it_can_be_stopped),
    };

    return cmocka_run_group_tests_name("tjzw_listen", tests, NULL, NULL);
}
