/*
 * source.h - where we ask by ourselves for what others publish: a feed, a file of records, or a column's page, at an address, for one column of one site.
 *
 *     asked every `period`; 304: nothing is new; what is there is handed in (submission.h) in the source's name, "source:ID"
 *     failed: asked again after the period, twice, four times that … a day at most
 *
 * What was wrong in the last round, with the whole of it or with an entry, stands in the row, and is told to staff.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "server/base/buf.h"
#include "server/base/work.h"

enum {
    SOURCE_ID_MAX = 40,
    SOURCE_URL_MAX = 2000,
    SOURCE_PERIOD_MIN = 300,       /* seconds */
    SOURCE_PERIOD_MAX = 7 * 86400, /* … */
    SOURCE_REST_MAX = 86400,       /* … after many failures */
    SOURCE_FAULTS_MAX = 20,        /* of a round, that are told */
    SOURCES_MAX = 1000
};

enum source_kind { SOURCE_FEED, SOURCE_RECORDS, SOURCE_PAGES, SOURCE_KINDS };
const char *source_kind_name(enum source_kind k); /* "feed", "records", "pages" */
int source_kind_parse(const char *name);          /* -1 if unknown */

struct source {
    int64_t no;
    const char *id; /* [a-z0-9][a-z0-9-]* */
    int64_t site;
    const char *column; /* path; of records: where a record names none */
    enum source_kind kind;
    const char *url;
    int64_t period, created; /* seconds */
    int64_t asked, again,
        failures; /* asked: the last time; 0: never. again: not before. failures: in a row */
    const char *etag, *modified; /* of the last answer; NULL: it had none */
    const char *said;            /* why the last time failed; NULL: it did not */
    const char *faults; /* JSON: [{"entry":…,"said":…}] of the last answer that had something */
    int64_t taken;      /* submissions that came of it */
};

/* On the writer; RIGHT_EDIT at the site, and RIGHT_IMPORT; where an agreement with the name is on record already, RIGHT_SECURE too. Sets in->no. RC_INVALID names the member; RC_CONFLICT: the id is taken. */
enum rc source_add(struct work *w, struct source *in);
/* With it goes the site's agreement with it. */
enum rc source_remove(struct work *w, const char *id);
/* To be asked now. */
enum rc source_ask_now(struct work *w, const char *id);

/* In w->mem. Those of sites where the actor has a right to drafts. RC_NOT_FOUND. */
enum rc source_find(struct work *w, const char *id, struct source *out);
enum rc source_list(struct work *w, struct source **out, int *n);

/* ---- for source_pull.c ---- */

/* The next whose time has come. RC_NOT_FOUND. */
enum rc source_next(struct work *w, struct source *out);
/* On the writer: it was not removed since it was read, nor is there another one of its name. RC_NOT_FOUND. */
enum rc source_stands(struct work *w, const struct source *s);
/* On the writer: what came of asking: `said` NULL if nothing failed; faults NULL: as they were. */
enum rc source_note(struct work *w, const struct source *s, const char *said, const char *etag,
                    const char *modified, const char *faults, int64_t taken);

#endif
