/*
 * router_fuzz.c - any bytes as a request's target: refused with a sentence, or routed with
 * parameters that keep their promises.
 *
 * The first byte chooses the method, the rest is the target.
 */
#include <stdlib.h>
#include <string.h>

#include "server/http/params.h"
#include "server/http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum rc nothing(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w, (void)rq, (void)rp;
    return RC_OK;
}

static const struct param params[] = { { "id", P_ID, 0, 0, "" },
                                       { "n", P_INT, 1, 500, "" },
                                       { "q", P_TEXT, 1, 40, "" },
                                       { "hash", P_HASH, 0, 0, "" },
                                       { "all", P_BOOL, 0, 0, "" },
                                       { "name", P_TEXT, 1, 20, "" },
                                       { 0 } };

#define ROUTE(method, path)                                                          \
    {                                                                                \
        method, path, RIGHT_READ, ON_LOOP, 0, params, 0, nothing, NULL, "", "", NULL \
    }

static const struct route table[] = {
    ROUTE(GET, "/"),
    ROUTE(GET, "/v1/items"),
    ROUTE(GET, "/v1/items/:id"),
    ROUTE(GET, "/v1/items/new"),
    ROUTE(POST, "/v1/items/:id/publish"),
    ROUTE(GET, "/v1/sync/:name/log/:q"),
    ROUTE(GET, "/v1/blobs/:hash"),
    ROUTE(GET, "/v1/n/:n/:all"),
    { 0 },
};

static void check_target(const struct target *t)
{
    if (memchr(t->path, '\0', strlen(t->path) + 1) != t->path + strlen(t->path) ||
        t->nsegments > TARGET_SEGMENTS)
        abort();
    for (int i = 0; i < t->nsegments; i++) {
        struct span s = t->segment[i];

        if (memchr(s.p, '/', s.n) || memchr(s.p, '\0', s.n) ||
            (s.n == 2 && !memcmp(s.p, "..", 2)))
            abort();
    }
}

static void check_args(const struct request *rq)
{
    const struct arg *number = request_arg(rq, "n"), *text = request_arg(rq, "q"),
                     *flag = request_arg(rq, "all");

    if (number->set && (number->num < 1 || number->num > 500))
        abort();
    if (text->set && (!*text->text || strlen(text->text) > 40))
        abort();
    if (flag->set && flag->num != 0 && flag->num != 1)
        abort();
}

static void route_it(struct arena *mem, enum method m, const char *raw, size_t n)
{
    struct err e = { 0 };
    struct request rq = { 0 };
    struct target t;
    struct match match;

    if (target_parse(&e, mem, raw, n, &t)) {
        if (!e.text[0])
            abort();
        return;
    }
    check_target(&t);
    match = router_find(&t, m);
    router_allow(mem, match.methods);
    if (!match.route)
        return;
    if (!params_fill(&e, mem, match.route, &t, &rq))
        check_args(&rq);
    else if (!e.text[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool made;
    struct arena *mem;
    char *exact;

    if (!made)
        routes_set(table);
    made = true;
    if (n < 1)
        return 0;
    mem = arena_new();
    exact = malloc(
        n > 1 ? n - 1
              : 1); /* on the heap and no longer than it is, so that a read too far is seen */
    if (!exact)
        abort();
    memcpy(exact, data + 1, n - 1);
    route_it(mem, (enum method)(data[0] % METHOD_COUNT), exact, n - 1);
    free(exact);
    arena_free(mem);
    return 0;
}
