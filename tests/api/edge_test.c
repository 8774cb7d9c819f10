/* The edge with a small table of its own: what HTTP promises, whatever the routes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/generation.h"
#include "server/base/metric.h"
#include "server/http/cache.h"
#include "tests/lib/world.h"

static atomic_int calls; /* of the handler that a test counts */
static atomic_int held;  /* 1: slow() waits */

static enum rc hello(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    calls++;
    rp->ranges = true;
    rp->cache = CACHE_SHORT;
    reply_body(rp, TYPE_TEXT, rq->path, strlen(rq->path));
    return RC_OK;
}

static enum rc tell(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    buf_printf(&b, "%s n=%lld q=%s %s %s %s", w->who.name, (long long)request_int(rq, "n", -1),
               request_text(rq, "q", "-"), request_text(rq, "name", "-"), rq->host, rq->client);
    reply_buf(rp, TYPE_TEXT, &b);
    return RC_OK;
}

static enum rc slow(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq;
    calls++;
    while (held)
        usleep(1000);
    reply_body(rp, TYPE_TEXT, "slow", 4);
    return RC_OK;
}

static enum rc missing(struct work *w, const struct request *rq, struct reply *rp)
{
    calls++;
    reply_header(rp, "link", "</newest>; rel=\"alternate\"");
    return err_set(&w->err, RC_GONE, "%s was withdrawn", rq->path);
}

static enum rc broken(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq, (void)rp;
    return err_set(&w->err, RC_IO, "read /var/lib/secret: no such luck");
}

static enum rc misplaced(struct work *w, const struct request *rq, struct reply *rp)
{
    static const int numbers[] = { ENOENT, EACCES, ENOSPC };

    (void)rp;
    errno = numbers[request_int(rq, "n", 0)];
    return err_errno(&w->err, "open /var/lib/secret");
}

static enum rc page(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    if (w->who.rights & RIGHT_OPERATE)
        return err_set(&w->err, RC_NOT_FOUND, "<none> & such");
    reply_body(rp, TYPE_HTML, "<p>", 3);
    return RC_OK;
}

static enum rc change(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq, (void)rp;
    calls++;
    return RC_OK;
}

static const struct param tell_params[] = {
    { "name", P_TEXT, 1, 20, "" }, { "n", P_INT, 1, 500, "" }, { "q", P_TEXT, 0, 40, "" }, { 0 }
};

static const struct param misplaced_params[] = { { "n", P_INT, 0, 2, "" }, { 0 } };

static const struct route table[] = {
    { GET, "/", RIGHT_READ, ON_LOOP, R_PAGE, NULL, 0, page, NULL, "", "", NULL },
    { GET, "/loop/:name", RIGHT_READ, ON_LOOP, 0, tell_params, 0, tell, NULL, "", "", NULL },
    { GET, "/worker/:name", RIGHT_READ, ON_WORKER, 0, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/operator/:name", RIGHT_OPERATE, ON_LOOP, 0, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/cached", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/quick", RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/forever", RIGHT_READ, ON_LOOP, R_CACHED | R_FOREVER, NULL, 0, hello, NULL, "", "",
      NULL },
    { GET, "/shared/:name", RIGHT_READ, ON_LOOP, R_CACHED, tell_params, 0, tell, NULL, "", "",
      NULL },
    { GET, "/free", RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, hello, NULL, "", "", NULL },
    { GET, "/gone", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, missing, NULL, "", "", NULL },
    { GET, "/cached-slow", RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, slow, NULL, "", "", NULL },
    { GET, "/slow", RIGHT_READ, ON_WORKER, 0, NULL, 0, slow, NULL, "", "", NULL },
    { GET, "/broken", RIGHT_READ, ON_WORKER, 0, NULL, 0, broken, NULL, "", "", NULL },
    { GET, "/misplaced", RIGHT_READ, ON_WORKER, 0, misplaced_params, 0, misplaced, NULL, "", "",
      NULL },
    { POST, "/rows", RIGHT_EDIT, ON_WRITER, 0, NULL, 16, change, NULL, "", "", NULL },
    { POST, "/lines", RIGHT_EDIT, ON_WRITER, R_LINES, NULL, 16, change, NULL, "", "", NULL },
    { POST, "/bytes", RIGHT_EDIT, ON_WRITER, R_BYTES, NULL, 16, change, NULL, "", "", NULL },
    { PUT, "/rows", RIGHT_EDIT, ON_WRITER, R_NO_KEY, NULL, 16, change, NULL, "", "", NULL },
    { 0 },
};

static enum rc resolve(struct work *w, const char *bearer)
{
    assert_non_null(w->db);
    if (!strcmp(bearer, "editor")) {
        strcpy(w->who.name, "token:editor");
        w->who.rights |= RIGHT_EDIT;
        return RC_OK;
    }
    return err_set(&w->err, RC_UNAUTHORIZED, "unknown token");
}

static int open_with(void **state, const struct world_conf *conf)
{
    calls = held = 0;
    edge_set_auth(resolve);
    *state = world_open_with(table, conf);
    return 0;
}

static int open_world(void **state)
{
    return open_with(state, &(struct world_conf){ 0 });
}

static int open_narrow(void **state)
{
    return open_with(state, &(struct world_conf){ .queue_max = 2 });
}

static int open_limited(void **state)
{
    return open_with(state, &(struct world_conf){ .rate_limit = 3 });
}

static int open_cors(void **state)
{
    return open_with(state, &(struct world_conf){ .cors = { 1, { "https://a.example" } } });
}

static int close_world(void **state)
{
    held = 0;
    world_close(*state);
    return 0;
}

#define HEADER(a, name) answer_header(t, &(a), name)
#define AS_EDITOR       "authorization: Bearer editor\n"

static void parameters_are_checked_and_told_apart(void **state)
{
    struct world *t = *state;
    static const char *const bad[] = {
        "/loop/a?n=0",     "/loop/a?n=501",    "/loop/a?n=x",
        "/loop/a?n=1&n=2", "/loop/a?z=1",      "/loop/a?name=b",
        "/worker/a?n=01",  "/loop/%ff",        "/loop/%00",
        "/loop/a%2fb",     "/loop/%2e%2e",     "/loop/.",
        "/loop/%zz",       "/loop/a?q=%c0%80", "/loop/123456789012345678901",
        "/loop/a?&",       "/loop/a?n=1&",     "/loop/a?&n=1",
        "/loop/a?n=1&&q=b"
    };
    struct answer a = ask(t, GET, "/loop/%E5%A4%A9?n=5&q=a+b%26", NULL);

    assert_string_equal(a.body, "public n=5 q=a b& 天 example.cn 127.0.0.1");
    a = ask(t, GET, "/worker/x", &(struct ask){ .client = "10.1.2.3" });
    assert_string_equal(a.body, "public n=-1 q=- x example.cn 10.1.2.3");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        a = ask(t, GET, bad[i], NULL);
        if (a.status != 400)
            fail_msg("%s: %d", bad[i], a.status);
    }
    a = ask(t, GET, "/loop/a?colour=1", NULL);
    assert_non_null(strstr(a.body, "\"errors\":[{\"parameter\":\"colour\""));
}

static void long_targets_are_refused(void **state)
{
    struct world *t = *state;
    static char target[6000];

    memset(target, 'a', 2100);
    target[0] = '/';
    assert_int_equal(ask(t, GET, target, NULL).status, 400);
    memset(target, 'a', 4200);
    memcpy(target, "/loop/a?q=", 10);
    assert_int_equal(ask(t, GET, target, NULL).status, 400);
}

static void a_problem_is_told_in_chinese_with_a_trace(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/nowhere", NULL);

    assert_int_equal(a.status, 404);
    assert_string_equal(HEADER(a, "content-type"), "application/problem+json");
    assert_string_equal(HEADER(a, "content-language"), "zh-CN");
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    assert_string_equal(HEADER(a, "x-content-type-options"), "nosniff");
    assert_int_equal(strlen(HEADER(a, "request-id")), 32);
    assert_non_null(strstr(
        a.body, "\"type\":\"/problems/not-found\",\"title\":\"没有找到\",\"status\":404"));
    assert_non_null(strstr(a.body, HEADER(a, "request-id")));
    assert_non_null(strstr(a.body, "\"instance\":\"urn:uuid:"));
}

static void our_own_failures_keep_their_reason_to_themselves(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/broken", NULL);

    assert_int_equal(a.status, 500);
    assert_null(strstr(a.body, "secret"));
    for (int i = 0; i < 3; i++) {
        static const int statuses[] = { 404, 500, 507 };
        char target[32];

        snprintf(target, sizeof target, "/misplaced?n=%d", i);
        a = ask(t, GET, target, NULL);
        assert_int_equal(a.status, statuses[i]);
        assert_null(strstr(a.body, "secret"));
    }
}

static void a_page_fails_as_a_page(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/", NULL);

    assert_int_equal(a.status, 200);
    assert_non_null(strstr(HEADER(a, "content-security-policy"), "default-src 'none'"));
    assert_string_equal(HEADER(a, "strict-transport-security"), "");
    assert_string_not_equal(HEADER(a, "referrer-policy"), "");
    a = ask(t, GET, "/", &(struct ask){ .origin = ORIGIN_ADMIN });
    assert_int_equal(a.status, 404);
    assert_string_equal(HEADER(a, "content-type"), TYPE_HTML);
    assert_non_null(strstr(a.body, "&lt;none&gt; &amp; such"));
    a = ask(t, GET, "/", &(struct ask){ .origin = ORIGIN_TLS });
    assert_string_not_equal(HEADER(a, "strict-transport-security"), "");
}

static void other_methods_are_told_which_are_allowed(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, DELETE, "/rows", NULL);

    assert_int_equal(a.status, 405);
    assert_string_equal(HEADER(a, "allow"), "POST, PUT, OPTIONS");
    a = ask(t, GET, "/cached", &(struct ask){ .method = "BREW" });
    assert_int_equal(a.status, 405);
    assert_string_equal(HEADER(a, "allow"), "GET, HEAD, OPTIONS");
    a = ask(t, OPTIONS, "/cached", NULL);
    assert_int_equal(a.status, 204);
    assert_string_equal(HEADER(a, "allow"), "GET, HEAD, OPTIONS");
    assert_string_equal(HEADER(a, "content-length"), "");
    assert_int_equal(ask(t, OPTIONS, "*", NULL).status, 204);
    assert_int_equal(ask(t, OPTIONS, "/nowhere", NULL).status, 404);
}

static void head_is_get_without_the_body(void **state)
{
    struct world *t = *state;
    static const char *const targets[] = { "/cached", "/loop/a", "/worker/a", "/nowhere" };

    for (size_t i = 0; i < 4; i++) {
        struct answer get = ask(t, GET, targets[i], NULL),
                      head = ask(t, HEAD, targets[i], NULL);

        assert_int_equal(head.status, get.status);
        assert_int_equal(head.len, 0);
        assert_string_equal(HEADER(head, "content-length"), HEADER(get, "content-length"));
        assert_string_equal(HEADER(head, "etag"), HEADER(get, "etag"));
    }
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");
    char headers[200];

    assert_int_equal(etag[0], '"');
    snprintf(headers, sizeof headers, "if-none-match: \"x\", W/%s\n", etag);
    a = ask(t, GET, "/cached", &(struct ask){ .headers = headers });
    assert_int_equal(a.status, 304);
    assert_int_equal(a.len, 0);
    assert_string_equal(HEADER(a, "etag"), etag);
    assert_string_equal(HEADER(a, "content-length"), "");
    assert_string_equal(HEADER(a, "content-type"), "");
    assert_string_equal(HEADER(a, "cache-control"), CACHE_SHORT);
    assert_int_equal(
        ask(t, GET, "/cached", &(struct ask){ .headers = "if-none-match: *" }).status, 304);
    assert_int_equal(ask(t, GET, "/cached",
                         &(struct ask){ .headers = "if-none-match: \"other\", \"unclosed" })
                         .status,
                     200);
    snprintf(headers, sizeof headers, "if-none-match: \"x\"\nif-none-match: %s", etag);
    assert_int_equal(ask(t, GET, "/cached", &(struct ask){ .headers = headers }).status, 304);
}

static void what_is_no_list_of_etags_matches_nothing(void **state)
{
    struct world *t = *state;
    static const char *const garbage[] = {
        "W/\"abc\"*", "\"abc\"*", "**",    "*, *", "*x",     "x%s",
        "%sx",        "%s%s",     "%s, *", "w/%s", "W/, %s", "W/ %s",
    };
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");

    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct buf b = BUF_IN(world_mem(t));

        buf_adds(&b, "if-none-match: ");
        for (const char *p = garbage[i]; *p; p++) {
            if (*p == '%')
                buf_adds(&b, etag);
            else if (*p != 's')
                buf_addc(&b, *p);
        }
        a = ask(t, GET, "/cached", &(struct ask){ .headers = b.p });
        if (a.status != 200)
            fail_msg("%s: %d", b.p, a.status);
    }
    assert_int_equal(
        ask(t, GET, "/cached", &(struct ask){ .headers = "if-none-match:  * " }).status, 304);
}

static void a_body_of_another_type_is_refused(void **state)
{
    static const struct {
        const char *target, *type;
        int status;
    } cases[] = {
        { "/rows", "application/json", 204 },
        { "/rows", "Application/JSON; charset=utf-8", 204 },
        { "/rows", "application/merge-patch+json", 204 },
        { "/rows", "text/plain", 415 },
        { "/rows", "application/x-www-form-urlencoded", 415 },
        { "/rows", "application/jsonx", 415 },
        { "/rows", "text/x+json", 415 },
        { "/rows", "application/+json", 415 },
        { "/rows", "application/x-ndjson", 415 },
        { "/rows", "json", 415 },
        { "/lines", "application/x-ndjson", 204 },
        { "/lines", "application/json", 204 },
        { "/lines", "text/csv", 415 },
        { "/bytes", "text/csv", 204 },
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char headers[200];
        struct answer a;

        snprintf(headers, sizeof headers, AS_EDITOR "content-type: %s", cases[i].type);
        a = ask(t, POST, cases[i].target, &(struct ask){ .headers = headers, .body = "{}" });
        if (a.status != cases[i].status && !(a.status == 200 && cases[i].status == 204))
            fail_msg("%s %s: %d", cases[i].target, cases[i].type, a.status);
    }
    assert_int_equal(
        ask(t, POST, "/rows", &(struct ask){ .headers = AS_EDITOR, .body = "{}" }).status, 200);
    assert_int_equal(ask(t, POST, "/rows",
                         &(struct ask){ .headers = "content-type: text/csv", .body = "{}" })
                         .status,
                     401);
}

static void a_range_is_answered_with_that_part(void **state)
{
    struct world *t = *state;
    static const struct {
        const char *range, *content_range, *body;
        int status;
    } cases[] = {
        { "bytes=0-2", "bytes 0-2/7", "/ca", 206 },
        { "bytes=3-", "bytes 3-6/7", "ched", 206 },
        { "bytes=-2", "bytes 5-6/7", "ed", 206 },
        { "bytes=-99", "bytes 0-6/7", "/cached", 206 },
        { "bytes=5-99", "bytes 5-6/7", "ed", 206 },
        { "bytes=7-", "bytes */7", NULL, 416 },
        { "bytes=-0", "bytes */7", NULL, 416 },
        { "bytes=2-1", "", "/cached", 200 },
        { "bytes=0-1,3-4", "", "/cached", 200 },
        { "lines=1-2", "", "/cached", 200 },
        { "bytes=-", "", "/cached", 200 },
        { "bytes=99999999999999999999-", "bytes */7", NULL, 416 },
        { "bytes=3-99999999999999999999", "bytes 3-6/7", "ched", 206 },
        { "bytes=-99999999999999999999", "bytes 0-6/7", "/cached", 206 },
        { "bytes=18446744073709551616-18446744073709551617", "bytes */7", NULL, 416 },
    };
    struct answer a = ask(t, GET, "/cached", NULL);
    const char *etag = HEADER(a, "etag");
    char headers[200];

    assert_string_equal(HEADER(a, "accept-ranges"), "bytes");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(headers, sizeof headers, "range: %s", cases[i].range);
        a = ask(t, GET, "/cached", &(struct ask){ .headers = headers });
        assert_int_equal(a.status, cases[i].status);
        assert_string_equal(HEADER(a, "content-range"), cases[i].content_range);
        if (cases[i].body)
            assert_string_equal(a.body, cases[i].body);
    }
    snprintf(headers, sizeof headers, "range: bytes=0-2\nif-range: %s", etag);
    assert_int_equal(ask(t, GET, "/cached", &(struct ask){ .headers = headers }).status, 206);
    assert_int_equal(ask(t, GET, "/cached",
                         &(struct ask){ .headers = "range: bytes=0-2\nif-range: \"old\"" })
                         .status,
                     200);
}

static void the_cache_follows_the_generation(void **state)
{
    struct world *t = *state;
    static const char *const targets[] = { "/cached", "/quick" };

    for (int i = 0; i < 2; i++) {
        calls = 0;
        for (int k = 0; k < 3; k++)
            assert_string_equal(ask(t, GET, targets[i], NULL).body, targets[i]);
        assert_int_equal(calls, 1);
        generation_next();
        ask(t, GET, targets[i], NULL);
        assert_int_equal(calls, 2);
    }
    calls = 0;
    ask(t, GET, "/forever", NULL);
    generation_next();
    ask(t, GET, "/forever", NULL);
    assert_int_equal(calls, 1);
    cache_forget_all();
    ask(t, GET, "/forever", NULL);
    assert_int_equal(calls, 2);
}

static void a_cached_answer_knows_nobody(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/shared/x", &(struct ask){ .origin = ORIGIN_ADMIN });

    assert_string_equal(a.body, "public n=-1 q=- x  ");
    assert_string_equal(HEADER(a, "request-id"), "");
}

static void a_failure_is_not_cached_and_keeps_its_pointer(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/gone", NULL);

    assert_int_equal(a.status, 410);
    assert_string_equal(HEADER(a, "link"), "</newest>; rel=\"alternate\"");
    assert_non_null(strstr(a.body, "/gone was withdrawn"));
    ask(t, GET, "/gone", NULL);
    assert_int_equal(calls, 2);
}

static void many_who_ask_together_are_answered_by_one_making(void **state)
{
    struct world *t = *state;
    struct asking *asking[5];

    held = 1;
    for (int i = 0; i < 5; i++)
        asking[i] = ask_begin(t, GET, "/cached-slow", NULL);
    ask_hang_up(t, asking[0]); /* the one who made us work */
    held = 0;
    for (int i = 1; i < 5; i++)
        assert_string_equal(ask_end(t, asking[i]).body, "slow");
    assert_int_equal(calls, 1);
}

static void a_client_that_hangs_up_costs_nothing(void **state)
{
    struct world *t = *state;
    struct asking *asking[6];
    int64_t orphans = metric_get(METRIC_jobs_orphaned);

    held = 1;
    for (int i = 0; i < 6; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    for (int i = 0; calls < 2 && i < 1000; i++)
        usleep(1000);
    for (int i = 0; i < 6; i++)
        ask_hang_up(t, asking[i]);
    held = 0;
    world_settle(t);
    assert_int_equal(calls, 2); /* two had begun; the four in the queue never did */
    assert_int_equal(metric_get(METRIC_jobs_orphaned), orphans + 6);
}

static void a_full_queue_says_come_again(void **state)
{
    struct world *t = *state;
    struct asking *asking[5];
    struct answer a;

    held = 1;
    for (int i = 0; i < 2; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    for (int i = 0; calls < 2 && i < 1000; i++)
        usleep(1000);
    for (int i = 2; i < 4; i++)
        asking[i] = ask_begin(t, GET, "/slow", NULL);
    a = ask(t, GET, "/slow", NULL);
    assert_int_equal(a.status, 503);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    a = ask(t, GET, "/cached", NULL);
    assert_int_equal(a.status, 503);
    held = 0;
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask_end(t, asking[i]).status, 200);
    assert_int_equal(ask(t, GET, "/cached", NULL).status, 200);
}

static void rights_are_asked_for(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/operator/x", NULL);

    assert_int_equal(a.status, 401);
    assert_string_equal(HEADER(a, "www-authenticate"), "Bearer");
    assert_int_equal(
        ask(t, GET, "/operator/x", &(struct ask){ .headers = "authorization: Basic x" }).status,
        401);
    assert_int_equal(
        ask(t, GET, "/operator/x", &(struct ask){ .headers = "authorization: Bearer nobody" })
            .status,
        401);
    assert_int_equal(ask(t, GET, "/operator/x", &(struct ask){ .headers = AS_EDITOR }).status,
                     403);
    a = ask(t, GET, "/operator/x", &(struct ask){ .origin = ORIGIN_ADMIN });
    assert_int_equal(a.status, 200);
    assert_int_equal(strncmp(a.body, "operator ", 9), 0);
    assert_int_equal(ask(t, POST, "/rows", &(struct ask){ .body = "x" }).status, 401);
    assert_int_equal(calls, 0);
}

static void a_body_that_is_too_large_is_refused_by_its_route(void **state)
{
    struct world *t = *state;

    assert_int_equal(ask(t, POST, "/rows",
                         &(struct ask){ .headers = AS_EDITOR, .body = "12345678901234567" })
                         .status,
                     413);
    assert_int_equal(ask(t, GET, "/quick", &(struct ask){ .body = "x" }).status, 413);
    assert_int_equal(ask(t, GET, "/quick", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/quick", &(struct ask){ .body = "x" }).status, 413);
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .body = "x" }).status, 413);
}

/* Also where the answer is in memory: who asks decides nothing about who is refused. */
static void header_fields_have_a_limit_together(void **state)
{
    struct world *t = *state;
    char headers[40 * 1024];

    for (int i = 0; i < 2; i++) {
        const char *target = i ? "/cached" : "/loop/a";
        struct ask how = { .headers = headers };
        struct answer a;

        memset(headers, 'y', sizeof headers);
        memcpy(headers, "x-a: ", 5);
        headers[30000] = '\0';
        assert_int_equal(ask(t, GET, target, &how).status, 200);
        memcpy(headers + 30000, "\nx-b: ", 6);
        headers[33000] = '\0';
        a = ask(t, GET, target, &how);
        assert_int_equal(a.status, 431);
        assert_string_equal(HEADER(a, "content-type"), "application/problem+json");
        assert_non_null(strstr(a.body, "/problems/headers"));
    }
}

static void a_busy_address_is_asked_to_wait(void **state)
{
    struct world *t = *state;
    struct answer a = ask(t, GET, "/loop/a", NULL);

    assert_string_equal(HEADER(a, "ratelimit-policy"), "\"default\";q=3;w=60");
    assert_string_equal(HEADER(a, "ratelimit"), "\"default\";r=2;t=20");
    ask(t, GET, "/nowhere", NULL);
    ask(t, GET, "/loop/a", NULL);
    a = ask(t, GET, "/loop/a", NULL);
    assert_int_equal(a.status, 429);
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .client = "10.0.0.1" }).status, 200);
    assert_int_equal(ask(t, GET, "/loop/a", &(struct ask){ .origin = ORIGIN_ADMIN }).status,
                     200);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(t, GET, "/free", NULL).status, 200);
    a = ask(t, GET, "/free", &(struct ask){ .headers = "authorization: Bearer guess" });
    assert_int_equal(a.status, 429);
}

/* Whoever makes us work pays; who takes what is ready does not. */
static void what_the_cache_lacks_counts_and_what_it_has_does_not(void **state)
{
    struct world *t = *state;
    struct answer a;

    for (int i = 0; i < 5; i++) {
        a = ask(t, GET, "/cached", NULL);
        assert_int_equal(a.status, 200);
        assert_string_equal(HEADER(a, "ratelimit"), "");
        assert_string_equal(HEADER(a, "ratelimit-policy"), "");
    }
    assert_int_equal(ask(t, GET, "/shared/a?n=1", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=2", NULL).status, 200);
    a = ask(t, GET, "/shared/a?n=3", NULL);
    assert_int_equal(a.status, 429);
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    assert_string_not_equal(HEADER(a, "retry-after"), "");
    assert_int_equal(ask(t, GET, "/shared/a?n=x", NULL).status, 429);
    assert_int_equal(ask(t, GET, "/cached", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=1", NULL).status, 200);
    assert_int_equal(ask(t, GET, "/shared/a?n=3", &(struct ask){ .client = "10.0.0.1" }).status,
                     200);
}

static void one_query_has_one_answer_however_it_is_spelt(void **state)
{
    static const char *const same[] = { "/shared/a?n=1&q=b+c", "/shared/a?q=b%20c&n=1",
                                        "/shared/a?n=%31&q=%62+c" };
    struct world *t = *state;
    int64_t misses = metric_get(METRIC_cache_misses);

    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(ask(t, GET, same[i], NULL).body, "public n=1 q=b c a  ");
    ask(t, GET, "/shared/b", NULL);
    ask(t, GET, "/shared/b?", NULL);
    assert_int_equal(metric_get(METRIC_cache_misses), misses + 2);
}

static void other_origins_may_read_when_they_are_on_the_list(void **state)
{
    struct world *t = *state;
    struct answer a =
        ask(t, GET, "/cached", &(struct ask){ .headers = "origin: https://a.example" });

    assert_string_equal(HEADER(a, "access-control-allow-origin"), "https://a.example");
    assert_string_equal(HEADER(a, "vary"), "origin");
    a = ask(t, GET, "/cached", &(struct ask){ .headers = "origin: https://b.example" });
    assert_string_equal(HEADER(a, "access-control-allow-origin"), "");
    assert_string_equal(HEADER(a, "vary"), "origin");
    a = ask(t, OPTIONS, "/cached",
            &(struct ask){
                .headers = "origin: https://a.example\naccess-control-request-method: GET" });
    assert_int_equal(a.status, 204);
    assert_string_equal(HEADER(a, "access-control-allow-methods"), "GET, HEAD");
    a = ask(t, POST, "/rows", &(struct ask){ .headers = "origin: https://a.example" });
    assert_string_equal(HEADER(a, "access-control-allow-origin"), "");
}

#define IN(name, open) cmocka_unit_test_setup_teardown(name, open, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(parameters_are_checked_and_told_apart, open_world),
        IN(long_targets_are_refused, open_world),
        IN(a_problem_is_told_in_chinese_with_a_trace, open_world),
        IN(our_own_failures_keep_their_reason_to_themselves, open_world),
        IN(a_page_fails_as_a_page, open_world),
        IN(other_methods_are_told_which_are_allowed, open_world),
        IN(head_is_get_without_the_body, open_world),
        IN(what_the_client_has_is_not_sent_again, open_world),
        IN(what_is_no_list_of_etags_matches_nothing, open_world),
        IN(a_body_of_another_type_is_refused, open_world),
        IN(a_range_is_answered_with_that_part, open_world),
        IN(the_cache_follows_the_generation, open_world),
        IN(a_cached_answer_knows_nobody, open_world),
        IN(a_failure_is_not_cached_and_keeps_its_pointer, open_world),
        IN(many_who_ask_together_are_answered_by_one_making, open_world),
        IN(a_client_that_hangs_up_costs_nothing, open_world),
        IN(a_full_queue_says_come_again, open_narrow),
        IN(rights_are_asked_for, open_world),
        IN(a_body_that_is_too_large_is_refused_by_its_route, open_world),
        IN(header_fields_have_a_limit_together, open_world),
        IN(a_busy_address_is_asked_to_wait, open_limited),
        IN(what_the_cache_lacks_counts_and_what_it_has_does_not, open_limited),
        IN(one_query_has_one_answer_however_it_is_spelt, open_world),
        IN(other_origins_may_read_when_they_are_on_the_list, open_cors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
