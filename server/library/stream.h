/*
 * stream.h - one change log's row: its name and how far it has come.
 */
#ifndef LIBRARY_STREAM_H
#define LIBRARY_STREAM_H

#include "server/base/id.h"
#include "server/base/work.h"

enum { STREAM_NAME_MAX = 32 };

struct stream {
    int64_t no;
    char name[STREAM_NAME_MAX + 1]; /* [a-z0-9][a-z0-9-]{0,31} */
    int64_t epoch;
    int64_t seq;  /* of the last change */
    int64_t born; /* items ever published */
    int64_t cut;
    uint8_t chain[HASH_BYTES]; /* at seq; a mirrored one's is that of its beginning */
    bool mirrored;             /* another server's: nothing is written to it here */
    int64_t live;              /* items that are published now */
};

/* The stream of that name, founded now if there is none (with a writer's work). RC_INVALID for
 * a bad name. */
enum rc stream_make(struct work *w, const char *name, struct stream *out);
/* The same for a mirrored one, whose epoch and seq are its publisher's: 0 until they are known. RC_CONFLICT if it is one of our own. */
enum rc stream_make_mirrored(struct work *w, const char *name, struct stream *out);
enum rc stream_find(struct work *w, const char *name, struct stream *out);
enum rc stream_by_no(struct work *w, int64_t no, struct stream *out);
/* All of them, by number; *out is in w->mem. */
enum rc stream_list(struct work *w, struct stream **out, int *n);
/* RC_CONFLICT, with a sentence, for a mirrored one: it is edited where it is published. */
enum rc stream_check_own(struct work *w, const struct stream *s);
enum rc stream_need_own(struct work *w, int64_t no);
/* chain(0) of a stream of that name (docs/protocol/sync.md section 8), and the step from one to
 * the next. */
void stream_chain_start(const char *name, uint8_t out[HASH_BYTES]);
void stream_chain_next(uint8_t chain[HASH_BYTES], const uint8_t leaf[HASH_BYTES]);

#endif
