/*
 * erased.h - DATA/erased: whose data were removed, written down outside the database, so that no restored backup brings anybody back.
 *
 *     line     ACCOUNT MARK TIME\n
 *     MARK     the first 16 bytes of BLAKE2b-256( the account's subject ), in hex
 *
 * It says nothing of anybody: a number, and what only the restored row itself can be compared with. That is needed because an older backup
 * has not given out that number yet, and will give it to somebody else.
 *
 * The line stands before the COMMIT. If that does not come, the next start erases what it names: its owner wanted it so, and his time
 * was over.
 */
#ifndef IDENTITY_ERASED_H
#define IDENTITY_ERASED_H

#include "server/base/work.h"

enum { ERASED_MARK = 16, ERASED_TEXT = 100 };

struct erased_line {
    int64_t account;
    uint8_t mark[ERASED_MARK];
    int64_t at; /* seconds */
};

/* A line without its end; what it says is read again as the same. */
char *erased_print(const struct erased_line *line, char out[ERASED_TEXT]);
bool erased_parse(const char *text, struct erased_line *out);
void erased_mark(const uint8_t *subject, size_t n, uint8_t out[ERASED_MARK]);

/* The file of this directory, from now on. Without it (tests) nothing is written down. Nothing is made before the first line. */
enum rc erased_open(struct err *e, const char *data);
void erased_close(void);
/* Durably. On the writer's thread. RC_IO, RC_FULL. */
enum rc erased_append(struct err *e, const struct erased_line *line);
/* All of them, in `mem`. What is no line (a crash) is passed over. */
enum rc erased_read(struct err *e, struct arena *mem, struct erased_line **out, int *n);

#endif
