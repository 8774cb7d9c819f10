/*
 * wire.h - the bytes and texts of delta-sync, both ways (docs/protocol/sync.md).
 *
 * Server, phones and mirrors share it, so it needs libc only and allocates nothing: every
 * function works on memory that the caller gives. Reading is strict: what is not the one
 * canonical form of a value is refused with SYNC_INVALID and a sentence that says why. Printing
 * never fails for values that came from reading; `room` is always the constant named beside the
 * function.
 */
#ifndef SYNC_WIRE_H
#define SYNC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors of sync/wire, merge, verify and follow ---- */

enum [[nodiscard]] sync_rc{
    SYNC_OK = 0,    SYNC_INVALID, /* bytes that break the protocol */
    SYNC_UNTRUSTED,               /* a signature or a key that does not hold */
    SYNC_ROLLBACK,  /* a validly signed head, older than or contrary to the one held */
    SYNC_MISMATCH,  /* the records do not make up the signed root */
    SYNC_NET,       /* no answer, or an answer cut short */
    SYNC_BUSY,      /* the server asks to come again later */
    SYNC_GONE,      /* the server has no such stream */
    SYNC_STALE,     /* what the newest head names is not to be had: the log is just moving on */
    SYNC_STORE,     /* the embedder's store failed */
    SYNC_FULL,      /* the embedder's store has no room */
    SYNC_CANCELLED, /* the embedder asked to stop, or its time was up */
    SYNC_USAGE,     /* our caller's mistake */
    SYNC_NOT_HELD,  /* what was asked for is not there */
};

struct sync_err {
    enum sync_rc rc;
    char text[320]; /* one English sentence without a trailing full stop */
};

/* Sets both and returns the kind, so that `return sync_err_set(...)` reads well. */
enum sync_rc sync_err_set(struct sync_err *e, enum sync_rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "mismatch": the kind's stable name. */
const char *sync_rc_name(enum sync_rc rc);

/* A cursor over one text: each `take` moves on only when it succeeds. */
struct wire_text {
    const char *at, *end;
};

/* ---- records ---- */

enum {
    WIRE_HASH = 32,
    WIRE_ID = 16,
    WIRE_FRAME_FIXED = 56,
    WIRE_TITLE_MAX = 1024,
    WIRE_FRAME_MAX = WIRE_FRAME_FIXED + WIRE_TITLE_MAX,
    WIRE_BYTES_MAX = 262144,
    WIRE_RECORD_MAX = WIRE_FRAME_MAX + WIRE_BYTES_MAX,
};

enum wire_op { WIRE_PUT = 1, WIRE_WITHDRAWN = 2, WIRE_EXPIRED = 3, WIRE_TAKEN_DOWN = 4 };
enum { WIRE_PURGE = 1 }; /* wire_frame.flags */

struct wire_frame {
    uint8_t op; /* enum wire_op */
    uint8_t flags;
    uint16_t title_len;
    uint32_t length; /* of the record's bytes, which follow the frame */
    uint64_t born;   /* below 2^63, as is seq */
    uint64_t seq;    /* from 1 */
    uint8_t id[WIRE_ID];
    uint32_t site, column;
    int64_t date;
    const char *title; /* title_len bytes of UTF-8, no NUL behind; after decoding it points into
                          the input */
};

/* Writes the frame to `out` (WIRE_FRAME_MAX) and its length to *n. */
enum sync_rc wire_frame_encode(struct sync_err *e, const struct wire_frame *f, uint8_t *out,
                               size_t *n);
/* `n` bytes may go on behind the frame; fewer than the frame needs are SYNC_INVALID. */
enum sync_rc wire_frame_decode(struct sync_err *e, const uint8_t *in, size_t n,
                               struct wire_frame *out);
/* 56 + T, the part of the record that is not its bytes. */
size_t wire_frame_size(const struct wire_frame *f);
bool wire_is_utf8(const char *s, size_t n); /* shortest forms only, no surrogates, no NUL */

/* ---- packs ---- */

enum {
    WIRE_PACK_HEADER = 12,
    WIRE_DZ_HEADER = 16, /* magic, records, Z: section 6 */
    WIRE_DZ_NAME = 8,    /* of a prefix: the beginning of its leaf */
    WIRE_DZ_DELTA = 28,  /* born, seq, the prefix's name, D: what the section has of a delta */
    WIRE_PACK_MAX = 4 << 20 /* a base or layer of more than one record */
};

void wire_pack_header(uint8_t out[WIRE_PACK_HEADER], uint32_t records);

/* Called for each record. `frame` are the frame's bytes (wire_frame_size of them), `bytes` the
 * f->length bytes; both live until it returns. */
typedef enum sync_rc wire_record_fn(void *ctx, struct sync_err *e, const struct wire_frame *f,
                                    const uint8_t *frame, const uint8_t *bytes);

/* Reads a pack that arrives in pieces of any size. All members are private. */
struct wire_pack {
    uint8_t *room;
    size_t held;
    uint32_t records, seen;
    bool started;
};

/* `room` holds one record (WIRE_RECORD_MAX bytes) and stays the caller's. */
void wire_pack_init(struct wire_pack *p, uint8_t *room);
/* A pack that failed once must not be fed again. Errors of `fn` are returned as they are. */
enum sync_rc wire_pack_feed(struct sync_err *e, struct wire_pack *p, const uint8_t *in,
                            size_t n, wire_record_fn *fn, void *ctx);
/* The body ended: it is an error if the pack has not. */
enum sync_rc wire_pack_end(struct sync_err *e, const struct wire_pack *p);

/* ---- heads ---- */

enum {
    WIRE_STREAM_MAX = 32,
    WIRE_HEAD_MAX = 800, /* a head is shorter than this */
    WIRE_SIGS_MAX = 16,
    WIRE_SIG_MAX = 96, /* bytes of one signature */
    WIRE_KEY_ID = 8,
    WIRE_ALGORITHM_MAX = 15,
};

struct wire_head {
    char stream[WIRE_STREAM_MAX + 1];
    uint64_t epoch, seq, sign;
    uint64_t time;  /* seconds since 1970 */
    uint32_t lease; /* seconds */
    uint32_t poll;  /* seconds */
    uint64_t cut, size;
    uint8_t root[WIRE_HASH], chain[WIRE_HASH], ancestry[WIRE_HASH];
    bool has_index; /* false: `index -`, and index is zero */
    uint8_t index[WIRE_HASH], directory[WIRE_HASH];
};

struct wire_sig {
    char algorithm[WIRE_ALGORITHM_MAX + 1];
    uint8_t key_id[WIRE_KEY_ID];
    uint8_t bytes[WIRE_SIG_MAX];
    size_t len;
};

/* What surrounds the values: how much of the text is signed, and by whom. */
struct wire_note {
    size_t signed_len; /* the signed text is text[0 .. signed_len) */
    size_t nsigs;      /* at least 1 */
    struct wire_sig sigs[WIRE_SIGS_MAX];
};

/* `text` need not end in NUL. The signatures are parsed, not checked: verify.h does that. */
enum sync_rc wire_head_parse(struct sync_err *e, const char *text, size_t n,
                             struct wire_head *head, struct wire_note *note);
/* The signed text of a head, NUL-terminated, to `out` (WIRE_HEAD_MAX); its length to *n. */
enum sync_rc wire_head_print(struct sync_err *e, const struct wire_head *head, char *out,
                             size_t *n);
/* Appends one `sig` line, before the first one the blank line, to a note of *n bytes in `room`
 * bytes of `text`. */
enum sync_rc wire_sig_append(struct sync_err *e, const struct wire_sig *sig, char *text,
                             size_t *n, size_t room);

bool wire_stream_ok(const char *name, size_t n); /* no stream is called "heads" */

/* ---- heads: the platform's list of streams, with their notes behind it ---- */

enum { WIRE_STREAMS_MAX = 64, WIRE_HEADS_MAX = 128 << 10 /* with all notes */ };

struct wire_heads {
    uint64_t counter, time; /* seconds since 1970 */
    uint32_t lease;         /* seconds */
    size_t n;
    struct wire_heads_stream {
        char name[WIRE_STREAM_MAX + 1];
        bool has_withheld; /* false: `-` */
        uint8_t withheld[WIRE_HASH];
    } stream[WIRE_STREAMS_MAX]; /* ascending by name */
};

/* The list and its signatures; *notes is the offset of the first note (n: there is none). */
enum sync_rc wire_heads_parse(struct sync_err *e, const char *text, size_t n,
                              struct wire_heads *out, struct wire_note *note, size_t *notes);
/* The note at offset *at, which moves behind it; *len 0: there was none. Only its extent is looked
 * at: it ends before a blank line that `tjzw head 1` follows, or with the text. */
enum sync_rc wire_heads_next(struct sync_err *e, const char *text, size_t n, size_t *at,
                             const char **head, size_t *len);
/* The signed text to `out` (WIRE_HEADS_MAX), NUL-terminated; its length to *n. */
enum sync_rc wire_heads_print(struct sync_err *e, const struct wire_heads *heads, char *out,
                              size_t *n);

/* ---- index ---- */

enum { WIRE_INDEX_LINE = 256, WIRE_INDEX_MAX = 4 << 20 };
enum wire_kind { WIRE_BASE, WIRE_LAYER };

struct wire_object {
    enum wire_kind kind;
    uint8_t hash[WIRE_HASH];
    uint64_t first_born, last_born;
    uint64_t lowest_seq, highest_seq;
    uint64_t bytes, gzip_bytes, zstd_bytes;
};

/* Walks an index line by line: begin, then next until *more is false. */
struct wire_lines {
    const char *at, *end;
    uint64_t seq;              /* of the index */
    uint64_t epoch, first_seq; /* of the ancestry: the pair before */
    size_t line;
};

enum sync_rc wire_index_begin(struct sync_err *e, const char *text, size_t n,
                              struct wire_lines *w);
enum sync_rc wire_index_next(struct sync_err *e, struct wire_lines *w, struct wire_object *out,
                             bool *more);
/* Both return the length written to `out` (WIRE_INDEX_LINE), NUL-terminated. */
size_t wire_index_head_print(uint64_t seq, char *out);
size_t wire_object_print(const struct wire_object *o, char *out);

/* ---- withheld: ids, one a line, ascending ---- */

enum { WIRE_ID_TEXT = 37 };

void wire_id_print(const uint8_t id[WIRE_ID], char out[WIRE_ID_TEXT]); /* 8-4-4-4-12, NUL */
bool wire_take_id(struct wire_text *t, uint8_t out[WIRE_ID]);
enum sync_rc wire_withheld_begin(struct sync_err *e, const char *text, size_t n,
                                 struct wire_lines *w);
/* Checks that they ascend. */
enum sync_rc wire_withheld_next(struct sync_err *e, struct wire_lines *w, uint8_t id[WIRE_ID],
                                bool *more);

/* ---- cover and tiles: the tree in pieces (section 7) ---- */

enum {
    WIRE_COVER_HEADER = 24,
    WIRE_COVER_TOP = 16, /* heights of a cover's pieces */
    WIRE_COVER_MID = 10,
    WIRE_COVER_LOW = 6,
    WIRE_LEAF_ROW = 40, /* seq and leaf */
    WIRE_COVER_MAX =
        1 << 20, /* 65,536 leaves a node of 32 bytes: enough for two thousand million */
    WIRE_TILE_MAX = 64 * WIRE_LEAF_ROW,
};

struct wire_cover {
    uint64_t size, first;
    size_t tops, mids, lows, lasts; /* how many of each */
    const uint8_t *top, *mid, *low; /* 32 bytes each, inside the input */
    const uint8_t *last;            /* WIRE_LEAF_ROW each */
};

/* Header and counts for a size; what `first` and the counts must be. The pointers stay NULL. */
void wire_cover_shape(uint64_t size, struct wire_cover *out);
size_t wire_cover_bytes(const struct wire_cover *c);
void wire_cover_header(const struct wire_cover *c, uint8_t out[WIRE_COVER_HEADER]);
enum sync_rc wire_cover_parse(struct sync_err *e, const uint8_t *in, size_t n,
                              struct wire_cover *out);
/* The seq of a row, and whether those of `n` rows are possible: from 1, below 2^63. */
uint64_t wire_row_seq(const uint8_t row[WIRE_LEAF_ROW]);
bool wire_rows_ok(const uint8_t *rows, size_t n);
/* Whether a reader of a tree of this size may have this horizon. */
bool wire_horizon_ok(uint64_t size, uint64_t horizon);
/* The highest allowed one that is at most `born`. */
uint64_t wire_horizon_below(uint64_t size, uint64_t born);
/* The lowest allowed one that is at least `born`; 0 if there is none. */
uint64_t wire_horizon_above(uint64_t size, uint64_t born);

/* Children of a tile: how many, of which height, how many bytes each; 0 for no such height. */
size_t wire_tile_shape(unsigned height, unsigned *child_height, size_t *child_bytes);

/* ---- cursor, ancestry, catch-up ---- */

enum { WIRE_CURSOR_MAX = 42, WIRE_CATCHUP_MAX = 4096, WIRE_ANCESTRY_LINE = 42 };

struct wire_cursor {
    uint64_t epoch, seq;
};

enum sync_rc wire_cursor_parse(struct sync_err *e, const char *text, size_t n,
                               struct wire_cursor *out);
/* "epoch.seq", NUL-terminated; returns its length. */
size_t wire_cursor_print(struct wire_cursor c, char out[WIRE_CURSOR_MAX]);

void wire_ancestry_begin(const char *text, size_t n, struct wire_lines *w);
enum sync_rc wire_ancestry_next(struct sync_err *e, struct wire_lines *w,
                                struct wire_cursor *pair, bool *more);
/* One line, NUL-terminated; returns its length. */
size_t wire_ancestry_print(uint64_t epoch, uint64_t first_seq, char out[WIRE_ANCESTRY_LINE]);
/* Whether a reader at `held` may continue in a log of this ancestry whose head is of `epoch`.
 * The whole text is checked. */
enum sync_rc wire_ancestry_allows(struct sync_err *e, const char *text, size_t n,
                                  uint64_t epoch, struct wire_cursor held, bool *ok);

/* Where an item is, by its id. */
enum sync_rc wire_place_parse(struct sync_err *e, const char *text, size_t n, uint64_t *born,
                              uint64_t *seq);

/* Whether this is one object of canonical JSON (section 9), at most 32 levels deep. */
bool wire_is_canonical(const char *text, size_t n);

/* The `from` of the one catch-up URL for this cursor and head; cursor <= head. */
uint64_t wire_catchup_from(uint64_t cursor, uint64_t head);
/* Whether `from` is what some cursor at most WIRE_CATCHUP_MAX behind `to` rounds down to. */
bool wire_catchup_ok(uint64_t from, uint64_t to);

/* ---- URLs ---- */

enum { WIRE_URL_MAX = 192 };
enum wire_url_kind {
    WIRE_URL_HEAD,
    WIRE_URL_TWIN,
    WIRE_URL_LOG,
    WIRE_URL_OBJECT,
    WIRE_URL_KEYS,
    WIRE_URL_HEADS, /* stream "": all */
    WIRE_URL_COVER,
    WIRE_URL_TILE,
    WIRE_URL_ITEM,
    WIRE_URL_PLACE
};
enum wire_encoding { WIRE_IDENTITY, WIRE_GZIP, WIRE_ZSTD, WIRE_DZ /* log only */ };

struct wire_url {
    enum wire_url_kind kind;
    char stream[WIRE_STREAM_MAX + 1]; /* all but keys */
    uint64_t epoch, seq, sign;        /* twin; log: epoch; cover, item: epoch and seq */
    uint64_t cut, from, to;           /* log */
    uint64_t born;                    /* item */
    unsigned height;                  /* tile: 16, 10 or 6 */
    uint64_t index;                   /* tile */
    uint8_t hash[WIRE_HASH];          /* object, tile */
    uint8_t id[WIRE_ID];              /* place */
    enum wire_encoding encoding;      /* log, object, item */
};

/* The path from `/v1/sync/` on, without query. Syntax only: wire_catchup_ok is the caller's. */
enum sync_rc wire_url_parse(struct sync_err *e, const char *path, size_t n,
                            struct wire_url *out);
/* NUL-terminated; returns its length. */
size_t wire_url_print(const struct wire_url *u, char out[WIRE_URL_MAX]);

/* ---- hex, base64, numbers: the canonical forms, for verify.c and for callers that print ----
 */

void wire_hex(const uint8_t *in, size_t n, char *out); /* 2n characters and NUL */
bool wire_unhex(const char *in, size_t n, uint8_t *out,
                size_t want); /* n == 2 * want, lower case */
enum { WIRE_SIG_TEXT = (WIRE_SIG_MAX + 2) / 3 * 4 + 1 };
size_t wire_base64(const uint8_t *in, size_t n, char *out); /* padded, NUL-terminated */
bool wire_unbase64(const char *in, size_t n, uint8_t *out, size_t room, size_t *len);

/* Decimal below 2^63 without sign or leading zeros. */
bool wire_take_u64(struct wire_text *t, uint64_t *out);
bool wire_take_u32(struct wire_text *t, uint32_t *out);
bool wire_take_lit(struct wire_text *t, const char *literal);
bool wire_take_hex(struct wire_text *t, uint8_t *out, size_t want);
/* The printable ASCII up to, not including, the next space or line end; at least one. */
bool wire_take_word(struct wire_text *t, const char **word, size_t *n);
/* A stream name up to the next '/' or line end. */
bool wire_take_stream(struct wire_text *t, char out[WIRE_STREAM_MAX + 1]);
/* The blank line and the `sig` lines behind it, up to the next blank line or the end; at least one.
 * Errors name the text by `what`. */
enum sync_rc wire_take_sigs(struct sync_err *e, struct wire_text *t, const char *what,
                            struct wire_note *note);

#endif
