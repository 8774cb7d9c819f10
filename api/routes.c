/*
 * routes.c - every address this server answers: who may call it, where it runs, what is checked
 * before the handler sees it.
 *
 * This is the list an auditor asks for. Router, OpenAPI document, /docs and
 * docs/reference/routes.md are made from its rows; nothing is answered that has no row. Rows
 * stand by tag, in the order a newcomer reads them.
 */
#include "api/routes.h"

#include <string.h>

#include "api/alerts.h"
#include "api/article_page.h"
#include "api/audit.h"
#include "api/blobs.h"
#include "api/columns.h"
#include "api/docs_page.h"
#include "api/events.h"
#include "api/import.h"
#include "api/items.h"
#include "api/mirrors.h"
#include "api/orgs.h"
#include "api/pages.h"
#include "api/preview_page.h"
#include "api/service.h"
#include "api/staff.h"
#include "api/sync.h"
#include "server/identity/audit.h"
#include "server/identity/token.h"
#include "server/library/preview.h"
#include "server/library/stream.h"
#include "server/store/blob.h"
#include "sync/verify.h"

#define CURSOR                                                                               \
    {                                                                                        \
        "cursor", P_TEXT, 1, 128, "上一页答复里的 next；不给则从最新的开始" \
    }
#define PAGE_SIZE                                                \
    {                                                            \
        "n", P_INT, 1, ITEM_PAGE_MAX, "每页条数，默认 20" \
    }
#define DAYS                                                              \
    { "since", P_TEXT, 10, 40, "只要这一天（含）之后的，如 2026-11-21" }, \
    {                                                                     \
        "until", P_TEXT, 10, 40, "只要这一天之前的"               \
    }
#define ITEM                                          \
    {                                                 \
        "id", P_ID, 0, 0, "内容的编号（UUID）" \
    }
#define COLUMN                                           \
    {                                                    \
        "column", P_INT, 1, INT32_MAX, "栏目的编号" \
    }
#define LARGE                                  \
    {                                          \
        "large", P_BOOL, 0, 0, "1：长辈版" \
    }
#define BLOB                                                                 \
    {                                                                        \
        "hash", P_HASH, 0, 0, "文件的 SHA-256，64 位小写十六进制" \
    }
#define SITE                                                 \
    {                                                        \
        "site", P_TEXT, 1, 64, "站点标识码，或编号" \
    }

#define STREAM                                                     \
    {                                                              \
        "stream", P_TEXT, 1, STREAM_NAME_MAX, "数据流的名称" \
    }

#define ORG                                                                            \
    {                                                                                  \
        "org", P_TEXT, 1, 64, "机构代码（统一社会信用代码），或编号" \
    }

static const struct param org[] = { ORG, { 0 } };
static const struct param site[] = { SITE, { 0 } };
static const struct param column[] = { COLUMN, { 0 } };
static const struct param directory[] = { LARGE, { 0 } };
static const struct param column_page[] = { COLUMN, CURSOR, LARGE, { 0 } };
static const struct param blob[] = { BLOB, { 0 } };
static const struct param items[] = { SITE, STREAM, PAGE_SIZE, CURSOR, DAYS, { 0 } };
static const struct param column_items[] = { COLUMN, PAGE_SIZE, CURSOR, DAYS, { 0 } };
static const struct param item[] = { ITEM, { 0 } };
static const struct param revision[] = { ITEM,
                                         { "rev", P_INT, 1, INT32_MAX, "第几版，从 1 起" },
                                         { 0 } };
static const struct param blob_read[] = {
    BLOB, { "preview", P_TEXT, 1, PREVIEW_TEXT, "预览链接里的凭证：可读该草稿的文件" }, { 0 }
};
static const struct param import[] = {
    { "publish", P_BOOL, 0, 0, "1：收入后立即发布（需要 publish 权限）；默认只存草稿" },
    { "create", P_BOOL, 0, 0, "1：站点和栏目不存在时新建（需要 edit 权限）" },
    { "site", P_TEXT, 1, 64, "全部归入这个站点（代码）；默认按每条记录的 source 归属" },
    { "stream", P_TEXT, 1, STREAM_NAME_MAX,
      "新建的站点属于这个数据流；默认是本服务器的第一个" },
    { "authority", P_TEXT, 1, 100, "权威来源：只有它能修改这些内容；默认是站点所属的数据流" },
    { 0 },
};
static const struct param staff_items[] = {
    { "state", P_TEXT, 1, 20,
      "最新一版的状态：draft（默认）、in_"
      "review、approved、published、withdrawn、expired、gone" },
    { "n", P_INT, 1, ITEM_PAGE_MAX, "每页条数，默认 50" },
    CURSOR,
    { 0 },
};
static const struct param preview[] = {
    { "token", P_TEXT, 1, PREVIEW_TEXT, "预览链接里的凭证" }, { 0 }
};
static const struct param key_params[] = {
    { "role", P_TEXT, 1, VERIFY_ROLE_MAX, "platform，或数据流的名称" }, { 0 }
};
static const struct param label[] = { { "label", P_TEXT, 1, TOKEN_LABEL_MAX, "令牌的名称" },
                                      { 0 } };
static const struct param mirrored[] = { STREAM, { 0 } };
static const struct param slug[] = { { "slug", P_TEXT, 1, 40, "problem+json 中 type 的末段" },
                                     { 0 } };

/* clang-format off */
#define READ   RIGHT_READ, ON_WORKER, R_CACHED
#define PAGE   RIGHT_READ, ON_WORKER, R_CACHED | R_PAGE | R_HIDDEN
#define MEMORY RIGHT_READ, ON_LOOP, R_CACHED | R_HIDDEN

#define SYNC   RIGHT_READ, ON_WORKER, R_CACHED | R_FOREVER

#define T_READ   "公开内容"
#define T_SYNC   "离线同步"
#define T_STAFF  "编辑与发布"
#define T_IMPORT "批量入库"
#define T_ADMIN  "运行管理"
#define T_PAGES  "网页"

const struct route routes_table[] = {
    { GET, "/v1/orgs",                         READ, NULL, 0, get_orgs, NULL, T_READ, "全部机构", NULL },
    { GET, "/v1/orgs/:org",                    READ, org, 0, get_org, NULL, T_READ, "一个机构", NULL },
    { GET, "/v1/sites",                        READ, NULL, 0, get_sites, NULL, T_READ, "全部站点", NULL },
    { GET, "/v1/sites/:site",                  READ, site, 0, get_site, NULL, T_READ, "一个站点", NULL },
    { GET, "/v1/columns",                      READ, site, 0, get_columns, NULL, T_READ, "全部栏目，或一个站点的栏目", NULL },
    { GET, "/v1/columns/:column",              READ, column, 0, get_column, NULL, T_READ, "一个栏目", "/v1/columns/1" },
    { GET, "/v1/columns/:column/items",        READ, column_items, 0, get_column_items, NULL, T_READ, "栏目中的内容，新的在前", "/v1/columns/1/items?n=5" },
    { GET, "/v1/items",                        READ, items, 0, get_items, NULL, T_READ, "最新发布的内容，新的在前", "/v1/items?n=5" },
    { GET, "/v1/items/:id",                    READ, item, 0, get_item, NULL, T_READ, "一条内容的全文", NULL },
    { GET, "/v1/items/:id/revisions",          READ, item, 0, get_revisions, NULL, T_READ, "一条内容发布过的各版", NULL },
    { GET, "/v1/items/:id/revisions/:rev",     READ, revision, 0, get_revision, NULL, T_READ, "某一版的全文", NULL },
    { GET, "/v1/blobs/:hash",                  RIGHT_READ, ON_WORKER, 0, blob_read, 0, get_blob, NULL, T_READ, "图片或附件，可以只要一段", NULL },

    { GET, "/v1/sync/keys",                    RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_sync_keys, NULL, T_SYNC, "公钥链：每把公钥由前一把签名", NULL },
    { GET, "/v1/sync/heads",                   RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_sync_heads, NULL, T_SYNC, "平台签名的数据流清单，与各自最新的签名头", NULL },
    { GET, "/v1/sync/heads/:stream",           RIGHT_READ, ON_LOOP, R_CACHED, sync_stream_params, 0, get_sync_heads_of, NULL, T_SYNC, "同一清单，与一个数据流最新的签名头", "/v1/sync/heads/main" },
    { GET, "/v1/sync/:stream/head",            RIGHT_READ, ON_LOOP, R_CACHED, sync_stream_params, 0, get_sync_head, NULL, T_SYNC, "最新的签名头：现在的状态", "/v1/sync/main/head" },
    { GET, "/v1/sync/:stream/head/:cursor",    SYNC, sync_twin_params, 0, get_sync_twin, NULL, T_SYNC, "某一个签名头，永不改变", NULL },
    { GET, "/v1/sync/:stream/log/:epoch/:cut/:range", SYNC, sync_log_params, 0, get_sync_bytes, NULL, T_SYNC, "两个序号之间的变更", NULL },
    { GET, "/v1/sync/:stream/object/:name",    SYNC, sync_object_params, 0, get_sync_bytes, NULL, T_SYNC, "以散列命名的对象：目录、索引、全量数据", NULL },
    { GET, "/v1/sync/:stream/cover/:cursor",   RIGHT_READ, ON_LOOP, R_CACHED | R_FOREVER, sync_cover_params, 0, get_sync_bytes, NULL, T_SYNC, "一个状态的散列树，分成大块", NULL },
    { GET, "/v1/sync/:stream/tile/:name",      READ, sync_tile_params, 0, get_sync_bytes, NULL, T_SYNC, "散列树一个节点的下级", NULL },
    { GET, "/v1/sync/:stream/item/:epoch/:name", READ, sync_item_params, 0, get_sync_bytes, NULL, T_SYNC, "一条内容的最新版本", NULL },
    { GET, "/v1/sync/:stream/place/:id",       READ, sync_place_params, 0, get_sync_place, NULL, T_SYNC, "一条内容在数据流里的位置：born 与 seq", NULL },

    { GET, "/v1/events",                       RIGHT_READ, ON_LOOP, 0, event_params, 0, get_events, NULL, T_SYNC, "有新内容时立即提示（Server-Sent Events）", "/v1/events?stream=main" },

    { POST, "/v1/import",                      RIGHT_IMPORT, ON_WRITER, R_LINES, import, IMPORT_BODY_MAX, post_import, prepare_import, T_IMPORT,
      "收入一批内容：每行一个 JSON 对象（NDJSON），逐行答复结果", NULL, AUDIT_import },
    { PUT, "/v1/blobs/:hash",                  RIGHT_IMPORT, ON_WORKER, R_NO_KEY | R_BYTES, blob, BLOB_CHUNK_MAX, put_blob, NULL, T_IMPORT,
      "上传图片或附件，可以分块续传", NULL },

    { GET, "/v1/staff/items",                  RIGHT_EDIT, ON_WORKER, 0, staff_items, 0, get_staff_items, NULL, T_STAFF, "处于某一状态的内容，旧的在前", "/v1/staff/items?state=in_review" },
    { GET, "/v1/drafts/:id",                   RIGHT_EDIT, ON_WORKER, 0, item, 0, get_draft, NULL, T_STAFF, "最新一版的内容、状态与经过", NULL },
    { POST, "/v1/items",                       RIGHT_EDIT, ON_WRITER, 0, NULL, DRAFT_BODY_MAX, post_item, NULL, T_STAFF, "新建草稿", NULL, AUDIT_item_create },
    { PUT, "/v1/items/:id",                    RIGHT_EDIT, ON_WRITER, 0, item, DRAFT_BODY_MAX, put_item, NULL, T_STAFF, "修改：写出新的一版草稿，须带 If-Match", NULL, AUDIT_item_edit },
    { POST, "/v1/items/:id/submit",            RIGHT_EDIT, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "送审", NULL, AUDIT_item_submit },
    { POST, "/v1/items/:id/return",            RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "退回修改", NULL, AUDIT_item_return },
    { POST, "/v1/items/:id/approve",           RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "审核通过", NULL, AUDIT_item_approve },
    { POST, "/v1/items/:id/publish",           RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "发布", NULL, AUDIT_item_publish },
    { POST, "/v1/items/:id/withdraw",          RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "撤稿，须写明原因", NULL, AUDIT_item_withdraw },
    { POST, "/v1/items/:id/gone",              RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "永久删除各版文字，须写明原因；不能恢复", NULL, AUDIT_item_gone },
    { POST, "/v1/items/:id/restore",           RIGHT_EDIT, ON_WRITER, 0, item, STEP_BODY_MAX, post_verb, NULL, T_STAFF, "把撤下的内容恢复为草稿", NULL, AUDIT_item_restore },
    { POST, "/v1/items/:id/withhold",          RIGHT_PUBLISH, ON_WRITER, R_RESERVE, item, STEP_BODY_MAX, post_withhold, NULL, T_STAFF, "本平台不展示镜像来的这一条，须写明原因", NULL, AUDIT_item_withhold },
    { POST, "/v1/items/:id/unwithhold",        RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_withhold, NULL, T_STAFF, "恢复展示镜像来的这一条", NULL, AUDIT_item_unwithhold },
    { POST, "/v1/items/:id/move",              RIGHT_PUBLISH, ON_WRITER, 0, item, STEP_BODY_MAX, post_move, NULL, T_STAFF, "移到另一栏目", NULL, AUDIT_item_move },
    { POST, "/v1/items/:id/preview",           RIGHT_EDIT, ON_WORKER, R_NO_KEY, item, STEP_BODY_MAX, post_preview, NULL, T_STAFF, "生成会过期的预览链接", NULL, AUDIT_item_preview },
    { POST, "/v1/orgs",                        RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_org, NULL, T_STAFF, "新建机构", NULL, AUDIT_org_create },
    { PATCH, "/v1/orgs/:org",                  RIGHT_EDIT, ON_WRITER, 0, org, STEP_BODY_MAX, patch_org, NULL, T_STAFF, "修改机构", NULL, AUDIT_org_edit },
    { POST, "/v1/sites",                       RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_site, NULL, T_STAFF, "新建站点", NULL, AUDIT_site_create },
    { PATCH, "/v1/sites/:site",                RIGHT_EDIT, ON_WRITER, 0, site, STEP_BODY_MAX, patch_site, NULL, T_STAFF, "修改站点，或关闭它", NULL, AUDIT_site_edit },
    { POST, "/v1/columns",                     RIGHT_EDIT, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_column, NULL, T_STAFF, "新建栏目，缺少的上级一并建立", NULL, AUDIT_column_create },
    { PATCH, "/v1/columns/:column",            RIGHT_EDIT, ON_WRITER, 0, column, STEP_BODY_MAX, patch_column, NULL, T_STAFF, "修改栏目，或关闭它", NULL, AUDIT_column_edit },

    { POST, "/v1/keys/:role/rotate",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN, key_params, 0, post_key_rotate, NULL, T_ADMIN, "换一把签名密钥：platform，或一个数据流的名称", NULL, AUDIT_key_rotate },
    { GET, "/v1/mirrors",                      RIGHT_OPERATE, ON_WORKER, 0, NULL, 0, get_mirrors, NULL, T_ADMIN, "镜像的数据流：到了哪里，出了什么错", NULL },
    { POST, "/v1/mirrors",                     RIGHT_OPERATE, ON_WRITER, 0, NULL, STEP_BODY_MAX, post_mirror, NULL, T_ADMIN, "镜像另一台服务器的一个数据流", NULL, AUDIT_mirror_add },
    { DELETE, "/v1/mirrors/:stream",           RIGHT_OPERATE, ON_WRITER, R_NO_KEY, mirrored, 0, delete_mirror, NULL, T_ADMIN, "不再镜像，删去本机的副本", NULL, AUDIT_mirror_remove },
    { GET, "/v1/alerts",                       RIGHT_OPERATE, ON_LOOP, 0, NULL, 0, get_alerts, NULL, T_ADMIN, "告警：现在有什么不对，从何时起，怎么办", NULL },
    { GET, "/v1/tokens",                       RIGHT_OPERATE, ON_WORKER, 0, NULL, 0, get_tokens, NULL, T_ADMIN, "现有的令牌（不含凭证本身）", NULL },
    /* The answer holds a secret, so it is not kept for an Idempotency-Key; a label is taken only once. */
    { POST, "/v1/tokens",                      RIGHT_OPERATE, ON_WRITER, R_NO_KEY, NULL, STEP_BODY_MAX, post_token, NULL, T_ADMIN, "签发令牌，只显示这一次", NULL, AUDIT_token_create },
    { DELETE, "/v1/tokens/:label",             RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_RESERVE, label, 0, delete_token, NULL, T_ADMIN, "吊销令牌", NULL, AUDIT_token_revoke },
    { GET, "/v1/audit",                        RIGHT_AUDIT, ON_WORKER, R_HIDDEN, audit_params, 0, get_audit, NULL, T_ADMIN, "审计记录，新的在前", "/v1/audit?n=20", AUDIT_audit_read },
    { POST, "/v1/audit/:action",               RIGHT_OPERATE, ON_WRITER, R_NO_KEY | R_HIDDEN, audit_note_params, 0, post_audit_note, NULL, T_ADMIN, "记下命令行在服务器之外所做的事：备份、导出", NULL },
    { GET, "/healthz",                         RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_healthz, NULL, T_ADMIN, "进程活着", NULL },
    { GET, "/readyz",                          RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_readyz, NULL, T_ADMIN, "可以接待请求", NULL },
    { GET, "/metrics",                         RIGHT_READ, ON_LOOP, R_FREE, NULL, 0, get_metrics, NULL, T_ADMIN, "运行指标（Prometheus 文本）；限本机（不经代理），或持 operate 权限", NULL },
    { GET, "/version",                         RIGHT_READ, ON_LOOP, R_CACHED, NULL, 0, get_version, NULL, T_ADMIN, "程序版本", NULL },
    { GET, "/openapi.json",                    RIGHT_READ, ON_WORKER, R_CACHED, NULL, 0, get_openapi, NULL, T_ADMIN, "本接口的 OpenAPI 3.1 文档", NULL },

    { GET, "/",                                PAGE, NULL, 0, get_home, NULL, T_PAGES, "首页：最新发布", NULL },
    { GET, "/large",                           PAGE, NULL, 0, get_home_large, NULL, T_PAGES, "首页，长辈版", NULL },
    { GET, "/columns",                         PAGE, directory, 0, get_directory, NULL, T_PAGES, "全部栏目", NULL },
    { GET, "/columns/:column",                 PAGE, column_page, 0, get_column_page, NULL, T_PAGES, "栏目页", "/columns/1" },
    { GET, "/a/:id",                           PAGE, item, 0, get_article, NULL, T_PAGES, "文章页", NULL },
    { GET, "/a/:id/large",                     PAGE, item, 0, get_article_large, NULL, T_PAGES, "文章页，长辈版", NULL },
    { GET, "/a/:id/text",                      PAGE, item, 0, get_article_text, NULL, T_PAGES, "文章，纯文本", NULL },
    { GET, "/preview/:token",                  RIGHT_READ, ON_WORKER, R_PAGE | R_HIDDEN, preview, 0, get_preview, NULL, T_PAGES, "草稿预览", NULL },
    { GET, "/docs",                            RIGHT_READ, ON_WORKER, R_PAGE | R_HIDDEN, NULL, 0, get_docs, NULL, T_PAGES, "开发者文档", NULL },
    { GET, "/problems/:slug",                  PAGE, slug, 0, get_problem, NULL, T_PAGES, "一种错误的原因与处理", "/problems/not-found" },
    { GET, "/style.css",                       MEMORY, NULL, 0, get_style, NULL, T_PAGES, "样式", NULL },
    { GET, "/favicon.ico",                     MEMORY, NULL, 0, get_favicon, NULL, T_PAGES, "图标", NULL },
    { GET, "/robots.txt",                      MEMORY, NULL, 0, get_robots, NULL, T_PAGES, "给搜索引擎", NULL },
    { 0 },
};
/* clang-format on */

const struct route_tag routes_tags[] = {
    { T_READ, "任何人都可以读：机构、站点、栏目、内容、附件。不需要凭证，可以缓存。" },
    { T_SYNC, "把全部公开内容保存到本机，并跟上每一次变更；内容有签名，断网可读。" },
    { T_IMPORT, "其他系统把内容成批送入资源库。需要 import 权限。" },
    { T_STAFF, "起草、送审、发布、移动与撤稿；机构、站点与栏目的设置。" },
    { T_ADMIN, "令牌，以及服务器对自己的说明。" },
    { 0 },
};

static const struct {
    enum where where;
    const char *name;
} wheres[] = { { ON_LOOP, "loop" }, { ON_WORKER, "worker" }, { ON_WRITER, "writer" } };

void routes_put_path(struct buf *out, const struct route *r)
{
    bool open = false;

    for (const char *p = r->path; *p; p++) {
        if (*p == '/' && open)
            buf_addc(out, '}');
        open = *p == ':' || (open && *p != '/');
        buf_addc(out, *p == ':' ? '{' : *p);
    }
    if (open)
        buf_addc(out, '}');
}

static void print_params(struct buf *out, const struct param *p)
{
    for (bool first = true; p && p->name; p++, first = false)
        buf_printf(out, "%s`%s`", first ? "" : " ", p->name);
}

static void print_row(struct buf *out, const struct route *r)
{
    buf_printf(out, "| `%s %s` | %s | %s | %s%s | ", method_name(r->method), r->path,
               r->right == RIGHT_READ ? "—" : right_name((enum right)r->right),
               wheres[r->where].name, r->flags & R_CACHED ? "cached" : "",
               r->flags & R_NO_KEY ? "no key" : "");
    print_params(out, r->params);
    if (r->body_max)
        buf_printf(out, " | %lld KB", (long long)r->body_max / 1024);
    else
        buf_adds(out, " | ");
    buf_printf(out, " | %s |\n", r->summary);
}

void routes_print_doc(struct buf *out)
{
    const char *tag = "";

    buf_adds(
        out,
        "# Routes\n\nPrinted by `tjzw print-routes` from `api/routes.c`. Right: what a bearer "
        "token must hold, — is "
        "everybody. Runs on: see docs/ARCHITECTURE.md. `no key`: takes no Idempotency-Key.\n");
    for (const struct route *r = routes_table; r->path; r++) {
        if (strcmp(tag, r->tag)) {
            tag = r->tag;
            buf_printf(
                out,
                "\n## %s\n\n| route | right | runs on | answer | parameters | body | what |\n"
                "|---|---|---|---|---|---|---|\n",
                tag);
        }
        print_row(out, r);
    }
}
