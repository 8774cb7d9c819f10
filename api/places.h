/*
 * places.h - where an item stands: sites and columns, and the organisations behind them, by
 * number and by what people call them.
 *
 * A whole answer looks each of them up once: a list of 500 items names the same few.
 */
#ifndef API_PLACES_H
#define API_PLACES_H

#include "server/base/jx.h"
#include "server/library/column.h"
#include "server/library/org.h"
#include "server/library/site.h"

struct place;

struct places {
    struct place *first;
};

#define PLACES_NONE ((struct places){ 0 })

enum rc places_site(struct work *w, struct places *p, int64_t no, const struct site **out);
enum rc places_column(struct work *w, struct places *p, int64_t no, const struct column **out);

/*
 * What people call a site or a column: a site's code or number, a column's path in its site or
 * number. In JSON a number is a number.
 */
enum rc place_site(struct work *w, const char *name, struct site *out);
/* The member "site" of a body. */
enum rc place_site_in(struct work *w, const json_t *body, struct site *out);
/* The member "column"; a path is looked for in "site", or where that is absent in the site of
 * number `site` (0: none). */
enum rc place_column_in(struct work *w, const json_t *body, int64_t site, struct column *out);
/* The row for jx_check() that lets such a member through. */
struct jx_field place_field(const json_t *body, const char *name, bool required);

/* A stream: its name. NULL leaves *no as it is. */
enum rc place_stream(struct work *w, const char *name, int64_t *no);
/* An organisation: its code or its number. */
enum rc place_org(struct work *w, const char *name, struct org *out);
/* The member `member` of a body: *no becomes its number, 0 where the body says 0 (none); without
 * the member it stays. */
enum rc place_org_in(struct work *w, const json_t *body, const char *member, int64_t *no);
struct jx_field place_org_field(const json_t *body, const char *member); /* for jx_check() */

#endif
