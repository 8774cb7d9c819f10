/*
 * slip.h - a slip of paper that we give out and take back: what a sign-in has got to, what a passkey is to sign, which device
 * this was. We keep nothing of it, so nobody can fill our memory by asking for one.
 *
 *     text   base64url( kind 1 | note 1 | account 8 | at 8 | random 8 | tag 16 )     numbers big-endian
 *     tag    the first 16 bytes of BLAKE2b-256( keys/sign-in, "tag" | boot 16 | what stands before it )
 *
 * What follows from a slip is known to us alone, and to whom we tell it:
 *
 *     slip_derive   BLAKE2b-256( keys/sign-in, word | boot 16 | what stands before the tag )
 *
 * boot: by chance, anew in each process, and zeros for a device. So no slip but a device's survives a restart, and those
 * that were used need not be remembered longer than they live. Only who succeeded takes room there.
 */
#ifndef IDENTITY_SLIP_H
#define IDENTITY_SLIP_H

#include "server/base/work.h"

enum { SLIP_TEXT = 57, SLIP_DERIVED = 32 };

enum slip_kind {
    SLIP_SIGN_IN =
        1, /* note: what is proved already (sign_in.c); its derived "challenge" is for a passkey */
    SLIP_FACTOR,   /* a factor that is being added; note: its kind */
    SLIP_DEVICE,   /* a device that this account signed in from */
    SLIP_UPSTREAM, /* a browser or an app that was sent to an upstream; note: its number */
    SLIP_WORD,     /* what an upstream said, while a phone is proved (word.h) */
    SLIP_JOIN /* whose phone was proved, while its owner reads what joining does (phone.h) */
};

struct slip {
    enum slip_kind kind;
    int note; /* 0 to 255 */
    int64_t account, at;
    uint64_t random; /* its number */
};

/* DATA/keys/sign-in, read or made. Before requests come. */
enum rc slip_open(struct err *e, const char *keys);
void slip_close(void);

struct slip slip_new(enum slip_kind kind, int note, int64_t account);
void slip_put(const struct slip *s, char out[SLIP_TEXT]);
/* False: not ours, of another kind, over, or used. `life`: seconds. */
bool slip_read(const char *text, enum slip_kind kind, int64_t life, struct slip *out);
void slip_derive(const struct slip *s, const char *word, uint8_t out[SLIP_DERIVED]);
/* From now on it is good no more, whatever becomes of the transaction. RC_UNAUTHORIZED: it was used; RC_BUSY: too many are remembered. */
enum rc slip_use(struct work *w, const struct slip *s, int64_t life);

#endif
