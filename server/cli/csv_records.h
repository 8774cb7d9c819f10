/*
 * csv_records.h - a table of a spreadsheet (CSV, RFC 4180, UTF-8) as records, one JSON object a line.
 *
 * The first row names the members, as fields are called or by their Chinese labels (标题, 正文, 栏目 …; 编号 is the id, 站点 the source). Fields that are lists take values between ; or ；. Empty cells are left out.
 */
#ifndef CLI_CSV_RECORDS_H
#define CLI_CSV_RECORDS_H

#include <stdio.h>

#include "server/base/err.h"

enum { CSV_COLUMNS_MAX = 100, CSV_CELL_MAX = 1024 * 1024 };

/* Row n of `in` is line n of `out`; the first is empty. RC_INVALID names the row; RC_TOO_LARGE. */
enum rc csv_records(struct err *e, FILE *in, FILE *out);

/* A file of records to be read from its beginning: "-" is standard input, what ends with .csv a table, everything else is as it is. The caller's, but for standard input. */
enum rc records_open(struct err *e, const char *path, FILE **out);

#endif
