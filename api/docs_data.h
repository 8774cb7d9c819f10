/*
 * docs_data.h - the section 数据 of /docs: every schema of the OpenAPI document, for people.
 */
#ifndef API_DOCS_DATA_H
#define API_DOCS_DATA_H

#include "server/base/buf.h"

/* <a href="#schema-NewItem">…</a>: to the schema of that name in this section. */
void docs_data_link(struct buf *out, const char *schema);

/* The whole section, id "data". */
void docs_data_put(struct buf *out);

#endif
