/*
 * submission_read.h - what was handed in, read and cleaned; no database.
 *
 *     {"site":"1201030001","column":"通知公告","id":"2026-017","title":"…","html":"<p>…","url":"https://…","files":[{"name":"附件1.docx","url":"https://…"}], …}
 *
 * A record as an import takes it (server/library/import.h), and besides: `html` in place of `body`, cleaned by the allow-list of server/ingest, relative addresses by `url`; `files`, more to be
 * fetched than the text names. Pictures and links to documents in `html` are wanted too. What has been fetched takes the place of its address; what has not stays a link to where it lies.
 */
#ifndef SOURCE_SUBMISSION_READ_H
#define SOURCE_SUBMISSION_READ_H

#include "server/ingest/html_clean.h"
#include "server/library/import.h"
#include "server/library/site.h"
#include "server/source/source_file.h"

enum { SUBMISSION_MAX = 512 * 1024 /* bytes, as of a draft: docs/shield.md */ };

struct submitted {
    uint8_t hash[HASH_BYTES]; /* of what was sent: members in any order, spaces do not count */
    struct import_line line;  /* not refused */
    struct html_found found;
    struct source_file *files; /* all that it names, each once, as far as they are known */
    int nfiles, wanted;        /* wanted: of them, those that nobody has tried to fetch */
};

/*
 * `record` is what was sent, parsed into `mem`, and is changed; `site` where it goes to, which readers see as its source if it names none. `known`: what became of the files by now; none at first.
 * RC_INVALID, RC_TOO_LARGE with the member. All in `mem`, which outlives `out`.
 */
enum rc submission_read(struct err *e, struct arena *mem, json_t *record,
                        const struct site *site, const struct source_file *known, int nknown,
                        struct submitted *out);

#endif
