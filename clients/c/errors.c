/*
 * errors.c - one table: what a code is called, and what the person holding the phone is told:
 * what happened, and what to do.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/c/store.h"

static const struct {
    const char *name;
    const char *text;
} table[] = {
    [TJZW_OK] = { "ok", "成功" },
    [TJZW_USAGE] = { "usage", "参数不正确。请对照帮助检查后重试" },
    [TJZW_NOT_FOUND] = { "not_found",
                         "没有找到：该条目没有发布、已经下线、在保留范围之外，或者这个"
                         "数据流尚未关注。可先同步再试" },
    [TJZW_STORE] = { "store", "无法读写本机的数据文件。请检查路径和权限；如文件已损坏，删除它后"
                              "重新同步即可" },
    [TJZW_FULL] = { "full", "本机存储空间已满，原有内容不受影响。请腾出空间后重试" },
    [TJZW_NEWER_STORE] = { "newer_store",
                           "数据文件由更新的版本写成，本版本不敢改动。请升级程序" },
    [TJZW_LOCKED] = { "locked", "另一个程序正在同步同一份数据。请等它结束后重试" },
    [TJZW_NET] = { "net", "连不上服务器，或者传输中断。已收到的部分会保留，原有内容可照常阅读。"
                          "请检查网络和地址后重试" },
    [TJZW_BUSY] = { "busy", "服务器正忙，请稍后再试。原有内容可照常阅读" },
    [TJZW_GONE] = { "gone", "服务器上没有这个数据流。请检查服务器地址和数据流名称" },
    [TJZW_STOPPED] = { "stopped", "同步已停止。已收到的部分会保留，下次从中断处继续" },
    [TJZW_STALE] = { "stale", "服务器的内容正在更换（可能刚有条目撤下），这一次没有取到完整的内"
                              "容。原有内"
                              "容可照常阅读，请几秒后再试" },
    [TJZW_UNTRUSTED] = { "untrusted", "服务器的签名或公钥不可信，收到的内容没有采用。请核对平台"
                                      "公钥（--trust）和服务器地址" },
    [TJZW_ROLLBACK] = { "rollback", "服务器给出的状态比本机已有的更旧或相互矛盾，没有采用。可能"
                                    "是缓存过期，请稍后再试" },
    [TJZW_MISMATCH] = { "mismatch", "收到的内容与签名不符，没有采用。请稍后再试；若一再发生，请"
                                    "运行 verify 检查本机数据" },
    [TJZW_INVALID] = { "invalid", "服务器的回答不符合协议，没有采用。请确认地址指向本平台的服务"
                                  "器，或升级程序" },
    [TJZW_TLS] = { "tls",
                   "服务器的 TLS 证书无法验证，没有传送任何内容。自签证书请用 --cacert "
                   "指定证书文件（服务器数据目录 DIR/keys/tls-cert.pem）；否则请核对地址" },
    [TJZW_SIGN_IN] = { "sign_in",
                       "需要登录：尚未登录、登录已失效，或者填写的内容不对。请（重新）"
                       "登录后重试；本机写下的内容仍在" },
    [TJZW_REFUSED] = { "refused", "服务器没有接受。请核对填写的内容后重试" },
    [TJZW_DAMAGED] = { "damaged",
                       "本机数据与签名不符，已作标记。请再同步一次，有出入的内容将重新取回" },
};

const char *tjzw_code_name(enum tjzw_code code)
{
    return (unsigned)code < sizeof table / sizeof table[0] ? table[code].name : "unknown";
}

enum tjzw_code fail_with(struct tjzw_error *e, enum tjzw_code code, const char *detail, ...)
{
    va_list args;

    if (!e)
        return code;
    e->code = code;
    snprintf(e->text, sizeof e->text, "%s", table[code].text);
    va_start(args, detail);
    vsnprintf(e->detail, sizeof e->detail, detail, args);
    va_end(args);
    return code;
}

enum tjzw_code fail_sync(struct tjzw_error *e, const struct sync_err *why)
{
    static const enum tjzw_code codes[] = {
        [SYNC_OK] = TJZW_OK,
        [SYNC_INVALID] = TJZW_INVALID,
        [SYNC_UNTRUSTED] = TJZW_UNTRUSTED,
        [SYNC_ROLLBACK] = TJZW_ROLLBACK,
        [SYNC_MISMATCH] = TJZW_MISMATCH,
        [SYNC_NET] = TJZW_NET,
        [SYNC_BUSY] = TJZW_BUSY,
        [SYNC_GONE] = TJZW_GONE,
        [SYNC_STALE] = TJZW_STALE,
        [SYNC_STORE] = TJZW_STORE,
        [SYNC_FULL] = TJZW_FULL,
        [SYNC_CANCELLED] = TJZW_STOPPED,
        [SYNC_USAGE] = TJZW_USAGE,
        [SYNC_NOT_HELD] = TJZW_NOT_FOUND,
    };

    return fail_with(e, codes[why->rc], "%s", why->text);
}
