// SPDX-License-Identifier: Apache-2.0
//
// Shows the first images of an evaluation: the clean ones, the adversarial ones
// of each attack at its largest finite strength, and the difference, scaled to
// full contrast around a middle grey. Pixels are taken to lie in [0, 1].

#include "report/report.h"

#include <math.h>
#include <string.h>

enum { MOST = 12, KEY_SIZE = 64 };

// Pictures of one shape and room for one of them.
typedef struct gallery {
    const wsr__st *st;
    size_t n;
    size_t channels, height, width; // of the images
    size_t pixels;
    size_t colours; // of the pictures
    float *clean;
    float *attacked;
    unsigned char *success;
    unsigned char *bytes;
    int64_t *labels;
    int64_t *seen; // what the model takes images for
} gallery;

// Names in images.safetensors: "attack.strength.what", both as numbers.
static void key_of(char out[KEY_SIZE], size_t a, size_t e, const char *what)
{
    (void)snprintf(out, KEY_SIZE, "%zu.%zu.%s", a, e, what);
}

// Strength e of attack a, NAN beyond the last.
static double eps_of(const wsr__st *st, size_t a, size_t e)
{
    char key[KEY_SIZE];
    double eps = (double)NAN;
    key_of(key, a, e, "eps");
    const char *const text = wsr__st_metadata(st, key);
    if (text == NULL) {
        return (double)NAN;
    }
    return wsr__parse_double(&eps, text) ? eps : (double)INFINITY;
}

// The largest finite strength; the first where there is none.
static size_t shown_strength(const wsr__st *st, size_t a)
{
    size_t best = 0;
    double most = -1;
    for (size_t e = 0; !isnan(eps_of(st, a, e)); e++) {
        const double eps = eps_of(st, a, e);
        if (!isinf(eps) && eps > most) {
            most = eps;
            best = e;
        }
    }
    return best;
}

// ------------------------------------------------------------------ pictures

// Rounded and clipped: adversarial pixels may leave [0, 1] by rounding.
static unsigned char byte_of(double value)
{
    const double scaled = nearbyint(255 * value);
    return (unsigned char)(scaled < 0 ? 0 : scaled > 255 ? 255 : scaled);
}

// offset + scale * (x - y), y may be NULL; planes become pixels.
static void fill(gallery *g, const float *x, const float *y, double scale,
                 double offset)
{
    const size_t plane = g->height * g->width;
    for (size_t p = 0; p < plane; p++) {
        for (size_t c = 0; c < g->colours; c++) {
            const size_t at = c * plane + p;
            const double v = (double)x[at] - (y == NULL ? 0 : (double)y[at]);
            g->bytes[p * g->colours + c] = byte_of(offset + scale * v);
        }
    }
}

// The largest difference becomes black or white; no difference stays grey.
static double contrast(const gallery *g, const float *x, const float *y)
{
    double most = 0;
    for (size_t i = 0; i < g->pixels; i++) {
        most = fmax(most, fabs((double)x[i] - (double)y[i]));
    }
    return most > 0 ? 0.5 / most : 0;
}

// The picture in g->bytes, inside the page.
static wsr_status add_picture(wsr__str *out, const gallery *g, const char *what)
{
    wsr_status status = WSR_OK;
    const wsr__picture picture = {g->bytes, g->width, g->height, g->colours};
    wsr__str_addf(out, "<td><img alt=\"%s\" src=\"", what);
    WSR_TRY(wsr__png_uri(out, &picture));
    wsr__str_add(out, "\"/></td>");
out:
    return status;
}

typedef enum row { CLEAN, ATTACKED, DIFFERENCE, ROWS } row;

// One cell for each image; g->bytes is used again for each.
static wsr_status add_row(wsr__str *out, gallery *g, row what)
{
    static const char *const names[ROWS] = {"clean", "adversarial",
                                            "difference"};
    wsr_status status = WSR_OK;
    wsr__str_addf(out, "<tr><td>%s</td>", names[what]);
    for (size_t i = 0; i < g->n; i++) {
        const float *const x = g->clean + i * g->pixels;
        const float *const y = g->attacked + i * g->pixels;
        if (what == DIFFERENCE) {
            fill(g, y, x, contrast(g, y, x), 0.5);
        } else {
            fill(g, what == CLEAN ? x : y, NULL, 1, 0);
        }
        WSR_TRY(add_picture(out, g, names[what]));
    }
    wsr__str_add(out, "</tr>\n");
out:
    return status;
}

// ------------------------------------------------------------------- classes

// Name of a class, NULL where the data have none.
static const char *name_of(const wsr__st *st, int64_t label)
{
    char key[KEY_SIZE];
    (void)snprintf(key, sizeof(key), "class.%lld", (long long)label);
    return st == NULL ? NULL : wsr__st_metadata(st, key);
}

// Names come with the images, so a run without images has numbers only.
void wsr__html_class(wsr__str *out, const wsr__report *report, size_t label)
{
    const char *const name = name_of(report->images, (int64_t)label);
    if (name != NULL) {
        wsr__str_add(out, " (");
        wsr__html_text(out, name);
        wsr__str_add(out, ")");
    }
}

// A row of classes under images; those that differ from the label stand out.
static void add_labels(wsr__str *out, const gallery *g, const char *what,
                       const int64_t *classes)
{
    wsr__str_addf(out, "<tr class=\"class\"><td>%s</td>", what);
    for (size_t i = 0; i < g->n; i++) {
        const char *const name = name_of(g->st, classes[i]);
        const bool wrong = classes[i] != g->labels[i];
        wsr__str_add(out, wrong ? "<td><b>" : "<td>");
        if (name != NULL) {
            wsr__html_text(out, name);
        } else {
            wsr__str_addf(out, "%lld", (long long)classes[i]);
        }
        wsr__str_add(out, wrong ? "</b></td>" : "</td>");
    }
    wsr__str_add(out, "</tr>\n");
}

// Files of earlier versions do not say.
static wsr_status add_seen(wsr__str *out, gallery *g, const char *key)
{
    wsr_status status = WSR_OK;
    const size_t all = wsr__st_find(g->st, "labels")->count;
    if (wsr__st_find(g->st, key) == NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr__st_read_i64(g->seen, g->st, key, all));
    add_labels(out, g, "prediction", g->seen);
out:
    return status;
}

// "misclassified" images are not attacked: they count as not robust.
static void add_outcomes(wsr__str *out, const gallery *g,
                         const unsigned char *robust)
{
    wsr__str_add(out, "<tr><td></td>");
    for (size_t i = 0; i < g->n; i++) {
        wsr__str_addf(out, "<td>%s</td>",
                      g->success[i] != 0 ? "adversarial"
                      : robust[i] != 0   ? "robust"
                                         : "misclassified");
    }
    wsr__str_add(out, "</tr>\n");
}

// ------------------------------------------------------------------- galleries

// Attack and options, as the evaluation was asked for them.
static const char *spec_of(const wsr__st *st, size_t a, size_t e)
{
    char key[KEY_SIZE];
    key_of(key, a, e, "attack");
    const char *const spec = wsr__st_metadata(st, key);
    return spec == NULL ? "attack" : spec;
}

// Minimum-norm attacks have no strength; theirs is infinite.
static void add_caption(wsr__str *out, const gallery *g, size_t a, size_t e)
{
    wsr__str_add(out, "<figcaption>");
    wsr__html_text(out, spec_of(g->st, a, e));
    wsr__str_add(out, " at ");
    if (isinf(eps_of(g->st, a, e))) {
        wsr__str_add(out, "any strength");
    } else {
        wsr__html_eps(out, eps_of(g->st, a, e));
    }
    wsr__str_add(out, "</figcaption>\n");
}

// Tensors hold all images of the file, of which the first g->n are shown.
static wsr_status add_attack(wsr__str *out, gallery *g, size_t a)
{
    wsr_status status = WSR_OK;
    const size_t e = shown_strength(g->st, a);
    const size_t all = wsr__st_find(g->st, "labels")->count;
    char key[KEY_SIZE];
    unsigned char *const robust = wsr__alloc(all, 1);
    if (robust == NULL) {
        return WSR_NOMEM;
    }
    key_of(key, a, e, "images");
    WSR_TRY(wsr__st_read_f32(g->attacked, g->st, key, all * g->pixels));
    key_of(key, a, e, "success");
    WSR_TRY(wsr__st_read_u8(g->success, g->st, key, all));
    key_of(key, a, e, "robust");
    WSR_TRY(wsr__st_read_u8(robust, g->st, key, all));
    wsr__str_add(out, "<figure>\n");
    add_caption(out, g, a, e);
    wsr__html_table_begin(out, "samples", spec_of(g->st, a, e));
    WSR_TRY(add_row(out, g, CLEAN));
    add_labels(out, g, "label", g->labels);
    WSR_TRY(add_seen(out, g, "predictions"));
    WSR_TRY(add_row(out, g, ATTACKED));
    key_of(key, a, e, "predictions");
    WSR_TRY(add_seen(out, g, key));
    WSR_TRY(add_row(out, g, DIFFERENCE));
    add_outcomes(out, g, robust);
    wsr__html_table_end(out);
    wsr__str_add(out, "</figure>\n");
out:
    wsr__free(robust);
    return status;
}

// clean is (n, c, h, w), labels (n). What fails leaves the rest for the caller
// to free. Images of other than three channels are shown by their first.
static wsr_status open_gallery(gallery *g, const wsr__st *st)
{
    wsr_status status = WSR_OK;
    const wsr__st_tensor *clean = NULL;
    const wsr__st_tensor *labels = NULL;
    *g = (gallery){.st = st};
    WSR_TRY(wsr__st_need(&clean, st, "clean"));
    WSR_TRY(wsr__st_need(&labels, st, "labels"));
    if (clean->ndims != 4 || clean->count == 0 || labels->count == 0 ||
        (size_t)clean->dims[0] != labels->count) {
        return WSR_FAIL(WSR_FORMAT, "%s: holds no images with labels",
                        wsr__st_path(st));
    }
    g->n = labels->count < MOST ? labels->count : MOST;
    g->channels = (size_t)clean->dims[1];
    g->height = (size_t)clean->dims[2];
    g->width = (size_t)clean->dims[3];
    g->pixels = g->channels * g->height * g->width;
    g->colours = g->channels == 3 ? 3 : 1;
    g->clean = wsr__alloc(clean->count, sizeof(*g->clean));
    g->attacked = wsr__alloc(clean->count, sizeof(*g->attacked));
    g->success = wsr__alloc(labels->count, 1);
    g->bytes = wsr__alloc(g->pixels, 1);
    g->labels = wsr__alloc(labels->count, sizeof(*g->labels));
    g->seen = wsr__alloc(labels->count, sizeof(*g->seen));
    if (g->clean == NULL || g->attacked == NULL || g->success == NULL ||
        g->bytes == NULL || g->labels == NULL || g->seen == NULL) {
        return WSR_NOMEM;
    }
    WSR_TRY(wsr__st_read_f32(g->clean, st, "clean", clean->count));
    WSR_TRY(wsr__st_read_i64(g->labels, st, "labels", labels->count));
out:
    return status;
}

// Attacks are numbered from 0 without a gap.
wsr_status wsr__html_samples(wsr__str *out, const wsr__report *report)
{
    wsr_status status = WSR_OK;
    gallery g = {0};
    if (report->images == NULL) {
        return WSR_OK;
    }
    WSR_TRY(open_gallery(&g, report->images));
    wsr__html_heading(out, "Images");
    wsr__str_add(out, "<p>The first images, what the attacks "
                      "made of them, and the difference at full contrast: "
                      "grey is no change. Predictions other than the label "
                      "are bold.</p>\n");
    for (size_t a = 0; !isnan(eps_of(g.st, a, 0)); a++) {
        WSR_TRY(add_attack(out, &g, a));
    }
out:
    wsr__free(g.clean);
    wsr__free(g.attacked);
    wsr__free(g.success);
    wsr__free(g.bytes);
    wsr__free(g.labels);
    wsr__free(g.seen);
    return status;
}
