/*
 * words.h - lists of words that texts must not have, or should have otherwise: thousands, searched
 * for at once.
 *
 * A list is a file that somebody answers for:
 *
 *     # name: 表述规范
 *     # date: 2026-11-01
 *     # source: 市网信办
 *     人力资源与社会保障局 <TAB> warning <TAB> 人力资源和社会保障局 <TAB> 机构名称
 *     某某词 <TAB> blocking
 *
 * A line: the word as it must not stand, "warning" or "blocking", what stands right (may be empty or
 * missing), why (the same). "#" begins a remark; of the three above `date` must be there. A word is
 * folded like the text (check.h), so capitals and full-width letters hide nothing.
 */
#ifndef CHECK_WORDS_H
#define CHECK_WORDS_H

#include <stddef.h>

#include "server/base/err.h"
#include "server/check/check.h"

enum {
    WORDS_FILE_MAX = 8 * 1024 * 1024, /* bytes of a list */
    WORDS_MAX = 100000,               /* of one list */
    WORD_MAX = 300                    /* bytes of a word, folded; 3 at least */
};

struct words;

struct word {
    const char *wrong, *right, *why; /* right and why: NULL if nothing is said */
    enum check_severity severity;
};

/* Reads a list. RC_INVALID names the line; RC_TOO_LARGE. Search needs a processor with SSSE3, as
 * libvectorscan does: else RC_INTERNAL. Lists are never changed: to renew one, read it anew and
 * put it in the place of the old one, which is freed when nobody reads it any more. */
enum rc words_read(struct err *e, const char *text, size_t n, struct words **out);
void words_free(struct words *w); /* takes NULL */

const char *words_name(const struct words *w); /* "" if it has none */
const char *words_date(const struct words *w); /* "2026-11-01" */
int words_count(const struct words *w);

/* Calls found(arg, word, from, to) for every place in order of their ends, until it says false.
 * From many threads at once. Where words overlap, each is told. */
void words_search(const struct words *w, const char *text, size_t n,
                  bool (*found)(void *arg, const struct word *word, size_t from, size_t to),
                  void *arg);

#endif
