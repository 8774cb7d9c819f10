/*
 * warning_sender.h - who may issue warnings: of which levels, where, until when, and by which keys one knows that it is he.
 *
 *     {"areas":["120000"],"from":"2026-11-21","keys":[{"id":"main","pem":"-----BEGIN PUBLIC KEY-----…"}],"levels":["red","orange","yellow","blue"],"name":"天津市气象局","until":"2028-11-21"}
 *
 * Two people: one proposes, another confirms what he saw. A key that is only proposed is a test key.
 */
#ifndef WARNING_SENDER_H
#define WARNING_SENDER_H

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/work.h"
#include "server/identity/signer.h"
#include "warning/area.h"
#include "warning/ident.h"
#include "warning/level.h"

enum {
    WARNING_KEYS = 8,
    WARNING_AREAS = 64,
    WARNING_KEY_ID = 20, /* letters, digits and - */
    WARNING_SENDER_JSON = 64 * 1024,
    WARNING_WHY_MAX = 500
};

struct warning_key {
    const char *id;
    struct signer signer;
};
/* What he may. */
struct warning_spec {
    const char *name;
    struct warning_key keys[WARNING_KEYS];
    int nkeys;
    char areas[WARNING_AREAS][AREA_TEXT];
    int nareas;
    unsigned levels;     /* bits 1 << enum level */
    int64_t from, until; /* seconds */
};

struct warning_sender {
    int64_t no;
    const char *code;
    const char *spec, *proposed; /* canonical JSON; "": none */
    const char *proposer;        /* "account:7"; "": nothing is proposed */
    const char *stopped;         /* why; "": it is not */
    int64_t created, changed;
};

/* Of canonical JSON, or of what somebody wrote; in w->mem. RC_INVALID names the member. */
enum rc warning_spec_read(struct work *w, const json_t *value, struct warning_spec *out);
enum rc warning_spec_parse(struct work *w, const char *text, struct warning_spec *out);
/* What he who confirms has seen: SHA-256 of the canonical text. */
void warning_spec_hash(const char *text, uint8_t out[HASH_BYTES]);

/* ---- on the writer; RC_FORBIDDEN without RIGHT_SECURE ---- */

/* A new sender, or something else about one that is there. RC_INVALID. */
enum rc warning_sender_propose(struct work *w, const char *code, const json_t *value,
                               struct warning_sender *out);
/* It is so from now on, and he is let in again if he was stopped. RC_CONFLICT: another proposal stands there, or none; RC_FORBIDDEN: it is his own. */
enum rc warning_sender_confirm(struct work *w, const char *code, const uint8_t hash[HASH_BYTES],
                               struct warning_sender *out);
/* Nothing is taken from him from this COMMIT on. RC_INVALID without a reason. */
enum rc warning_sender_stop(struct work *w, const char *code, const char *why,
                            struct warning_sender *out);

/* ---- anywhere; texts are in w->mem ---- */

enum rc warning_sender_find(struct work *w, const char *code, struct warning_sender *out);
enum rc warning_sender_list(struct work *w, struct warning_sender **out, int *n);

#endif
