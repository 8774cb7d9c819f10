/*
 * channel.c - rows of commands about accounts on other platforms (docs/channels.md). What a row is: cli.h.
 */
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/cli/staff.h"

static const struct opt link_opts[] = { LINK_OPTIONS, END };
static const struct opt list_opts[] = {
    LINK_OPTIONS, { "after", OPT_INT, "N", "accounts behind that number" }, END
};
static const struct opt create_opts[] = {
    LINK_OPTIONS,
    { "kind", OPT_TEXT, "KIND", "wechat, weibo, toutiao, douyin, …", true },
    { "handle", OPT_TEXT, "ID", "what the platform calls it: AppID, uid", true },
    { "name", OPT_TEXT, "NAME", "what its readers call it", true },
    { "site", OPT_TEXT, "SITE", "code or number of the site it belongs to", true },
    { "org", OPT_TEXT, "ORG", "code or number of the organ that runs it" },
    { "filing", OPT_TEXT, "TEXT", "the number of its filing (备案号)" },
    { "state", OPT_TEXT, "STATE", "filing (at first), active, paused, closed" },
    { "domain", OPT_TEXT, "DOMAIN", "Weibo: the bound domain" },
    END
};
static const struct opt versions_opts[] = {
    LINK_OPTIONS, { "before", OPT_INT, "N", "versions below that number" }, END
};
static const struct opt approve_opts[] = {
    LINK_OPTIONS,
    { "hash", OPT_TEXT, "HASH", "of what was looked at: \"hash\" of channel version", true },
    END
};
static const struct opt return_opts[] = { LINK_OPTIONS,
                                          { "text", OPT_TEXT, "TEXT", "why", true },
                                          END };
static const struct opt tasks_opts[] = {
    LINK_OPTIONS,
    { "state", OPT_TEXT, "STATE", "queued, waiting, unknown, done, failed, cancelled" },
    { "before", OPT_INT, "N", "tasks below that number" },
    END
};
static const struct opt resolve_opts[] = {
    LINK_OPTIONS,
    { "went", OPT_BOOL, "true|false", "true: it is out; false: it is not, and is sent again",
      true },
    { "article", OPT_TEXT, "ID",
      "what the platform calls it: a withdrawal deletes it by that" },
    END
};

const struct command channel_commands[] = {
    { "channel list", "", 0, 0, list_opts, cmd_staff,
      "accounts on WeChat, Weibo and elsewhere: who runs them, their state, their last "
      "publication",
      "tjzw channel list --data tjzw-data", STAFF(GET, "/v1/channels", STAFF_QUERY) },
    { "channel show", "NUMBER", 1, 1, link_opts, cmd_staff, "one of them",
      "tjzw channel show --data tjzw-data 1", STAFF(GET, "/v1/channels/%", STAFF_QUERY) },
    { "channel create", "", 0, 0, create_opts, cmd_staff, "register one",
      "tjzw channel create --data tjzw-data --kind wechat --handle wx0123456789abcdef --name "
      "天津发布 --site 1200000000 --state active",
      STAFF(POST, "/v1/channels", STAFF_OPTIONS) },
    { "channel edit", "NUMBER FILE|-", 2, 2, link_opts, cmd_staff,
      "change its entry, or what it answers by itself",
      "echo '{\"state\":\"paused\"}' | tjzw channel edit --data tjzw-data 1 -",
      STAFF(PATCH, "/v1/channels/%", STAFF_FILE) },
    { "channel credentials", "NUMBER FILE|-", 2, 2, link_opts, cmd_staff,
      "seal what we speak for it with (docs/channels.md has the members of the file)",
      "tjzw channel credentials --data tjzw-data 1 secret.json",
      STAFF(PUT, "/v1/channels/%/credentials", STAFF_FILE) },
    { "channel versions", "NUMBER", 1, 1, versions_opts, cmd_staff,
      "what was written for one, the newest first", "tjzw channel versions --data tjzw-data 1",
      STAFF(GET, "/v1/channels/%/versions", STAFF_QUERY) },
    { "channel version", "VERSION", 1, 1, link_opts, cmd_staff,
      "one of these, whole, and what its platform would not take",
      "tjzw channel version --data tjzw-data 3",
      STAFF(GET, "/v1/channel-versions/%", STAFF_QUERY) },
    { "channel write", "NUMBER FILE|-", 2, 2, link_opts, cmd_staff,
      "a version of a published item for it: item, title, digest, byline, body, cover",
      "tjzw channel write --data tjzw-data 1 version.json",
      STAFF(POST, "/v1/channels/%/versions", STAFF_FILE) },
    { "channel rewrite", "VERSION FILE|-", 2, 2, link_opts, cmd_staff,
      "say something else with it: the approval is void",
      "echo '{\"title\":\"明天停水\"}' | tjzw channel rewrite --data tjzw-data 3 -",
      STAFF(PATCH, "/v1/channel-versions/%", STAFF_FILE) },
    { "channel approve", "VERSION", 1, 1, approve_opts, cmd_staff, "approve what was looked at",
      "tjzw channel approve --data tjzw-data --hash 9f86…0a08 3",
      STAFF(POST, "/v1/channel-versions/%/approve", STAFF_OPTIONS) },
    { "channel return", "VERSION", 1, 1, return_opts, cmd_staff, "hand it back (退回)",
      "tjzw channel return --data tjzw-data --text 请写明地点 3",
      STAFF(POST, "/v1/channel-versions/%/return", STAFF_OPTIONS) },
    { "channel send", "VERSION", 1, 1, link_opts, cmd_staff,
      "publish it there; a version goes once, however often it is said",
      "tjzw channel send --data tjzw-data 3",
      STAFF(POST, "/v1/channel-versions/%/send", STAFF_QUERY) },
    { "channel tasks", "", 0, 0, tasks_opts, cmd_staff,
      "what was or is to be done there, the newest first",
      "tjzw channel tasks --data tjzw-data --state unknown",
      STAFF(GET, "/v1/channel-tasks", STAFF_QUERY) },
    { "channel task", "TASK", 1, 1, link_opts, cmd_staff, "how far one has got",
      "tjzw channel task --data tjzw-data 5", STAFF(GET, "/v1/channel-tasks/%", STAFF_QUERY) },
    { "channel cancel", "TASK", 1, 1, link_opts, cmd_staff, "what has not left stays here",
      "tjzw channel cancel --data tjzw-data 5",
      STAFF(POST, "/v1/channel-tasks/%/cancel", STAFF_QUERY) },
    { "channel retry", "TASK", 1, 1, link_opts, cmd_staff, "what was refused is tried again",
      "tjzw channel retry --data tjzw-data 5",
      STAFF(POST, "/v1/channel-tasks/%/retry", STAFF_QUERY) },
    { "channel resolve", "TASK", 1, 1, resolve_opts, cmd_staff,
      "say of one whose result is unknown whether it is out (look at the platform first)",
      "tjzw channel resolve --data tjzw-data --went false 5",
      STAFF(POST, "/v1/channel-tasks/%/resolve", STAFF_OPTIONS) },
    { 0 },
};
