/*
 * file_type.c - see the header. A row of `types` is of one family of first bytes; the first of a family is what a file without a known end of its name is taken for.
 */
#include "server/source/file_type.h"

#include <string.h>
#include <strings.h>

static const struct magic {
    const char *family, *bytes;
    size_t n, at;
} magics[] = {
    { "png", "\x89PNG\r\n\x1a\n", 8, 0 },
    { "jpeg", "\xff\xd8\xff", 3, 0 },
    { "gif", "GIF8", 4, 0 },
    { "webp", "WEBP", 4, 8 },
    { "pdf", "%PDF-", 5, 0 },
    { "ole", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0 },
    { "zip", "PK\x03\x04", 4, 0 },
    { "rar", "Rar!\x1a\x07", 6, 0 },
};

#define OFFICE "application/vnd.openxmlformats-officedocument."

static const struct {
    const char *family;
    struct file_type is;
} types[] = {
    { "png", { ".png", "image/png" } },
    { "jpeg", { ".jpg", "image/jpeg" } },
    { "jpeg", { ".jpeg", "image/jpeg" } },
    { "gif", { ".gif", "image/gif" } },
    { "webp", { ".webp", "image/webp" } },
    { "pdf", { ".pdf", "application/pdf" } },
    { "ole", { ".doc", "application/msword" } },
    { "ole", { ".xls", "application/vnd.ms-excel" } },
    { "ole", { ".ppt", "application/vnd.ms-powerpoint" } },
    { "ole", { ".wps", "application/vnd.ms-works" } },
    { "ole", { ".et", "application/vnd.ms-excel" } },
    { "zip", { ".zip", "application/zip" } },
    { "zip", { ".docx", OFFICE "wordprocessingml.document" } },
    { "zip", { ".xlsx", OFFICE "spreadsheetml.sheet" } },
    { "zip", { ".pptx", OFFICE "presentationml.presentation" } },
    { "zip", { ".ofd", "application/ofd" } },
    { "rar", { ".rar", "application/vnd.rar" } },
    { "text", { ".txt", "text/plain" } },
    { "text", { ".csv", "text/csv" } },
};

/* Text has no control characters but those of lines; what begins with "<" is a page. */
static int is_text(const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < n && strchr(" \t\r\n\xef\xbb\xbf", p[i]) && p[i])
        i++;
    if (i == n || p[i] == '<')
        return 0;
    for (; i < n; i++)
        if (p[i] < 32 && !strchr("\t\r\n\f", p[i]))
            return 0;
    return memchr(p, 0, n) == NULL;
}

static const char *family_of(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];

        if (n >= m->at + m->n && !memcmp(p + m->at, m->bytes, m->n))
            return m->family;
    }
    return is_text(p, n) ? "text" : NULL;
}

static int ends(const char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);

    return n >= k && !strcasecmp(name + n - k, end);
}

const struct file_type *file_type_of(const void *p, size_t n, const char *name)
{
    const char *family = family_of(p, n);
    const struct file_type *first = NULL;

    for (size_t i = 0; family && i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].family, family))
            continue;
        if (ends(name, types[i].is.end))
            return &types[i].is;
        if (!first)
            first = &types[i].is;
    }
    /* Text is taken for what its name says, or not at all: an error page may be plain text too. */
    return first && strcmp(family, "text") ? first : NULL;
}
