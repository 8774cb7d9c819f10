/*
 * adopt.h - a guest becomes a part of who signed in. Inside libtjzw only.
 */
#ifndef TJZW_ADOPT_H
#define TJZW_ADOPT_H

#include "clients/c/call.h"

/* The server is told what waited to be said of the guest's messages, merges him, or has him no more: then what he had here is written again as `here`'s. He is forgotten. What fails may be tried again. */
enum tjzw_code adopt_guest(struct link *l, const struct person *here, struct person *guest,
                           struct tjzw_error *e);

#endif
