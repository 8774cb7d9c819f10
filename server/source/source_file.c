/*
 * source_file.c - see the header.
 */
#include "server/source/source_file.h"

#include <stdio.h>
#include <string.h>

#include "server/base/jx.h"
#include "server/library/field.h"

enum { NAME_BYTES = 150 };

static const char *const states[] = {
    [FILE_WANTED] = "wanted", [FILE_FETCHED] = "fetched", [FILE_FAILED] = "failed"
};

static enum source_file_state state_parse(const char *name)
{
    for (int i = FILE_WANTED; name && i <= FILE_FAILED; i++)
        if (!strcmp(states[i], name))
            return (enum source_file_state)i;
    return FILE_FAILED;
}

void source_files_write(struct buf *out, const struct source_file *files, int n)
{
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        const struct source_file *f = &files[i];

        buf_adds(out, i ? ",{" : "{");
        if (f->state == FILE_FETCHED)
            jx_put_text(out, "hash", f->hash);
        jx_put_text(out, "name", f->name);
        jx_put_text(out, "said", f->said);
        if (f->state == FILE_FETCHED)
            jx_put_int(out, "size", f->size);
        jx_put_text(out, "state", states[f->state]);
        if (f->state == FILE_FETCHED)
            jx_put_text(out, "type", f->type);
        jx_put_text(out, "url", f->url);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void take(struct arena *mem, const json_t *v, struct source_file *out)
{
    const char *hash = jx_text(v, "hash");

    *out = (struct source_file){ .url = arena_strdup(mem, jx_text(v, "url")),
                                 .name = arena_strdup(mem, jx_text(v, "name")),
                                 .state = state_parse(jx_text(v, "state")),
                                 .type = arena_strdup(mem, jx_text(v, "type")),
                                 .size = jx_int(v, "size", 0),
                                 .said = arena_strdup(mem, jx_text(v, "said")) };
    snprintf(out->hash, sizeof out->hash, "%s", hash ? hash : "");
}

enum rc source_files_read(struct err *e, struct arena *mem, const char *text,
                          struct source_file **out, int *n)
{
    char *object = arena_printf(mem, "{\"files\":%s}", text);
    json_t *top, *all;
    enum rc rc;

    if ((rc = jx_object(e, mem, object, strlen(object), &top)))
        return rc;
    all = json_object_get(top, "files");
    *n = (int)json_array_size(all);
    *out = arena_zalloc(mem, (size_t)(*n + 1) * sizeof **out);
    for (int i = 0; i < *n; i++)
        take(mem, json_array_get(all, (size_t)i), &(*out)[i]);
    return RC_OK;
}

const struct source_file *source_file_find(const struct source_file *files, int n,
                                           const char *url)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(files[i].url, url))
            return &files[i];
    return NULL;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

void source_file_name(struct buf *out, const char *url)
{
    static const char never[] = "/\\\"'<>:|?*";
    const char *path = strstr(url, "://") ? strstr(url, "://") + 3 : url;
    size_t from = out->n, end = strcspn(path, "?#");
    const char *last = path + end;
    struct err e = { 0 };

    for (size_t i = 0; i < end; i++)
        if (path[i] == '/')
            last = path + i + 1;
    for (; last < path + end && out->n - from < NAME_BYTES; last++) {
        char c = *last;

        if (c == '%' && last + 2 < path + end && hex(last[1]) >= 0 && hex(last[2]) >= 0) {
            c = (char)(hex(last[1]) << 4 | hex(last[2]));
            last += 2;
        }
        if (!strchr(never, c) && (c != '.' || out->n > from))
            buf_addc(out, c);
    }
    if (out->n == from || field_check_line(&e, "name", out->p + from, out->n - from, 1, 200)) {
        out->n = from;
        buf_adds(out, "文件");
    }
}
