/*
 * main.c - the table of subcommands, and nothing else of substance. Those that are about what citizens send: server/cli/citizen.c.
 *
 * Help, usage errors and docs come from the rows (server/cli/dispatch.c finds the one that is meant).
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sodium.h>

#include "server/base/memory.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/cli/staff.h"

#define DATA                                                      \
    {                                                             \
        "data", OPT_TEXT, "DIR", "data directory (setting: data)" \
    }
#define CONFIG                                                        \
    {                                                                 \
        "config", OPT_TEXT, "FILE", "settings (see: tjzw print-conf)" \
    }

static const struct opt serve_opts[] = {
    CONFIG,
    DATA,
    { "listen", OPT_LIST, "URL", "https://ADDRESS:PORT, or http:// on loopback" },
    { "mirror", OPT_TEXT, "URL", "an edge: show all streams of that server, and nothing else" },
    { "trust", OPT_TEXT, "KEY", "with --mirror: its platform key in hex (the first one met)" },
    { "cacert", OPT_TEXT, "FILE", "with --mirror: certificates to trust" },
    { "demo", OPT_FLAG, NULL,
      "fill an empty library with 200 demo articles; nothing is sent to anyone" },
    END
};
static const struct opt import_opts[] = {
    LINK_OPTIONS,
    { "publish", OPT_FLAG, NULL, "publish what is taken in, not only store it as drafts" },
    { "no-create", OPT_FLAG, NULL, "refuse records of sites and columns that do not exist" },
    { "site", OPT_TEXT, "CODE", "the site that everything goes to (each record's source)" },
    { "stream", OPT_TEXT, "NAME", "the stream of sites that are made (the first one)" },
    { "authority", OPT_TEXT, "NAME",
      "who alone may revise the records (the name of the site's stream)" },
    { "emergency", OPT_TEXT, "WHY",
      "publish although the site reviews what comes in; the audit log has it" },
    { "assess", OPT_FLAG, NULL, "only report what would become of them: nothing is taken in" },
    { "links", OPT_INT, "N", "with --assess: ask so many of the addresses in them" },
    { "private", OPT_FLAG, NULL, "… in our own network too" },
    { "words", OPT_LIST, "FILE", "with --assess: a list of words (docs/editorial.md)" },
    { "hosts", OPT_LIST, "HOST", "with --assess: ours, with those below it" },
    { "json", OPT_FLAG, NULL, "with --assess: one object" },
    END
};
static const struct opt login_opts[] = {
    { "profile", OPT_TEXT, "NAME", "what you call this sign-in", true },
    { "server", OPT_TEXT, "URL", "the server", true },
    { "cacert", OPT_TEXT, "FILE", "certificates to trust for it" },
    CONFIG,
    END
};
static const struct opt logout_opts[] = {
    { "profile", OPT_TEXT, "NAME", "which sign-in ends", true }, CONFIG, END
};
static const struct opt codes_opts[] = { { "json", OPT_FLAG, NULL, "one object" }, END };
static const struct opt conf_only_opts[] = { CONFIG, END };
static const struct opt data_opts[] = { DATA, CONFIG, END };
static const struct opt check_record_opts[] = {
    { "words", OPT_LIST, "FILE", "a list of words (docs/editorial.md)" },
    { "hosts", OPT_LIST, "HOST", "ours, with those below it: a link to another host is told" },
    { "json", OPT_FLAG, NULL, "an object for each record" },
    END
};
static const struct opt restore_opts[] = {
    DATA,
    CONFIG,
    { "takedowns", OPT_TEXT, "FILE",
      "the lost directory's file 'takedowns': what was withdrawn since stays withdrawn" },
    { "erased", OPT_TEXT, "FILE",
      "the lost directory's file 'erased': whose data were erased since stay erased" },
    END
};
static const struct opt rebuild_opts[] = {
    DATA, CONFIG, { "check", OPT_FLAG, NULL, "only report what is not right" }, END
};
static const struct opt conf_opts[] = {
    CONFIG,
    DATA,
    { "markdown", OPT_FLAG, NULL, "the reference page instead of the effective settings" },
    END
};
static const struct opt link_opts[] = { LINK_OPTIONS, END };
static const struct opt site_opts[] = {
    LINK_OPTIONS,
    { "code", OPT_TEXT, "CODE", "SiteIDCode of 10 digits, or a short name" },
    { "name", OPT_TEXT, "NAME", "full name" },
    { "domain", OPT_TEXT, "DOMAIN", "its domain name" },
    { "org", OPT_TEXT, "ORG", "code or number of the organisation that runs it" },
    { "stream", OPT_TEXT, "NAME", "the stream it belongs to, for ever (the first one)" },
    END
};
static const struct opt site_edit_opts[] = {
    LINK_OPTIONS,
    { "name", OPT_TEXT, "NAME", "full name" },
    { "domain", OPT_TEXT, "DOMAIN", "its domain name" },
    { "org", OPT_TEXT, "ORG", "code or number of the organisation that runs it" },
    { "open", OPT_BOOL, "true|false", "false: it takes in no new items" },
    END
};
static const struct opt site_rule_opts[] = {
    LINK_OPTIONS, { "severity", OPT_TEXT, "WORD", "off, warning, blocking, or default" }, END
};
static const struct opt agreement_opts[] = {
    LINK_OPTIONS,
    { "accepts", OPT_TEXT, "WORD", "none, submit (goes to our review by itself), or publish",
      true },
    { "basis", OPT_TEXT, "TEXT", "the document that it rests on" },
    { "until", OPT_TEXT, "DAY", "the day it ends (never)" },
    END
};
static const struct opt source_opts[] = {
    LINK_OPTIONS,
    { "id", OPT_TEXT, "NAME", "what to call it: small letters, digits, hyphens", true },
    { "site", OPT_TEXT, "SITE", "code or number of the site it is for", true },
    { "column", OPT_TEXT, "PATH", "the column it goes to", true },
    { "kind", OPT_TEXT, "KIND",
      "feed (RSS, Atom), records (NDJSON), or pages (a column's page)" },
    { "minutes", OPT_INT, "N", "ask every N minutes (60)" },
    END
};
static const struct opt duplicates_opts[] = {
    LINK_OPTIONS, { "after", OPT_TEXT, "ID", "the \"next\" of the page before" }, END
};
static const struct opt submissions_opts[] = {
    LINK_OPTIONS,
    { "site", OPT_TEXT, "SITE", "only those for this site" },
    { "state", OPT_TEXT, "STATE", "received, checking, in_review, published, returned …" },
    { "before", OPT_INT, "N", "the \"next\" of the page before" },
    END
};
static const struct opt org_opts[] = {
    LINK_OPTIONS,
    { "code", OPT_TEXT, "CODE", "unified social credit code, or a short name" },
    { "name", OPT_TEXT, "NAME", "full name" },
    { "region", OPT_TEXT, "REGION", "GB/T 2260: 6, 9 or 12 digits" },
    { "parent", OPT_TEXT, "ORG", "code or number of the body above it" },
    END
};
static const struct opt column_opts[] = {
    LINK_OPTIONS,
    { "site", OPT_TEXT, "SITE", "code or number of the site" },
    { "path", OPT_TEXT, "A/B", "names from the top, missing parents are made" },
    { "type", OPT_TEXT, "TYPE", "ColumnType of 国办发〔2017〕47号" },
    { "description", OPT_TEXT, "TEXT", "one sentence" },
    { "keywords", OPT_TEXT, "A,B", "for the page's meta tags" },
    { "periodDays", OPT_INT, "DAYS", "must be updated within; 0: no rule" },
    { "position", OPT_INT, "N", "place among its siblings" },
    END
};
static const struct opt column_edit_opts[] = {
    LINK_OPTIONS,
    { "name", OPT_TEXT, "NAME", "its own name, without those above it" },
    { "type", OPT_TEXT, "TYPE", "ColumnType of 国办发〔2017〕47号" },
    { "description", OPT_TEXT, "TEXT", "one sentence" },
    { "keywords", OPT_TEXT, "A,B", "for the page's meta tags" },
    { "periodDays", OPT_INT, "DAYS", "must be updated within; 0: no rule" },
    { "position", OPT_INT, "N", "place among its siblings" },
    { "open", OPT_BOOL, "true|false", "false: it takes in no new items" },
    END
};
static const struct opt columns_opts[] = { LINK_OPTIONS,
                                           { "site", OPT_TEXT, "SITE", "only of this site" },
                                           END };
static const struct opt items_opts[] = {
    LINK_OPTIONS,
    { "state", OPT_TEXT, "STATE", "draft, in_review, approved, published, withdrawn …" },
    { "n", OPT_INT, "N", "at most so many" },
    { "cursor", OPT_TEXT, "CURSOR", "the \"next\" of the page before" },
    END
};
static const struct opt websub_opts[] = { LINK_OPTIONS,
                                          { "after", OPT_INT, "N", "rows behind that number" },
                                          END };
static const struct opt search_opts[] = {
    LINK_OPTIONS,
    { "site", OPT_TEXT, "SITE", "its code or number" },
    { "kind", OPT_TEXT, "KIND", "article, policy, notice, faq, guide …" },
    { "theme", OPT_TEXT, "THEME", "主题分类" },
    { "from", OPT_TEXT, "DAY", "not older" },
    { "to", OPT_TEXT, "DAY", "not newer" },
    { "n", OPT_INT, "N", "at most so many" },
    { "after", OPT_TEXT, "CURSOR", "the \"next\" of the page before" },
    END
};
const struct opt edit_opts[] = { LINK_OPTIONS,
                                 { "rev", OPT_INT, "N", "the revision that was edited", true },
                                 END };
static const struct opt reason_opts[] = { LINK_OPTIONS,
                                          { "reason", OPT_TEXT, "TEXT", "why" },
                                          END };
static const struct opt withdraw_opts[] = {
    LINK_OPTIONS,
    { "reason", OPT_TEXT, "TEXT", "why; a withdrawal needs one" },
    { "emergency", OPT_FLAG, NULL, "without a second person; the audit log has it" },
    END
};
static const struct opt restore_item_opts[] = {
    LINK_OPTIONS,
    { "revision", OPT_INT, "N", "of which revision (the last, of what was taken down)" },
    END
};
static const struct opt publish_opts[] = {
    LINK_OPTIONS,
    { "purge", OPT_FLAG, NULL, "and remove all earlier revisions for good: something leaked" },
    { "emergency", OPT_FLAG, NULL,
      "although it was not reviewed, with a reason; the audit log has it" },
    { "reason", OPT_TEXT, "TEXT", "why; --purge and --emergency need one, only staff see it" },
    END
};
static const struct opt move_opts[] = {
    LINK_OPTIONS, { "column", OPT_TEXT, "COLUMN", "path or number of the new column" }, END
};
static const struct opt preview_opts[] = {
    LINK_OPTIONS, { "hours", OPT_INT, "N", "how long the link works (24)" }, END
};
static const struct opt mirror_opts[] = {
    LINK_OPTIONS,
    { "stream", OPT_TEXT, "NAME", "the stream there, which has the same name here", true },
    { "trust", OPT_TEXT, "KEY",
      "its platform key in hex; without it the first one met is believed" },
    { "ca", OPT_TEXT, "FILE", "PEM file: believe only certificates it signed" },
    END
};
static const struct opt admin_link_opts[] = {
    LINK_OPTIONS,
    { "role", OPT_TEXT, "ROLE", "system, security, auditor, or another", true },
    { "site", OPT_TEXT, "SITE", "code or number of the site it is for (all sites)" },
    END
};
static const struct opt account_opts[] = {
    LINK_OPTIONS, { "state", OPT_TEXT, "STATE", "locked, or open", true }, END
};
static const struct opt grant_opts[] = {
    LINK_OPTIONS,
    { "account", OPT_INT, "NUMBER", "the account of staff", true },
    { "role", OPT_TEXT, "ROLE", "editor, reviewer_1, publisher …; system, security, auditor",
      true },
    { "site", OPT_TEXT, "SITE", "code or number of the site it is for (all sites)" },
    END
};
static const struct opt device_opts[] = {
    LINK_OPTIONS,
    { "name", OPT_TEXT, "NAME", "what to call it", true },
    { "site", OPT_TEXT, "SITE", "for the roles of this site alone (the list for all sites)" },
    END
};
static const struct opt device_off_opts[] = {
    LINK_OPTIONS, { "site", OPT_TEXT, "SITE", "off the list of this site (of all sites)" }, END
};
static const struct opt revoke_opts[] = { LINK_OPTIONS,
                                          { "role", OPT_TEXT, "ROLE", "the role", true },
                                          { "site", OPT_TEXT, "SITE",
                                            "the site it was given for (all sites)" },
                                          END };
#define PARTY_OPTIONS                                                                        \
    { "owner", OPT_INT, "ACCOUNT", "whose it is (whoever runs this server)" },               \
        { "rights", OPT_TEXT, "A,B",                                                         \
          "import, edit (needed to make sites and columns), review, publish …; operate, "  \
          "audit: on the machine" },                                                         \
        { "site", OPT_TEXT, "SITE", "the site that --rights are for (all sites)" },          \
        { "team", OPT_TEXT, "7,19", "a team party's own people: accounts that it reaches" }, \
        { "grants", OPT_TEXT, "\"A B\"", "as an OpenID client: authorization_code …" },      \
        { "redirects", OPT_LIST, "URL", "where it may send people who have signed in" },     \
        { "logouts", OPT_LIST, "URL", "… and who have signed out" },                         \
        { "scopes", OPT_TEXT, "\"A B\"", "what it may know: openid profile phone" },         \
        { "ceiling", OPT_INT, "LEVEL", "how well at most it is told who somebody is (1)" },  \
    {                                                                                        \
        "confidential", OPT_BOOL, "true|false", "whether it can keep a key (true)"           \
    }
static const struct opt party_opts[] = {
    LINK_OPTIONS,
    { "id", OPT_TEXT, "ID", "a short name: a-z 0-9 . _ -", true },
    { "name", OPT_TEXT, "NAME", "as people know it", true },
    { "kind", OPT_TEXT, "KIND", "test, team or live", true },
    PARTY_OPTIONS,
    END
};
static const struct opt party_edit_opts[] = { LINK_OPTIONS,
                                              { "name", OPT_TEXT, "NAME", "as people know it" },
                                              { "open", OPT_BOOL, "true|false",
                                                "false: none of its keys is good" },
                                              PARTY_OPTIONS,
                                              END };
static const struct opt organisation_opts[] = {
    LINK_OPTIONS, { "name", OPT_TEXT, "NAME", "as people know it", true }, END
};
static const struct opt acting_opts[] = { LINK_OPTIONS,
                                          { "days", OPT_INT, "N", "for how long (365)" },
                                          END };
static const struct opt key_opts[] = { LINK_OPTIONS,
                                       { "days", OPT_INT, "N", "how long it is good (365)" },
                                       { "perMinute", OPT_INT, "N", "requests a minute (600)" },
                                       { "perDay", OPT_INT, "N", "requests a day (100000)" },
                                       END };
static const struct opt rotate_opts[] = {
    LINK_OPTIONS, { "overlapHours", OPT_INT, "N", "how long both are good (24)" }, END
};
static const struct opt sandbox_opts[] = {
    LINK_OPTIONS,
    { "party", OPT_TEXT, "ID", "whose (with its own key: that key's)" },
    { "before", OPT_INT, "NO", "only what is older than this one" },
    { "n", OPT_INT, "N", "at most so many (20)" },
    END
};
static const struct opt requests_opts[] = { LINK_OPTIONS,
                                            { "n", OPT_INT, "N", "at most so many (100)" },
                                            END };

static const struct opt keybag_opts[] = {
    DATA,
    CONFIG,
    { "passphrase-file", OPT_TEXT, "FILE",
      "its first line opens the backup; at least 12 characters" },
    END
};
static const struct opt audit_opts[] = {
    LINK_OPTIONS,
    { "since", OPT_TEXT, "TIME", "from this day or time on: 2026-11-21, 2026-11-21 10:00" },
    { "until", OPT_TEXT, "TIME", "before this day or time" },
    { "actor", OPT_TEXT, "NAME", "who did it: operator, account:7, party:cms" },
    { "action", OPT_TEXT, "WORD", "what: item.publish, right.refused …" },
    { "n", OPT_INT, "N", "at most so many (100)" },
    { "cursor", OPT_TEXT, "CURSOR", "the \"next\" of the page before" },
    END
};
static const struct opt audit_verify_opts[] = {
    DATA,
    CONFIG,
    { "heads", OPT_TEXT, "FILE", "a copy of DATA/audit-heads that was kept elsewhere" },
    END
};

#define STEP(verb, opts, tail, what)                        \
    {                                                       \
        "item " verb, "ID", 1, 1, opts, cmd_staff, what,    \
            "tjzw item " verb " --data tjzw-data" tail      \
            " 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",        \
            STAFF(POST, "/v1/items/%/" verb, STAFF_OPTIONS) \
    }

static const struct command commands[] = {
    { "serve", "", 0, 0, serve_opts, cmd_serve, "serve the library", "tjzw serve --demo",
      NULL },
    { "upgrade", "", 0, 0, data_opts, cmd_upgrade,
      "have the running server become the program that was put in its place, and wait for it",
      "tjzw upgrade --data tjzw-data", NULL },
    { "import", "FILE|-", 1, 1, import_opts, cmd_import,
      "take in records, one JSON object a line",
      "tjzw import --data tjzw-data --publish articles.ndjson\n\nA record:\n"
      "  "
      "{\"id\":\"2026-001\",\"title\":\"标题\",\"source\":\"示例市人民政府\",\"column\":"
      "\"通知公告\","
      "\"pubDate\":\"2026-11-21\",\"body\":\"正文\"}\n  all fields: docs/library.md, or /docs "
      "of a running server",
      NULL },
    { "blob put", "FILE", 1, 1, link_opts, cmd_blob_put,
      "take in a picture or a document; an item's text and attachments name it by its hash",
      "tjzw blob put --data tjzw-data 通知.pdf", NULL },
    { "check-record", "FILE|-", 1, 1, check_record_opts, cmd_check_record,
      "say what is wrong with records, one JSON object a line, before they are sent: nothing "
      "is "
      "taken in",
      "tjzw check-record --hosts gov.cn records.ndjson", NULL },
    { "export", "", 0, 0, data_opts, cmd_export,
      "print the published set, one canonical record a line, sorted by id",
      "tjzw export --data tjzw-data > all.ndjson", NULL },
    { "verify", "", 0, 0, data_opts, cmd_verify, "prove that the log was only appended to",
      "tjzw verify --data tjzw-data", NULL },
    { "rebuild", "", 0, 0, rebuild_opts, cmd_rebuild,
      "make the files that phones fetch again from the log, while the server is stopped",
      "tjzw rebuild --data tjzw-data --check", NULL },
    { "doctor", "", 0, 0, data_opts, cmd_doctor,
      "look for what is wrong or soon will be, and say how to mend it",
      "tjzw doctor --data tjzw-data", NULL },
    { "alerts", "", 0, 0, link_opts, cmd_alerts,
      "what the running server finds wrong with itself, and how to mend it",
      "tjzw alerts --data tjzw-data", NULL },
    { "backup", "DIR", 1, 1, data_opts, cmd_backup,
      "copy everything, while the server runs, and check the copy",
      "tjzw backup --data tjzw-data /mnt/backup/2026-11-21", NULL },
    { "restore", "DIR", 1, 1, restore_opts, cmd_restore,
      "make a new data directory from a backup",
      "tjzw restore --data tjzw-data /mnt/backup/2026-11-21", NULL },
    { "keys list", "", 0, 0, data_opts, cmd_keys_list,
      "list all keys and which of them sign now", "tjzw keys list --data tjzw-data", NULL },
    { "keys rotate", "platform|STREAM|seal", 1, 1, link_opts, cmd_keys_rotate,
      "exchange the platform's key or a stream's (phones follow), or make a new one for "
      "personal fields",
      "tjzw keys rotate --data tjzw-data main", NULL },
    { "keys reseal", "", 0, 0, link_opts, cmd_keys_reseal, "seal personal fields anew",
      "tjzw keys reseal --data tjzw-data", NULL },
    { "keys retire", "seal.N", 1, 1, link_opts, cmd_keys_retire,
      "remove an old key that nothing needs", "tjzw keys retire --data tjzw-data seal.1",
      NULL },
    { "keys backup", "FILE|DIR", 1, 1, keybag_opts, cmd_keys_backup,
      "copy the keys alone: to a file behind a passphrase, or to a directory",
      "tjzw keys backup --data tjzw-data --passphrase-file secret.txt /mnt/safe/keys.bag",
      NULL },
    { "keys restore", "FILE|DIR", 1, 1, keybag_opts, cmd_keys_restore,
      "bring back keys that are missing, while the server is stopped",
      "tjzw keys restore --data tjzw-data --passphrase-file secret.txt /mnt/safe/keys.bag",
      NULL },
    { "keys", "", 0, 0, data_opts, cmd_keys, "print the platform key that phones trust",
      "tjzw keys --data tjzw-data", NULL },
    { "org list", "", 0, 0, link_opts, cmd_staff, "list organisations",
      "tjzw org list --data tjzw-data", STAFF(GET, "/v1/orgs", STAFF_QUERY) },
    { "org create", "", 0, 0, org_opts, cmd_staff, "add an organisation",
      "tjzw org create --data tjzw-data --code hexi-gov --name 河西区人民政府 --region 120103",
      STAFF(POST, "/v1/orgs", STAFF_OPTIONS) },
    { "org edit", "ORG", 1, 1, org_opts, cmd_staff, "change an organisation",
      "tjzw org edit --data tjzw-data --name 新名称 hexi-gov",
      STAFF(PATCH, "/v1/orgs/%", STAFF_OPTIONS) },
    { "site list", "", 0, 0, link_opts, cmd_staff, "list sites",
      "tjzw site list --data tjzw-data", STAFF(GET, "/v1/sites", STAFF_QUERY) },
    { "site create", "", 0, 0, site_opts, cmd_staff, "add a site",
      "tjzw site create --data tjzw-data --code 1201030001 --name 河西区人民政府",
      STAFF(POST, "/v1/sites", STAFF_OPTIONS) },
    { "site edit", "SITE", 1, 1, site_edit_opts, cmd_staff, "change a site",
      "tjzw site edit --data tjzw-data --name 新名称 1",
      STAFF(PATCH, "/v1/sites/%", STAFF_OPTIONS) },
    { "site rules", "SITE", 1, 1, link_opts, cmd_staff,
      "the rules that texts are checked by, and how severe each is there",
      "tjzw site rules --data tjzw-data 1", STAFF(GET, "/v1/sites/%/rules", STAFF_QUERY) },
    { "site rule", "SITE RULE", 2, 2, site_rule_opts, cmd_staff, "set how severe one is",
      "tjzw site rule --data tjzw-data --severity off 1 person.phone",
      STAFF(PUT, "/v1/sites/%/rules/%", STAFF_OPTIONS) },
    { "site agreements", "SITE", 1, 1, link_opts, cmd_staff,
      "whose review the site accepts, and how far", "tjzw site agreements --data tjzw-data 1",
      STAFF(GET, "/v1/sites/%/agreements", STAFF_QUERY) },
    { "site agreement", "SITE SOURCE", 2, 2, agreement_opts, cmd_staff,
      "record how far a source's own review is accepted, or take it back",
      "tjzw site agreement --data tjzw-data --accepts publish --basis 津政办〔2026〕3号 1 "
      "party:heping",
      STAFF(PUT, "/v1/sites/%/agreements/%", STAFF_OPTIONS) },
    { "source add", "URL", 1, 1, source_opts, cmd_staff,
      "ask an address of others by ourselves for what is new there",
      "tjzw source add --data tjzw-data --id heping --site 1201010001 --column 要闻 "
      "https://heping.example.cn/feeds/all.atom",
      &(const struct staff){ POST, "/v1/sources", STAFF_OPTIONS, "url" } },
    { "source list", "", 0, 0, link_opts, cmd_staff,
      "which are asked, how far it is, and what is wrong there",
      "tjzw source list --data tjzw-data", STAFF(GET, "/v1/sources", STAFF_QUERY) },
    { "source show", "NAME", 1, 1, link_opts, cmd_staff, "one of them",
      "tjzw source show --data tjzw-data heping", STAFF(GET, "/v1/sources/%", STAFF_QUERY) },
    { "source pull", "NAME", 1, 1, link_opts, cmd_staff, "ask it now",
      "tjzw source pull --data tjzw-data heping",
      STAFF(POST, "/v1/sources/%/pull", STAFF_QUERY) },
    { "source remove", "NAME", 1, 1, link_opts, cmd_staff,
      "ask it no more; what came of it stays", "tjzw source remove --data tjzw-data heping",
      STAFF(DELETE, "/v1/sources/%", STAFF_QUERY) },
    { "duplicates", "", 0, 0, duplicates_opts, cmd_staff,
      "texts that two sites have published, the same or nearly",
      "tjzw duplicates --data tjzw-data", STAFF(GET, "/v1/duplicates", STAFF_QUERY) },
    { "submission list", "", 0, 0, submissions_opts, cmd_staff,
      "what departments' platforms handed in, and what has become of it",
      "tjzw submission list --data tjzw-data --state returned",
      STAFF(GET, "/v1/submissions", STAFF_QUERY) },
    { "submission show", "ID", 1, 1, link_opts, cmd_staff, "one of them",
      "tjzw submission show --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(GET, "/v1/submissions/%", STAFF_QUERY) },
    { "submission send", "FILE|-", 1, 1, link_opts, cmd_staff,
      "hand in a text with a program's key",
      "tjzw submission send --server https://www.example.cn --token-file heping.key "
      "2026-017.json",
      STAFF(POST, "/v1/submissions", STAFF_FILE) },
    { "column list", "", 0, 0, columns_opts, cmd_staff, "list columns",
      "tjzw column list --data tjzw-data --site 1", STAFF(GET, "/v1/columns", STAFF_QUERY) },
    { "column create", "", 0, 0, column_opts, cmd_staff, "add a column",
      "tjzw column create --data tjzw-data --site 1 --path 政策文件/市政府文件",
      STAFF(POST, "/v1/columns", STAFF_OPTIONS) },
    { "column edit", "NUMBER", 1, 1, column_edit_opts, cmd_staff, "change a column",
      "tjzw column edit --data tjzw-data --position 2 3 (numbers: tjzw column list)",
      STAFF(PATCH, "/v1/columns/%", STAFF_OPTIONS) },
    { "search", "WORDS", 1, 1, search_opts, cmd_staff, "search what is published",
      "tjzw search --data tjzw-data --n 5 '社保卡 补办'",
      STAFF(GET, "/v1/search?q=%", STAFF_QUERY) },
    { "item list", "", 0, 0, items_opts, cmd_staff, "list items by state",
      "tjzw item list --data tjzw-data --state draft",
      STAFF(GET, "/v1/staff/items", STAFF_QUERY) },
    { "item show", "ID", 1, 1, link_opts, cmd_staff,
      "show the newest revision, published or not",
      "tjzw item show --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(GET, "/v1/drafts/%", STAFF_QUERY) },
    { "item create", "FILE|-", 1, 1, link_opts, cmd_staff, "add a draft from a JSON file",
      "tjzw item create --data tjzw-data notice.json\n\nA file:\n"
      "  "
      "{\"site\":\"示例市人民政府\",\"column\":\"通知公告\",\"title\":\"标题\",\"body\":"
      "\"正文\"}\n"
      "  all fields: tjzw print-fields",
      STAFF(POST, "/v1/items", STAFF_FILE) },
    { "item edit", "ID FILE|-", 2, 2, edit_opts, cmd_staff, "a new revision from a JSON file",
      "tjzw item edit --data tjzw-data --rev 1 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11 "
      "notice.json",
      STAFF(PUT, "/v1/items/%", STAFF_FILE) },
    STEP("submit", link_opts, "", "hand the newest revision in for review"),
    STEP("return", reason_opts, " --reason 日期有误", "hand it back to its author"),
    STEP("approve", reason_opts, "", "approve it: one step of the site's chain of review"),
    STEP("publish", publish_opts, "", "publish it"),
    STEP("withdraw", withdraw_opts, " --reason 内容有误",
         "take the item out of every channel (撤稿)"),
    STEP("gone", withdraw_opts, " --reason 含个人信息", "withdraw it for good, its text too"),
    STEP("restore", restore_item_opts, "",
         "a new draft from what was withdrawn, or from any revision"),
    { "item move", "ID", 1, 1, move_opts, cmd_staff, "move it to another column",
      "tjzw item move --data tjzw-data --column 3 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/move", STAFF_OPTIONS) },
    { "item preview", "ID", 1, 1, preview_opts, cmd_staff,
      "a link that shows a draft, for a while",
      "tjzw item preview --data tjzw-data --hours 48 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/preview", STAFF_OPTIONS) },
    { "item withhold", "ID", 1, 1, reason_opts, cmd_staff, "do not show a mirrored item here",
      "tjzw item withhold --data tjzw-data --reason 依本地规定 "
      "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/withhold", STAFF_OPTIONS) },
    { "item unwithhold", "ID", 1, 1, link_opts, cmd_staff, "show a mirrored item again",
      "tjzw item unwithhold --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/unwithhold", STAFF_OPTIONS) },
    { "mirror add", "URL", 1, 1, mirror_opts, cmd_staff, "follow a stream of another server",
      "tjzw mirror add --data tjzw-data --stream heping https://heping.example.cn:8443",
      &(const struct staff){ POST, "/v1/mirrors", STAFF_OPTIONS, "url" } },
    { "mirror list", "", 0, 0, link_opts, cmd_staff,
      "whom this server follows, and how far it is", "tjzw mirror list --data tjzw-data",
      STAFF(GET, "/v1/mirrors", STAFF_QUERY) },
    { "websub list", "", 0, 0, websub_opts, cmd_staff,
      "who is told of news in feeds (WebSub), until when, and how often it failed",
      "tjzw websub list --data tjzw-data", STAFF(GET, "/v1/websub", STAFF_QUERY) },
    { "mirror remove", "NAME", 1, 1, link_opts, cmd_staff,
      "follow a stream no more, and drop it here", "tjzw mirror remove --data tjzw-data heping",
      STAFF(DELETE, "/v1/mirrors/%", STAFF_QUERY) },
    { "admin link", "", 0, 0, admin_link_opts, cmd_admin_link,
      "a link by which a member of staff makes his account",
      "tjzw admin link --data tjzw-data --role security" },
    { "accounts list", "", 0, 0, link_opts, cmd_staff, "the accounts of staff",
      "tjzw accounts list --data tjzw-data", STAFF(GET, "/v1/accounts", STAFF_QUERY) },
    { "accounts set", "ACCOUNT", 1, 1, account_opts, cmd_staff,
      "keep somebody out at once, or let him in again",
      "tjzw accounts set --data tjzw-data --state locked 7",
      STAFF(PATCH, "/v1/accounts/%", STAFF_OPTIONS) },
    { "roles list", "", 0, 0, link_opts, cmd_staff, "who of the staff may do what",
      "tjzw roles list --data tjzw-data", STAFF(GET, "/v1/roles", STAFF_QUERY) },
    { "roles show", "ACCOUNT", 1, 1, link_opts, cmd_staff, "the roles of one account",
      "tjzw roles show --data tjzw-data 7", STAFF(GET, "/v1/roles/%", STAFF_QUERY) },
    { "roles grant", "", 0, 0, grant_opts, cmd_staff, "let an account do something",
      "tjzw roles grant --data tjzw-data --account 7 --role editor --site 1201030001\n\n"
      "  the roles: docs/reference/routes.md, or tjzw print-routes",
      STAFF(POST, "/v1/roles", STAFF_OPTIONS) },
    { "roles revoke", "ACCOUNT", 1, 1, revoke_opts, cmd_staff,
      "take it away again, from its next request on",
      "tjzw roles revoke --data tjzw-data --role editor --site 1201030001 7",
      STAFF(DELETE, "/v1/roles/%", STAFF_QUERY) },
    { "devices list", "", 0, 0, link_opts, cmd_staff,
      "at which devices staff may work, and which wait to be listed",
      "tjzw devices list --data tjzw-data\n\n"
      "  as long as no device is listed they may work at any: docs/identity.md",
      STAFF(GET, "/v1/devices", STAFF_QUERY) },
    { "devices add", "DEVICE", 1, 1, device_opts, cmd_staff,
      "list a device; from the first one on staff work at listed ones alone",
      "tjzw devices add --data tjzw-data --name 一楼值班电脑 3f2a09c1d4e5b687",
      &(const struct staff){ POST, "/v1/devices", STAFF_OPTIONS, "device" } },
    { "devices remove", "DEVICE", 1, 1, device_off_opts, cmd_staff,
      "take a device off the list, from its next request on",
      "tjzw devices remove --data tjzw-data 3f2a09c1d4e5b687",
      STAFF(DELETE, "/v1/devices/%", STAFF_QUERY) },
    { "organisations list", "", 0, 0, link_opts, cmd_staff,
      "organisations' accounts, and who acts for them",
      "tjzw organisations list --data tjzw-data",
      STAFF(GET, "/v1/organisations", STAFF_QUERY) },
    { "organisations add", "", 0, 0, organisation_opts, cmd_staff,
      "make an organisation's account",
      "tjzw organisations add --data tjzw-data --name 示例科技有限公司",
      STAFF(POST, "/v1/organisations", STAFF_OPTIONS) },
    { "organisations allow", "ORGANISATION PERSON", 2, 2, acting_opts, cmd_staff,
      "let a person act for it", "tjzw organisations allow --data tjzw-data --days 365 12 7",
      STAFF(PUT, "/v1/organisations/%/people/%", STAFF_OPTIONS) },
    { "organisations forbid", "ORGANISATION PERSON", 2, 2, link_opts, cmd_staff,
      "take that away again, from the next request on",
      "tjzw organisations forbid --data tjzw-data 12 7",
      STAFF(DELETE, "/v1/organisations/%/people/%", STAFF_QUERY) },
    { "parties list", "", 0, 0, link_opts, cmd_staff, "programs of others, or yours",
      "tjzw parties list --data tjzw-data", STAFF(GET, "/v1/parties", STAFF_QUERY) },
    { "parties show", "ID", 1, 1, link_opts, cmd_staff, "one of them",
      "tjzw parties show --data tjzw-data cms", STAFF(GET, "/v1/parties/%", STAFF_QUERY) },
    { "parties add", "", 0, 0, party_opts, cmd_staff, "let a program of others in",
      "tjzw parties add --data tjzw-data --id cms --name 采编系统 --kind live --rights "
      "import,edit,publish\n  and then its key: tjzw parties key --data tjzw-data cms",
      STAFF(POST, "/v1/parties", STAFF_OPTIONS) },
    { "parties edit", "ID", 1, 1, party_edit_opts, cmd_staff,
      "change it, what it may do, or close it",
      "tjzw parties edit --data tjzw-data --open false cms",
      STAFF(PATCH, "/v1/parties/%", STAFF_OPTIONS) },
    { "parties keys", "ID", 1, 1, link_opts, cmd_staff, "its keys, not what they say",
      "tjzw parties keys --data tjzw-data cms", STAFF(GET, "/v1/parties/%/keys", STAFF_QUERY) },
    { "parties key", "ID", 1, 1, key_opts, cmd_staff, "a new key for it; shown once",
      "tjzw parties key --data tjzw-data --days 365 cms",
      STAFF(POST, "/v1/parties/%/keys", STAFF_OPTIONS) },
    { "parties rotate", "ID KEY", 2, 2, rotate_opts, cmd_staff,
      "a new key in the place of an old one, which stays good for a while",
      "tjzw parties rotate --data tjzw-data --overlapHours 72 cms 4",
      STAFF(POST, "/v1/parties/%/keys/%/rotate", STAFF_OPTIONS) },
    { "parties revoke", "ID KEY", 2, 2, link_opts, cmd_staff, "end a key",
      "tjzw parties revoke --data tjzw-data cms 4",
      STAFF(DELETE, "/v1/parties/%/keys/%", STAFF_QUERY) },
    { "parties requests", "ID", 1, 1, requests_opts, cmd_staff, "what it asked last",
      "tjzw parties requests --data tjzw-data --n 20 cms",
      STAFF(GET, "/v1/parties/%/requests", STAFF_QUERY) },
    { "sandbox", "", 0, 0, sandbox_opts, cmd_staff,
      "what a test key's requests would have shown, and to whom",
      "tjzw sandbox --data tjzw-data --party cms", STAFF(GET, "/v1/sandbox", STAFF_QUERY) },
    { "audit list", "", 0, 0, audit_opts, cmd_staff, "show the audit log, the newest first",
      "tjzw audit list --data tjzw-data --since 2026-11-01 --action item.publish",
      STAFF(GET, "/v1/audit", STAFF_QUERY) },
    { "audit verify", "", 0, 0, audit_verify_opts, cmd_audit_verify,
      "prove that nobody changed the audit log",
      "tjzw audit verify --data tjzw-data --heads /mnt/elsewhere/audit-heads", NULL },
    { "audit export", "", 0, 0, data_opts, cmd_audit_export,
      "print the whole audit log with its chain and signatures, one object a line",
      "tjzw audit export --data tjzw-data > audit.ndjson", NULL },
    { "login", "", 0, 0, login_opts, cmd_login,
      "sign in at a server elsewhere, as a member of its staff, by a browser",
      "tjzw login --profile heping --server https://heping.example.cn\n"
      "  then: tjzw item list --profile heping",
      NULL },
    { "logout", "", 0, 0, logout_opts, cmd_logout, "end that sign-in",
      "tjzw logout --profile heping", NULL },
    { "profiles", "", 0, 0, conf_only_opts, cmd_profiles,
      "where you signed in, and until when the access token is good", "tjzw profiles", NULL },
    { "print-conf", "", 0, 0, conf_opts, cmd_print_conf,
      "print the settings in force, as a file to start from", "tjzw print-conf > tjzw.conf",
      NULL },
    { "print-routes", "", 0, 0, NULL, cmd_print_routes, "print who may call what",
      "tjzw print-routes", NULL },
    { "print-metrics", "", 0, 0, NULL, cmd_print_metrics, "print what /metrics counts",
      "tjzw print-metrics", NULL },
    { "print-fields", "", 0, 0, NULL, cmd_print_fields, "print what an item may say",
      "tjzw print-fields", NULL },
    { "print-codes", "", 0, 0, codes_opts, cmd_print_codes,
      "print the closed lists of words, with their versions", "tjzw print-codes", NULL },
    { "print-openapi", "", 0, 0, NULL, cmd_print_openapi, "print the interface as OpenAPI 3.1",
      "tjzw print-openapi > openapi.json", NULL },
    { 0 },
};

const struct command *const command_tables[] = { commands, citizen_commands, channel_commands,
                                                 editor_commands, NULL };

enum { HEAPS = 8 };

/* A descriptor that was closed for us would be the next file we open, and our words would go into it. */
static bool open_standard(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int main(int argc, char **argv)
{
    int code;

    memory_init();
    /* What is as large as an object goes back to the kernel when it is freed. Else glibc keeps some of each size, on each thread. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    /* And what is smaller lies in pieces in as many heaps as there may be: eight a core, without this. */
    mallopt(M_ARENA_MAX, HEAPS);
    if (!open_standard() || sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT))
        return EX_SOFTWARE;
    code = cli_dispatch(argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && !code) {
        fprintf(stderr, "tjzw: not all of the output could be written: %s\n", strerror(errno));
        code = EX_IOERR;
    }
    return code;
}
