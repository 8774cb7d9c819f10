/*
 * err.h - what went wrong: a kind for the program, a sentence for the person.
 *
 * Inner code sets the sentence once and returns the kind; only the edge (router, job runner,
 * main) logs and answers. One table in server/http/problem.c maps a kind to an HTTP status and
 * a problem type.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum [[nodiscard]] rc{
    RC_OK = 0,
    RC_INVALID,      /* the input breaks a rule: say which */
    RC_UNAUTHORIZED, /* nobody is signed in */
    RC_FORBIDDEN,    /* somebody is, without the right */
    RC_UNLISTED,     /* somebody is, with the right, at a device from which it does not count */
    RC_READ_ONLY,    /* nobody can here: this server shows what another publishes */
    RC_NOT_FOUND,
    RC_GONE,         /* was here, was withdrawn */
    RC_CONFLICT,     /* the state does not allow it, or another was quicker */
    RC_PRECONDITION, /* If-Match does not hold */
    RC_TOO_LARGE,
    RC_UNPROCESSABLE, /* well-formed, but an Idempotency-Key was used for something else */
    RC_UNFIT,         /* a text breaks a rule that keeps it from the public (server/check) */
    RC_TOO_MANY,      /* a rate limit */
    RC_BUSY,          /* a queue is full: come again */
    RC_FULL,          /* no room left on the disk */
    RC_UNWRITABLE,    /* the disk takes no writes: mounted read only, or failing */
    RC_IO,            /* the disk or the network failed */
    RC_CORRUPT,       /* what we stored is not what we find */
    RC_INTERNAL,      /* our own mistake */
};

struct err {
    enum rc rc;
    char text[512];  /* one sentence without a trailing full stop, no personal data */
    bool inside;     /* the sentence names files or statements: for the log, not for a client */
    char field[128]; /* JSON pointer or parameter name of the offending input; "" if none */
};

/* Sets kind and sentence; returns the kind, so that `return err_set(...)` reads well. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for one field of the input. */
enum rc err_field(struct err *e, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Marks the sentence as one that speaks of our inside; returns the kind. */
enum rc err_inside(struct err *e);
/* err_set() from errno, marked as inside: RC_FULL for ENOSPC and EDQUOT, RC_UNWRITABLE for EROFS, RC_NOT_FOUND for ENOENT,
 * RC_FORBIDDEN for EACCES and EPERM, else RC_IO. */
enum rc err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same of something that was to be written: RC_UNWRITABLE for EIO too. */
enum rc err_unwritten(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "not_found": the kind's stable name, for logs and problem types. */
const char *rc_name(enum rc rc);

#endif
