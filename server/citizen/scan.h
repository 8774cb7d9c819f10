/*
 * scan.h - bytes shown to a scanner for viruses, which speaks clamd's protocol.
 *
 * The scanner is another process (setting scan_socket): what takes hostile files apart runs where a hole in it opens nothing of ours. It is believed where it
 * says that a file is clean; all that is not exactly that answer leaves the file unscanned.
 */
#ifndef CITIZEN_SCAN_H
#define CITIZEN_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"

enum scan_verdict { SCAN_NONE, SCAN_CLEAN, SCAN_INFECTED }; /* stored: letter_file.scan */

enum {
    SCAN_NAME_MAX = 64,     /* of what was found, with its NUL */
    SCAN_ANSWER_MAX = 1024, /* bytes of an answer */
    SCAN_MS = 120000        /* for one file: clamd's own MaxScanTime */
};

/*
 * "/run/clamav/clamd.ctl", or "127.0.0.1:3310" (a number, no name). RC_INVALID if it is neither.
 */
enum rc scan_check(struct err *e, const char *where);

/* A file that is being shown. */
struct scan {
    struct err *e;
    int fd, stop;
    int64_t until_us;
};

/*
 * On a thread that may wait, SCAN_MS at most in all; readable `stop` (a descriptor, or -1) ends it at once. RC_IO: the scanner is away, hangs or breaks off;
 * RC_UNPROCESSABLE: it says something else of this file, in e. However it ends, scan_close() follows.
 */
enum rc scan_begin(struct err *e, const char *where, int stop, struct scan *out);
enum rc scan_show(struct scan *s, const void *p, size_t n);
/* SCAN_INFECTED: `name` says as what, letters, digits and ._:- alone. */
enum rc scan_end(struct scan *s, enum scan_verdict *out, char name[static SCAN_NAME_MAX]);
void scan_close(struct scan *s);

/* The answer without its end. RC_UNPROCESSABLE: it is no verdict. */
enum rc scan_answer(struct err *e, const char *p, size_t n, enum scan_verdict *out,
                    char name[static SCAN_NAME_MAX]);

#endif
