/*
 * mirror_edge.h - a node that shows another server whole: its list of streams, its keys, its streams (docs/mirror.md).
 *
 * Used by the mirrors' thread.
 */
#ifndef CHANNEL_MIRROR_EDGE_H
#define CHANNEL_MIRROR_EDGE_H

#include "server/base/conf.h"
#include "server/base/work.h"
#include "sync/follow.h"

/* RC_INVALID: edge_of is no address, or edge_trust no key. Before anything is made. */
enum rc mirror_edge_check(struct err *e, const struct conf *c);
/*
 * Before anything is founded: RC_INVALID if the library is an edge's and the settings do not say so. Keys and a
 * stream of its own would be made in it, by a command that only wants to look.
 */
enum rc mirror_edge_settled(struct err *e, const struct conf *c, const char *db_path);
/* Before the first run: shows what was adopted before the restart. */
enum rc mirror_edge_open(struct err *e, const struct conf *c, struct db *reader);
/*
 * Asks for keys and list, verifies them, and follows what the list names; what it no longer names is dropped. *changed: the table
 * `mirror` is another.
 */
enum sync_rc mirror_edge_run(struct sync_err *e, const struct conf *c, struct db *reader,
                             const struct follow_transport *t, bool *changed);
/* Whether the library is an edge's: it holds the list of another server. The settings need not say so here. */
bool mirror_edge_holds(struct work *w);

#endif
