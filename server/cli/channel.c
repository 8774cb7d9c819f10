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
    { 0 },
};
