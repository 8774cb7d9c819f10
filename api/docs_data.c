/*
 * docs_data.c - 数据: what the bodies and answers of the routes are made of.
 *
 * The tables are printed from the OpenAPI document itself, read back as JSON, so people and
 * programs are told the same: one heading a schema, one row a member. Members of an object that
 * has no name of its own stand in the same table, "refused[].line". The document is ours, so its
 * depth bounds the recursion here; and it is the same as long as the process lives, so the tables are printed once.
 */
#include "api/docs_data.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "api/openapi.h"
#include "api/page.h"
#include "server/base/jx.h"

void docs_data_link(struct buf *out, const char *schema)
{
    buf_printf(out, "<a href=\"#schema-%s\"><code>%s</code></a>", schema, schema);
}

/* "NewItem" of "#/components/schemas/NewItem"; NULL if the schema stands here itself. */
static const char *name_of_ref(const json_t *schema)
{
    const char *ref = jx_text(schema, "$ref");

    return ref ? strrchr(ref, '/') + 1 : NULL;
}

/* ---- one member ---- */

static void put_type(struct buf *out, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type"), *items;
    const char *name = name_of_ref(schema);

    if (name) {
        docs_data_link(out, name);
        return;
    }
    for (size_t i = 0; i < json_array_size(type); i++)
        buf_printf(out, "%s%s", i ? " 或 " : "", json_string_value(json_array_get(type, i)));
    if (json_is_string(type))
        buf_adds(out, json_string_value(type));
    if ((items = json_object_get(schema, "items"))) {
        buf_adds(out, "，每个是 ");
        put_type(out, items);
    }
}

/* The limits that a program would check. */
static void put_limits(struct buf *out, const json_t *schema)
{
    static const struct {
        const char *name, *label;
    } numbers[] = { { "minLength", "至少字数" },
                    { "maxLength", "至多字数" },
                    { "maxItems", "至多个数" } };
    static const struct {
        const char *name, *label;
    } texts[] = { { "format", "格式" }, { "pattern", "须符合" } };
    const json_t *choices = json_object_get(schema, "enum");

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (json_object_get(schema, numbers[i].name))
            buf_printf(out, "；%s %" PRId64, numbers[i].label,
                       jx_int(schema, numbers[i].name, 0));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!jx_text(schema, texts[i].name))
            continue;
        buf_printf(out, "；%s <code>", texts[i].label);
        page_text(out, jx_text(schema, texts[i].name));
        buf_adds(out, "</code>");
    }
    for (size_t i = 0; i < json_array_size(choices); i++) {
        buf_adds(out, i ? "、<code>" : "；取值 <code>");
        page_text(out, json_string_value(json_array_get(choices, i)));
        buf_adds(out, "</code>");
    }
}

static bool is_required(const json_t *schema, const char *member)
{
    const json_t *names = json_object_get(schema, "required"), *name;
    size_t i;

    json_array_foreach(names, i,
                       name) if (!strcmp(json_string_value(name), member)) return true;
    return false;
}

/* ---- one schema ---- */

struct table {
    struct arena *mem;
    struct buf *out;
    const json_t *schemas; /* all of them, for the words of those that are referred to */
};

static const char *words_of(const struct table *t, const json_t *schema)
{
    const char *ref = name_of_ref(schema);

    return jx_text(ref ? json_object_get(t->schemas, ref) : schema, "description");
}

static void put_members(const struct table *t, const json_t *schema, const char *prefix)
{
    const json_t *members = json_object_get(schema, "properties");

    for (void *at = json_object_iter((json_t *)(uintptr_t)members); at;
         at = json_object_iter_next((json_t *)(uintptr_t)members, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *member = json_object_iter_value(at);
        const json_t *items = json_object_get(member, "items");

        buf_printf(t->out, "<tr><td><code>%s%s</code></td><td>", prefix, name);
        put_type(t->out, member);
        buf_printf(t->out, "</td><td>%s</td><td>", is_required(schema, name) ? "是" : "否");
        page_text(t->out, words_of(t, member));
        put_limits(t->out, member);
        buf_adds(t->out, "</td></tr>\n");
        if (items)
            put_members(t, items, arena_printf(t->mem, "%s%s[].", prefix, name));
    }
}

static void put_schema(const struct table *t, const char *name, const json_t *schema)
{
    buf_printf(t->out,
               "<section class=\"route\">\n<h3 id=\"schema-%s\"><code>%s</code></h3>\n<p>",
               name, name);
    page_text(t->out, words_of(t, schema));
    buf_printf(t->out,
               "。</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"%s "
               "的成员\"><table>\n<thead><tr><th scope=\"col\">成员</th><th "
               "scope=\"col\">类型</th><th scope=\"col\">必须</th><th "
               "scope=\"col\">说明</th></tr></thead>\n<tbody>\n",
               name);
    put_members(t, schema, "");
    buf_adds(t->out, "</tbody></table></div>\n</section>\n");
}

static struct buf printed; /* for ever */

static void print(void)
{
    struct arena *mem = arena_new();
    struct buf text = BUF_IN(mem), *out = &printed;
    struct table t = { .mem = mem, .out = out };
    struct err e = { 0 };
    json_t *doc, *schemas;
    enum rc rc;

    openapi_print(&text);
    rc = jx_object(&e, mem, text.p, text.n, &doc);
    assert(!rc);
    (void)rc;
    schemas = json_object_get(json_object_get(doc, "components"), "schemas");
    t.schemas = schemas;
    buf_adds(
        out,
        "<h2 id=\"data\">数据</h2>\n<p>请求和答复的正文里有什么。“必须”一栏为“是”的成员不能缺"
        "少；字数按字符计。</p>\n");
    for (void *at = json_object_iter(schemas); at; at = json_object_iter_next(schemas, at))
        put_schema(&t, json_object_iter_key(at), json_object_iter_value(at));
    arena_free(mem);
}

void docs_data_put(struct buf *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, print);
    buf_add(out, printed.p, printed.n);
}
