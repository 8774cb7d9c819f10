/*
 * fake_sync.h - a delta-sync server in memory.
 *
 * It publishes, edits, withdraws, restores from a backup, and answers every URL of
 * docs/protocol/sync.md as the page says, written from the page and not from the server, so
 * that tests of the readers do not lean on our own server.
 */
#ifndef TESTS_LIB_FAKE_SYNC_H
#define TESTS_LIB_FAKE_SYNC_H

#include "sync/follow.h"

struct fake;

/* Its keys follow from the epoch. */
struct fake *fake_new(const char *stream, uint64_t epoch);
void fake_free(struct fake *s);
const uint8_t *fake_trust(const struct fake *s); /* the platform's first public key */

/* Each writes one change. `body` is the record's bytes. */
uint64_t fake_publish(struct fake *s, const char *title, const char *body); /* returns born */
void fake_edit(struct fake *s, uint64_t born, const char *title, const char *body);
void fake_withdraw(struct fake *s, uint64_t born);
void fake_take_down(struct fake *s, uint64_t born); /* purges: raises the cut */
void fake_correct(struct fake *s, uint64_t born, const char *title,
                  const char *body); /* purges too */
void fake_rotate_keys(struct fake *s,
                      bool platform); /* a new stream key, and before it a new platform key */
void fake_index(struct fake *s);      /* bases and an index as of now */
void fake_layer(struct fake *s);      /* or a layer of what changed since the index */
/* The items of these, whose ids ascend, are not to be shown from the next head on. */
void fake_withhold(struct fake *s, const uint64_t *born, size_t n);
void fake_id(uint64_t born, uint8_t id[WIRE_ID]);
void fake_restore(struct fake *s, uint64_t seq); /* back to seq, under a later epoch */
void fake_set_directory(struct fake *s, const char *json);
/* Signs what is there: a new head. */
void fake_head(struct fake *s);
void fake_head_at(struct fake *s, uint64_t time); /* 10 s behind it */
uint64_t fake_seq(const struct fake *s);
uint64_t fake_size(const struct fake *s);
/* SHA-256 over the records published at the head `note`, ascending by born; fails the test for
 * a head never signed. */
void fake_state(const struct fake *s, const struct wire_head *head, uint8_t out[WIRE_HASH]);
/* The leaf of an item under a head that was signed. */
const uint8_t *fake_leaf(const struct fake *s, const struct wire_head *head, uint64_t born);
/* Adds one record of such a state. */
struct fake_digest {
    uint8_t sum[WIRE_HASH];
};
void fake_digest_add(struct fake_digest *d, uint64_t born, uint64_t seq, const void *bytes,
                     size_t n);

/* ---- answers, for fake_net.c ---- */

struct fake_bytes {
    uint8_t *at;
    size_t n;
};

struct fake_answer {
    int status;
    struct fake_bytes body; /* released with free() */
    char etag[FOLLOW_ETAG_MAX];
};

struct fake_answer fake_answer(struct fake *s, const char *path);
/* The twin of the newest head. */
void fake_twin(const struct fake *s, char path[WIRE_URL_MAX]);
/* Put the nth head, perhaps with its list, or the nth object, in the place of the body. */
void fake_answer_head(const struct fake *s, size_t nth, bool list, struct fake_answer *a);
/* A catch-up that hides what was withdrawn. */
void fake_answer_without_tombstones(struct fake *s, const char *path, struct fake_answer *a);
size_t fake_heads(const struct fake *s); /* signed so far */
void fake_answer_other(const struct fake *s, size_t nth, struct fake_answer *a);

#endif
