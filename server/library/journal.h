/*
 * journal.h - DATA/takedowns: what was taken from the public, written down outside the database,
 * so that no restored backup brings it back.
 */
#ifndef LIBRARY_JOURNAL_H
#define LIBRARY_JOURNAL_H

#include "server/base/buf.h"
#include "server/base/err.h"
#include "server/base/id.h"
#include "server/library/stream.h"

enum journal_verb {
    JOURNAL_WITHDRAW,
    JOURNAL_GONE,
    JOURNAL_PURGE,    /* a revision was published and all earlier ones purged */
    JOURNAL_REPLAYED, /* what stands above was done again in a restored library */
    JOURNAL_VOID,     /* the line above of the same epoch and seq did not come to pass */
    JOURNAL_VERBS
};

struct journal_line {
    char stream[STREAM_NAME_MAX + 1];
    int64_t epoch, seq; /* of the change */
    enum journal_verb verb;
    struct id item;     /* zeros: none */
    int64_t rev;        /* 0: none */
    const char *reason; /* "": none */
    int64_t at;         /* seconds */
};

/* Appends the line, \n included. */
void journal_print(const struct journal_line *line, struct buf *out);
/* One line without its \n. False: it breaks the format. The reason is in `mem`. */
bool journal_parse(const char *text, size_t n, struct arena *mem, struct journal_line *out);
const char *journal_verb_name(enum journal_verb verb);

/*
 * Before the writer starts. Makes the file if there is none and cuts off what a crash left of a
 * line. Without it (tests, readers) nothing is written down.
 */
enum rc journal_open(struct err *e, const char *data);
bool journal_is_open(void);
void journal_close(void);
/* All of them durably, or none. Only on the writer thread. */
enum rc journal_append(struct err *e, const struct journal_line *lines, int n);
/* All lines of a file, oldest first, in `mem`. RC_NOT_FOUND, RC_CORRUPT with the line's number. */
enum rc journal_read(struct err *e, struct arena *mem, const char *path,
                     struct journal_line **out, int *n);
/* The file that is open: DATA/takedowns. "" if none is. */
const char *journal_path(void);

#endif
