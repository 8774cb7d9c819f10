/*
 * page.h - the frame of every page: head, bands, footer.
 *
 * Pages load nothing but /style.css and pictures from here; the edge says so in Content-Security-Policy. They have no script, but for those
 * that ask a passkey, and these have one alone, a file of ours.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "server/http/problem.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum { PAGE_METAS = 24 };

struct page {
    const char *title;      /* NULL: the service's name stands alone */
    const char *path;       /* this page's own, for the canonical link; NULL: it has none */
    const char *other;      /* the same page in the other size; NULL: there is none */
    bool large;             /* 长辈版 */
    const char *banner;     /* a line above everything; NULL: none */
    const char *banner_way; /* … and where one changes that; NULL: nowhere */
    const char *feed; /* of the same content, without ending, as a path; NULL: there is none */
    bool noindex;
    const char *next; /* where it leads by itself, at once; NULL: nowhere */
    const char
        *form_to; /* origin of another site that its form's answer leads to; NULL: none */
    bool script;  /* it has /passkey.js, and its policy allows that */
    int nmetas;
    struct {
        const char *name, *content;
    } metas[PAGE_METAS]; /* a name with a colon becomes a property (Open Graph) */
};

/* A meta tag; nothing if content is NULL or empty: an empty tag is a fault by the rule, a
 * missing one is unknown. */
void page_meta(struct page *p, const char *name, const char *content);
void page_open(struct buf *out, const struct page *p);  /* up to <main> */
void page_close(struct buf *out, const struct page *p); /* from </main> */
void page_reply(struct reply *rp, const struct buf *b);
/* The same with the policy that this page needs. */
void page_reply_as(struct work *w, struct reply *rp, const struct buf *b, const struct page *p);
void page_text(struct buf *out, const char *s); /* escaped; NULL is nothing */
/* <time datetime="2026-11-21T10:00:00+08:00">2026-11-21 10:00</time>, or only the day. */
void page_time(struct buf *out, int64_t at, bool with_minute);

/* A whole page of a few words, 410: what is no longer there, and why. */
void page_gone(struct work *w, struct reply *rp, const char *heading, const char *const *words);
/* How failures of R_PAGE routes look: for problem_set_page(). */
void page_problem(const struct problem *p, const struct err *e, const char *request,
                  struct buf *out);

#endif
