/*
 * places.h - sites and columns by number, looked up once for a whole answer: a list of 500
 * items names the same few.
 */
#ifndef API_PLACES_H
#define API_PLACES_H

#include "server/library/column.h"
#include "server/library/site.h"

struct place;

struct places {
    struct place *first;
};

#define PLACES_NONE ((struct places){ 0 })

enum rc places_site(struct work *w, struct places *p, int64_t no, const struct site **out);
enum rc places_column(struct work *w, struct places *p, int64_t no, const struct column **out);

#endif
