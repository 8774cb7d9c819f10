/*
 * export.h - the published set as it stands at one moment, for archives and for comparing with
 * a phone's.
 */
#ifndef LIBRARY_EXPORT_H
#define LIBRARY_EXPORT_H

#include "server/base/work.h"

/*
 * Calls line(arg, bytes, n) with each published record's canonical bytes (no \n), sorted by id,
 * all from one snapshot; memory does not grow with their number. `stream` 0: all streams. Stops
 * with the first rc that line() returns.
 */
enum rc export_published(struct work *w, int64_t stream,
                         enum rc (*line)(void *arg, const void *bytes, size_t n), void *arg);

#endif
