/*
 * people.h - beginning, taking over and leaving at the server. Inside libtjzw only.
 */
#ifndef TJZW_PEOPLE_H
#define TJZW_PEOPLE_H

#include "clients/c/call.h"

/* A guest of account 0 becomes one that the server knows. */
enum tjzw_code people_introduce(struct link *l, struct person *p, struct tjzw_error *e);
/* Guests to be taken over, and sessions to be ended, as far as the network lets: what fails is tried again the next time. */
enum tjzw_code people_settle(struct link *l, const struct person *here, struct tjzw_error *e);
/* The server of the first stream, as p's url and cacert. */
enum tjzw_code people_server(struct tjzw *t, struct person *p, struct tjzw_error *e);
/* A link without the lock of syncs, for one call. */
void people_link(struct link *l, struct tjzw *t, const struct tjzw_sync_options *options);

#endif
