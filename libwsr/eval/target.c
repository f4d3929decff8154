// SPDX-License-Identifier: Apache-2.0
//
// Networks and programs to be attacked. A program says itself which images and
// classes it knows; options that say so too must agree.

#include "eval/target.h"

#include "attack/engine/model_command.h"

#include <stddef.h>
#include <string.h>

static const char prefix[] = "cmd:";

// What may be said beside a program, under the keys of networks' files.
typedef struct program_options {
    int64_t classes; // 0: not said, as those below
    int64_t image_size;
    int64_t image_channels;
    wsr__normalize normalize;
    double range;
} program_options;

#define AT(field) offsetof(program_options, field)

static const wsr__option schema[] = {
    {"classes", WSR__INT, AT(classes), "0", 0, 100000, "", "", NULL},
    {"image_size", WSR__INT, AT(image_size), "0", 0, 4096, "pixels", "", NULL},
    {"image_channels", WSR__INT, AT(image_channels), "0", 0, 1024, "", "",
     NULL},
    WSR__NORMALIZE_OPTIONS(AT(normalize)),
    {"range", WSR__FLOAT, AT(range), "1", 1e-6, 65536, "", "", NULL},
    {0},
};

// So that the options are taken as those beside a file are.
static const wsr__net_class program = {
    .super = {"cmd", "program", "", schema, sizeof(program_options)},
};

static bool is_program(const char *file)
{
    return strncmp(file, prefix, sizeof(prefix) - 1) == 0;
}

static wsr_status check_said(const program_options *options,
                             const wsr_model *model)
{
    const wsr_shape *const image = wsr_model_shape(model);
    const struct {
        const char *key;
        int64_t said;
        int64_t have;
    } all[] = {{"classes", options->classes, (int64_t)wsr_model_classes(model)},
               {"image_size", options->image_size, image->dims[1]},
               {"image_channels", options->image_channels, image->dims[0]}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].said != 0 && all[i].said != all[i].have) {
            return WSR_FAIL(WSR_CONFIG, "net.%s: is %lld, the program has %lld",
                            all[i].key, (long long)all[i].said,
                            (long long)all[i].have);
        }
    }
    return WSR_OK;
}

static wsr_status start(wsr_model **out, const wsr__eval_file_params *params,
                        int64_t batch)
{
    wsr_status status = WSR_OK;
    wsr_model *model = NULL;
    program_options options;
    const char *const command = params->file.s + sizeof(prefix) - 1;
    if (command[strspn(command, " ")] == '\0') {
        return WSR_FAIL(WSR_CONFIG, "net.file: '%s' names no program",
                        params->file.s);
    }
    wsr__params_default(&options, schema);
    WSR_TRY(wsr__net_take_override(&options, &program, &params->options));
    WSR_TRY(wsr__model_from_command(
        &model, command,
        &(wsr__command_params){.timeout = params->timeout,
                               .batch = batch,
                               .normalize = options.normalize,
                               .range = options.range}));
    WSR_TRY(check_said(&options, model));
    *out = model;
    model = NULL;
out:
    wsr_model_free(model);
    return status;
}

wsr_status wsr__eval_target_open(wsr__eval_target *out,
                                 const wsr__eval_file_params *params,
                                 int64_t batch)
{
    wsr_status status = WSR_OK;
    const char *const file = params->file.s;
    if (file[0] == '\0') {
        return WSR_OK;
    }
    if (is_program(file)) {
        return start(&out->model, params, batch);
    }
    WSR_TRY(wsr__net_from_file(&out->net, file, &params->options));
    WSR_TRY(wsr_model_from_net(&out->model, out->net, (size_t)batch));
out:
    return status;
}

void wsr__eval_target_free(wsr__eval_target *target)
{
    wsr_model_free(target->model);
    wsr_net_free(target->net);
    *target = (wsr__eval_target){0};
}

wsr_status wsr__eval_target_describe(char **out, const wsr__eval_target *target,
                                     const char *file)
{
    wsr__str text = {0};
    char shape[96];
    if (target->net != NULL) {
        return wsr_net_describe(out, target->net);
    }
    const char *const name = wsr__model_command_name(target->model);
    wsr__shape_print(shape, wsr_model_shape(target->model));
    wsr__str_addf(&text, "%s%s%s, images %s, %zu classes", file,
                  name[0] == '\0' ? "" : ": ", name, shape,
                  wsr_model_classes(target->model));
    return wsr__str_give(out, &text);
}
