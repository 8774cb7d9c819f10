/*
 * view.h - how the library's nouns look in JSON. One function a noun, so that a thing looks the
 * same wherever it stands.
 *
 * Each appends one object, with the comma that an array wants before it. Members are sorted by
 * name; absent ones are left out. Times are Beijing time with its offset.
 */
#ifndef API_VIEW_H
#define API_VIEW_H

#include "api/places.h"
#include "server/http/reply.h"
#include "server/library/item.h"

void view_org(struct buf *out, const struct org *o);
enum rc view_site(struct work *w, struct buf *out, const struct site *s);
void view_column(struct buf *out, const struct column *c, const struct site *s);
/* As the public sees it in a list. */
enum rc view_item(struct work *w, struct buf *out, struct places *p, const struct item *it);
/* As staff see it: with state and revisions. */
enum rc view_staff_item(struct work *w, struct buf *out, struct places *p,
                        const struct item *it);
void view_revision(struct buf *out, const struct revision *r);
void view_event(struct buf *out, const struct item_event *e);
void view_time(struct buf *out, const char *key, int64_t at); /* nothing if at is 0 */

/* {"items":[…],"next":"…"}: opens and closes the array; `next` "" is left out. */
void view_list_open(struct buf *out, const char *key);
void view_list_close(struct buf *out, const char *next);

#endif
