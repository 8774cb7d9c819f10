/*
 * channel_check.c - a version as its platform gets it, and what is wrong with it there.
 */
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/markup.h"
#include "server/base/url.h"
#include "server/channel/channel_version.h"
#include "server/check/lists.h"
#include "server/library/attachment.h"
#include "server/library/ruling.h"
#include "server/store/blob.h"

/* The longest that a picture's address at WeChat may be, for who counts before it is there. */
static const char longest_url[] = "https://mmbiz.qpic.cn/mmbiz_jpg/"
                                  "000000000000000000000000000000000000000000000000000000000000"
                                  "0000000000000000000000000000000000/"
                                  "0?wx_fmt=jpeg";
static const char picture[] = "<img src=\"/v1/blobs/";
enum { NAME = 64 };

static struct channel_hooks hooks;

void channel_open(const struct channel_hooks *h)
{
    hooks = *h;
}

const struct channel_hooks *channel_hooks(void)
{
    return &hooks;
}

/* ---- as it is sent ---- */

/* Our own HTML, in which a quote is only ever ours: so this beginning is a picture and nothing else. */
static const char *next_picture(const char *html, uint8_t hash[HASH_BYTES])
{
    const char *at = strstr(html, picture);

    return at && hex_parse(at + strlen(picture), NAME, hash, HASH_BYTES) ? at : NULL;
}

static void put_html(struct work *w, const struct channel_version *v,
                     channel_picture_url *url_of, void *arg, struct buf *out)
{
    struct buf html = BUF_IN(w->mem);
    uint8_t hash[HASH_BYTES];
    const char *at, *from;

    buf_adds(&html, "");
    markup_html(&html, v->body, strlen(v->body));
    for (from = html.n ? html.p : ""; (at = next_picture(from, hash));) {
        const char *url = url_of(arg, hash);

        buf_add(out, from, (size_t)(at - from));
        buf_adds(out, "<img src=\"");
        buf_html(out, url ? url : "", url ? strlen(url) : 0);
        from = at + strlen(picture) + NAME;
    }
    buf_adds(out, from);
}

int channel_pictures(const struct channel_version *v,
                     uint8_t out[static CHANNEL_PICTURES_MAX][HASH_BYTES])
{
    struct arena *mem = arena_new();
    struct buf html = BUF_IN(mem);
    uint8_t hash[HASH_BYTES];
    int n = 0;

    markup_html(&html, v->body, strlen(v->body));
    for (const char *at = html.n ? html.p : "";
         (at = next_picture(at, hash)) && n < CHANNEL_PICTURES_MAX; at++) {
        int i = 0;

        while (i < n && memcmp(out[i], hash, HASH_BYTES) != 0)
            i++;
        if (i == n)
            memcpy(out[n++], hash, HASH_BYTES);
    }
    arena_free(mem);
    return n;
}

static const char *link_of(struct work *w, const struct channel_version *v)
{
    struct buf b = BUF_IN(w->mem);
    char id[ID_TEXT];

    hooks.url(&b, arena_printf(w->mem, "/a/%s", id_text(&v->item, id)));
    return b.p;
}

void channel_render(struct work *w, const struct channel_version *v, int64_t task,
                    channel_picture_url *url_of, void *arg, struct channel_text *out)
{
    struct buf html = BUF_IN(w->mem), text = BUF_IN(w->mem);
    const char *link = link_of(w, v);

    put_html(w, v, url_of, arg, &html);
    markup_text(&text, v->body, strlen(v->body));
    while (text.n && text.p[text.n - 1] == '\n')
        text.p[--text.n] = '\0';
    buf_printf(&text, "%s%s", text.n ? " " : "", link);
    /* By its end an article is found again at the platform. */
    *out = (struct channel_text){ .html = html.p,
                                  .text = text.p,
                                  .link = arena_printf(w->mem, "%s#tjzw-%lld", link,
                                                       (long long)task) };
}

/* ---- what is wrong ---- */

struct judging {
    struct work *w;
    const struct channel_version *v;
    const struct channel_account *a;
    struct channel_faults *out;
};

static void fault(struct judging *j, enum channel_field field, const char *said)
{
    if (j->out->n < (int)(sizeof j->out->v / sizeof *j->out->v))
        j->out->v[j->out->n++] = (struct channel_fault){ field, said };
}

static void judge_size(struct judging *j, enum channel_field field, const char *text, size_t n)
{
    struct channel_limit limits[3];
    int many = channel_limits(j->a->kind, field, channel_day(clock_now()), limits);

    for (int i = 0; i < many; i++) {
        int64_t has = text ? channel_count(limits[i].counted, text, n) : (int64_t)n;

        if (has > limits[i].most)
            fault(j, field,
                  arena_printf(j->w->mem, "%s有 %lld %s，最多 %lld %s",
                               channel_field_chinese(field), (long long)has,
                               channel_unit(limits[i].counted), (long long)limits[i].most,
                               channel_unit(limits[i].counted)));
    }
}

static void judge_text(struct judging *j, enum channel_field field, const char *text)
{
    judge_size(j, field, text, strlen(text));
}

static bool is_picture(const uint8_t *head, ssize_t n, bool gif)
{
    return (n >= 3 && !memcmp(head, "\xff\xd8\xff", 3)) ||
           (n >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8)) ||
           (gif && n >= 4 && !memcmp(head, "GIF8", 4));
}

/* Only files of the revision go out with it. */
static enum rc judge_file(struct judging *j, enum channel_field field,
                          const uint8_t hash[HASH_BYTES])
{
    enum rc rc = attachment_of(j->w, &j->v->item, j->v->rev, hash);
    struct err ignored;
    uint8_t head[8];
    int64_t size;
    ssize_t n;
    int fd;

    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if (rc || blob_open(&ignored, hooks.data, hash, &fd, &size)) {
        fault(j, field, "只能用这条内容已发布的图片");
        return RC_OK;
    }
    n = read(fd, head, sizeof head);
    close(fd);
    if (!is_picture(head, n, !strcmp(j->a->kind, "weibo")))
        fault(j, field, "图片要是 JPEG 或 PNG");
    judge_size(j, field, NULL, (size_t)size);
    return RC_OK;
}

static enum rc judge_files(struct judging *j)
{
    uint8_t all[CHANNEL_PICTURES_MAX][HASH_BYTES];
    int n = channel_pictures(j->v, all);
    enum rc rc = RC_OK;

    if (j->v->has_cover)
        rc = judge_file(j, CHANNEL_COVER, j->v->cover);
    for (int i = 0; i < n && !rc; i++)
        rc = judge_file(j, CHANNEL_PICTURE, all[i]);
    return rc;
}

static const char *a_long_url(void *arg, const uint8_t hash[HASH_BYTES])
{
    (void)arg, (void)hash;
    return longest_url;
}

static void judge_wechat(struct judging *j, const struct channel_text *t)
{
    if (!*j->v->title)
        fault(j, CHANNEL_TITLE, "请写标题");
    if (!*j->v->body)
        fault(j, CHANNEL_BODY, "请写正文");
    if (!j->v->has_cover)
        fault(j, CHANNEL_COVER, "公众号的文章要有封面");
    judge_text(j, CHANNEL_TITLE, j->v->title);
    judge_text(j, CHANNEL_BYLINE, j->v->byline);
    judge_text(j, CHANNEL_DIGEST, j->v->digest);
    judge_text(j, CHANNEL_BODY, t->html);
    judge_text(j, CHANNEL_LINK, t->link);
}

static bool is_below(const char *url, const char *domain)
{
    size_t n, want = strlen(domain);
    const char *host = url_host(url, &n), *colon = memchr(host, ':', n);

    if (colon)
        n = (size_t)(colon - host);
    return n >= want && !memcmp(host + n - want, domain, want) &&
           (n == want || host[n - want - 1] == '.');
}

static void judge_weibo(struct judging *j, const struct channel_text *t)
{
    const char *hash = strchr(t->text, '#');

    if (!*j->v->body)
        fault(j, CHANNEL_BODY, "请写正文");
    if (*j->v->title || *j->v->digest || *j->v->byline)
        fault(j, CHANNEL_TITLE, "微博只有正文");
    if (hash && strchr(hash + 1, '#'))
        fault(j, CHANNEL_BODY, "经接口发布的微博不能有 #话题#");
    if (!j->a->domain)
        fault(j, CHANNEL_LINK, "账号没有登记安全域名");
    else if (!is_below(t->link, j->a->domain))
        fault(j, CHANNEL_LINK, "本平台的地址不在账号的安全域名之内");
    judge_text(j, CHANNEL_BODY, t->text);
}

static enum rc ask_rules(struct judging *j)
{
    const struct channel_version *v = j->v;
    const struct check_text texts[] = { { "title", v->title, strlen(v->title) },
                                        { "summary", v->digest, strlen(v->digest) },
                                        { "author", v->byline, strlen(v->byline) },
                                        { "contentSource", "本平台", strlen("本平台") },
                                        { "body", v->body, strlen(v->body) } };
    const struct check_item item = { .kind = "article",
                                     .texts = texts,
                                     .n = sizeof texts / sizeof *texts };
    struct check_context context = { .now = clock_now() };
    const struct lists *lists;
    enum rc rc;

    if ((rc = site_rules(j->w, j->a->site, &context.severity)))
        return rc;
    lists = lists_take();
    context.words = lists->words;
    context.hosts = lists->hosts;
    check_run(j->w->mem, &item, CHECK_REVIEW, &context, &j->out->checked);
    lists_drop(lists);
    return RC_OK;
}

enum rc channel_version_check(struct work *w, const struct channel_version *v,
                              struct channel_faults *out)
{
    struct channel_account a;
    struct channel_text text;
    struct judging j = { .w = w, .v = v, .a = &a, .out = out };
    enum rc rc;

    *out = (struct channel_faults){ 0 };
    if ((rc = channel_account_find(w, v->channel, &a)) || (rc = judge_files(&j)))
        return rc;
    channel_render(w, v, INT32_MAX, a_long_url, NULL, &text);
    if (!strcmp(a.kind, "weibo"))
        judge_weibo(&j, &text);
    else
        judge_wechat(&j, &text);
    return ask_rules(&j);
}
