// SPDX-License-Identifier: Apache-2.0
//
// Writes the network of a configuration to a file of another format, without
// an evaluation.

#include "eval/run_params.h"
#include "wsr/eval.h"

#include <stddef.h>
#include <string.h>

typedef struct export_params {
    wsr__text file;
} export_params;

static const wsr__option schema[] = {
    {"file", WSR__TEXT, offsetof(export_params, file), "", 0, 0, "",
     "file to which the network is written", NULL},
    {0},
};

// What would be left out in silence.
static wsr_status check_given(const wsr_config *config)
{
    static const char *const none[] = {
        "attack.list",  "attack.eps",  "attack.save",
        "attack.count", "data.spec",   "corruption.list",
        "hessian.of",   "source.file", "verify.file"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (wsr_config_text(config, none[i]) != NULL) {
            return WSR_FAIL(WSR_CONFIG,
                            "%s: has no meaning where a network is written",
                            none[i]);
        }
    }
    return WSR_OK;
}

static wsr_status decode(wsr__eval_run_params *p, export_params *own,
                         const wsr_config *config)
{
    enum { OWN = WSR__EVAL_RUN_SECTIONS, COMMON };
    wsr_status status = WSR_OK;
    wsr__run_common common = {0};
    wsr__section sections[WSR__EVAL_RUN_SECTIONS + 2];
    memset(sections, 0, sizeof(sections));
    wsr__eval_run_sections(p, sections);
    sections[OWN] =
        (wsr__section){.prefix = "export", .schema = schema, .params = own};
    sections[COMMON] = (wsr__section){
        .prefix = "", .schema = wsr__run_common_schema, .params = &common};
    WSR_TRY(wsr__config_decode(config, sections,
                               sizeof(sections) / sizeof(sections[0])));
    WSR_TRY(check_given(config));
    if (own->file.s[0] == '\0' || p->net.file.s[0] == '\0') {
        status =
            WSR_FAIL(WSR_CONFIG, "%s: is missing, the file %s",
                     own->file.s[0] == '\0' ? "export.file" : "net.file",
                     own->file.s[0] == '\0' ? "to write" : "of the network");
    }
out:
    return status;
}

wsr_status wsr_eval_export(const wsr_config *config)
{
    wsr_status status = WSR_OK;
    wsr_net *net = NULL;
    export_params own = {0};
    wsr__eval_run_params *const p = wsr__alloc(1, sizeof(*p));
    WSR_TRY(p != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(decode(p, &own, config));
    WSR_TRY(wsr__file_check_place(own.file.s));
    WSR_TRY(wsr__net_from_file(&net, p->net.file.s, &p->net.options));
    WSR_TRY(wsr_net_save(net, own.file.s));
out:
    wsr_net_free(net);
    wsr__free(p);
    return status;
}
