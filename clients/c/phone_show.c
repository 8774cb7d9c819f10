/*
 * phone_show.c - one item on a terminal: its title, the fields a reader looks for with their
 * Chinese names, and its texts.
 *
 * The record is the library's canonical JSON; members that are not in the tables here are not
 * shown (export shows all).
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "clients/c/phone.h"

struct label {
    const char *name, *label;
};

/* Above the text, in this order. */
static const struct label facts[] = {
    { "kind", "类别" },
    { "site", "站点" },
    { "column", "栏目" },
    { "published", "发布时间" },
    { "updated", "更新时间" },
    { "docKind", "文种" },
    { "indexNumber", "索引号" },
    { "docNumber", "发文字号" },
    { "issuers", "发文机关" },
    { "contentSource", "来源" },
    { "author", "作者" },
    { "theme", "主题分类" },
    { "theme2", "二级主题" },
    { "writtenDate", "成文日期" },
    { "sourceDate", "原发布日期" },
    { "effectDate", "生效日期" },
    { "expireDate", "失效日期" },
    { "validity", "有效性" },
    { "openType", "公开方式" },
    { "sharing", "共享类型" },
    { "isReprint", "转载" },
    { "authority", "权威来源" },
    { "language", "语言" },
    { "keywords", "关键词" },
    { "phone", "咨询电话" },
    { "sourceUrl", "原文链接" },
    { "originId", "来源编号" },
    { "related", "相关内容" },
    { "image", "题图" },
    { "expires", "下线时间" },
    { "id", "编号" },
};

/* The texts, each under its name but the body. */
static const struct label texts[] = {
    { "summary", "摘要" },        { "body", NULL },
    { "history", "沿革" },        { "basis", "设定依据" },
    { "conditions", "申请条件" }, { "materials", "办理材料" },
    { "procedure", "办理流程" },  { "fee", "收费标准" },
    { "hours", "办理时间" },      { "place", "办理地点" },
};

static void print_value(const json_t *value)
{
    json_t *one;
    size_t i;

    if (json_is_string(value))
        printf("%s", json_string_value(value));
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        printf("%s", json_is_true(value) ? "是" : "否");
    json_array_foreach(value, i, one)
    {
        printf("%s", i ? "、" : "");
        print_value(one);
    }
}

static void print_attachments(const json_t *files)
{
    json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        const char *name = json_string_value(json_object_get(file, "name"));

        const char *hash = json_string_value(json_object_get(file, "hash"));

        printf("附件：%s  %s\n", name ? name : "（无名）", hash ? hash : "");
    }
}

void phone_show(const struct tjzw_item *item)
{
    json_t *record = json_loadb(item->json, item->json_len, 0, NULL);
    const json_t *value;

    printf("%s\n\n", item->title);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (!(value = json_object_get(record, facts[i].name)) ||
            (json_is_array(value) && json_array_size(value) == 0))
            continue;
        printf("%s：", facts[i].label);
        print_value(value);
        putchar('\n');
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = json_string_value(json_object_get(record, texts[i].name));

        if (text && texts[i].label)
            printf("\n【%s】\n%s\n", texts[i].label, text);
        else if (text)
            printf("\n%s\n", text);
    }
    print_attachments(json_object_get(record, "attachments"));
    if (json_object_get(record, "questions"))
        printf("\n这是一份问卷。看题目：survey show %s；回答：survey answer %s\n", item->id,
               item->id);
    json_decref(record);
}
