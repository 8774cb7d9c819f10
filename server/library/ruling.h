/*
 * ruling.h - what the rules say of a revision at a step: asked, written down, obeyed.
 *
 *     saved (create, edit, import, restore)   item.c, where a draft's rows are written     noted
 *     submitted, approved                     item_step()                                  obeyed
 *     published, by whatever way              item_put()                                   obeyed
 *
 * A draft may be unfinished, so saving never fails by a rule. Signed warnings and what other servers
 * publish are never asked about. A verdict is kept as rule, version, severity and place, of the newest
 * run of each step that a revision took; its sentence is made from the text, and is not kept.
 */
#ifndef LIBRARY_RULING_H
#define LIBRARY_RULING_H

#include "server/library/checkup.h"
#include "server/library/item.h"

struct ruling {
    const struct item *item; /* id, site; published as it was before this step */
    int64_t rev;
    const struct content *content;
    enum check_step step;
};

/* All that the rules of the step say, as severe as they are at the item's site. Writes nothing. */
enum rc ruling_ask(struct work *w, const struct ruling *r, struct check_result *out);
/* The same, written down. */
enum rc ruling_note(struct work *w, const struct ruling *r);
/* The same; RC_UNFIT, with the first blocking verdict's sentence, if there is one. */
enum rc ruling_obey(struct work *w, const struct ruling *r);

/*
 * Asks before the writer does, on any thread, with every rule as severe as rule.def says: the answer stays with the content, and holds
 * where the site has no rules of its own, the lists are the same, and nothing of the item was published.
 */
void ruling_prepare(struct arena *mem, struct content *c, enum check_step step);

/* What was written down of a revision: an array of {step, rule, version, severity, field, from, to, at}. */
enum rc ruling_kept(struct work *w, const struct id *item, int64_t rev, struct buf *out);

/* ---- how severe a rule is at a site ---- */

/* CHECK_RULES of enum check_severity in w->mem, CHECK_UNSET where the site says nothing; NULL: the site has none of its own. */
enum rc site_rules(struct work *w, int64_t site, const uint8_t **out);
/* `severity`: "off", "warning", "blocking", or "default". RC_INVALID; RC_NOT_FOUND without such a rule. RIGHT_EDIT at the site. */
enum rc site_rule_set(struct work *w, int64_t site, const char *rule, const char *severity);

#endif
