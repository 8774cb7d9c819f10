/*
 * ident.h - how senders and messages are called.
 *
 *     sender      ZZZZZZDDDXX        Tianjin's 11 characters (DB12/T 1128-2022 annex A)
 *                 ZZZZZZDDDUUUXX     14: Z region of GB/T 2260, D body of GB/T 4657, U unit (usually 000), X extension
 *     identifier  SENDER_YYYYMMDDhhmmss_N     28 or 31 characters, Beijing time, N 0 to 9
 */
#ifndef WARNING_IDENT_H
#define WARNING_IDENT_H

#include <stdbool.h>
#include <stddef.h>

enum { IDENT_CODE = 11, IDENT_LONG_CODE = 14, IDENT_CODE_TEXT = 15, IDENT_MAX = 31 };

bool ident_is_code(const char *text, size_t n);
/* Whether two codes are of one sender: equal, or the long one has the unit 000 and is the short one without it. */
bool ident_same_code(const char *a, const char *b);
/* NULL: good, and its sender's code is in `code`; else what is wrong with it, in Chinese. */
const char *ident_read(const char *text, char code[IDENT_CODE_TEXT]);

#endif
