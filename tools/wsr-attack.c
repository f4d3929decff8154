// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack: how many images a network recognises in spite of attacks. The
// keys of its configuration are those of the library's parts: net.* of
// wsr_net_load(), data.* of wsr_dataset_open(), attack.* of
// wsr_eval_new().

#include "attack_job.h"
#include "out.h"
#include "waiting.h"

#include <stdio.h>

static const cli_option options[] = {
    {"net", "FILE", "net.file", "network, a safetensors file"},
    {"genotype", "NAME", "net.genotype", "its cells, if the file does not say"},
    {"channels", "N", "net.channels", "its width, likewise"},
    {"layers", "N", "net.layers", "its number of cells, likewise"},
    {"classes", "N", "net.classes", "its classes, likewise"},
    {"source", "FILE", "source.file", "make the attacks on another network"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {"split", "NAME", "data.split", "test (default) or train"},
    {"attack", "LIST", "attack.list", "a,b:key=value,c (default: pgd)"},
    {"eps", "LIST", "attack.eps", "strengths: 0.03,8/255 (default: 8/255)"},
    {"target-class", "N", "attack.target_class",
     "class that all images are to be taken for"},
    {"count", "N", "attack.count", "attack the first N images (default: all)"},
    {"save", "FILE", "attack.save", "write the adversarial images"},
    {NULL, NULL, NULL, NULL},
};

static const cli_tool tool = {
    .name = "wsr-attack",
    .summary = "accuracy of a network under attacks of several strengths",
    .usage = "--net FILE --data SPEC --attack LIST --eps LIST\n"
             "  wsr-attack --net net.safetensors --data fashion-mnist \\\n"
             "      --attack fgsm,pgd:steps=20,restarts=5 --eps 4/255,8/255",
    .options = options,
    .help = job_help,
    .topics = job_topics,
};

// Results so far are shown and kept even when an attack fails or somebody asks
// to stop. `what` is the failure's line, which the caller is to hear then.
static wsr_status keep_results(const cli *c, const job *j, wsr_status run,
                               char *what, size_t size)
{
    (void)snprintf(what, size, "%s", run == WSR_OK ? "" : wsr_error_detail());
    wsr_status status = WSR_OK;
    const bool any = wsr_eval_position(j->eval) > 0;
    if (run == WSR_OK || run == WSR_CANCELED || any) {
        status = job_show(c, j);
    }
    if (status == WSR_OK && (run == WSR_OK || run == WSR_CANCELED || any)) {
        status = job_write(c, j);
    }
    if (status == WSR_OK && any) {
        status = job_save(j, c);
    }
    return status;
}

static wsr_status evaluate(int *code, job *j, cli *c)
{
    char what[1024];
    const wsr_status run = job_run(j, c);
    cli_progress_clear(c);
    const wsr_status kept = keep_results(c, j, run, what, sizeof(what));
    if (run == WSR_OK || run == WSR_CANCELED) {
        return kept == WSR_OK ? run : kept;
    }
    (void)cli_usage(c, "%s", what);
    *code = CLI_FAILED;
    return WSR_OK;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    job j = {0};
    wsr_status status = WSR_OK;
    int code = cli_begin(&c, &tool, argc, argv);
    if (code != CLI_GO_ON) {
        return code;
    }
    status = job_check(&code, &j, &c);
    if (code == CLI_GO_ON && status == WSR_OK) {
        status = job_open(&code, &j, &c);
    }
    if (code == CLI_GO_ON && status == WSR_OK) {
        status = job_is_released(&c) ? job_run_released(&j, &c)
                                     : evaluate(&code, &j, &c);
    }
    // The line of a failure is the last thing that was said.
    const int end = cli_end(&c, code == CLI_GO_ON ? status : WSR_OK);
    job_free(&j);
    return code == CLI_GO_ON ? end : code;
}
