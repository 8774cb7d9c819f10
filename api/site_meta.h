/*
 * site_meta.h - the tags of 国办发〔2017〕47号 that a page has of its site and its column.
 */
#ifndef API_SITE_META_H
#define API_SITE_META_H

#include "api/page.h"
#include "api/places.h"

void site_meta(struct work *w, struct page *p,
               const struct site *site); /* NULL: there is none yet */
void column_meta(struct work *w, struct page *p, const struct column *column,
                 const struct site *site);

#endif
