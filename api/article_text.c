/*
 * article_text.c - the article without a page around it: for reading aloud, for small devices,
 * for copying.
 */
#include "api/article_page.h"

#include <string.h>

#include "api/article.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/markup.h"

static void put_line(struct buf *b, const char *label, const char *text)
{
    if (text)
        buf_printf(b, "%s：%s\n", label, text);
}

static void put_plain(struct work *w, struct buf *b, const struct article *a)
{
    const json_t *files = json_object_get(a->record, "attachments");
    struct article_link *links;
    char minute[CLOCK_TEXT];
    int n;

    buf_printf(b, "%s\n\n", article_value(a, FIELD_title));
    buf_printf(b, "来源：%s%s\n", article_source(a), article_is_reprint(a) ? "（转载）" : "");
    put_line(b, "来源日期", article_value(a, FIELD_sourceDate));
    put_line(b, "入库时间", clock_minute(a->item->published, minute));
    for (int i = 0; i < FIELD_COUNT; i++) {
        const json_t *v = json_object_get(a->record, fields[i].name);

        if (v && fields[i].type != FIELD_TEXT && !article_is_apart((enum field_no)i))
            put_line(b, fields[i].label,
                     json_is_array(v) ? article_joined(w, v, "、") : json_string_value(v));
    }
    for (int i = 0; i < FIELD_COUNT; i++) {
        const char *text =
            fields[i].type == FIELD_TEXT ? article_value(a, (enum field_no)i) : NULL;

        if (!text)
            continue;
        buf_adds(b, "\n");
        if (i != FIELD_body)
            buf_printf(b, "%s\n\n", fields[i].label);
        markup_text(b, text, strlen(text));
    }
    for (size_t i = 0; i < json_array_size(files); i++)
        buf_printf(b, "\n附件：%s\n", jx_text(json_array_get(files, i), "name"));
    n = article_related(w, a, &links);
    for (int i = 0; i < n; i++)
        buf_printf(b, "\n相关内容：%s\n", links[i].title);
}

enum rc get_article_text(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct article a;
    struct item item;
    bool shown;
    enum rc rc;

    if ((rc = article_open(w, rq, &a, &item, &shown, rp)) || !shown)
        return rc;
    put_plain(w, &b, &a);
    reply_buf(rp, TYPE_TEXT, &b);
    reply_header(rp, "content-language", "zh-CN");
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
