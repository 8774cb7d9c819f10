/*
 * builtin.h - the transport that an app need not bring: sync/net behind struct tjzw_transport. Inside
 * libtjzw only.
 */
#ifndef TJZW_BUILTIN_H
#define TJZW_BUILTIN_H

#include "clients/c/tjzw.h"
#include "sync/net.h"

struct net *builtin_open(void);
/* `n` must outlive the transport. */
struct tjzw_transport builtin_transport(struct net *n);

#endif
