// SPDX-License-Identifier: Apache-2.0
//
// Numbers of an analysis, as JSON lines, and its state in checkpoints.

#include "hessian/hessian.h"

#include <math.h>
#include <string.h>

// Mean of n numbers and its standard error, from their sum and the sum of their
// squares; the error of a single number is not known.
static double mean_of(double *error, double sum, double squares, double n)
{
    const double mean = n > 0 ? sum / n : (double)NAN;
    const double variance = squares / n - mean * mean;
    *error = n > 1 ? sqrt(fmax(variance, 0) / (n - 1)) : (double)NAN;
    return mean;
}

static double mean_of_list(double *error, const double *list, size_t n)
{
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += list[i];
        squares += list[i] * list[i];
    }
    return mean_of(error, sum, squares, (double)n);
}

static double largest(const double *list, size_t n)
{
    double most = n > 0 ? list[0] : (double)NAN;
    for (size_t i = 1; i < n; i++) {
        most = fmax(most, list[i]);
    }
    return most;
}

double wsr_hessian_get(const wsr_hessian *hessian, wsr_hessian_value what)
{
    const wsr_hessian *const h = hessian;
    double error[3];
    const double products = (double)(h->done + h->traced);
    const double trace =
        mean_of(&error[0], h->trace_sum, h->trace_squares, (double)h->traced);
    const double input_top = mean_of_list(&error[1], h->tops, h->seen);
    const double input_trace = mean_of_list(&error[2], h->traces, h->seen);
    const double values[] = {
        [WSR_HESSIAN_TOP] = h->done > 0 ? h->top : (double)NAN,
        [WSR_HESSIAN_ITERATIONS] = (double)h->done,
        [WSR_HESSIAN_TRACE] = trace,
        [WSR_HESSIAN_TRACE_ERROR] = error[0],
        [WSR_HESSIAN_PRODUCT_ERROR] = products > 0 ? h->error_sum / products
                                                   : (double)NAN,
        [WSR_HESSIAN_INPUT_TOP] = input_top,
        [WSR_HESSIAN_INPUT_TOP_ERROR] = error[1],
        [WSR_HESSIAN_INPUT_TOP_MOST] = largest(h->tops, h->seen),
        [WSR_HESSIAN_INPUT_TRACE] = input_trace,
        [WSR_HESSIAN_INPUT_TRACE_ERROR] = error[2]};
    return (size_t)what < sizeof(values) / sizeof(values[0]) ? values[what]
                                                             : (double)NAN;
}

bool wsr_hessian_image(double *top, double *trace, const wsr_hessian *hessian,
                       size_t i)
{
    const bool done = i < hessian->seen;
    if (top != NULL) {
        *top = done ? hessian->tops[i] : (double)NAN;
    }
    if (trace != NULL) {
        *trace = done ? hessian->traces[i] : (double)NAN;
    }
    return done;
}

// Numbers of one line; keys without a number there are null.
typedef struct field {
    const char *key;
    int params; // wsr_hessian_value, or -1
    int input;
} field;

static const field fields[] = {
    {"top", WSR_HESSIAN_TOP, WSR_HESSIAN_INPUT_TOP},
    {"top_error", -1, WSR_HESSIAN_INPUT_TOP_ERROR},
    {"top_most", -1, WSR_HESSIAN_INPUT_TOP_MOST},
    {"trace", WSR_HESSIAN_TRACE, WSR_HESSIAN_INPUT_TRACE},
    {"trace_error", WSR_HESSIAN_TRACE_ERROR, WSR_HESSIAN_INPUT_TRACE_ERROR},
    {"iterations", WSR_HESSIAN_ITERATIONS, -1},
    {"product_error", WSR_HESSIAN_PRODUCT_ERROR, -1},
};

// The event "hessian", by the input or by the parameters.
static wsr_status add_line(wsr__str *out, const wsr_hessian *h, bool input)
{
    wsr_status status = WSR_OK;
    wsr__json *json = NULL;
    WSR_TRY(wsr__json_event(&json, "hessian"));
    wsr__json_text(json, "of", input ? "input" : "params");
    wsr__json_integer(json, "count", (int64_t)(input ? h->seen : h->count));
    wsr__json_integer(json, "size",
                      input ? wsr_shape_count(wsr_dataset_shape(h->dataset))
                            : (int64_t)h->size);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const int what = input ? fields[i].input : fields[i].params;
        wsr__json_number(json, fields[i].key,
                         what < 0
                             ? (double)NAN
                             : wsr_hessian_get(h, (wsr_hessian_value)what));
    }
    WSR_TRY(wsr__json_add_line(out, json));
out:
    wsr__json_free(json);
    return status;
}

wsr_status wsr_hessian_json(char **out, const wsr_hessian *hessian)
{
    wsr_status status = WSR_OK;
    wsr__str text = {0};
    *out = NULL;
    wsr__str_add(&text, ""); // also where nothing is done
    if (hessian->done > 0) {
        WSR_TRY(add_line(&text, hessian, false));
    }
    if (hessian->seen > 0) {
        WSR_TRY(add_line(&text, hessian, true));
    }
    WSR_TRY(wsr__str_give(out, &text));
out:
    wsr__str_free(&text);
    return status;
}

void wsr__hessian_note(char out[64], const wsr_hessian *hessian)
{
    const wsr_hessian *const h = hessian;
    if (h->position < h->iterations) {
        (void)snprintf(out, 64, "power iteration %zu", h->done + 1);
    } else if (h->position < h->iterations + h->probes) {
        (void)snprintf(out, 64, "trace %zu", h->traced + 1);
    } else {
        (void)snprintf(out, 64, "input, image %zu", h->seen);
    }
}

// --------------------------------------------------------------------- cost

double wsr__hessian_bytes(const wsr_hessian *hessian)
{
    const wsr_hessian *const h = hessian;
    const double classes = (double)h->classes;
    const double pixels =
        (double)wsr_shape_count(wsr_dataset_shape(h->dataset));
    return (double)h->size * (4 * sizeof(double) + sizeof(float)) +
           (double)h->pictures * classes * pixels * sizeof(float);
}

// A product takes four gradients.
double wsr__hessian_passes(const wsr_hessian *hessian)
{
    const wsr_hessian *const h = hessian;
    const double images = (double)h->count;
    const double input = h->input == NULL ? 0 : images * (double)h->classes;
    return 4 * images * (double)(h->iterations + h->probes) + input;
}

// ------------------------------------------------------------- checkpoints

static wsr_status describe(wsr__str *out, const wsr_hessian *h)
{
    wsr__str_addf(out,
                  "of=%s images=%zu batch=%zu iterations=%zu probes=%zu "
                  "tol=%.17g step=%.17g seed=%lld size=%zu",
                  h->params.of.s, h->count, h->batch, h->iterations, h->probes,
                  h->params.tol, h->params.step, (long long)h->params.seed,
                  h->size);
    return wsr__str_status(out);
}

wsr_status wsr__hessian_save(wsr__st_builder *builder,
                             const wsr_hessian *hessian)
{
    wsr_status status = WSR_OK;
    const wsr_hessian *const h = hessian;
    wsr__str text = {0};
    const uint64_t counts[4] = {h->position, h->done, h->traced, h->seen};
    const double numbers[4] = {h->top, h->trace_sum, h->trace_squares,
                               h->error_sum};
    WSR_TRY(describe(&text, h));
    WSR_TRY(wsr__st_set(builder, "hessian", text.s));
    WSR_TRY(wsr__st_add_u64(builder, "hessian.counts", counts, 4));
    WSR_TRY(wsr__st_add_f64(builder, "hessian.numbers", numbers, 4));
    if (h->plan != NULL) {
        WSR_TRY(wsr__st_add_f64(builder, "hessian.vector", h->vector, h->size));
    }
    if (h->input != NULL) {
        WSR_TRY(wsr__st_add_f64(builder, "hessian.tops", h->tops, h->count));
        WSR_TRY(
            wsr__st_add_f64(builder, "hessian.traces", h->traces, h->count));
    }
out:
    wsr__str_free(&text);
    return status;
}

static wsr_status check_origin(const wsr_hessian *h, const wsr__st *st)
{
    wsr__str text = {0};
    const char *const have = wsr__st_metadata(st, "hessian");
    wsr_status status = describe(&text, h);
    if (status == WSR_OK && (have == NULL || !wsr__streq(have, text.s))) {
        status = WSR_FAIL(WSR_CONFIG,
                          "%s: is of another Hessian: '%.160s', not '%.160s'",
                          wsr__st_path(st), have == NULL ? "" : have, text.s);
    }
    wsr__str_free(&text);
    return status;
}

static wsr_status read_lists(wsr_hessian *h, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    if (h->plan != NULL) {
        WSR_TRY(wsr__st_read_f64(h->vector, st, "hessian.vector", h->size));
    }
    if (h->input != NULL) {
        WSR_TRY(wsr__st_read_f64(h->tops, st, "hessian.tops", h->count));
        WSR_TRY(wsr__st_read_f64(h->traces, st, "hessian.traces", h->count));
    }
out:
    return status;
}

wsr_status wsr__hessian_restore(wsr_hessian *hessian, const wsr__st *checkpoint)
{
    wsr_status status = WSR_OK;
    wsr_hessian *const h = hessian;
    int64_t counts[4];
    double numbers[4];
    WSR_TRY(check_origin(h, checkpoint));
    WSR_TRY(wsr__st_read_counts(counts, checkpoint, "hessian.counts", 4,
                                WSR__COUNT_MOST));
    WSR_TRY(wsr__st_read_f64(numbers, checkpoint, "hessian.numbers", 4));
    if ((size_t)counts[0] > wsr_hessian_steps(h) ||
        (size_t)counts[3] > h->count) {
        return WSR_FAIL(WSR_FORMAT, "%s: its position is no step",
                        wsr__st_path(checkpoint));
    }
    WSR_TRY(read_lists(h, checkpoint));
    h->position = (size_t)counts[0];
    h->done = (size_t)counts[1];
    h->traced = (size_t)counts[2];
    h->seen = (size_t)counts[3];
    h->top = numbers[0];
    h->trace_sum = numbers[1];
    h->trace_squares = numbers[2];
    h->error_sum = numbers[3];
out:
    return status;
}
