/*
 * letter_redact.h - a letter's text without what says who wrote it, before anybody else may read it.
 */
#ifndef CITIZEN_LETTER_REDACT_H
#define CITIZEN_LETTER_REDACT_H

#include "server/base/arena.h"

/* What is known of the writer, or was found in the text by who publishes it. */
struct letter_known {
    const char *text;
    const char *
        stands; /* in its place; NULL: it is a name, of which the first character stays, and 某 */
};

/*
 * In `mem`: the text with these replaced by what they were ("［手机号］"): mobile numbers and numbers with an area code, or one of 香港, 澳门 and 台湾, also in groups and in
 * full-width digits; numbers of seven or eight digits behind a word for telephone; identity numbers whose check digit holds (GB 11643); card numbers whose check digit holds
 * (ISO/IEC 7812); mail addresses; names at 微信 and QQ behind these words; number plates; passports and permits. And what is known, wherever it stands literally, numbers in
 * other groups too. Whoever publishes reads it nevertheless: a program does not know who a sentence describes.
 */
const char *letter_redact(struct arena *mem, const char *text, const struct letter_known *known,
                          int n);

#endif
