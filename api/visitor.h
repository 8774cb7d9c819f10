/*
 * visitor.h - a browser that asks: the cookies it carries, and whether what it sends was filled in on a page of ours.
 *
 *     __Host-tjzw          the access token of its session, another one at every sign-in (server/http/cookie.h)
 *     __Host-tjzw-own      his own, while that is of a session by which he acts for an organisation (acting_page.c)
 *     __Host-tjzw-form     32 random bytes: the secret of its forms before it has a session
 *     __Host-tjzw-device   says that somebody signed in here before; a year
 *     __Host-tjzw-step     how far a sign-in has got; an hour
 *     __Host-tjzw-upstream what it was sent to an upstream with (upstream_page.c); an hour
 *     __Host-tjzw-survey   which browser answered a survey (survey_page.c); a year
 *
 *     token of a form = BLAKE2b-256( BLAKE2b-256( its secret ), path )        its secret: the session's cookie, else the form's
 *
 * All are HttpOnly, SameSite=Lax, Path=/; over TLS they are Secure and begin with __Host-, so that no other host can set them. Over plain
 * HTTP, which is loopback alone, they have neither.
 */
#ifndef API_VISITOR_H
#define API_VISITOR_H

#include "server/http/form.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum visitor_cookie {
    VISITOR_SESSION,
    VISITOR_OWN,
    VISITOR_FORM,
    VISITOR_DEVICE,
    VISITOR_STEP,
    VISITOR_UPSTREAM,
    VISITOR_SURVEY
};

/* NULL: it has none, or two, and nobody knows which one is ours. */
const char *visitor_cookie(struct arena *mem, const struct request *rq, enum visitor_cookie c);
/* `value`: letters of base64url, dots and %. NULL: it is to be forgotten. */
void visitor_set(struct work *w, const struct request *rq, struct reply *rp,
                 enum visitor_cookie c, const char *value);

/* For the form at `path`. A browser that has no secret yet gets one. */
const char *visitor_token(struct work *w, const struct request *rq, struct reply *rp,
                          const char *path);
/*
 * RC_FORBIDDEN unless the form was sent from a page of ours (Origin, Sec-Fetch-Site: where a browser says it), and its field `token` is that of
 * rq->path for this browser.
 */
enum rc visitor_check(struct work *w, const struct request *rq, const struct form *f);

/* The form in the body: RC_INVALID if it is none, and visitor_check(). */
enum rc visitor_read(struct work *w, const struct request *rq, struct form *out);
/* Of a page that asks for several lines (form_parse_lines()). */
enum rc visitor_read_lines(struct work *w, const struct request *rq, struct form *out);

/* What its owner would call it: "Windows 上的 Edge". A browser says what it likes; this is for a list that its owner reads. */
const char *visitor_device(struct arena *mem, const struct request *rq);

#endif
