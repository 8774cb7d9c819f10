/*
 * citizen.c - rows of commands that are about what citizens send: letters, answers to surveys, votes, reads; and messages to them. What a row is: cli.h.
 */
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/cli/staff.h"

static const struct opt link_opts[] = { LINK_OPTIONS, END };
static const struct opt counts_opts[] = {
    LINK_OPTIONS,
    { "since", OPT_TEXT, "DAY", "from this day on (the last 30 days)" },
    { "until", OPT_TEXT, "DAY", "before this day" },
    { "by", OPT_TEXT, "item|day", "a row an item, the most read first, or a row a day" },
    { "site", OPT_TEXT, "SITE", "only of this site" },
    { "item", OPT_TEXT, "ID", "only of this item, a row a day" },
    { "n", OPT_INT, "N", "at most so many (100)" },
    END
};
static const struct opt inbox_opts[] = {
    LINK_OPTIONS,
    { "account", OPT_INT, "NUMBER", "to whom", true },
    { "group", OPT_TEXT, "NAME", "what it belongs to: nobody gets two of it", true },
    { "title", OPT_TEXT, "TEXT", "one line", true },
    { "text", OPT_TEXT, "TEXT", "more" },
    { "item", OPT_TEXT, "ID", "the published item that it is about" },
    { "days", OPT_INT, "N", "how long it stays (366)" },
    END
};
static const struct opt answers_opts[] = {
    LINK_OPTIONS,
    { "after", OPT_INT, "NO", "only those behind this number (0)" },
    { "n", OPT_INT, "N", "at most so many (200, never above 1000)" },
    END
};
static const struct opt votes_opts[] = { LINK_OPTIONS,
                                         { "item", OPT_TEXT, "ID", "only of this item" },
                                         { "n", OPT_INT, "N", "at most so many (100)" },
                                         END };
static const struct opt letters_opts[] = {
    LINK_OPTIONS,
    { "unit", OPT_TEXT, "CODE", "of this organisation; who handles one alone need not say it" },
    { "category", OPT_TEXT, "WORD",
      "consult, help, suggest, complain, report, fault, disclose" },
    { "state", OPT_TEXT, "WORD", "submitted, accepted, in_progress, …" },
    { "late", OPT_TEXT, "1", "overdue ones alone" },
    { "changed", OPT_TEXT, "1", "all, in the order in which they changed" },
    { "n", OPT_TEXT, "N", "at most so many (50)" },
    { "cursor", OPT_TEXT, "CURSOR", "the \"next\" of the page before" },
    END
};
static const struct opt warning_list_opts[] = { LINK_OPTIONS,
                                                { "n", OPT_INT, "N", "at most so many (50)" },
                                                { "cursor", OPT_INT, "NO",
                                                  "the \"next\" of the page before" },
                                                END };
static const struct opt warning_confirm_opts[] = {
    LINK_OPTIONS,
    { "hash", OPT_TEXT, "HASH", "what was looked at: \"hash\" of warning senders", true },
    END
};
static const struct opt warning_stop_opts[] = { LINK_OPTIONS,
                                                { "text", OPT_TEXT, "TEXT", "why", true },
                                                END };
static const struct opt letter_text_opts[] = { LINK_OPTIONS,
                                               { "text", OPT_TEXT, "TEXT", "in words" },
                                               END };
static const struct opt letter_review_opts[] = {
    LINK_OPTIONS,
    { "draft", OPT_INT, "NO", "the draft that was read: \"draft\" of letters show" },
    { "text", OPT_TEXT, "TEXT", "in words" },
    END
};
static const struct opt letter_begin_opts[] = { LINK_OPTIONS,
                                                { "text", OPT_TEXT, "TEXT", "in words" },
                                                { "complex", OPT_FLAG, NULL,
                                                  "it is a complex one, and takes longer" },
                                                END };
static const struct opt letter_assign_opts[] = {
    LINK_OPTIONS,
    { "text", OPT_TEXT, "TEXT", "in words" },
    { "complex", OPT_FLAG, NULL, "it is a complex one, and takes longer" },
    { "clerk", OPT_INT, "ACCOUNT", "to whom; without it, to the unit" },
    END
};
static const struct opt letter_transfer_opts[] = { LINK_OPTIONS,
                                                   { "text", OPT_TEXT, "TEXT", "why" },
                                                   { "unit", OPT_TEXT, "CODE",
                                                     "to which organisation" },
                                                   END };
static const struct opt letter_extend_opts[] = {
    LINK_OPTIONS,
    { "text", OPT_TEXT, "TEXT", "why; the writer reads it" },
    { "days", OPT_INT, "N", "working days; without it, as many as there may be" },
    END
};
static const struct opt letter_template_opts[] = { LINK_OPTIONS,
                                                   { "text", OPT_TEXT, "TEXT", "what it says" },
                                                   { "unit", OPT_TEXT, "CODE",
                                                     "of which organisation" },
                                                   END };
static const struct opt letter_publish_opts[] = {
    LINK_OPTIONS,
    { "column", OPT_INT, "NO", "where it shall stand" },
    { "names", OPT_LIST, "NAME,…", "names in the text that are to be taken out" },
    END
};
static const struct opt letter_unit_opts[] = {
    LINK_OPTIONS, { "unit", OPT_TEXT, "CODE", "of which organisation" }, END
};

static const struct opt campaigns_opts[] = {
    LINK_OPTIONS,
    { "site", OPT_TEXT, "SITE", "of this site; who pushes for one alone need not say it" },
    { "state", OPT_TEXT, "WORD", "draft, submitted, approved, scheduled, running, …" },
    { "n", OPT_INT, "N", "at most so many (50)" },
    { "cursor", OPT_INT, "NO", "the \"next\" of the page before" },
    END
};
static const struct opt campaign_approve_opts[] = {
    LINK_OPTIONS,
    { "hash", OPT_TEXT, "HASH", "of what was looked at: \"hash\" of push show", true },
    { "text", OPT_TEXT, "TEXT", "in words" },
    END
};
static const struct opt campaign_why_opts[] = { LINK_OPTIONS,
                                                { "text", OPT_TEXT, "TEXT", "why", true },
                                                END };

static const struct opt notice_templates_opts[] = {
    LINK_OPTIONS,
    { "party", OPT_TEXT, "ID", "of this party" },
    { "state", OPT_TEXT, "WORD", "submitted, returned, approved, replaced, retired" },
    { "cursor", OPT_INT, "NO", "the \"next\" of the page before" },
    END
};
static const struct opt notice_approve_opts[] = {
    LINK_OPTIONS,
    { "hash", OPT_TEXT, "HASH", "of what was looked at: \"hash\" of notice template", true },
    END
};
static const struct opt report_opts[] = {
    LINK_OPTIONS, { "csv", OPT_FLAG, NULL, "as a table for a spreadsheet" }, END
};

#define PUSH(step, opts, tail, what)                                 \
    {                                                                \
        "push " step, "CAMPAIGN", 1, 1, opts, cmd_staff, what,       \
            "tjzw push " step " --data tjzw-data" tail " 12",        \
            STAFF(POST, "/v1/push/campaigns/%/" step, STAFF_OPTIONS) \
    }
#define PUSH_SEE(view, what)                                        \
    {                                                               \
        "push " view, "CAMPAIGN", 1, 1, link_opts, cmd_staff, what, \
            "tjzw push " view " --data tjzw-data 12",               \
            STAFF(GET, "/v1/push/campaigns/%/" view, STAFF_QUERY)   \
    }

#define LETTER(verb, opts, tail, what)                                      \
    {                                                                       \
        "letters " verb, "LETTER", 1, 1, opts, cmd_staff, what,             \
            "tjzw letters " verb " --data tjzw-data" tail " JB2026-000123", \
            STAFF(POST, "/v1/letters/%/" verb, STAFF_OPTIONS)               \
    }

const struct command citizen_commands[] = {
    { "counts list", "", 0, 0, counts_opts, cmd_staff, "how often items were read (浏览量)",
      "tjzw counts list --data tjzw-data --since 2026-11-01 --by day",
      STAFF(GET, "/v1/staff/counts", STAFF_QUERY) },
    { "counts csv", "", 0, 0, counts_opts, cmd_staff, "the same as a table for a spreadsheet",
      "tjzw counts csv --data tjzw-data --since 2026-11-01 > counts.csv",
      STAFF(GET, "/v1/staff/counts.csv", STAFF_QUERY) },
    { "inbox send", "", 0, 0, inbox_opts, cmd_staff, "a notice to one account",
      "tjzw inbox send --data tjzw-data --account 7 --group outage-3 --title 今晚升级",
      STAFF(POST, "/v1/inbox", STAFF_OPTIONS) },
    { "inbox withdraw", "GROUP", 1, 1, link_opts, cmd_staff,
      "take a group of messages back, from all who have one",
      "tjzw inbox withdraw --data tjzw-data outage-3",
      STAFF(DELETE, "/v1/inbox/%", STAFF_QUERY) },
    { "push audience", "FILE|-", 1, 1, link_opts, cmd_staff,
      "how many devices an audience has, by transport (docs/push.md)",
      "echo '{\"audience\":{\"area\":\"120101\"}}' | tjzw push audience --data tjzw-data -",
      STAFF(POST, "/v1/push/audience", STAFF_FILE) },
    { "notice templates", "", 0, 0, notice_templates_opts, cmd_staff,
      "templates of notices, the newest first (docs/notices.md)",
      "tjzw notice templates --data tjzw-data --state submitted",
      STAFF(GET, "/v1/notice-templates", STAFF_QUERY) },
    { "notice template", "TEMPLATE", 1, 1, link_opts, cmd_staff, "one of them",
      "tjzw notice template --data tjzw-data 3",
      STAFF(GET, "/v1/notice-templates/%", STAFF_QUERY) },
    { "notice draft", "FILE|-", 1, 1, link_opts, cmd_staff,
      "a template, or a newer version of one, to be approved by somebody else",
      "tjzw notice draft --data tjzw-data visit.json\n\n  what it may say: docs/notices.md",
      STAFF(POST, "/v1/notice-templates", STAFF_FILE) },
    { "notice approve", "TEMPLATE", 1, 1, notice_approve_opts, cmd_staff,
      "approve what was looked at", "tjzw notice approve --data tjzw-data --hash 9f86…0a08 3",
      STAFF(POST, "/v1/notice-templates/%/approve", STAFF_OPTIONS) },
    { "notice return", "TEMPLATE", 1, 1, campaign_why_opts, cmd_staff, "hand it back (退回)",
      "tjzw notice return --data tjzw-data --text 请写明地点 3",
      STAFF(POST, "/v1/notice-templates/%/return", STAFF_OPTIONS) },
    { "notice retire", "TEMPLATE", 1, 1, campaign_why_opts, cmd_staff,
      "nothing is sent by it any more", "tjzw notice retire --data tjzw-data --text 业务已停 3",
      STAFF(POST, "/v1/notice-templates/%/retire", STAFF_OPTIONS) },
    { "notice send", "FILE|-", 1, 1, link_opts, cmd_staff,
      "a notice to one person, in the name of a party",
      "tjzw notice send --data tjzw-data notice.json\n\n  what it may say: docs/notices.md",
      STAFF(POST, "/v1/notices", STAFF_FILE) },
    { "notice show", "NOTICE", 1, 1, link_opts, cmd_staff, "what became of one",
      "tjzw notice show --data tjzw-data 0190b1c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(GET, "/v1/notices/%", STAFF_QUERY) },
    { "push list", "", 0, 0, campaigns_opts, cmd_staff, "campaigns, the newest first",
      "tjzw push list --data tjzw-data --state submitted",
      STAFF(GET, "/v1/push/campaigns", STAFF_QUERY) },
    { "push show", "CAMPAIGN", 1, 1, link_opts, cmd_staff,
      "one campaign, whole: who approved it, where it has room",
      "tjzw push show --data tjzw-data 12", STAFF(GET, "/v1/push/campaigns/%", STAFF_QUERY) },
    { "push draft", "FILE|-", 1, 1, link_opts, cmd_staff,
      "a new campaign about a published item: title, text, class, audience, start",
      "tjzw push draft --data tjzw-data campaign.json\n\n  what it may say: docs/push.md",
      STAFF(POST, "/v1/push/campaigns", STAFF_FILE) },
    { "push edit", "CAMPAIGN FILE|-", 2, 2, link_opts, cmd_staff,
      "say something else with it: approvals and test are void",
      "echo '{\"title\":\"明天停水\"}' | tjzw push edit --data tjzw-data 12 -",
      STAFF(PATCH, "/v1/push/campaigns/%", STAFF_FILE) },
    { "push copy", "CAMPAIGN", 1, 1, link_opts, cmd_staff, "a new draft that says the same",
      "tjzw push copy --data tjzw-data 12",
      STAFF(POST, "/v1/push/campaigns/%/copy", STAFF_QUERY) },
    PUSH_SEE("plan", "whom it reaches, who is lost on the way, when it is done"),
    PUSH_SEE("sample", "at most five of its people, masked"),
    PUSH_SEE("steps", "who did what with it, and why"),
    { "push missing", "", 0, 0, link_opts, cmd_staff,
      "what should have been pushed and was not, and what stands still",
      "tjzw push missing --data tjzw-data", STAFF(GET, "/v1/push/missing", STAFF_QUERY) },
    { "push watch", "CAMPAIGN", 1, 1, link_opts, cmd_push_watch,
      "its progress as it happens, until it is through",
      "tjzw push watch --data tjzw-data 12" },
    { "push report", "CAMPAIGN", 1, 1, report_opts, cmd_staff,
      "what became of its devices, by transport and district; what a recall could do",
      "tjzw push report --data tjzw-data --csv 12 > report.csv",
      STAFF(GET, "/v1/push/campaigns/%/report", STAFF_QUERY) },
    PUSH("test", link_opts, "", "send it to the testers' phones (试发)"),
    PUSH("submit", letter_text_opts, "", "hand it in for approval (送审)"),
    PUSH("approve", campaign_approve_opts, " --hash 9f86…0a08",
         "approve what was looked at; not who made it (批准)"),
    PUSH("return", campaign_why_opts, " --text 请写明几点", "hand it back (退回)"),
    PUSH("reject", campaign_why_opts, " --text 与上一条重复", "refuse it for good"),
    PUSH("schedule", link_opts, "", "let it go at its time (排期)"),
    PUSH("cancel", letter_text_opts, "", "give up what has not begun (取消)"),
    PUSH("pause", letter_text_opts, "", "hold what is being sent (暂停)"),
    PUSH("resume", letter_text_opts, "", "go on with it (继续)"),
    PUSH("recall", campaign_why_opts, " --text 时间写错了",
         "stop it, and take back what can be (撤回)"),
    { "warning list", "", 0, 0, warning_list_opts, cmd_staff,
      "signed warnings that came in, tests and exercises too, the newest first",
      "tjzw warning list --data tjzw-data", STAFF(GET, "/v1/staff/warnings", STAFF_QUERY) },
    { "warning senders", "", 0, 0, link_opts, cmd_staff,
      "who may issue warnings, and what waits to be confirmed",
      "tjzw warning senders --data tjzw-data", STAFF(GET, "/v1/warning-senders", STAFF_QUERY) },
    { "warning propose", "SENDER FILE|-", 2, 2, link_opts, cmd_staff,
      "who may issue warnings: name, keys, levels, areas, from, until; somebody else confirms "
      "it",
      "tjzw warning propose --data tjzw-data 12000041600 sender.json\n\n"
      "  what it may say: docs/protocol/warnings.md; until it is confirmed its keys are test "
      "keys",
      STAFF(PUT, "/v1/warning-senders/%", STAFF_FILE) },
    { "warning confirm", "SENDER", 1, 1, warning_confirm_opts, cmd_staff,
      "let it be so; not who proposed it",
      "tjzw warning confirm --data tjzw-data --hash 9f86…0a08 12000041600",
      STAFF(POST, "/v1/warning-senders/%/confirm", STAFF_OPTIONS) },
    { "warning stop", "SENDER", 1, 1, warning_stop_opts, cmd_staff,
      "take no more warnings from it, from its next request on",
      "tjzw warning stop --data tjzw-data --text 密钥遗失 12000041600",
      STAFF(POST, "/v1/warning-senders/%/stop", STAFF_OPTIONS) },
    { "surveys list", "", 0, 0, link_opts, cmd_staff, "surveys that are published",
      "tjzw surveys list --data tjzw-data", STAFF(GET, "/v1/surveys", STAFF_QUERY) },
    { "surveys create", "FILE|-", 1, 1, link_opts, cmd_staff,
      "a draft of one: what is asked, of whom, until when",
      "tjzw surveys create --data tjzw-data survey.json",
      STAFF(POST, "/v1/items", STAFF_FILE) },
    { "surveys edit", "ID FILE|-", 2, 2, edit_opts, cmd_staff,
      "another revision; the questions only before it was opened",
      "tjzw surveys edit --data tjzw-data --rev 1 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11 "
      "survey.json",
      STAFF(PUT, "/v1/items/%", STAFF_FILE) },
    { "surveys submit", "ID", 1, 1, link_opts, cmd_staff, "hand it in for review",
      "tjzw surveys submit --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/submit", STAFF_OPTIONS) },
    { "surveys approve", "ID", 1, 1, link_opts, cmd_staff,
      "approve it: somebody else than who wrote it",
      "tjzw surveys approve --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/approve", STAFF_OPTIONS) },
    { "surveys open", "ID", 1, 1, link_opts, cmd_staff,
      "publish it: from its time on it is answered",
      "tjzw surveys open --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/items/%/publish", STAFF_OPTIONS) },
    { "surveys close", "ID", 1, 1, link_opts, cmd_staff, "end it before its time",
      "tjzw surveys close --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/surveys/%/close", STAFF_QUERY) },
    { "surveys results", "ID", 1, 1, link_opts, cmd_staff, "how many chose what",
      "tjzw surveys results --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(GET, "/v1/staff/surveys/%", STAFF_QUERY) },
    { "surveys answers", "ID", 1, 1, answers_opts, cmd_staff,
      "each answer, one object a line, without who gave it",
      "tjzw surveys answers --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11 > "
      "answers.ndjson",
      STAFF(GET, "/v1/staff/surveys/%/answers", STAFF_QUERY) },
    { "surveys csv", "ID", 1, 1, answers_opts, cmd_staff,
      "the same as a table for a spreadsheet",
      "tjzw surveys csv --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11 > answers.csv",
      STAFF(GET, "/v1/staff/surveys/%/answers.csv", STAFF_QUERY) },
    { "surveys draft", "ID", 1, 1, link_opts, cmd_staff,
      "a draft of an article with the results",
      "tjzw surveys draft --data tjzw-data 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11",
      STAFF(POST, "/v1/surveys/%/draft", STAFF_QUERY) },
    { "votes", "", 0, 0, votes_opts, cmd_staff,
      "what readers call useful and what not (有用/没用)", "tjzw votes --data tjzw-data --n 20",
      STAFF(GET, "/v1/staff/votes", STAFF_QUERY) },
    { "letters list", "", 0, 0, letters_opts, cmd_staff,
      "letters that wait for somebody, the most urgent first",
      "tjzw letters list --data tjzw-data --unit heping --late 1",
      STAFF(GET, "/v1/letters", STAFF_QUERY) },
    { "letters show", "LETTER", 1, 1, link_opts, cmd_staff, "one letter, whole",
      "tjzw letters show --data tjzw-data JB2026-000123",
      STAFF(GET, "/v1/letters/%", STAFF_QUERY) },
    LETTER("accept", letter_begin_opts, "", "accept it (受理)"),
    LETTER("refuse", letter_text_opts, " --text 不属本级职责", "refuse it (不予受理)"),
    LETTER("assign", letter_assign_opts, " --clerk 7", "give it to somebody (交办)"),
    LETTER("transfer", letter_transfer_opts, " --unit nankai --text 属南开区",
           "give it to another organisation (转办)"),
    LETTER("begin", letter_begin_opts, "", "begin to work on it"),
    LETTER("ask", letter_text_opts, " --text 请写明地址",
           "ask its writer to complete it (补正)"),
    LETTER("consult", letter_text_opts, " --text 征求企业意见",
           "stop the clock while third parties are asked (依申请公开)"),
    LETTER("resume", letter_text_opts, "", "let it run on"),
    LETTER("extend", letter_extend_opts, " --days 5 --text 要实地核查",
           "a later deadline, once"),
    LETTER("draft", letter_text_opts, " --text 请到街道办理", "draft the answer"),
    LETTER("return", letter_text_opts, " --text 请写清地址", "hand the draft back"),
    LETTER("review", letter_review_opts, " --draft 5", "approve the draft; not who wrote it"),
    LETTER("answer", letter_text_opts, "", "send the reviewed draft"),
    LETTER("follow", letter_text_opts, " --text 已电话说明", "settle a poor rating (回访)"),
    { "letters import", "FROM FILE|-", 2, 2, link_opts, cmd_staff,
      "take in letters and answers of another system, one JSON object a line",
      "tjzw letters import --data tjzw-data 12345 letters.ndjson\n\n  a line: docs/letters.md",
      STAFF(POST, "/v1/letters?from=%", STAFF_FILE) },
    { "letters file", "LETTER HASH", 2, 2, link_opts, cmd_staff,
      "one of its attachments, byte for byte",
      "tjzw letters file --data tjzw-data JB2026-000123 9f86d0…0a08 > photo.jpg",
      STAFF(GET, "/v1/letters/%/files/%", STAFF_QUERY) },
    { "letters publish", "LETTER", 1, 1, letter_publish_opts, cmd_staff,
      "make a draft of the library of its answer, without personal data",
      "tjzw letters publish --data tjzw-data --column 12 --names 李雷 JB2026-000123",
      STAFF(POST, "/v1/letters/%/publish", STAFF_OPTIONS) },
    { "letters templates", "", 0, 0, letter_unit_opts, cmd_staff, "texts that are used again",
      "tjzw letters templates --data tjzw-data --unit heping",
      STAFF(GET, "/v1/letter-templates", STAFF_QUERY) },
    { "letters template", "NAME", 1, 1, letter_template_opts, cmd_staff,
      "keep one, or change it",
      "tjzw letters template --data tjzw-data --unit heping --text 您好 问候",
      &(const struct staff){ PUT, "/v1/letter-templates", STAFF_OPTIONS, "name" } },
    { "letters drop-template", "NAME", 1, 1, letter_unit_opts, cmd_staff, "forget one",
      "tjzw letters drop-template --data tjzw-data --unit heping 问候",
      STAFF(DELETE, "/v1/letter-templates/%", STAFF_QUERY) },
    { 0 },
};
