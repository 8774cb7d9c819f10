/* The interface describes itself: /openapi.json for programs, /docs for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/audit.h"
#include "api/blobs.h"
#include "api/consents.h"
#include "api/counts.h"
#include "api/factors.h"
#include "api/hub.h"
#include "api/letter_files.h"
#include "api/me.h"
#include "api/openapi.h"
#include "api/push.h"
#include "api/push_receipts.h"
#include "api/routes.h"
#include "api/shape.h"
#include "api/state.h"
#include "api/upstreams.h"
#include "server/base/jx.h"
#include "tests/lib/service_world.h"

static void check_refs(struct world *t, const json_t *root, const json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_array(v))
        json_array_foreach((json_t *)(uintptr_t)v, i, member) check_refs(t, root, member);
    if (!json_is_object(v))
        return;
    json_object_foreach((json_t *)(uintptr_t)v, key, member)
    {
        const json_t *at = root;
        char path[200], *save = NULL;

        if (strcmp(key, "$ref") || !json_is_string(member)) {
            check_refs(t, root, member);
            continue;
        }
        snprintf(path, sizeof path, "%s", json_string_value(member) + 2);
        for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save))
            at = json_object_get(at, part);
        if (!at)
            fail_msg("%s leads nowhere", json_string_value(member));
    }
}

static void the_interface_describes_itself(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/openapi.json");
    json_t *doc = json_of(t, &a);
    struct buf again = BUF_IN(world_mem(t));

    check_refs(t, doc, doc);
    assert_non_null(json_object_get(
        json_object_get(json_object_get(doc, "paths"), "/v1/items/{id}"), "put"));
    openapi_print(&again);
    assert_string_equal(again.p, a.body);
    for (const struct route *r = routes_table; r->path; r++)
        if (openapi_shows(r) && !shape_of(r)->handler)
            fail_msg("%s %s has no shape", method_name(r->method), r->path);
}

static void the_docs_show_every_route_and_failure(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/docs");

    HAS(a, "curl -s '");
    HAS(a, "https://www.example.cn/v1/items?n=3");
    HAS(a, "/problems/idempotency-mismatch");
    HAS_NOT(a, "<script");
    for (const struct route *r = routes_table; r->path; r++) {
        struct buf path = BUF_IN(world_mem(t));

        routes_put_path(&path, r);
        if (openapi_shows(r))
            HAS(a, URL("<code>%s %s</code>", method_name(r->method), path.p));
    }
}

/* What goes in and what comes out stands on the page itself, member by member. */
static void the_docs_show_every_schema(void **state)
{
    static const char link[] = "href=\"#";
    struct world *t = *state;
    struct answer a = get(t, "/docs"), doc = get(t, "/openapi.json");
    json_t *schemas =
        json_object_get(json_object_get(json_of(t, &doc), "components"), "schemas");
    int links = 0;

    for (void *at = json_object_iter(schemas); at; at = json_object_iter_next(schemas, at))
        HAS(a, URL("<h3 id=\"schema-%s\">", json_object_iter_key(at)));
    for (const char *at = a.body; (at = strstr(at, link)); links++) {
        at += sizeof link - 1;
        HAS(a, URL(" id=\"%.*s\"", (int)strcspn(at, "\""), at));
    }
    assert_true(links > 60);
    HAS(a, "请求：<a href=\"#schema-NewItem\">");
    HAS(a, "<td><code>docNumber</code></td><td>string</td><td>否</td><td>发文字号");
    HAS(a, "<td><code>effectDate</code></td>");
    HAS(a, "文种");
    HAS(a, "<td><code>title</code></td><td>string</td><td>是</td><td>标题");
    HAS(a, "<code>refused[].line</code>");
    HAS_NOT(a, "<td></td>");
    HAS_NOT(a, "<td>；");
}

/* As it stands it is taken: a body without its media type would be answered 415. */
static void an_example_with_a_body_names_its_type(void **state)
{
    struct world *t = *state;
    struct answer a = get(t, "/docs");
    int n = 0, bare = 0;

    for (const char *at = a.body; (at = strstr(at, "curl -s ")); n++) {
        const char *end = strchr(at, '\n');
        const char *line = URL("%.*s", (int)(end - at), at);

        bare += strstr(line, "-X P") && !strstr(line, "-H 'Content-Type: ") &&
                !strstr(line, "-H &#39;Content-Type: ");
        at = end;
    }
    assert_true(n > 40);
    for (const struct route *r = routes_table; r->path; r++) {
        if (!openapi_shows(r) || r->method == GET || r->method == DELETE)
            continue;
        assert_int_equal(shape_of(r)->body != NULL, r->body_max != 0);
        bare -= !shape_of(r)->body;
    }
    assert_int_equal(bare, 0);
}

/* Who adds a route that changes something must say what the audit log calls it. Bytes of files are not yet anybody's, and a note of a command
 * is the row itself. What programs and browsers do at /oauth2, on pages and on the way to a sign-in, and an answer to a device or to an offer, is
 * told by what becomes of it. What citizens do to their own state, and where their phones are reached, is theirs, a guest is nobody, a report of reads is
 * nobody's, counting changes nothing, and what vendors tell of messages stands in the outcomes. Who asks the hub is nobody: what the callback says counts. Who is
 * answered by a prompt changes nothing. */
static void every_route_that_changes_something_has_an_act(void **state)
{
    (void)state;
    for (const struct route *r = routes_table; r->path; r++)
        if (r->method != GET && r->handler != put_blob && r->handler != put_my_blob &&
            r->handler != post_audit_note && r->handler != post_my_device &&
            r->handler != post_my_factor_offer && r->handler != post_my_identifier &&
            r->handler != post_upstream_start && r->handler != post_state &&
            r->handler != post_guest && r->handler != post_counts &&
            r->handler != put_my_push && r->handler != delete_my_push &&
            r->handler != post_audience && r->handler != post_push_receipts &&
            r->handler != post_hub && !r->prompt && !(r->flags & R_PAGE) &&
            strncmp(r->path, "/oauth2/", 8) && strncmp(r->path, "/v1/auth/", 9) && !r->act)
            fail_msg("%s %s has no act", method_name(r->method), r->path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_interface_describes_itself),
        TEST(the_docs_show_every_route_and_failure),
        TEST(the_docs_show_every_schema),
        TEST(an_example_with_a_body_names_its_type),
        TEST(every_route_that_changes_something_has_an_act),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
