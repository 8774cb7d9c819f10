/*
 * letter_import.h - letters and answers that another system has had until now, one JSON object a line.
 *
 *     origin      its name there; with `from` it is known again, so a line may come any number of times
 *     category, unit, title, text, contact, place, public   as a phone sends them (docs/letters.md section 2)
 *     received    when it was: "2023-05-04", "2023-05-04 10:00"
 *     answer, answered, rating   if it was answered: the text, when, 1 to 5
 *
 * An answered letter comes in closed; any other is submitted, with the deadline that the day of its receipt gives it. It may come
 * again: an open one takes the answer that it has then, one without a rating its first; what says anything else than before is refused.
 */
#ifndef CITIZEN_LETTER_IMPORT_H
#define CITIZEN_LETTER_IMPORT_H

#include "server/citizen/letter.h"

enum { LETTER_IMPORT_MAX = 500 /* lines at a time */, LETTER_FROM_MAX = 40 };

enum letter_imported { LETTER_REFUSED_LINE, LETTER_CREATED, LETTER_UPDATED, LETTER_UNCHANGED };

struct letter_line {
    const json_t *value; /* NULL: it is none */
    const char *origin;  /* NULL: it has none that can be read */
    const char *answer;
    int64_t received, answered, rating;
    enum letter_imported result;
    struct err why; /* of a refused one */
    const char *number;
};

/* Any thread: reads a line, and says in line->why what is wrong with it. */
void letter_import_read(struct arena *mem, const char *text, size_t n,
                        struct letter_line *line);
/* On the writer; wants the right everywhere. A refused line hinders no other. */
enum rc letter_import(struct work *w, const char *from, struct letter_line *lines, int n);

#endif
