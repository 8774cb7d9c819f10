/*
 * html_drive.c - cleans pages: one JSON object a line in, one out. For tests that compare with a
 * browser.
 *
 *     {"html":"…","base":"https://…","pictures":"link"|"words"|"blob"}
 *     {"markdown":"…","page":"…","text":"…","found":{…}}      or {"error":"…"}
 *
 * `page` is what markup_html() makes of the Markdown, `text` what markup_text() does.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/markup.h"
#include "server/ingest/html_clean.h"

static enum html_picture picture(void *arg, const char *url, char name[65])
{
    const char *what = arg;

    (void)url;
    memset(name, 'a', 64);
    name[64] = '\0';
    return !strcmp(what, "blob")    ? PICTURE_BLOB
           : !strcmp(what, "words") ? PICTURE_WORDS
                                    : PICTURE_LINK;
}

static json_t *text_of(void (*render)(struct buf *, const char *, size_t), const struct buf *in)
{
    struct buf out = BUF_HEAP;
    json_t *v;

    render(&out, in->n ? in->p : "", in->n);
    v = json_stringn(out.n ? out.p : "", out.n);
    buf_done(&out);
    return v;
}

static json_t *clean(const json_t *line)
{
    const char *pictures = json_string_value(json_object_get(line, "pictures"));
    struct html_how how = { .base = json_string_value(json_object_get(line, "base")),
                            .picture = pictures ? picture : NULL,
                            .arg = (void *)(uintptr_t)pictures };
    const json_t *html = json_object_get(line, "html");
    struct html_found found;
    struct buf body = BUF_HEAP;
    struct err e = { 0 };
    json_t *answer;

    if (html_clean(&e, json_string_value(html), json_string_length(html), &how, &body, &found))
        return json_pack("{s:s}", "error", e.text);
    answer = json_pack("{s:s%,s:o,s:o,s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i}}", "markdown",
                       body.n ? body.p : "", body.n, "page", text_of(markup_html, &body),
                       "text", text_of(markup_text, &body), "found", "links", found.links,
                       "refused", found.links_refused, "tables", found.tables, "scripts",
                       found.scripts, "handlers", found.handlers, "hidden", found.hidden,
                       "pictures", found.pictures);
    buf_done(&body);
    return answer;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        json_t *in = json_loads(line, JSON_ALLOW_NUL, NULL), *out = clean(in);
        char *text = json_dumps(out, JSON_COMPACT);

        puts(text);
        free(text);
        json_decref(in);
        json_decref(out);
    }
    free(line);
    return 0;
}
