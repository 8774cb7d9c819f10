/*
 * words.h - the words of a text that the index keeps, and those that a phrase asks for.
 *
 *     天津市 2024 A座   -->   天 天津 津 津市 市 2024 a 座
 *
 * Each character of a run of letters that are not ASCII, each pair of neighbours, each ASCII word. So one character and two are found by one
 * word, more by all their pairs, and only those have to be looked for in the text. The order and the number of words are not kept.
 */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H

#include "server/base/buf.h"
#include "server/search/fold.h"

enum { WORD_MAX = 64 /* bytes: longer ASCII words are cut there */ };

/* Appends them, with blanks between and behind. Folded text only. */
void words_add(struct buf *out, const char *folded, size_t n);

/* Appends what has to be true of a text that holds the phrase, as FTS5 reads it: "天津" AND "津市". `prefix`: its last ASCII word, of two letters or more, may go on. Returns
 * the number of words. */
int words_ask(struct buf *out, const char *phrase, size_t n, bool prefix);

/*
 * Where the phrase begins in the folded text from `from` on; SIZE_MAX: nowhere. An ASCII word at its ends must be a whole one there too, but for the
 * end with `prefix`.
 */
size_t words_find(const char *text, size_t n, size_t from, const char *phrase, size_t phrase_n,
                  bool prefix);

#endif
