/*
 * letter_publish.h - an answer that others may profit from: a draft of the library, which editors review and publish like any other.
 */
#ifndef CITIZEN_LETTER_PUBLISH_H
#define CITIZEN_LETTER_PUBLISH_H

#include "server/citizen/letter.h"
#include "server/library/item.h"

/*
 * On the writer: a draft of kind `message` in the column, with question and answer as letter_redact() leaves them; `names` are taken out too, and the
 * one that the writer gave. RC_CONFLICT: its writer did not agree, it is not answered, or the draft was made before. Wants the right `letters` for the
 * letter, and `edit` at the column's site.
 */
enum rc letter_publish(struct work *w, const char *name, int64_t column,
                       const char *const *names, int n, struct item *out);

/*
 * On the writer: its writer agrees no more. A draft that nobody published yet is emptied. RC_NOT_FOUND: it is none of his; RC_CONFLICT: it is public, and only who published it
 * takes it down.
 */
enum rc letter_keep_private(struct work *w, const struct id *id);

#endif
