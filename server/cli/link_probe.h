/*
 * link_probe.h - addresses that texts name, each asked once whether anybody answers there. For commands: it has the process's outbound thread to itself.
 */
#ifndef CLI_LINK_PROBE_H
#define CLI_LINK_PROBE_H

#include <stdbool.h>

struct probe;

enum { PROBE_MOST = 100000 };

/* At most `most` addresses; those that come later are not asked. `private_net`: in our own network too, else public addresses alone. */
struct probe *probe_new(int most, bool private_net);
void probe_free(struct probe *p); /* accepts NULL */
/* `line`: where it stands first. What is not http or https is passed over. */
void probe_note(struct probe *p, const char *url, int line);
/* All addresses in a text. */
void probe_note_all(struct probe *p, const char *text, int line);
int probe_asked(const struct probe *p);
/* Asks 16 at a time, 10 s each; tells each that nobody answers, or answers that it is not there (404, 410, 5xx). */
void probe_ask(struct probe *p,
               void (*dead)(void *arg, const char *url, int line, const char *why), void *arg);

#endif
