/*
 * robot.c - crawlers, libraries and watchers have these words in their names. Who lies is caught by nobody here: what one address reads of an item in a
 * day counts only so often (server/citizen/count_web.h).
 */
#include "server/http/robot.h"

#include <string.h>
#include <strings.h>

static const char *const words[] = {
    "bot",        "spider",   "crawl",
    "slurp",      "scrapy",   "curl/",
    "wget/",      "python",   "go-http",
    "java/",      "okhttp",   "axios",
    "node-",      "node/",    "libwww",
    "httpclient", "headless", "monitor",
    "lighthouse", "preview",  "facebookexternalhit",
    "postman",    "h2load",   "apachebench",
};

static bool has(const char *text, size_t n, const char *word)
{
    size_t length = strlen(word);

    for (size_t i = 0; i + length <= n; i++)
        if (!strncasecmp(text + i, word, length))
            return true;
    return false;
}

bool robot_is(const char *agent, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has(agent, n, words[i]))
            return true;
    return n == 0;
}
