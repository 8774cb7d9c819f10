/*
 * article_page.h - one item as a page that can be shared: standard, large, plain text.
 */
#ifndef API_ARTICLE_PAGE_H
#define API_ARTICLE_PAGE_H

#include "api/article.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum rc get_article(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_article_large(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_article_text(struct work *w, const struct request *rq, struct reply *rp);

void article_html(struct work *w, struct buf *b, const struct article *a, bool large);

#endif
