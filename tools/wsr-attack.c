// SPDX-License-Identifier: Apache-2.0
//
// wsr-attack: how many images a network recognises in spite of attacks. The
// keys of its configuration are those of the library's parts: net.* of
// wsr_net_load(), data.* of wsr_dataset_open(), attack.* of
// wsr_spectrum_new().

#include "attack_job.h"
#include "out.h"
#include "waiting.h"

#include <stdio.h>
#include <string.h>

static const cli_option options[] = {
    {"net", "FILE", "net.file", "network, a safetensors file"},
    {"genotype", "NAME", "net.genotype", "of a file that does not say"},
    {"channels", "N", "net.channels", "of a file that does not say"},
    {"layers", "N", "net.layers", "of a file that does not say"},
    {"classes", "N", "net.classes", "of a file that does not say"},
    {"data", "SPEC", "data.spec", "images: fashion-mnist, cifar10:PATH, ..."},
    {"split", "NAME", "data.split", "test (default) or train"},
    {"attack", "LIST", "attack.list", "a,b:key=value,c (default: pgd)"},
    {"eps", "LIST", "attack.eps", "strengths: 0.03,8/255 (default: 8/255)"},
    {"count", "N", "attack.count", "number of images (default: all)"},
    {"save", "FILE", "attack.save", "write the adversarial images"},
    {NULL, NULL, NULL, NULL},
};

// The keys are this program's, so it prints them itself.
static wsr_status help(char **text)
{
    *text = NULL;
    job_help();
    return WSR_OK;
}

static const cli_tool tool = {
    .name = "wsr-attack",
    .presets = "attack",
    .summary = "accuracy of a network under attacks of several strengths",
    .usage =
        "--net FILE --data SPEC --attack LIST --eps LIST\n\n"
        "  wsr-attack --net net.safetensors --data fashion-mnist \\\n"
        "      --attack fgsm,pgd:steps=20,restarts=5 --eps 4/255,8/255\n\n"
        "In a list of attacks a comma begins the next attack where a name\n"
        "follows, and the next option of the same one where KEY= follows.",
    .options = options,
    .help = help,
};

// The library's own, longer lines go into results.jsonl; these are the fields
// that programs may rely on.
static void print_number(const char *key, double value)
{
    char text[40] = "null";
    if (value == value) {
        for (int digits = 6; digits <= 17; digits++) {
            double back = 0.0;
            (void)snprintf(text, sizeof(text), "%.*g", digits, value);
            if (sscanf(text, "%lf", &back) == 1 && !(back < value) &&
                !(back > value)) {
                break;
            }
        }
    }
    printf(",\"%s\":%s", key, text);
}

static void print_eps(float value)
{
    char text[40];
    for (int digits = 1; digits <= 9; digits++) {
        float back = 0.0f;
        (void)snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        if (sscanf(text, "%f", &back) == 1 && !(back < value) &&
            !(back > value)) {
            break;
        }
    }
    printf(",\"eps\":%s", text);
}

static void print_json(const wsr_spectrum *s, size_t a, size_t e)
{
    static const struct {
        const char *key;
        wsr_spectrum_value value;
    } fields[] = {{"clean_accuracy", WSR_SPECTRUM_CLEAN},
                  {"robust_accuracy", WSR_SPECTRUM_ROBUST},
                  {"mean_linf", WSR_SPECTRUM_LINF},
                  {"mean_l2", WSR_SPECTRUM_L2},
                  {"queries", WSR_SPECTRUM_QUERIES},
                  {"gradients", WSR_SPECTRUM_GRADIENTS},
                  {"seconds", WSR_SPECTRUM_SECONDS}};
    const wsr_attack *const attack = wsr_spectrum_attack(s, a);
    printf("{\"attack\":\"%s\",\"norm\":\"%s\"", wsr_attack_name(attack),
           wsr_attack_norm(attack));
    print_eps(wsr_spectrum_eps(s, e));
    printf(",\"count\":%zu", wsr_spectrum_count(s, a));
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        print_number(fields[f].key, wsr_spectrum_get(s, a, e, fields[f].value));
    }
    printf("}\n");
}

static void print_row(const wsr_spectrum *s, size_t a, size_t e)
{
    const wsr_attack *const attack = wsr_spectrum_attack(s, a);
    printf("%-12s %-4s %7.4f  %5.1f %%  %5.1f %%  %5.1f - %-5.1f %8.4f %8.3f "
           "%8.1f\n",
           wsr_attack_name(attack), wsr_attack_norm(attack),
           (double)wsr_spectrum_eps(s, e),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_CLEAN),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_ROBUST),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_LOW),
           100.0 * wsr_spectrum_get(s, a, e, WSR_SPECTRUM_HIGH),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_LINF),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_L2),
           wsr_spectrum_get(s, a, e, WSR_SPECTRUM_SECONDS));
}

static void print_worst(const wsr_spectrum *s, const char *norm)
{
    size_t members = 0;
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        const wsr_attack *const attack = wsr_spectrum_attack(s, a);
        members += strcmp(wsr_attack_norm(attack), norm) == 0;
    }
    for (size_t e = 0; members > 1 && e < wsr_spectrum_strengths(s); e++) {
        printf("%-12s %-4s %7.4f            %5.1f %%\n", "worst case", norm,
               (double)wsr_spectrum_eps(s, e),
               100.0 * wsr_spectrum_worst(s, norm, e));
    }
}

static void print_results(const cli *c, const job *j)
{
    const wsr_spectrum *const s = j->spectrum;
    if (!c->json) {
        printf("%zu images; accuracies with 95 %% intervals; norms are means "
               "over attacked images\n\n"
               "%-12s %-4s %7s  %7s  %7s  %-13s %8s %8s %8s\n",
               wsr_spectrum_count(s, 0), "attack", "norm", "eps", "clean",
               "robust", "interval", "linf", "l2", "seconds");
    }
    for (size_t a = 0; a < wsr_spectrum_attacks(s); a++) {
        for (size_t e = 0; e < wsr_spectrum_strengths(s); e++) {
            if (c->json) {
                print_json(s, a, e);
            } else {
                print_row(s, a, e);
            }
        }
    }
    if (!c->json) {
        print_worst(s, "linf");
        print_worst(s, "l2");
        print_worst(s, "l1");
    }
}

// What was asked for beside the results on stdout. `code` is not CLI_GO_ON
// after a failure that was reported.
static wsr_status write_results(int *code, const cli *c, const job *j)
{
    const char *const save = wsr_config_text(c->config, "attack.save");
    wsr_status status = WSR_OK;
    if (save != NULL) {
        status = wsr_spectrum_save_images(j->spectrum, save);
    }
    return status == WSR_OK && c->out != NULL ? job_write(code, c, j) : status;
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
    code = job_check(&j, &c);
    if (code == CLI_GO_ON) {
        code = out_check(&c);
    }
    if (code == CLI_GO_ON) {
        status = job_open(&code, &j, &c);
    }
    if (code == CLI_GO_ON && status == WSR_OK) {
        status = job_run(&j, &c);
    }
    cli_progress_clear(&c);
    if (code == CLI_GO_ON && status == WSR_OK) {
        print_results(&c, &j);
        status = write_results(&code, &c, &j);
    }
    job_free(&j);
    const int end = cli_end(&c, code == CLI_GO_ON ? status : WSR_OK);
    return code == CLI_GO_ON ? end : code;
}
