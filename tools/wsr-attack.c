// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack: accuracy of a network under attacks. The library does the
// evaluation (wsr_eval_run()); this file has the tool's words and options.

#include "attack_compare.h"
#include "attack_export.h"
#include "attack_show.h"
#include "attack_verify.h"
#include "results.h"
#include "tools.h"

#include <stdio.h>
#include <string.h>

// Each is short for a key of the configuration.
static const cli_option options[] = {
    {"net", "FILE", "net.file",
     "network, also .pth, .onnx, cmd:PROGRAM; --export FILE"},
    {"export", "FILE", "export.file",
     "~write the network as a file: .onnx, .pth, .npz, else safetensors"},
    {"genotype", "NAME", "net.genotype",
     "its cells; see --help net for --channels, --mean, ..."},
    {"channels", "N", "net.channels", NULL},
    {"layers", "N", "net.layers", NULL},
    {"classes", "N", "net.classes", NULL},
    {"mean", "LIST", "net.mean", NULL},
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
    {"compare", "DIR...", NULL,
     "~compare evaluation runs over the same images in one report"},
    {"shard", "I/N", "attack.shard",
     "part I of N of the images; --merge DIR...: the whole"},
    {"merge", "DIR...", NULL,
     "~put the parts of an evaluation together to the whole"},
    {"verbose", NULL, NULL, "show results in the words of AutoAttack's log"},
    {NULL, NULL, NULL, NULL},
};

// Sections that this program reads itself, in the form of the library's help.
static const char verify_help[] =
    "verify:\n"
    "  verify.file=\n"
    "      file of images to check, as --verify (text)\n"
    "  verify.norm=\n"
    "      of the change, where the file does not say (linf, l2 or l1)\n"
    "  verify.tol=1e-6\n"
    "      what a change may exceed attack.eps by (number)\n";
static const char export_help[] = "export:\n"
                                  "  export.file=\n"
                                  "      file to write the network of net.file "
                                  "to, as --export: .onnx, .pth,\n"
                                  "      .npz, else safetensors (text)\n";

static wsr_status help(const char *topic)
{
    const bool all = strcmp(topic, "all") == 0;
    const bool verify = strcmp(topic, "verify") == 0;
    const bool to_export = strcmp(topic, "export") == 0;
    printf("%s", all || verify ? verify_help : "");
    printf("%s%s%s", all ? "\n" : "", all || to_export ? export_help : "",
           all ? "\n" : "");
    return verify || to_export ? WSR_OK : results_help(wsr_eval_help, topic);
}

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

// The run, or what the runs of its shards have done of it.
static wsr_status evaluate(wsr_result **result, cli *c)
{
    return cli_value(c, "merge") != NULL
               ? wsr_eval_merge(result, c->list, c->n_list, c->config, c->out)
               : wsr_eval_run(result, c->config, c->out, c->resume != NULL,
                              on_progress, c);
}

// Results so far are shown and kept even when an attack fails or somebody asks
// to stop; the line of the failure is the last thing that is said.
static int run(cli *c)
{
    wsr_result *result = NULL;
    wsr_status kept = WSR_OK;
    if (cli_value(c, "merge") != NULL && (c->resume != NULL || c->dry_run)) {
        const int code = cli_usage(c, "--merge goes with neither --dry-run "
                                      "nor --resume");
        (void)cli_end(c, WSR_OK);
        return code;
    }
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
    wsr_status status = evaluate(&result, c);
    const bool failed = status != WSR_OK && status != WSR_CANCELED;
    const bool begun = result != NULL;
    cli_progress_clear(c);
    if (begun) {
        kept = attack_show(c, result);
    }
    if (begun && kept == WSR_OK && c->out != NULL && wsr_comm_rank() == 0) {
        kept = wsr_report_write(c->out);
    }
    wsr_result_free(result);
    const int code = cli_end(c, kept == WSR_OK || failed ? status : kept);
    return begun && failed ? CLI_FAILED : code;
}

static const cli_example examples[] = {
    {"Attack the network of a training run.",
     "wsr-attack --net net/net.safetensors --data fashion-mnist --attack "
     "fgsm,pgd:steps=20 --eps 0.03,0.06 --count 100 --out first"},
    {"Keep the adversarial images of AutoAttack.",
     "wsr-attack --net net/net.safetensors --data fashion-mnist --attack "
     "autoattack --eps 8/255 --count 20 --save images.npz"},
    {"Check these images independently.",
     "wsr-attack --net net/net.safetensors --data fashion-mnist --eps 8/255 "
     "--verify images.npz"},
    {"Write the network as an ONNX file.",
     "wsr-attack --net net/net.safetensors --export net.onnx"},
    {NULL, NULL},
};

const cli_tool attack_tool = {
    .name = "wsr-attack",
    .threads = "threads",
    .summary = "accuracy of a network under attacks of several strengths",
    .usage = "--net FILE --data SPEC --attack LIST --eps LIST",
    .options = options,
    .help = help,
    .cost = wsr_eval_cost,
    .about =
        "Measures how many images a network still classifies correctly when "
        "they are attacked, at each of several strengths, with 95 % "
        "intervals, and warns where a number is doubtful. The network is a "
        "file of this library, of PyTorch or ONNX, or a program that "
        "answers with logits.",
    .examples = examples,
    .run = run,
};
