// SPDX-License-Identifier: Apache-2.0
//
// Keys that the library understands are passed on to it as text, so that it
// says itself what is wrong with a value. attack_keys.c lists all.

#include "attack_job.h"
#include "out.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// ------------------------------------------------------------------ texts

// A text made of key=value parts; too long a text fails when it is used.
typedef struct list {
    char text[4096];
    size_t length;
    bool full;
} list;

static void add(list *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(list *l, const char *format, ...)
{
    va_list args;
    const size_t room = sizeof(l->text) - l->length;
    va_start(args, format);
    const int n = vsnprintf(l->text + l->length, room, format, args);
    va_end(args);
    l->full = l->full || n < 0 || (size_t)n >= room;
    l->length += l->full ? 0 : (size_t)n;
    l->text[l->length] = '\0';
}

static void add_value(list *l, const char *name, const char *value)
{
    char *quoted = NULL;
    l->full = wsr_option_quote(&quoted, value) != WSR_OK || l->full;
    add(l, "%s%s=%s", l->length > 0 ? "," : "", name,
        quoted == NULL ? "" : quoted);
    wsr_text_free(quoted);
}

// Every key "section.name" that is set, apart from some.
static void add_section(list *l, const cli *c, const char *section,
                        const char *const *but)
{
    const size_t n = strlen(section);
    for (size_t i = 0; i < wsr_config_count(c->config); i++) {
        const char *const name = wsr_config_key(c->config, i);
        bool wanted = strncmp(name, section, n) == 0 && name[n] == '.';
        for (size_t k = 0; wanted && but[k] != NULL; k++) {
            wanted = strcmp(name + n + 1, but[k]) != 0;
        }
        if (wanted) {
            add_value(l, name + n + 1, wsr_config_value(c->config, i));
        }
    }
}

// ---------------------------------------------------------------- checking

// "0.03", "8/255" or "inf".
static bool read_eps(float *out, const char *text, size_t length)
{
    char copy[64];
    char *end = NULL;
    if (length == 0 || length >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (strcmp(copy, "inf") == 0) {
        *out = INFINITY;
        return true;
    }
    double value = strtod(copy, &end);
    if (end != copy && *end == '/') {
        const char *const below = end + 1;
        const double divisor = strtod(below, &end);
        value = end != below && divisor > 0.0 ? value / divisor : -1.0;
    }
    *out = (float)value;
    return *end == '\0' && value >= 0.0 && value <= 1e6;
}

static int check_eps(job *j, const cli *c)
{
    const char *text = wsr_config_text(c->config, "attack.eps");
    text = text == NULL ? "8/255" : text;
    for (bool more = true; more;) {
        const size_t length = strcspn(text, ",");
        if (j->n_eps == JOB_STRENGTHS) {
            return cli_usage(c, "attack.eps: more than %d strengths",
                             JOB_STRENGTHS);
        }
        if (!read_eps(&j->eps[j->n_eps], text, length)) {
            return cli_usage(c,
                             "attack.eps: '%.*s' is not a strength such as "
                             "0.03 or 8/255",
                             length > 40 ? 40 : (int)length, text);
        }
        j->n_eps++;
        more = text[length] == ',';
        text += length + more;
    }
    return CLI_GO_ON;
}

static int check_number(const cli *c, const char *name, long most)
{
    const char *const text = wsr_config_text(c->config, name);
    char *end = NULL;
    const long value = text == NULL ? 0 : strtol(text, &end, 10);
    return text == NULL ||
                   (end != text && *end == '\0' && value >= 0 && value <= most)
               ? CLI_GO_ON
               : cli_usage(c, "%s: '%.40s' is outside [0, %ld]", name, text,
                           most);
}

// What the research code's measure has no place for.
static int check_released(const cli *c)
{
    static const char *const none[] = {
        "attack.save",         "attack.stop", "attack.nested", "attack.target",
        "attack.target_class", "attack.show", "source.file",   "seed"};
    const char *const attacks = wsr_config_text(c->config, "attack.list");
    if (attacks != NULL && strcmp(attacks, "pgd") != 0 &&
        strncmp(attacks, "pgd:", 4) != 0) {
        return cli_usage(c,
                         "attack.fidelity: the released measure knows pgd "
                         "alone, not '%.40s'",
                         attacks);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (wsr_config_text(c->config, none[i]) != NULL) {
            return cli_usage(c,
                             "attack.fidelity: the released measure knows no "
                             "%s",
                             none[i]);
        }
    }
    return c->out == NULL
               ? CLI_GO_ON
               : cli_usage(c, "attack.fidelity: the released measure is shown "
                              "alone, without --out");
}

static int check_fidelity(const cli *c)
{
    const char *const fidelity = wsr_config_text(c->config, "attack.fidelity");
    if (fidelity != NULL && strcmp(fidelity, "intended") != 0 &&
        strcmp(fidelity, "released") != 0) {
        return cli_usage(c,
                         "attack.fidelity: '%.40s' is not intended or "
                         "released",
                         fidelity);
    }
    return job_is_released(c) ? check_released(c) : CLI_GO_ON;
}

static wsr_status make_eval(job *j, const cli *c, size_t keep)
{
    static const char *const but[] = {"list", "eps",      "save",
                                      "show", "fidelity", NULL};
    const char *const attacks = wsr_config_text(c->config, "attack.list");
    const char *const seed = wsr_config_text(c->config, "seed");
    list l = {0};
    add_section(&l, c, "attack", but);
    if (seed != NULL) {
        add_value(&l, "seed", seed);
    }
    add(&l, "%skeep=%zu", l.length > 0 ? "," : "", keep);
    wsr_status status =
        wsr_eval_new(&j->eval, attacks == NULL ? "pgd" : attacks, l.text);
    if (status == WSR_OK) {
        status = wsr_eval_set_strengths(j->eval, j->eps, j->n_eps);
    }
    return status;
}

// Whether attacks and strengths are right shows before any file is read.
static wsr_status check_attacks(job *j, const cli *c)
{
    const wsr_status status = make_eval(j, c, 0);
    wsr_eval_free(j->eval);
    j->eval = NULL;
    return status;
}

// A folder that is not there is known before hours of work.
static int check_save(const cli *c)
{
    const char *const path = wsr_config_text(c->config, "attack.save");
    const char *const slash = path == NULL ? NULL : strrchr(path, '/');
    char folder[4096] = ".";
    if (path == NULL) {
        return CLI_GO_ON;
    }
    if (slash != NULL) {
        (void)snprintf(folder, sizeof(folder), "%.*s",
                       slash == path ? 1 : (int)(slash - path), path);
    }
    return access(folder, W_OK | X_OK) == 0
               ? CLI_GO_ON
               : cli_usage(c, "--save: %.200s: %s", path, strerror(errno));
}

static int check_values(job *j, const cli *c)
{
    int code = job_check_keys(c);
    code = code == CLI_GO_ON ? check_fidelity(c) : code;
    if (code != CLI_GO_ON) {
        return code;
    }
    if (wsr_config_text(c->config, "net.file") == NULL) {
        return cli_usage(c, "--net: a file with a network is needed");
    }
    if (wsr_config_text(c->config, "data.spec") == NULL) {
        return cli_usage(c, "--data: images are needed, such as fashion-mnist");
    }
    code = check_number(c, "attack.show", 10000);
    code = code == CLI_GO_ON ? check_save(c) : code;
    return code == CLI_GO_ON ? check_eps(j, c) : code;
}

wsr_status job_check(int *code, job *j, const cli *c)
{
    *code = check_values(j, c);
    return *code != CLI_GO_ON || job_is_released(c) ? WSR_OK
                                                    : check_attacks(j, c);
}

bool job_is_released(const cli *c)
{
    const char *const fidelity = wsr_config_text(c->config, "attack.fidelity");
    return fidelity != NULL && strcmp(fidelity, "released") == 0;
}

// ----------------------------------------------------------------- opening

static wsr_status open_model(wsr_net **net, wsr_model **model, const cli *c,
                             const char *section)
{
    static const char *const but[] = {"file", NULL};
    char name[32];
    list l = {0};
    const char *const batch = wsr_config_text(c->config, "attack.batch");
    const long size = batch == NULL ? 0 : strtol(batch, NULL, 10);
    (void)snprintf(name, sizeof(name), "%s.file", section);
    add_section(&l, c, section, but);
    wsr_status status =
        wsr_net_load(net, wsr_config_text(c->config, name), l.text);
    if (status == WSR_OK) {
        status = wsr_model_from_net(
            model, *net, size > 0 && size <= 65536 ? (size_t)size : 0);
    }
    return status;
}

static wsr_status open_nets(job *j, const cli *c)
{
    wsr_status status = open_model(&j->net, &j->model, c, "net");
    if (status == WSR_OK && wsr_config_text(c->config, "source.file") != NULL) {
        status = open_model(&j->source_net, &j->source, c, "source");
    }
    return status;
}

// Images take the network's shape unless the configuration says otherwise.
static wsr_status open_data(job *j, const cli *c)
{
    static const char *const but[] = {"spec", "split", NULL};
    const char *const split = wsr_config_text(c->config, "data.split");
    const wsr_shape *const image = wsr_net_image(j->net);
    list l = {0};
    add_section(&l, c, "data", but);
    if (wsr_config_text(c->config, "data.size") == NULL) {
        add(&l, "%ssize=%lld", l.length > 0 ? "," : "",
            (long long)image->dims[2]);
    }
    if (wsr_config_text(c->config, "data.channels") == NULL) {
        add(&l, ",channels=%lld", (long long)image->dims[1]);
    }
    return wsr_dataset_open(
        &j->dataset, wsr_config_text(c->config, "data.spec"), split, l.text);
}

// Fewer classes than the network has are a mistake, apart from files of one's
// own, whose labels are all that is known.
static int check_classes(const job *j, const cli *c)
{
    const char *const spec = wsr_config_text(c->config, "data.spec");
    const size_t data = (size_t)wsr_dataset_classes(j->dataset);
    const size_t net = wsr_net_classes(j->net);
    return data == net || strncmp(spec, "idx:", 4) == 0
               ? CLI_GO_ON
               : cli_usage(c, "the data have %zu classes, the network %zu",
                           data, net);
}

// How many adversarial images are kept.
static size_t wanted_images(const job *j, const cli *c)
{
    const char *const show = wsr_config_text(c->config, "attack.show");
    const long shown = show == NULL ? JOB_SHOW : strtol(show, NULL, 10);
    if (wsr_config_text(c->config, "attack.save") != NULL) {
        return wsr_dataset_count(j->dataset);
    }
    return c->out != NULL && shown > 0 ? (size_t)shown : 0;
}

static wsr_status open_eval(job *j, const cli *c)
{
    wsr_status status = make_eval(j, c, wanted_images(j, c));
    if (status == WSR_OK) {
        status = wsr_eval_open(j->eval, j->model, j->dataset);
    }
    if (status == WSR_OK && j->source != NULL) {
        status = wsr_eval_transfer(j->eval, j->source);
    }
    return status;
}

// The configuration comes last: a folder that has it can be resumed.
static wsr_status write_start(const job *j, const cli *c)
{
    char *config = NULL;
    const wsr_genotype *const genotype = wsr_net_genotype(j->net);
    wsr_status status = wsr_config_print(&config, c->config);
    if (status == WSR_OK && c->resume == NULL) {
        status = wsr_folder_make(j->folder);
    }
    if (status == WSR_OK && genotype != NULL) {
        status = wsr_genotype_save(genotype, out_path(c, "genotype.yaml"));
    }
    if (status == WSR_OK) {
        status = wsr_folder_write(j->folder, "config.yaml", config);
    }
    wsr_text_free(config);
    return status;
}

wsr_status job_open(int *code, job *j, const cli *c)
{
    wsr_status status = WSR_OK;
    if (c->out != NULL) {
        status = wsr_folder_open(&j->folder, c->out, c->resume != NULL);
    }
    if (status == WSR_OK) {
        status = open_nets(j, c);
    }
    if (status == WSR_OK) {
        status = open_data(j, c);
    }
    if (status == WSR_OK) {
        *code = check_classes(j, c);
    }
    if (status != WSR_OK || *code != CLI_GO_ON || job_is_released(c)) {
        return status;
    }
    status = open_eval(j, c);
    if (status == WSR_OK && c->resume != NULL) {
        status =
            wsr_eval_resume(j->eval, out_path(c, "checkpoint.safetensors"));
        // A run that ended before its first checkpoint begins anew.
        status = status == WSR_NOTFOUND ? WSR_OK : status;
    }
    if (status == WSR_OK && c->out != NULL) {
        status = write_start(j, c);
    }
    return status;
}

// ----------------------------------------------------------------- running

double job_now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// After each member of a combination, what it has left of the batch.
static void tell_member(cli *c, const wsr_attack_progress *p)
{
    if (!c->quiet) {
        cli_progress_clear(c);
        (void)fprintf(stderr,
                      "%s: %s at %.4g, images %llu to %llu: %zu robust after "
                      "%s\n",
                      c->tool->name, p->attack, (double)p->eps,
                      (unsigned long long)p->first,
                      (unsigned long long)(p->first + p->images - 1), p->robust,
                      p->member);
    }
}

static bool on_pass(const wsr_eval_progress *progress, void *user)
{
    char text[96];
    cli *const c = user;
    const wsr_attack_progress *const p = progress->attack;
    if (p->member_done) {
        tell_member(c, p);
    }
    (void)snprintf(text, sizeof(text), "step %zu/%zu  %s at %.4g",
                   progress->step + 1, progress->steps,
                   p->member != NULL ? p->member : p->attack, (double)p->eps);
    cli_progress(c, progress->done, text);
    return !cli_canceled();
}

wsr_status job_save(const job *j, const cli *c)
{
    return c->out == NULL
               ? WSR_OK
               : wsr_eval_save(j->eval, out_path(c, "checkpoint.safetensors"));
}

wsr_status job_run(job *j, cli *c)
{
    const double apart = 15.0; // seconds between checkpoints
    double saved = job_now();
    wsr_status status = WSR_OK;
    job_print_start(c);
    wsr_eval_set_hook(j->eval, on_pass, c);
    while (status == WSR_OK &&
           wsr_eval_position(j->eval) < wsr_eval_steps(j->eval)) {
        status = cli_canceled() ? WSR_CANCELED : wsr_eval_step(j->eval);
        if (status == WSR_OK && job_now() - saved > apart) {
            status = job_save(j, c);
            saved = job_now();
        }
    }
    if (status != WSR_OK && status != WSR_CANCELED) {
        return status;
    }
    const wsr_status kept = job_save(j, c);
    return kept == WSR_OK ? status : kept;
}

void job_free(job *j)
{
    wsr_folder_close(j->folder);
    wsr_eval_free(j->eval);
    wsr_dataset_free(j->dataset);
    wsr_model_free(j->source);
    wsr_net_free(j->source_net);
    wsr_model_free(j->model);
    wsr_net_free(j->net);
    *j = (job){0};
}
