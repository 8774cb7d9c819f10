/*
 * openapi.c - the route table, said in OpenAPI 3.1.
 *
 *     routes_table     --> paths
 *     shape.c          --> bodies and answers
 *     fields[]         --> Record, NewItem, EditedItem
 *     problem_all()    --> the types of Problem
 *     schemas.json     --> the other schemas
 *
 * So the document cannot say what the server does not do. Tests refuse a row without a shape and
 * a schema's name that leads nowhere.
 */
#include "api/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/assets_gen.h"
#include "api/shape.h"
#include "server/base/jx.h"
#include "server/http/problem.h"
#include "server/library/field.h"

bool openapi_shows(const struct route *r)
{
    return !(r->flags & R_HIDDEN);
}

/* ---- parameters ---- */

static bool in_path(const struct route *r, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = strchr(r->path, ':'); at; at = strchr(at + 1, ':'))
        if (!strncmp(at + 1, name, n) && (at[1 + n] == '/' || !at[1 + n]))
            return true;
    return false;
}

static void put_param_schema(struct buf *out, const struct param *p)
{
    jx_key(out, "schema");
    buf_addc(out, '{');
    switch (p->type) {
    case P_INT:
        jx_put_text(out, "type", "integer");
        jx_put_int(out, "minimum", p->min);
        jx_put_int(out, "maximum", p->max);
        break;
    case P_TEXT:
        jx_put_text(out, "type", "string");
        jx_put_int(out, "maxLength", p->max);
        break;
    case P_ID:
        jx_put_text(out, "type", "string");
        jx_put_text(out, "format", "uuid");
        break;
    case P_HASH:
        jx_put_text(out, "type", "string");
        jx_put_text(out, "pattern", "^[0-9a-f]{64}$");
        break;
    case P_BOOL:
        jx_put_text(out, "type", "integer");
        jx_key(out, "enum");
        buf_adds(out, "[0,1]");
        break;
    }
    buf_addc(out, '}');
}

static void open_element(struct buf *out)
{
    if (out->p[out->n - 1] != '[')
        buf_addc(out, ',');
    buf_addc(out, '{');
}

static void put_param(struct buf *out, const struct route *r, const struct param *p)
{
    open_element(out);
    jx_put_text(out, "name", p->name);
    jx_put_text(out, "in", in_path(r, p->name) ? "path" : "query");
    jx_put_bool(out, "required", in_path(r, p->name));
    jx_put_text(out, "description", p->doc);
    put_param_schema(out, p);
    buf_addc(out, '}');
}

static const struct {
    unsigned flag;
    const char *name;
    bool required;
    const char *doc;
} headers[] = {
    { SHAPE_IF_MATCH, "If-Match", false,
      "看到的草稿的 ETag；已不是最新一版时答复 412，保存时答复 409 并附上别人的修改" },
    { SHAPE_EVENTS, "Last-Event-ID", false, "上一次收到的 id；其后没有变化的不再提示" },
    { SHAPE_RANGE, "Range", false, "只要其中一段，如 bytes=0-1023" },
    { SHAPE_CONTENT_RANGE, "Content-Range", false,
      "这一块的位置，如 bytes 0-262143/700000；bytes */700000 且无正文：问已有多少字节" },
};

static void put_header(struct buf *out, const char *name, bool required, const char *doc)
{
    open_element(out);
    jx_put_text(out, "name", name);
    jx_put_text(out, "in", "header");
    jx_put_bool(out, "required", required);
    jx_put_text(out, "description", doc);
    jx_key(out, "schema");
    buf_adds(out, "{\"type\":\"string\"}}");
}

static void put_parameters(struct buf *out, const struct route *r, const struct shape *s)
{
    bool keyed = r->method != GET && !(r->flags & R_NO_KEY);

    jx_key(out, "parameters");
    buf_addc(out, '[');
    for (const struct param *p = r->params; p && p->name; p++)
        put_param(out, r, p);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (s->flags & headers[i].flag)
            put_header(out, headers[i].name, s->flags & SHAPE_MUST_MATCH, headers[i].doc);
    if (keyed)
        put_header(out, "Idempotency-Key", false,
                   "自选的唯一值：一天之内用同一个值重发同一请求，只生效一次，答复相同");
    buf_addc(out, ']');
}

/* ---- bodies and answers ---- */

static void put_content(struct buf *out, const char *type, const char *schema)
{
    jx_key(out, "content");
    buf_addc(out, '{');
    jx_key(out, type);
    if (*schema)
        buf_printf(out, "{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}", schema);
    else
        buf_adds(out, "{}}");
}

static void put_body(struct buf *out, const struct shape *s)
{
    if (!s->body)
        return;
    jx_key(out, "requestBody");
    buf_addc(out, '{');
    put_content(out, s->body_type ? s->body_type : TYPE_JSON, s->body);
    buf_addc(out, '}');
}

static void put_success(struct buf *out, const struct route *r, const struct shape *s, int code)
{
    char status[12];

    snprintf(status, sizeof status, "%d", code);
    jx_key(out, status);
    buf_addc(out, '{');
    jx_put_text(out, "description", r->summary);
    if (code == 201 && r->method == POST)
        buf_adds(out, ",\"headers\":{\"Location\":{\"description\":\"新建的在这里\","
                      "\"schema\":{\"type\":\"string\",\"format\":\"uri-reference\"}}}");
    if (s->answer)
        put_content(out, s->answer_type ? s->answer_type : TYPE_JSON, s->answer);
    buf_addc(out, '}');
}

static void put_answer(struct buf *out, const struct route *r, const struct shape *s)
{
    put_success(out, r, s, s->status ? s->status : 200);
    if (s->also)
        put_success(out, r, s, s->also);
}

static void put_plain_answer(struct buf *out, const char *status, const char *doc)
{
    jx_key(out, status);
    buf_addc(out, '{');
    jx_put_text(out, "description", doc);
    buf_addc(out, '}');
}

/* The failures that a row's own checks and its handler can bring about; those of every row, which
 * are the server's and not the request's (500 …), stand under "default" alone. */
static void put_failures(struct buf *out, const struct route *r, const struct shape *s)
{
    bool open = r->right == RIGHT_READ, writes = r->where == ON_WRITER;
    const struct {
        bool can;
        const char *status;
    } rows[] = {
        { true, "400" },
        { true, "401" }, /* a token that is none, even where none is needed */
        { !open || s->flags & SHAPE_GUARDED || r->method != GET,
          "403" }, /* of all, to a test key */
        { strchr(r->path, ':') || s->flags & SHAPE_NAMES, "404" },
        { r->method != GET, "409" },
        { strstr(r->path, "/items/:id") || strstr(r->path, "/sync/:stream/"), "410" },
        { s->flags & SHAPE_IF_MATCH, "412" },
        { true, "413" }, /* also content where none belongs */
        { r->body_max && !(r->flags & R_BYTES), "415" },
        { s->flags & SHAPE_RANGE, "416" },
        { writes && !(r->flags & R_NO_KEY), "422" },
        { true, "429" }, /* where else all may ask for free, a key has its quota */
        { true, "431" },
        { true, "503" },
        { r->method != GET, "507" },
        { true, "default" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].can)
            continue;
        jx_key(out, rows[i].status);
        buf_adds(out, "{\"$ref\":\"#/components/responses/Problem\"}");
    }
}

static void put_operation_id(struct buf *out, const struct route *r)
{
    jx_key(out, "operationId");
    buf_addc(out, '"');
    for (const char *m = method_name(r->method); *m; m++)
        buf_addc(out, (char)tolower((unsigned char)*m));
    for (const char *p = r->path; *p; p++)
        if (isalnum((unsigned char)*p))
            buf_addc(out, *p);
        else if (*p != ':')
            buf_addc(out, '_');
    buf_addc(out, '"');
}

/* One of them is enough: [{"bearer":["edit"]},{"bearer":["review"]}] */
static void put_rights(struct buf *out, unsigned rights)
{
    buf_addc(out, '[');
    for (unsigned right = 1; right <= rights; right <<= 1)
        if (rights & right)
            buf_printf(out, "%s{\"bearer\":[\"%s\"]}", out->p[out->n - 1] == '[' ? "" : ",",
                       right_name((enum right)right));
    buf_addc(out, ']');
}

static void put_operation(struct buf *out, const struct route *r)
{
    const struct shape *s = shape_of(r);
    char method[8] = "";

    for (size_t i = 0; method_name(r->method)[i]; i++)
        method[i] = (char)tolower((unsigned char)method_name(r->method)[i]);
    jx_key(out, method);
    buf_addc(out, '{');
    put_operation_id(out, r);
    jx_put_text(out, "summary", r->summary);
    jx_key(out, "tags");
    buf_addc(out, '[');
    jx_quote(out, r->tag, strlen(r->tag));
    buf_addc(out, ']');
    jx_key(out, "security");
    if (r->right == RIGHT_READ)
        buf_adds(out, "[{}]");
    else
        put_rights(out, r->right);
    put_parameters(out, r, s);
    put_body(out, s);
    jx_key(out, "responses");
    buf_addc(out, '{');
    put_answer(out, r, s);
    if (r->flags & R_CACHED || s->flags & (SHAPE_RANGE | SHAPE_ETAG))
        put_plain_answer(out, "304", "与 If-None-Match 给出的 ETag 相同");
    if (s->flags & SHAPE_RANGE)
        put_plain_answer(out, "206", "所求的一段");
    put_failures(out, r, s);
    buf_adds(out, "}}");
}

/* ---- paths and tags ---- */

static bool seen_before(const struct route *r)
{
    for (const struct route *b = routes_table; b != r; b++)
        if (openapi_shows(b) && !strcmp(b->path, r->path))
            return true;
    return false;
}

static void put_paths(struct buf *out)
{
    struct buf path = BUF_HEAP;

    jx_key(out, "paths");
    buf_addc(out, '{');
    for (const struct route *r = routes_table; r->path; r++) {
        if (!openapi_shows(r) || seen_before(r))
            continue;
        path.n = 0;
        routes_put_path(&path, r);
        jx_key(out, path.p);
        buf_addc(out, '{');
        for (const struct route *same = r; same->path; same++)
            if (openapi_shows(same) && !strcmp(same->path, r->path))
                put_operation(out, same);
        buf_addc(out, '}');
    }
    buf_addc(out, '}');
    buf_done(&path);
}

static void put_tags(struct buf *out)
{
    jx_key(out, "tags");
    buf_addc(out, '[');
    for (const struct route_tag *tag = routes_tags; tag->name; tag++) {
        open_element(out);
        jx_put_text(out, "name", tag->name);
        jx_put_text(out, "description", tag->doc);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

/* ---- schemas ---- */

static void put_field_type(struct buf *out, const struct field *f)
{
    static const char *const types[] = {
        [FIELD_SYSTEM] = "\"type\":\"string\"",
        [FIELD_LINE] = "\"type\":\"string\"",
        [FIELD_TEXT] = "\"type\":\"string\"",
        [FIELD_DAY] = "\"type\":\"string\"",
        [FIELD_LINES] = "\"type\":\"array\",\"items\":{\"type\":\"string\"}",
        [FIELD_CHOICE] = "\"type\":\"string\"",
        [FIELD_HASH] = "\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"",
        [FIELD_URL] = "\"type\":\"string\",\"format\":\"uri\"",
        [FIELD_BOOL] = "\"type\":\"boolean\"",
        [FIELD_LINKS] = ("\"type\":\"array\",\"items\":{\"type\":\"string\",\"description\":"
                         "\"另一条内容的编号，或网址\"}"),
        [FIELD_QUESTIONS] =
            "\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Question\"}",
        [FIELD_ADDRESSED] = "\"$ref\":\"#/components/schemas/Audience\"",
        [FIELD_FILES] =
            "\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Attachment\"}",
    };
    const char *type = f == &fields[FIELD_revision] ? "\"type\":\"integer\"" : types[f->type];

    buf_addc(out, ',');
    buf_adds(out, type);
    if (f->type == FIELD_LINE || f->type == FIELD_TEXT)
        jx_put_int(out, "maxLength", f->max);
    if (f->type == FIELD_LINES || f->type == FIELD_FILES || f->type == FIELD_LINKS ||
        f->type == FIELD_QUESTIONS)
        jx_put_int(out, "maxItems", f->max);
    if (!f->choices)
        return;
    jx_key(out, "enum");
    for (int i = 0; f->choices[i]; i++) {
        buf_addc(out, i ? ',' : '[');
        jx_quote(out, f->choices[i], strlen(f->choices[i]));
    }
    buf_addc(out, ']');
}

/* An item's members as the library keeps them; `record`: with its own ones, as published. */
static void put_item_schema(struct buf *out, const char *name, bool record,
                            const char *required, const char *doc)
{
    jx_key(out, name);
    buf_addc(out, '{');
    jx_put_text(out, "type", "object");
    jx_put_text(out, "description", doc);
    jx_key(out, "required");
    buf_adds(out, required);
    jx_key(out, "properties");
    buf_addc(out, '{');
    for (int i = 0; i < FIELD_COUNT; i++) {
        bool placed = i == FIELD_column || i == FIELD_site || i == FIELD_kind;

        if (fields[i].type == FIELD_SYSTEM && !record && !placed)
            continue;
        jx_key(out, fields[i].name);
        buf_addc(out, '{');
        jx_put_text(out, "description", fields[i].label);
        if (!record && (i == FIELD_column || i == FIELD_site)) /* by name or number: places.h */
            buf_adds(out, ",\"type\":[\"string\",\"integer\"]");
        else
            put_field_type(out, &fields[i]);
        buf_addc(out, '}');
    }
    if (!record) {
        jx_key(out, "updateType");
        buf_adds(out, "{\"description\":\"更新类型（仅修改时）\",\"type\":\"string\","
                      "\"enum\":[\"major\",\"minor\",\"republish\"]}");
        jx_key(out, "note");
        buf_adds(out, "{\"description\":\"给读者的修改说明（仅修改时）\",\"type\":\"string\"}");
    }
    buf_adds(out, "}}");
}

static void put_problem_schema(struct buf *out)
{
    const struct problem *all;
    int n;

    all = problem_all(&n);
    jx_key(out, "Problem");
    buf_adds(out, "{\"type\":\"object\",\"description\":\"出错的答复（RFC 9457）\","
                  "\"required\":[\"type\",\"title\",\"status\"],\"properties\":{"
                  "\"type\":{\"type\":\"string\",\"description\":"
                  "\"错误的类型，也是说明页的地址\",\"enum\":[");
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s\"/problems/%s\"", i ? "," : "", all[i].slug);
    buf_adds(out,
             "]},\"title\":{\"type\":\"string\",\"description\":\"错误的名称\"},\"status\":{"
             "\"type\":\"integer\",\"description\":\"HTTP 状态\"},"
             "\"detail\":{\"type\":\"string\",\"description\":\"这一次的原因\"},\"instance\":{"
             "\"type\":\"string\",\"description\":\"出错的请求\"},"
             "\"traceId\":{\"type\":\"string\",\"description\":\"请求编号，报告问题时请附上\"},"
             "\"errors\":{\"type\":\"array\",\"description\":\"错在请求的哪里\",\"items\":{"
             "\"type\":\"object\",\"properties\":{"
             "\"pointer\":{\"type\":\"string\",\"description\":\"正文中的位置，如 #/title\"},"
             "\"parameter\":{\"type\":\"string\",\"description\":\"路径或查询中的参数，如 n\"},"
             "\"header\":{\"type\":\"string\",\"description\":\"请求头，如 If-Match\"},"
             "\"detail\":{\"type\":\"string\",\"description\":\"这一次的原因\"}}}}}}");
}

static void put_components(struct buf *out)
{
    jx_key(out, "components");
    buf_adds(
        out,
        "{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
        "\"description\":\"由管理员签发的令牌\"}},"
        "\"responses\":{\"Problem\":{\"description\":\"没有成功；type 的页面说明原因与处理\","
        "\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":"
        "\"#/components/schemas/Problem\"}}}}},\"schemas\":{");
    put_item_schema(out, "Record", true,
                    "[\"column\",\"id\",\"kind\",\"published\",\"revision\",\"site\",\"title\","
                    "\"updated\"]",
                    "一条已发布的内容，按入库时的字节原样给出");
    put_item_schema(out, "NewItem", false, "[\"column\",\"title\"]",
                    "新内容：放在哪里，写些什么");
    put_item_schema(out, "EditedItem", false, "[\"title\"]",
                    "整条内容的新一版；没有写的成员即被去掉");
    put_problem_schema(out);
    /* The file is one object; its members go on where ours end. */
    buf_addc(out, ',');
    buf_add(out, strchr(embed_schemas_json, '{') + 1,
            strrchr(embed_schemas_json, '}') - strchr(embed_schemas_json, '{') - 1);
    buf_adds(out, "}}");
}

void openapi_print(struct buf *out)
{
    buf_adds(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"天津政务开放接口\"");
    jx_put_text(out, "version", TJZW_VERSION);
    jx_put_text(out, "summary", "统一信息资源库的公开内容、编辑发布与离线同步");
    jx_put_text(
        out, "description",
        "公开内容不需要凭证；列表用 next 游标翻页；答复带强 ETag，可用 If-None-Match 得 304。"
        "所有时间为北京时间并带时区。出错的答复是 application/problem+json。");
    buf_adds(out, ",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
                  "\"servers\":[{\"url\":\"/\",\"description\":\"本服务器\"}]");
    put_tags(out);
    put_paths(out);
    put_components(out);
    buf_adds(out, "}\n");
}
