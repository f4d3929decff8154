// SPDX-License-Identifier: Apache-2.0
//
// The configuration of an evaluation run: its sections, and the values that
// need more than a schema (strengths, the released measure). Decoding reads no
// files.
//
// The options of the network and of the source network override those in their
// files, so their sections record which ones were given.

#include "eval/run_params.h"

#include "attack/engine/model_command.h"
#include "base/fidelity.h"

#include <math.h>
#include <string.h>

enum {
    NET,
    NET_OPTIONS,
    SOURCE,
    SOURCE_OPTIONS,
    DATA,
    ATTACK,
    CORRUPTION,
    HESSIAN
};

static const wsr__option net_schema[] = {
    {"file", WSR__TEXT, offsetof(wsr__eval_file_params, file), "", 0, 0, "",
     "file of the network: safetensors, .pth (.pth#ema: its averaged weights), "
     ".npz, .onnx; or cmd:COMMAND, a program that is one",
     NULL},
    WSR__TIMEOUT_OPTION(offsetof(wsr__eval_file_params, timeout)),
    {0},
};

static const wsr__option source_schema[] = {
    {"file", WSR__TEXT, offsetof(wsr__eval_file_params, file), "", 0, 0, "",
     "network that attacks work on, where they do not know the one of net.file",
     NULL},
    WSR__TIMEOUT_OPTION(offsetof(wsr__eval_file_params, timeout)),
    {0},
};

#define DATA_AT(field) offsetof(wsr__eval_data_params, field)

static const wsr__option data_schema[] = {
    {"spec", WSR__TEXT, DATA_AT(spec), "", 0, 0, "",
     "fashion-mnist, cifar10:PATH, idx:IMAGES,LABELS, ...", NULL},
    {"split", WSR__TEXT, DATA_AT(split), "", 0, 0, "",
     "test or train; empty: test, where there is one", NULL},
    {"size", WSR__INT, DATA_AT(view.size), "0", 0, WSR__SIDE_MAX, "pixels",
     "centre images in zeros; 0: as the network takes them", NULL},
    {"channels", WSR__INT, DATA_AT(view.channels), "0", 0, WSR__CHANNELS_MAX,
     "", "repeat a grey channel; 0: as the network takes them", NULL},
    {"limit", WSR__INT, DATA_AT(view.limit), "0", 0, INT32_MAX, "images",
     "take the first ones, 0: all", NULL},
    WSR__FILE_OPTIONS(DATA_AT(view)),
    {0},
};

#define ATTACK_AT(field) offsetof(wsr__eval_attack_params, field)

static const wsr__option attack_schema[] = {
    {"list", WSR__TEXT, ATTACK_AT(list), "pgd", 0, 0, "",
     "attacks with options, fgsm,pgd:steps=20,restarts=5: a comma begins the "
     "next attack where a name follows, and the next option of the same one "
     "where KEY= follows; empty: none, if something else is measured",
     NULL},
    {"eps", WSR__TEXT, ATTACK_AT(eps), "8/255", 0, 0, "",
     "strengths on pixels from 0 to 1; inf: for the smallest change", NULL},
    WSR__EVAL_OPTIONS(ATTACK_AT(settings)),
    {"save", WSR__TEXT, ATTACK_AT(save), "", 0, 0, "",
     "file for the adversarial images, or DIR/ for PNG files", NULL},
    {"show", WSR__INT, ATTACK_AT(show), "8", 0, 10000, "images",
     "that the report in the folder shows", NULL},
    {"fidelity", WSR__WORD, ATTACK_AT(fidelity), "intended", 0, 0, "",
     "released: as the research code measures, pgd alone", wsr__fidelity_words},
    {0},
};

// The sections "net" and "source" have two structs each: the file, and options
// that override it.
void wsr__eval_run_sections(wsr__eval_run_params *params, wsr__section *out)
{
    const wsr__section all[WSR__EVAL_RUN_SECTIONS] = {
        [NET] = {.prefix = "net", .schema = net_schema, .params = &params->net},
        [NET_OPTIONS] = {.prefix = "net",
                         .schema = wsr__net_override_schema(),
                         .params = &params->net.options.values,
                         .given = params->net.options.given},
        [SOURCE] = {.prefix = "source",
                    .schema = source_schema,
                    .params = &params->source},
        [SOURCE_OPTIONS] = {.prefix = "source",
                            .schema = wsr__net_override_schema(),
                            .params = &params->source.options.values,
                            .given = params->source.options.given},
        [DATA] = {.prefix = "data",
                  .schema = data_schema,
                  .params = &params->data},
        [ATTACK] = {.prefix = "attack",
                    .schema = attack_schema,
                    .params = &params->attack},
        [CORRUPTION] = {.prefix = "corruption",
                        .schema = wsr__corruptions_schema,
                        .params = &params->measures.corruption},
        [HESSIAN] = {.prefix = "hessian",
                     .schema = wsr__hessian_schema,
                     .params = &params->measures.hessian}};
    memcpy(out, all, sizeof(all));
}

// The released measure has no such options; to ignore one would give a number
// that means something else.
static wsr_status check_released(const wsr_config *config)
{
    static const char *const none[] = {
        "attack.save",         "attack.stop", "attack.nested", "attack.target",
        "attack.target_class", "attack.show", "source.file",   "seed",
        "attack.queries"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (wsr_config_text(config, none[i]) != NULL) {
            return WSR_FAIL(WSR_CONFIG,
                            "attack.fidelity: the released measure knows no "
                            "%s",
                            none[i]);
        }
    }
    return WSR_OK;
}

// The only attack of the released measure is pgd, and it has other options
// than the attack of that name.
static wsr_status decode_released(wsr__eval_run_params *params)
{
    static const char name[] = "pgd";
    const char *const list = params->attack.list.s;
    const size_t n = sizeof(name) - 1;
    wsr__released_params *const p = &params->released_params;
    wsr_status status = WSR_OK;
    if (strncmp(list, name, n) != 0 || (list[n] != '\0' && list[n] != ':')) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.fidelity: the released measure knows pgd "
                        "alone, not '%.40s'",
                        list);
    }
    wsr__params_default(p, wsr__released_schema);
    WSR_TRY(wsr__params_parse(p, wsr__released_schema, "released.",
                              list[n] == ':' ? list + n + 1 : ""));
    if (params->attack.settings.attack.batch > 0) {
        p->batch = params->attack.settings.attack.batch;
    }
    p->count = params->attack.settings.count;
out:
    return status;
}

// Called when the configuration was decoded: the released measure excludes
// options by whether they were given.
wsr_status wsr__eval_run_fidelity(wsr__eval_run_params *params,
                                  const wsr_config *config)
{
    wsr_status status = WSR_OK;
    params->released = wsr__streq(params->attack.fidelity.s, "released");
    if (params->released) {
        WSR_TRY(check_released(config));
        WSR_TRY(decode_released(params));
    }
out:
    return status;
}

// "0.03", "8/255" or "inf": one item of the list, `length` bytes of `text`.
static wsr_status decode_strength(float *out, const char *text, size_t length)
{
    static const wsr__option option = {"eps", WSR__FLOAT, 0,  "0", 0,
                                       1e6,   "",         "", NULL};
    char copy[64] = "";
    double value = 0;
    if (length < sizeof(copy)) {
        memcpy(copy, text, length);
    }
    if (wsr__streq(copy, "inf")) {
        *out = INFINITY;
        return WSR_OK;
    }
    const wsr_status status = wsr__value_decode(&value, &option, copy);
    if (status == WSR_CONFIG) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.eps: '%.*s' is not a strength such as 0.03 or "
                        "8/255",
                        length > 40 ? 40 : (int)length, text);
    }
    *out = (float)value;
    return status;
}

// A list of text rather than of numbers, since "inf" is a strength of minimum-
// norm attacks.
wsr_status wsr__eval_run_strengths(wsr__eval_run_params *params)
{
    wsr_status status = WSR_OK;
    const char *text = params->attack.eps.s;
    params->n_eps = 0;
    for (bool more = true; more;) {
        const size_t length = strcspn(text, ",");
        if (params->n_eps == WSR__STRENGTHS) {
            return WSR_FAIL(WSR_CONFIG, "attack.eps: more than %d strengths",
                            WSR__STRENGTHS);
        }
        WSR_TRY(decode_strength(&params->eps[params->n_eps++], text, length));
        more = text[length] == ',';
        text += length + more;
    }
out:
    return status;
}

// Images take the model's shape unless the options say otherwise.
wsr_status wsr__eval_open_data(wsr_dataset **out,
                               const wsr__eval_run_params *params,
                               const wsr_model *model)
{
    const wsr_shape *const image = wsr_model_shape(model);
    const char *const split = params->data.split.s;
    wsr__data_params view = params->data.view;
    view.size = view.size > 0 ? view.size : image->dims[1];
    view.channels = view.channels > 0 ? view.channels : image->dims[0];
    return wsr__dataset_make(out, params->data.spec.s,
                             split[0] == '\0' ? NULL : split, &view);
}
