/*
 * err.c - kinds and sentences.
 */
#include "server/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [RC_OK] = "ok",
    [RC_INVALID] = "invalid",
    [RC_UNAUTHORIZED] = "unauthorized",
    [RC_FORBIDDEN] = "forbidden",
    [RC_UNLISTED] = "unlisted",
    [RC_READ_ONLY] = "read_only",
    [RC_NOT_FOUND] = "not_found",
    [RC_GONE] = "gone",
    [RC_CONFLICT] = "conflict",
    [RC_PRECONDITION] = "precondition",
    [RC_TOO_LARGE] = "too_large",
    [RC_UNPROCESSABLE] = "unprocessable",
    [RC_UNFIT] = "unfit",
    [RC_TOO_MANY] = "too_many",
    [RC_BUSY] = "busy",
    [RC_FULL] = "full",
    [RC_UNWRITABLE] = "unwritable",
    [RC_IO] = "io",
    [RC_CORRUPT] = "corrupt",
    [RC_INTERNAL] = "internal",
};

const char *rc_name(enum rc rc)
{
    return names[rc];
}

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
    va_list ap;

    e->rc = rc;
    e->inside = false;
    e->field[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_field(struct err *e, const char *field, const char *fmt, ...)
{
    va_list ap;

    e->rc = RC_INVALID;
    e->inside = false;
    snprintf(e->field, sizeof e->field, "%s", field);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return RC_INVALID;
}

enum rc err_inside(struct err *e)
{
    e->inside = true;
    return e->rc;
}

static enum rc rc_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT: return RC_FULL;
    case EROFS: return RC_UNWRITABLE;
    case ENOENT: return RC_NOT_FOUND;
    case EACCES:
    case EPERM: return RC_FORBIDDEN;
    default: return RC_IO;
    }
}

static enum rc from_errno(struct err *e, enum rc rc, int number, const char *fmt, va_list ap)
{
    int n;

    e->rc = rc;
    e->inside = true;
    e->field[0] = '\0';
    n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", strerror(number));
    return rc;
}

enum rc err_errno(struct err *e, const char *fmt, ...)
{
    int number = errno;
    va_list ap;
    enum rc rc;

    va_start(ap, fmt);
    rc = from_errno(e, rc_of_errno(number), number, fmt, ap);
    va_end(ap);
    return rc;
}

enum rc err_unwritten(struct err *e, const char *fmt, ...)
{
    int number = errno;
    va_list ap;
    enum rc rc;

    va_start(ap, fmt);
    rc = from_errno(e, number == EIO ? RC_UNWRITABLE : rc_of_errno(number), number, fmt, ap);
    va_end(ap);
    return rc;
}
