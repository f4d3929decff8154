// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack: accuracy of a network under attacks. The library does the
// evaluation (wsr_eval_run()); this file has the tool's words and options.

#include "attack_compare.h"
#include "attack_export.h"
#include "attack_show.h"
#include "attack_verify.h"
#include "results.h"
#include "waiting.h"

#include <stdio.h>
#include <string.h>

// Each is short for a key of the configuration.
static const cli_option options[] = {
    {"net", "FILE", "net.file",
     "network, also .pth, .onnx, cmd:PROGRAM; --export FILE"},
    {"export", "FILE", "export.file", NULL},
    {"genotype", "NAME", "net.genotype",
     "its cells; so --channels, --layers, --classes"},
    {"channels", "N", "net.channels", NULL},
    {"layers", "N", "net.layers", NULL},
    {"classes", "N", "net.classes", NULL},
    {"mean", "LIST", "net.mean",
     "a mean of the images per channel; so --std and --range"},
    {"std", "LIST", "net.std", NULL},
    {"range", "N", "net.range", NULL},
    {"source", "FILE", "source.file", "make the attacks on another network"},
    {"data", "SPEC", "data.spec",
     "images: cifar10:PATH, ...; --split test or train"},
    {"split", "NAME", "data.split", NULL},
    {"attack", "LIST", "attack.list", "a,b:key=value,c (default: pgd)"},
    {"eps", "LIST", "attack.eps", "strengths: 0.03,8/255 (default: 8/255)"},
    {"count", "N", "attack.count",
     "attack the first N images; --target-class N: to it"},
    {"target-class", "N", "attack.target_class", NULL},
    {"corruptions", "[LIST]", "corruption.list",
     "on corrupted images, too: =fog,snow (default: all)"},
    {"save", "FILE", "attack.save",
     "adversarial images: .npz, .npy, .safetensors, DIR/"},
    {"verify", "FILE", "verify.file",
     "check saved images instead; --compare DIR...: runs"},
    {"compare", "DIR...", NULL, NULL},
    {"verbose", NULL, NULL, "show results in the words of AutoAttack's log"},
    {NULL, NULL, NULL, NULL},
};

static wsr_status help(const char *topic)
{
    if (strcmp(topic, "verify") == 0) {
        printf("verify.file=         file of images to check (--verify)\n"
               "verify.norm=         linf, l2 or l1, where it does not say\n"
               "verify.tol=1e-6      what a change may exceed attack.eps by\n");
        return WSR_OK;
    }
    if (strcmp(topic, "export") == 0) {
        printf("export.file=         file to write the network of net.file to "
               "(--export):\n"
               "                     .onnx, .pth, .npz, else safetensors\n");
        return WSR_OK;
    }
    return results_help(wsr_eval_help, topic);
}

static const cli_tool tool = {
    .name = "wsr-attack",
    .threads = "threads",
    .summary = "accuracy of a network under attacks of several strengths",
    .usage = "--net FILE --data SPEC --attack LIST --eps LIST",
    .options = options,
    .help = help,
    .cost = wsr_eval_cost,
};

// Ctrl-C stops the evaluation before the next pass through the model.
static bool on_progress(const wsr_progress *p, void *user)
{
    char text[160];
    if (!results_line(user, p) && p->note[0] != '\0') {
        (void)snprintf(text, sizeof(text), "step %zu/%zu  %s", p->step + 1,
                       p->steps, p->note);
        cli_progress(user, p->part, text);
    }
    return !cli_canceled();
}

// Results so far are shown and kept even when an attack fails or somebody asks
// to stop; the line of the failure is the last thing that is said.
static int run(cli *c)
{
    wsr_result *result = NULL;
    wsr_status kept = WSR_OK;
    if (cli_value(c, "compare") != NULL) {
        return attack_compare(c);
    }
    if (wsr_config_text(c->config, "export.file") != NULL) {
        return attack_export(c);
    }
    if (wsr_config_text(c->config, "verify.file") != NULL) {
        return attack_verify(c);
    }
    if (c->dry_run) {
        return cli_end(c, results_cost(c));
    }
    wsr_status status = wsr_eval_run(&result, c->config, c->out,
                                     c->resume != NULL, on_progress, c);
    const bool failed = status != WSR_OK && status != WSR_CANCELED;
    const bool begun = result != NULL;
    cli_progress_clear(c);
    if (begun) {
        kept = attack_show(c, result);
    }
    if (begun && kept == WSR_OK && c->out != NULL) {
        kept = wsr_report_write(c->out);
    }
    wsr_result_free(result);
    const int code = cli_end(c, kept == WSR_OK || failed ? status : kept);
    return begun && failed ? CLI_FAILED : code;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    cli c;
    const int code = cli_begin(&c, &tool, argc, argv);
    return code != CLI_GO_ON ? code : run(&c);
}
