/*
 * count.h - how often the items on this phone were read, for who agreed to tell it (docs/counts.md). Inside libtjzw only.
 */
#ifndef TJZW_COUNT_H
#define TJZW_COUNT_H

#include "clients/c/link.h"
#include "clients/c/person.h"

/* In a transaction: nothing is known any more of what he read. */
enum tjzw_code count_forget(struct tjzw *t, int64_t person, struct tjzw_error *e);
/* When the next report is due, by this device's clock; INT64_MAX: there is none. */
int64_t count_due(struct tjzw *t);
/* Makes reports of the days that are over and sends those that are due. Only a store that fails is an error: what is not heard goes again later. */
enum tjzw_code count_run(struct link *l, struct tjzw_sync_result *out, struct tjzw_error *e);

#endif
