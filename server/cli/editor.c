/*
 * editor.c - the commands of those who review: how a site reviews, what is said beside the steps, versions.
 */
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/cli/staff.h"

#define ID " 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"

static const struct opt link_opts[] = { LINK_OPTIONS, END };
static const struct opt chain_opts[] = {
    LINK_OPTIONS,
    { "steps", OPT_INT, "N", "1 to 3 (三审三校); 0: none of its own" },
    { "secrecy", OPT_TEXT, "WORD", "the secrecy review stands before: none, last, publish" },
    { "eyes", OPT_INT, "N", "1 or 2: how many people take something down" },
    END
};
static const struct opt reviewers_opts[] = {
    LINK_OPTIONS,
    { "who", OPT_LIST, "NAME", "account:7, or a role such as reviewer_1; none: by right" },
    END
};
static const struct opt secrecy_opts[] = { LINK_OPTIONS,
                                           { "basis", OPT_TEXT, "TEXT", "on what basis (依据)",
                                             true },
                                           { "said", OPT_TEXT, "TEXT", "in words" },
                                           END };
static const struct opt comment_opts[] = { LINK_OPTIONS,
                                           { "said", OPT_TEXT, "TEXT", "what", true },
                                           END };
static const struct opt schedule_opts[] = {
    LINK_OPTIONS, { "at", OPT_TEXT, "TIME", "2026-12-01T08:00:00+08:00", true }, END
};
static const struct opt diff_opts[] = {
    LINK_OPTIONS,
    { "from", OPT_INT, "N", "the older revision (what is published, or the one before)" },
    { "to", OPT_INT, "N", "the newer one (the newest)" },
    END
};

const struct command editor_commands[] = {
    { "site chain", "SITE", 1, 1, link_opts, cmd_staff, "how the site reviews, and who",
      "tjzw site chain --data tjzw-data 1", STAFF(GET, "/v1/sites/%/chain", STAFF_QUERY) },
    { "site review", "SITE", 1, 1, chain_opts, cmd_staff,
      "set how the site reviews: steps, secrecy review, four eyes, imports",
      "tjzw site review --data tjzw-data --steps 3 --secrecy last --eyes 2 1",
      STAFF(PUT, "/v1/sites/%/chain", STAFF_OPTIONS) },
    { "site reviewers", "SITE STEP", 2, 2, reviewers_opts, cmd_staff,
      "name who takes a step; step 0 is the secrecy review",
      "tjzw site reviewers --data tjzw-data --who account:7,reviewer_2 1 2",
      STAFF(PUT, "/v1/sites/%/chain/%", STAFF_OPTIONS) },
    { "item secrecy", "ID", 1, 1, secrecy_opts, cmd_staff,
      "the secrecy review found nothing (保密审查)",
      "tjzw item secrecy --data tjzw-data --basis 依据本单位定密事项范围第3条" ID,
      STAFF(POST, "/v1/items/%/secrecy", STAFF_OPTIONS) },
    { "item comment", "ID", 1, 1, comment_opts, cmd_staff, "say a word to the others",
      "tjzw item comment --data tjzw-data --said 请核对日期" ID,
      STAFF(POST, "/v1/items/%/comment", STAFF_OPTIONS) },
    { "item schedule", "ID", 1, 1, schedule_opts, cmd_staff,
      "publish what is approved at a time (定时发布)",
      "tjzw item schedule --data tjzw-data --at 2026-12-01T08:00:00+08:00" ID,
      STAFF(POST, "/v1/items/%/schedule", STAFF_OPTIONS) },
    { "item unschedule", "ID", 1, 1, link_opts, cmd_staff, "do not publish it then",
      "tjzw item unschedule --data tjzw-data" ID,
      STAFF(DELETE, "/v1/items/%/schedule", STAFF_QUERY) },
    { "item versions", "ID", 1, 1, link_opts, cmd_staff, "all revisions, published or not",
      "tjzw item versions --data tjzw-data" ID,
      STAFF(GET, "/v1/drafts/%/revisions", STAFF_QUERY) },
    { "item version", "ID N", 2, 2, link_opts, cmd_staff, "one revision",
      "tjzw item version --data tjzw-data" ID " 2",
      STAFF(GET, "/v1/drafts/%/revisions/%", STAFF_QUERY) },
    { "item diff", "ID", 1, 1, diff_opts, cmd_staff,
      "what differs between two revisions, by field and sentence",
      "tjzw item diff --data tjzw-data --from 1" ID,
      STAFF(GET, "/v1/drafts/%/diff", STAFF_QUERY) },
    { "item withdrawal", "ID", 1, 1, link_opts, cmd_staff,
      "how far a takedown has come, channel by channel",
      "tjzw item withdrawal --data tjzw-data" ID,
      STAFF(GET, "/v1/drafts/%/withdrawal", STAFF_QUERY) },
    { 0 },
};
