/*
 * diff.h - what differs between two revisions, small enough to be read.
 */
#ifndef LIBRARY_DIFF_H
#define LIBRARY_DIFF_H

#include "server/library/content.h"

/*
 * `"fields":[…]`: one object for each field that differs, in the order of field.def: {"field","label","before","after"}, each value as it stands
 * in a record and left out where it is absent. Of a text of several lines, where both have one, instead of the values
 * "text":[{"op":"same"|"removed"|"added","text":"…"}|{"op":"skipped","sentences":N}]: whole lines and sentences, in order; the `removed` stand
 * before the `added` that replace them. Linear in memory but for at most 2 MB; texts that differ in more than some thousand sentences are one removal and one addition.
 */
void diff_json(const struct content *before, const struct content *after, struct buf *out);

#endif
