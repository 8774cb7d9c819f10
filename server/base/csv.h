/*
 * csv.h - tables for a spreadsheet: RFC 4180, UTF-8 with its mark, which Excel wants, or Chinese is not Chinese there.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "server/base/buf.h"

/* Before the first line. */
void csv_begin(struct buf *out);
/* A field; a comma stands before it unless it is the line's first. NULL is an empty one. A text that a spreadsheet would take for a formula
 * gets a ' in front. */
void csv_text(struct buf *out, const char *text);
void csv_int(struct buf *out, int64_t v);
void csv_end(struct buf *out); /* of the line */

#endif
