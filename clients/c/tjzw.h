/*
 * tjzw.h - libtjzw: a stream of public notices, kept on the phone, verified, readable without a
 * network.
 *
 * The one public header, a plain C ABI: usable from C, C++, Swift and JNI. The library knows no
 * global state but sodium's and curl's.
 *
 *     struct tjzw_server server = { .url = "https://tj.example" };
 *     struct tjzw_error e;
 *     struct tjzw *t;
 *
 *     if (tjzw_open("notices.db", &t, &e))
 *         return complain(e.text);                 // Chinese, for whoever holds the phone
 *     if (tjzw_follow(t, &server, &e) || tjzw_sync(t, NULL, NULL, &e))
 *         complain(e.text);
 *     tjzw_list(t, NULL, show_one, NULL, &e);      // works whether or not the sync did
 *     tjzw_close(t);
 *
 * Promise: nothing is ever listed, read, found or exported that does not belong to a state
 * signed by a key that is trusted.
 *
 * Units: times are seconds since 1970 UTC, durations seconds unless named _ms, sizes bytes,
 * text UTF-8 and NUL-terminated. Ownership: what is passed in is copied; what a callback is
 * given lives until it returns; nothing returned has to be freed by the caller except the
 * handle, with tjzw_close. Errors: every function that can fail returns a code, TJZW_OK (0) for
 * success, and fills `e` if it is not NULL. Threads: a handle is used by one thread at a time;
 * only tjzw_stop may be called from any thread, or from a signal handler. Any number of handles
 * and processes may have the same store open; one of them syncs at a time. ABI: enums and
 * structs only grow at their ends, so source that was written for one version compiles with the next; a struct that
 * grew has a library of another soname, and the app is compiled again. Set a struct to zero before filling it.
 */
#ifndef TJZW_H
#define TJZW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && !defined(TJZW_STATIC)
#define TJZW_API __attribute__((visibility("default")))
#else
#define TJZW_API
#endif

/* ---- errors ---- */

/* Stable: a code is never given another meaning. */
enum tjzw_code {
    TJZW_OK = 0,
    TJZW_USAGE = 1,       /* a wrong argument: the caller's mistake */
    TJZW_NOT_FOUND = 2,   /* no such item is published, or no such stream followed */
    TJZW_STORE = 3,       /* the store cannot be read or written */
    TJZW_FULL = 4,        /* no room on the device */
    TJZW_NEWER_STORE = 5, /* the store was written by a later version of this library */
    TJZW_LOCKED = 6,      /* another process is syncing this store */
    TJZW_NET = 7,         /* no answer, or an answer cut short: try again; what came is kept */
    TJZW_BUSY = 8,        /* the server asks to come again after tjzw_sync_result.wait */
    TJZW_GONE = 9,        /* the server has no such stream */
    TJZW_STOPPED = 10,    /* tjzw_stop, the progress callback, or the time limit */
    TJZW_UNTRUSTED = 11,  /* a signature or key that does not hold */
    TJZW_ROLLBACK = 12,   /* the server offers an older or contrary state */
    TJZW_MISMATCH = 13,   /* content that does not add up to what was signed */
    TJZW_INVALID = 14,    /* an answer that breaks the protocol */
    TJZW_DAMAGED = 15,    /* tjzw_verify: what is held is not what was signed; the next sync
                             repairs it */
    TJZW_TLS = 16,        /* the server's TLS certificate cannot be verified */
    TJZW_STALE = 17,      /* the server's content is just changing: try again in some seconds */
    TJZW_SIGN_IN =
        18, /* sign in (again): nobody has, the session was ended, or what was entered is wrong */
    TJZW_REFUSED = 19, /* the server does not do that; the text says why */
};

struct tjzw_error {
    enum tjzw_code code;
    char text[512];   /* Chinese: what happened, why, and what to do */
    char detail[320]; /* English, for logs; may be empty */
};

TJZW_API const char *tjzw_code_name(enum tjzw_code code); /* "rollback" */
TJZW_API const char *tjzw_version(void);

/* ---- the store ---- */

struct tjzw;

/* Opens the store at `path`, creating or migrating it. *out is set only on success. */
TJZW_API enum tjzw_code tjzw_open(const char *path, struct tjzw **out, struct tjzw_error *e);
TJZW_API void tjzw_close(struct tjzw *t); /* NULL is fine */

/* ---- what to follow ---- */

enum { TJZW_KEY = 32 };

struct tjzw_server {
    const char *url;    /* "https://host[:port]"; NULL: the one remembered */
    const char *stream; /* NULL: "main" */
    const char *trust;  /* the platform's public key, 64 hex digits; NULL: the one remembered,
                           else trust on first use */
    const char *cacert; /* PEM file to verify the server's TLS certificate with; NULL: the one
                           remembered, else the system's */
};

/*
 * For what this handle does from now on; nothing is written. tjzw_sync remembers it in the
 * store: once it has succeeded with it, or, for a stream of which no state is held yet, when it
 * starts, so that a first sync that was cut can go on. So what is wrong and was never proved
 * (a trust that vouches for nothing the server shows: TJZW_UNTRUSTED) goes with the handle.
 *
 * The first call for a stream needs a url. TJZW_USAGE if something is malformed, or cacert is no
 * file; its absolute path is what is kept.
 */
TJZW_API enum tjzw_code tjzw_follow(struct tjzw *t, const struct tjzw_server *server,
                                    struct tjzw_error *e);
/*
 * How much of a stream to hold: at least the newest `items` in order of first publication (0: all, which is
 * what a new stream begins with). The next sync brings it about: narrower needs no network but to
 * ask for the head, wider fetches what is older, newest first, and shows it piece by piece. What
 * the user keeps stays. stream NULL: "main"; TJZW_NOT_FOUND if it is not followed.
 */
TJZW_API enum tjzw_code tjzw_horizon(struct tjzw *t, const char *stream, uint64_t items,
                                     struct tjzw_error *e);
/*
 * Which columns list and search show when they are not told: column paths ("政策/通知公告"),
 * each with all below it. n 0: all. Everything is held either way, so changing this needs no
 * network.
 */
TJZW_API enum tjzw_code tjzw_filter(struct tjzw *t, const char *const *columns, size_t n,
                                    struct tjzw_error *e);

/* ---- sync ---- */

enum tjzw_phase { TJZW_ASKING = 0, TJZW_FETCHING = 1, TJZW_APPLYING = 2 };

struct tjzw_progress {
    enum tjzw_phase phase;
    uint64_t bytes, bytes_expected; /* expected 0: not known */
    uint64_t records, records_expected;
};

/* One request, when it has ended; for those who want to see what went over the wire. */
struct tjzw_trace {
    const char *path;
    int status; /* 0: no answer */
    uint64_t bytes_down, bytes_up, ms;
    const char *method; /* "GET" */
};

struct tjzw_sync_options {
    const char *stream; /* NULL: all that are followed, one after the other */
    uint32_t timeout;   /* for all of it; 0: none. What came is kept for the next time */
    uint32_t connect_timeout, idle_timeout;                     /* 0: 10 and 20 */
    bool (*progress)(void *ctx, const struct tjzw_progress *p); /* return true to stop */
    void (*trace)(void *ctx, const struct tjzw_trace *request);
    void *ctx;
};

struct tjzw_sync_result {
    bool changed;   /* there is something new to show */
    bool first_use; /* a key was trusted because it was the first met: show its fingerprint to
                       the user */
    bool
        repaired; /* what was held did not add up, or belonged to a history that is no more: what
                      differed was fetched */
    char trust[2 * TJZW_KEY +
               1];    /* the platform key believed in: its fingerprint is the key itself */
    char cursor[42];  /* "epoch.seq" now held, of the last stream synced; "" for none */
    uint64_t records; /* applied */
    uint32_t requests;
    uint64_t bytes_down, bytes_up; /* HTTP bytes with headers, without TLS */
    uint64_t ms;
    uint32_t wait; /* seconds the server asks to wait before the next sync; 0: its say is not
                      known */
    bool skipped;  /* tjzw_background: it is not time yet, and nothing was asked */
    bool
        unfinished; /* tjzw_background: time was up; what came is kept, what is whole is shown */
};

/* Brings the store to the newest signed state, or leaves what is shown as it was. options and
 * out may be NULL. */
TJZW_API enum tjzw_code tjzw_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                                  struct tjzw_sync_result *out, struct tjzw_error *e);
/* Makes whatever this handle does on the network return TJZW_STOPPED soon. */
TJZW_API void tjzw_stop(struct tjzw *t);

/*
 * For the slot that the operating system gives to work in the background: one call that syncs all
 * streams of which the server allows it by now, for at most `seconds` (0: 25), in at most 32 MB of memory of
 * its own however much there is to fetch. It ends cleanly when time is up (TJZW_OK, out->unfinished) and goes
 * on from there the next time. out->wait: seconds until a next call is of use. One stream that fails
 * does not keep the others back; its error is returned.
 */
TJZW_API enum tjzw_code tjzw_background(struct tjzw *t, uint32_t seconds,
                                        struct tjzw_sync_result *out, struct tjzw_error *e);

/* ---- older content ---- */

/*
 * Fetches one item from below the horizon, proves it under the signed state that is held, and keeps it
 * (tjzw_keep). Needs the network, unless it is held already. options->stream NULL: from whichever
 * stream has it. TJZW_NOT_FOUND if it is not published.
 */
TJZW_API enum tjzw_code tjzw_fetch(struct tjzw *t, const char *id,
                                   const struct tjzw_sync_options *options,
                                   struct tjzw_sync_result *out, struct tjzw_error *e);
/*
 * A favourite: kept up to date, and kept whatever the horizon, until it is unkept or withdrawn. true: TJZW_NOT_FOUND if it is not held
 * (then tjzw_fetch). false: what lies below the horizon goes at once; no error if it was not kept. No network.
 */
TJZW_API enum tjzw_code tjzw_keep(struct tjzw *t, const char *id, bool keep,
                                  struct tjzw_error *e);

/* ---- pictures and attachments ---- */

struct tjzw_blob_options {
    uint32_t timeout, connect_timeout, idle_timeout; /* as in tjzw_sync_options */
    bool offline; /* only what is held: TJZW_NOT_FOUND otherwise */
    uint64_t
        most; /* bytes that all blobs of this store may take, this one included; 0: 256 MiB. The
                      least recently asked for go */
    bool (*progress)(void *ctx, uint64_t bytes,
                     uint64_t expected); /* expected 0: not known. Return true to stop */
    void *ctx;
};

struct tjzw_blob {
    char path
        [1024]; /* a file of the library's: read it, do not change it. It may go with the next sync or blob */
    uint64_t bytes;
    bool fetched; /* it came over the network just now */
};

/*
 * A picture or attachment that a record names by its SHA-256 (64 hex digits; members `image` and `hash`). Fetched when first asked for, in
 * pieces that survive cuts and kills, handed out only if its hash is right, and then kept in files beside the store ("STORE-blobs/").
 * TJZW_NOT_FOUND unless an item that is shown names it: so what was withdrawn is refused, and its files go with the sync that says so.
 * options may be NULL. Needs no lock: works while another handle syncs.
 */
TJZW_API enum tjzw_code tjzw_blob(struct tjzw *t, const char *sha256,
                                  const struct tjzw_blob_options *options,
                                  struct tjzw_blob *out, struct tjzw_error *e);

/* ---- hints ---- */

struct tjzw_listen_options {
    const char *stream; /* NULL: all that are followed, of the server of the first */
    uint32_t seconds;   /* how long; 0: until tjzw_stop */
    uint32_t connect_timeout, idle_timeout; /* of the syncs, as in tjzw_sync_options */
    /* After each sync: how it went. Return true to stop. */
    bool (*synced)(void *ctx, const char *stream, const struct tjzw_sync_result *result,
                   enum tjzw_code code, const struct tjzw_error *e);
    void *ctx;
};

/*
 * Holds a connection on which the server tells of new content, and syncs when it does, a random moment later; syncs once when it
 * begins, and polls when hints cannot be had. For an app that is looked at: in the background use tjzw_background. Returns
 * TJZW_STOPPED after tjzw_stop, TJZW_OK when its time is up or `synced` asked to stop; failed connections and syncs are
 * tried again, later and later, and are no reason to return. With a transport of one's own, `get`
 * is called again from within its `stop` callback.
 */
TJZW_API enum tjzw_code tjzw_listen(struct tjzw *t, const struct tjzw_listen_options *options,
                                    struct tjzw_error *e);

/* ---- reading: no network, no waiting ---- */

struct tjzw_item {
    char id[37]; /* 8-4-4-4-12 hex digits */
    const char *stream;
    const char *site, *column; /* name of the site and path of the column; "" if the directory
                                  does not name them */
    int64_t date;
    const char *title;
    const char
        *json; /* the record: one canonical JSON object; NULL in tjzw_list and tjzw_search */
    size_t json_len;
    bool kept; /* by tjzw_keep or tjzw_fetch */
};

/* Return false to see no more. */
typedef bool tjzw_item_fn(void *ctx, const struct tjzw_item *item);

struct tjzw_query {
    const char *stream; /* NULL: all */
    const char *column; /* a column path, with all below it; NULL: as tjzw_filter says */
    uint32_t most;      /* items; 0: 50 */
    uint32_t skip;      /* items */
    bool kept;          /* only what the user keeps */
};

/* Newest first by date. query may be NULL. */
TJZW_API enum tjzw_code tjzw_list(struct tjzw *t, const struct tjzw_query *query,
                                  tjzw_item_fn *fn, void *ctx, struct tjzw_error *e);
/* Those whose title or any text contains every word of `words` (separated by spaces; ASCII
 * letters match either case), newest first. */
TJZW_API enum tjzw_code tjzw_search(struct tjzw *t, const char *words,
                                    const struct tjzw_query *query, tjzw_item_fn *fn, void *ctx,
                                    struct tjzw_error *e);
/* Calls `fn` once. TJZW_NOT_FOUND if it is not published (any more). */
TJZW_API enum tjzw_code tjzw_read(struct tjzw *t, const char *id, tjzw_item_fn *fn, void *ctx,
                                  struct tjzw_error *e);
/* Every published item with its record, by id: what `tjzw export` on the server prints. */
TJZW_API enum tjzw_code tjzw_export(struct tjzw *t, const char *stream, tjzw_item_fn *fn,
                                    void *ctx, struct tjzw_error *e);

/*
 * A warning (预警) of an authority, as it came. `over`: it is the word that ends one. Texts that it does not have are "".
 */
struct tjzw_alert {
    const char *id, *identifier; /* of the item; of the authority's message */
    const char *title, *body, *instruction;
    const char *level;          /* "红色", "橙色", "黄色", "蓝色" */
    const char *event, *source; /* what it is; whose word */
    bool over;
    int64_t sent, effective, onset, expires; /* 0: not said */
    const char *json;                        /* the record, as of tjzw_item */
    size_t json_len;
};
/* Return false to see no more. */
typedef bool tjzw_alert_fn(void *ctx, const struct tjzw_alert *alert);
/*
 * Warnings in force by this device's clock (which a signed time may move forwards): the worst first, then the newest, behind them those that are over. `area`: only what concerns that place, a
 * code of 6, 9 or 12 digits ("120101"): its streets' and its city's too; NULL: all that is held. TJZW_USAGE: it is none. What tjzw_filter says does not count.
 */
TJZW_API enum tjzw_code tjzw_alerts(struct tjzw *t, const char *area, tjzw_alert_fn *fn,
                                    void *ctx, struct tjzw_error *e);

struct tjzw_column {
    const char *stream, *site, *path, *type;
    uint64_t items; /* published ones held */
};
typedef bool tjzw_column_fn(void *ctx, const struct tjzw_column *column);
TJZW_API enum tjzw_code tjzw_columns(struct tjzw *t, tjzw_column_fn *fn, void *ctx,
                                     struct tjzw_error *e);

/* ---- how good is what is held ---- */

struct tjzw_status {
    char stream[33];
    char url[512];
    char trust[2 * TJZW_KEY + 1]; /* "" before the first sync */
    char cursor[42];              /* "" before the first sync */
    uint64_t items;               /* published */
    uint64_t tombstones;          /* known to be no longer published */
    int64_t signed_at;            /* when the server signed the state held; 0: none */
    int64_t checked_at; /* when a sync last succeeded, by this device's clock; 0: never */
    uint32_t fresh_for; /* seconds for which it may still be called up to date; 0: no longer */
    uint64_t behind;    /* seconds since it ceased to be fresh; 0 while fresh */
    uint64_t pending;   /* bytes fetched for a sync that has not finished */
    bool damaged;     /* tjzw_verify found that it does not add up; the next sync repairs it */
    uint64_t horizon; /* as tjzw_horizon was told: newest items to hold; 0: all */
    bool all;         /* everything that is published is held */
    int64_t
        since; /* date of the oldest item (in order of first publication) from which on everything
                           is held; 0: none */
    uint64_t kept;     /* items that the user keeps */
    uint64_t older;    /* of the items: those from before `since` */
    uint64_t withheld; /* held, and not shown because this server withholds them */
    int64_t due; /* when the next tjzw_background does something, by this device's clock */
};

/* stream NULL: "main". TJZW_NOT_FOUND if it is not followed. */
TJZW_API enum tjzw_code tjzw_status(struct tjzw *t, const char *stream, struct tjzw_status *out,
                                    struct tjzw_error *e);

struct tjzw_verdict {
    uint64_t checked; /* items, tombstones included; 0: nothing is held yet */
    uint64_t damaged; /* items whose bytes are not those signed */
    char first[37];   /* id of the first of them */
};

/* Hashes everything held and compares it with the signed head, whose signature is checked again. TJZW_DAMAGED
 * if it does not add up; the next sync then compares it with the signed tree and fetches what differs. */
TJZW_API enum tjzw_code tjzw_verify(struct tjzw *t, const char *stream,
                                    struct tjzw_verdict *out, struct tjzw_error *e);

/* ---- a transport of one's own ---- */

/* One request. The transport reads the question, calls the three functions in order as the answer
 * comes, and says how it ended. */
struct tjzw_request {
    const char *url;
    const char *const *headers; /* "Name: value" lines; NULL ends */
    void (*on_status)(struct tjzw_request *r,
                      int status); /* again for a final answer after a 1xx */
    void (*on_header)(struct tjzw_request *r, const char *name, const char *value);
    /* Not zero: end all requests of the batch now. */
    int (*on_body)(struct tjzw_request *r, const void *bytes, size_t n);
    bool whole;                        /* set when the body has come to its end */
    char why[200];                     /* set otherwise: English */
    bool untrusted;                    /* set if the reason is the server's TLS certificate */
    uint64_t bytes_down, bytes_up, ms; /* set in any case */
    void *ctx;                         /* the library's */
    const char *method;                /* "POST", "PUT" …; NULL: GET */
    const void *body;                  /* of `size` bytes; NULL: none */
    size_t size;
};

struct tjzw_transport {
    void *ctx;
    /* A request with a method must not be sent twice by what is underneath, as many libraries do when a connection is lost: then it ends,
     * not whole, and the library finds out what became of it. */
    /* Performs all n, several side by side if it can, and returns when all have ended. Asks
     * `stop(stop_ctx)` several times a second, also while nothing comes (tjzw_listen lives on it);
     * true: end them now. */
    void (*get)(void *ctx, struct tjzw_request *requests, size_t n,
                bool (*stop)(void *stop_ctx), void *stop_ctx);
};

/* Instead of the built-in one, which uses libcurl. NULL: the built-in one again. The functions
 * must outlive the handle. */
TJZW_API void tjzw_set_transport(struct tjzw *t, const struct tjzw_transport *transport);

#ifdef __cplusplus
}
#endif
#endif
