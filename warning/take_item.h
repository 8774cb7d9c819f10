/*
 * take_item.h - what the library says of a warning: its own words, each in its member.
 */
#ifndef WARNING_TAKE_ITEM_H
#define WARNING_TAKE_ITEM_H

#include "server/library/column.h"
#include "warning/take.h"

/* The headline; without one the event; of a Cancel that says nothing, that of what it ends. */
const char *take_title(struct work *w, const struct cap_info *info, const struct warning *last);
/* Whose it is, as people know them. */
const char *take_source(const struct take *t, const struct rule_facts *f);
enum rc take_content(struct work *w, const struct take *t, const struct rule_facts *f,
                     const struct warning *x, struct content *out);

#endif
