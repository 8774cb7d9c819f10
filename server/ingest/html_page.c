/*
 * html_page.c - the tags are a table; text and links are found in one walk down the tree.
 */
#include "server/ingest/html_page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/ingest/html_role.h"
#include "server/ingest/html_tree.h"
#include "server/ingest/html_url.h"

enum { OF_ALL = 1, OF_ARTICLE = 2, SAID_MAX = 300, VALUE_MAX = 2000 };

static const struct {
    const char *name;
    int must; /* of which pages; 0: of none */
} tags[PAGE_TAGS] = {
    [PAGE_SITE_NAME] = { "SiteName", OF_ALL },
    [PAGE_SITE_DOMAIN] = { "SiteDomain", OF_ALL },
    [PAGE_SITE_CODE] = { "SiteIDCode", OF_ALL },
    [PAGE_COLUMN_NAME] = { "ColumnName", OF_ALL },
    [PAGE_COLUMN_DESCRIPTION] = { "ColumnDescription", OF_ALL },
    [PAGE_COLUMN_KEYWORDS] = { "ColumnKeywords", OF_ALL },
    [PAGE_COLUMN_TYPE] = { "ColumnType", OF_ALL },
    [PAGE_TITLE] = { "ArticleTitle", OF_ARTICLE },
    [PAGE_DATE] = { "PubDate", OF_ARTICLE },
    [PAGE_SOURCE] = { "ContentSource", OF_ARTICLE },
    [PAGE_KEYWORDS] = { "Keywords", 0 },
    [PAGE_AUTHOR] = { "Author", 0 },
    [PAGE_DESCRIPTION] = { "Description", 0 },
    [PAGE_IMAGE] = { "Image", 0 },
    [PAGE_URL] = { "Url", 0 },
};

/* Elements that hold the text of an article, by their id or class, where nothing stands in paragraphs. */
static const char *const holders[] = {
    "UCAP-CONTENT", "TRS_Editor", "zoom",         "Zoom",         "article",
    "content",      "detail",     "news_content", "xxgk_content", "wp_articlecontent"
};

struct walk {
    struct arena *mem;
    const char *html, *url;
    size_t n, most; /* most: bytes in paragraphs of the best element so far */
    const GumboNode *best, *held;
    struct buf links; /* of const char * */
    struct html_page *out;
};

/* ---- meta ---- */

static const char *trimmed(struct arena *mem, const char *s)
{
    size_t n;

    while (*s && isspace((unsigned char)*s))
        s++;
    n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        n--;
    return n <= VALUE_MAX ? arena_strndup(mem, s, n) : NULL;
}

/* The first of each name counts, in whatever case it is written. */
static void take_meta(struct walk *w, const GumboNode *node)
{
    const char *name = html_attribute(node, "name"), *value = html_attribute(node, "content"),
               *charset = html_attribute(node, "charset"),
               *type = html_attribute(node, "http-equiv");

    if (!charset && type && !strcasecmp(type, "content-type") && value &&
        (charset = strcasestr(value, "charset=")))
        charset += strlen("charset=");
    if (charset)
        w->out->other_charset |=
            strncasecmp(charset, "utf", 3) && strncasecmp(charset, "\"utf", 4);
    for (int i = 0; name && value && i < PAGE_TAGS; i++)
        if (!strcasecmp(tags[i].name, name) && !w->out->meta[i])
            w->out->meta[i] = trimmed(w->mem, value);
}

/* ---- links ---- */

static const char *host_of(const char *url, size_t *n)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    *n = strcspn(host, "/?#");
    return host;
}

static bool is_page_here(const char *url, const char *here)
{
    static const char *const ends[] = { ".html", ".htm", ".shtml" };
    size_t n = strcspn(url, "?#"), a, b;
    const char *host = host_of(url, &a), *ours = host_of(here, &b);

    if (a != b || strncasecmp(host, ours, a) || !strcmp(url, here))
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t k = strlen(ends[i]);

        if (n > k && !strncasecmp(url + n - k, ends[i], k))
            return true;
    }
    return false;
}

static void take_link(struct walk *w, const GumboNode *node)
{
    const char *href = html_attribute(node, "href");
    struct buf url = BUF_IN(w->mem);
    const char **all = (const char **)(void *)w->links.p;
    size_t n = w->links.n / sizeof *all;

    if (!href || n >= PAGE_LINKS_MAX || !html_url(&url, w->url, href) ||
        !is_page_here(url.p, w->url))
        return;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(all[i], url.p))
            return;
    buf_add(&w->links, &url.p, sizeof url.p);
}

/* ---- the text ---- */

static size_t text_bytes(const GumboNode *node, int depth)
{
    size_t n = 0;

    if (node->type == GUMBO_NODE_TEXT)
        return strlen(node->v.text.text);
    if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX ||
        html_is(node, GUMBO_TAG_SCRIPT) || html_is(node, GUMBO_TAG_STYLE))
        return 0;
    for (unsigned i = 0; html_child(node, i); i++)
        n += text_bytes(html_child(node, i), depth + 1);
    return n;
}

static bool is_holder(const GumboNode *node)
{
    const char *id = html_attribute(node, "id"), *class = html_attribute(node, "class");

    for (size_t i = 0; i < sizeof holders / sizeof *holders; i++)
        if ((id && !strcmp(id, holders[i])) || (class && !strcmp(class, holders[i])))
            return true;
    return false;
}

static void weigh(struct walk *w, const GumboNode *node)
{
    size_t n = 0;

    for (unsigned i = 0; html_child(node, i); i++)
        if (html_is(html_child(node, i), GUMBO_TAG_P))
            n += text_bytes(html_child(node, i), 0);
    if (n > w->most) {
        w->most = n;
        w->best = node;
    }
    if (!w->held && is_holder(node))
        w->held = node;
}

static void go_down(struct walk *w, const GumboNode *node, int depth)
{
    if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX)
        return;
    if (html_is(node, GUMBO_TAG_META))
        take_meta(w, node);
    else if (html_is(node, GUMBO_TAG_A))
        take_link(w, node);
    weigh(w, node);
    for (unsigned i = 0; html_child(node, i); i++)
        go_down(w, html_child(node, i), depth + 1);
}

/* The bytes between its tags; of what the parser has put in itself there are none. */
static void cut_out(struct walk *w, const GumboNode *node)
{
    size_t from, to;

    if (!node || !node->v.element.original_tag.length)
        return;
    from = node->v.element.start_pos.offset + node->v.element.original_tag.length;
    to = node->v.element.end_pos.offset;
    if (from >= to || to > w->n)
        return;
    w->out->text = w->html + from;
    w->out->text_n = to - from;
}

enum rc html_page_read(struct err *e, struct arena *mem, const char *html, size_t n,
                       const char *url, struct html_page *out)
{
    struct walk w = {
        .mem = mem, .html = html, .n = n, .url = url, .links = BUF_IN(mem), .out = out
    };
    struct html_tree *tree;
    const GumboNode *body;
    enum rc rc;

    *out = (struct html_page){ 0 };
    if ((rc = html_tree_parse(e, html, n, &tree)))
        return rc;
    if ((body = html_tree_body(tree)))
        go_down(&w, body->parent->type == GUMBO_NODE_ELEMENT ? body->parent : body, 0);
    cut_out(&w, w.best ? w.best : w.held);
    html_tree_free(tree);
    out->links = (const char **)(void *)w.links.p;
    out->nlinks = (int)(w.links.n / sizeof *out->links);
    return RC_OK;
}

/* ---- judged ---- */

bool html_page_date_ok(const char *date)
{
    static const char form[] = "0000-00-00 00:00";

    if (strlen(date) != strlen(form))
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)date[i]) : date[i] != form[i])
            return false;
    return true;
}

void html_page_judge(const struct html_page *p, bool article,
                     void (*say)(void *arg, const char *said), void *arg)
{
    char said[SAID_MAX];

    for (int i = 0; i < PAGE_TAGS; i++) {
        const char *value = p->meta[i], *wrong = NULL;

        if (!(tags[i].must & (article ? OF_ARTICLE : OF_ALL)))
            continue;
        if (!value)
            wrong = "没有";
        else if (!*value || !strcasecmp(value, "null") || !strcasecmp(value, "undefined"))
            wrong = "是空的";
        if (wrong) {
            snprintf(said, sizeof said, "网页标签 %s %s（国办发〔2017〕47号：必选）",
                     tags[i].name, wrong);
            say(arg, said);
        }
    }
    if (article && p->meta[PAGE_DATE] && *p->meta[PAGE_DATE] &&
        !html_page_date_ok(p->meta[PAGE_DATE])) {
        snprintf(said, sizeof said, "网页标签 PubDate 写成“%.40s”，应为 YYYY-MM-DD HH:MM",
                 p->meta[PAGE_DATE]);
        say(arg, said);
    }
    if (article && !p->text)
        say(arg, "找不到正文");
    if (p->other_charset)
        say(arg, "网页不是 UTF-8 编码，读不了");
}
