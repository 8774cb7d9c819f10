/*
 * letter_text.h - whether what somebody wrote can be read by somebody else.
 */
#ifndef CITIZEN_LETTER_TEXT_H
#define CITIZEN_LETTER_TEXT_H

#include <stddef.h>

#include "server/base/arena.h"
#include "server/base/err.h"

/* Characters that show something: not blanks, controls, or those of no width. `text` is UTF-8. */
size_t letter_text_visible(const char *text);
/*
 * With every end of a line as \n: forms and systems send \r\n, and old ones \r. All texts of letters pass here before they are checked or kept.
 */
const char *letter_text_lines(struct arena *mem, const char *text);
/*
 * RC_INVALID for `field`, with a Chinese sentence that calls it `what`, unless the text has at least one visible character, at most `most` in all,
 * no control characters (but \n and tabs if `lines`), none that Unicode keeps for programs, and no marks that turn the direction of what stands behind.
 */
enum rc letter_text_check(struct err *e, const char *field, const char *what, const char *text,
                          size_t most, bool lines);

#endif
