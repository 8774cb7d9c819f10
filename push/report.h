/*
 * report.h - what became of a campaign, by vendor and district; and what its recall could do.
 *
 *     audience = waiting + sent + outcomes below RUN_RESENT, in each line and in all of them together
 *
 * A device counts in one district: the first of those of the campaign's order that it has, then of the others by their codes; in none it counts elsewhere. So does what was damaged (run_mend()):
 * how many they were is known, and not who.
 */
#ifndef PUSH_REPORT_H
#define PUSH_REPORT_H

#include "push/campaign.h"
#include "push/run.h"

enum { REPORT_AREAS = 64 };

struct report_line {
    int64_t waiting, sent, what[RUN_WHATS]; /* devices; sent: on their way */
};
/* Of a recall, by transport; in devices that may have the message on their screens. */
struct report_recall {
    int64_t of, waiting;
    int64_t revoked,
        overwritten; /* the vendor took the order; whoever had read it has read it */
    int64_t
        only_inbox; /* the vendor cannot, or would not: it stays on the screen until it is touched; the application's inbox follows the record */
    int64_t unreachable; /* there is no such device any more, or nobody knows */
    int64_t in_doubt;    /* the order may have arrived */
};
struct report {
    bool opened; /* the audience is complete */
    int64_t audience;
    char area[REPORT_AREAS][7];
    int nareas;
    struct report_line (
        *by)[REPORT_AREAS + 1]; /* [TRANSPORT_COUNT]; the last of each: elsewhere */
    bool recalled;              /* a recall began */
    struct report_recall recall[TRANSPORT_COUNT];
    bool inbox; /* the record is published: the inbox shows it */
};

/* In w->mem. Of one that has not begun all is 0. */
enum rc report_make(struct work *w, const struct campaign *c, struct report **out);
/* How many stand in a line. */
int64_t report_devices(const struct report_line *l);
void report_add(struct report_line *to, const struct report_line *l);

#endif
