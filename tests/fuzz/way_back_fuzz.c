/*
 * way_back_fuzz.c - any text as the address that a page leads to when it is done, and as the cookie in which a sign-in stands: what a
 * link, or another program of the same person, can make of them.
 *
 * An address that is taken is read by a browser's rules as a path of this host, and by ours as a page. A step that is taken holds what
 * was kept.
 */
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "api/step.h"
#include "api/way_back.h"
#include "server/http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As browsers do (WHATWG URL): tabs and line ends go, \ is /, and what begins with two of these names a host. */
static void must_stay_here(const char *text)
{
    char seen[WAY_BACK_MAX + 1];
    size_t used = 0;

    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
            abort();
        seen[used++] = *p == '\\' ? '/' : *p;
    }
    if (!used || seen[0] != '/' || (used > 1 && seen[1] == '/'))
        abort();
}

static void must_be_a_page(struct arena *mem, const char *text)
{
    struct target t;
    struct err e = { 0 };
    const struct route *r;

    if (target_parse(&e, mem, text, strlen(text), &t))
        abort();
    r = router_find(&t, GET).route;
    if (!r || !(r->flags & R_PAGE))
        abort();
}

static void try_address(struct arena *mem, const char *text)
{
    const char *back = way_back(mem, text, NULL);

    if (!back)
        return;
    if (strcmp(back, text))
        abort();
    must_stay_here(back);
    must_be_a_page(mem, back);
}

static void try_step(struct arena *mem, const char *text)
{
    static const enum step_kind kinds[] = { STEP_CODE, STEP_PASSWORD, STEP_FACTOR };
    struct work w = { .mem = mem };
    struct request rq = { .cookies = arena_printf(mem, "tjzw-step=%s", text) };
    struct step at, again;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct reply rp = { 0 };

        if (!step_find(&w, &rq, kinds[i], &at))
            continue;
        step_keep(&w, &rq, &rp, &at);
        rq.cookies = arena_strndup(mem, rp.extra[0].value, strcspn(rp.extra[0].value, ";"));
        if (!step_find(&w, &rq, kinds[i], &again) || strcmp(at.who, again.who) ||
            strcmp(at.ticket, again.ticket) || at.factors != again.factors)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool ready;
    struct arena *mem = arena_new();
    const char *text = arena_strndup(mem, (const char *)data, n);

    if (!ready)
        routes_set(routes_table);
    ready = true;
    try_address(mem, text);
    try_step(mem, text);
    arena_free(mem);
    return 0;
}
