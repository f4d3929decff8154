// SPDX-License-Identifier: Apache-2.0
//
// Attacks inside out. attack.c makes them and checks what they are given;
// loop.c takes the images batch by batch through all strengths; siege.c is
// what an attack works with: the images of a batch, those of them that still
// stand, and the model; loss.c and project.c hold the mathematics that attacks
// share; model*.c what is attacked; pgd_plan.c the bare step that training and
// search use. An attack is one file: its options, and `run`.

#ifndef WSR_ATTACK_ATTACK_H
#define WSR_ATTACK_ATTACK_H

#include "base/registry.h"
#include "graph/graph.h"
#include "wsr/attack.h"

#include <math.h>

// ------------------------------------------------------------------- norms

typedef enum wsr__lp { WSR__LINF, WSR__L2, WSR__L1 } wsr__lp;

enum { WSR__LP_NORMS = 3 };

extern const char *const wsr__lp_names[]; // "linf", "l2", "l1", NULL

/// Norm of a name that a schema has checked.
wsr__lp wsr__lp_named(const char *name);

/// The permitted values of a pixel.
typedef struct wsr__box {
    float lo;
    float hi;
} wsr__box;

static inline double wsr__width(wsr__box box)
{
    return (double)box.hi - (double)box.lo;
}

/// A ball around an image, cut by the box.
typedef struct wsr__ball {
    const float *x0; // its centre, inside the box
    int64_t d;       // pixels
    float eps;
    wsr__lp norm;
    wsr__box box;
} wsr__ball;

/// Norm of x - x0: exact differences, sums in double.
double wsr__distance(wsr__lp norm, const float *x, const float *x0, int64_t d);

/// Put x into ball and box, so that wsr__distance() <= eps and lo <= x <= hi
/// hold as comparisons of numbers. L-inf: nearest point. L2: the step into
/// the ball along the radius, then the box. L1: the nearest point.
void wsr__project(float *x, const wsr__ball *ball);

/// x = nearest point of ball and box to x + alpha * sign(g), for L-inf.
void wsr__sign_step(float *x, const float *g, float alpha,
                    const wsr__ball *ball);

/// A hyperplane that lies -c / |w| away from x in the direction of w.
typedef struct wsr__plane {
    const float *w;
    const float *x;
    double c;
    int64_t d;
    wsr__lp norm;
    wsr__box box;
} wsr__plane;

/// The smallest change of x that reaches the plane inside the box, or comes
/// nearest to it.
void wsr__hyperplane(float *change, const wsr__plane *plane);

/// The k-th smallest magnitude, k from 0.
float wsr__kth_magnitude(const float *values, int64_t n, int64_t k);

/// Put x into the box alone.
void wsr__clip(float *x, int64_t d, wsr__box box);

// ------------------------------------------------------------------ losses

/// What a loss is about. Attacks climb losses: the more, the better for them.
typedef struct wsr__aim {
    int32_t label;      // to be left; -1: none
    int32_t target;     // to be reached; -1: any other class
    const float *clean; // logits of the clean image
} wsr__aim;

/// Exponents of gradients lie between this and its negative.
#define WSR__EXPONENT_MOST (INT32_C(1) << 29)

/// An exponent that is smaller than all of these.
#define WSR__EXPONENT_NONE (-2 * WSR__EXPONENT_MOST)

/// Value of a loss at logits z and, unless dz is NULL, its gradient
/// dz * 2^*exponent, whose power of two is such that no float of the gradient
/// by the pixels is too small; with `exponent` NULL the gradient is dz itself.
typedef double (*wsr__loss)(float *dz, int *exponent, const float *z,
                            const wsr__aim *aim, size_t classes);

/// Cross entropy of the label, or minus that of the target.
double wsr__loss_ce(float *dz, int *exponent, const float *z,
                    const wsr__aim *aim, size_t classes);

/// Difference of logits ratio (Croce and Hein, arXiv:2003.01690): 3 classes at
/// least.
double wsr__loss_dlr(float *dz, int *exponent, const float *z,
                     const wsr__aim *aim, size_t classes);

/// max over other classes - z[label], or z[target] - max over other classes.
/// The exponent is 0.
double wsr__loss_margin(float *dz, int *exponent, const float *z,
                        const wsr__aim *aim, size_t classes);

/// z[target] - z[label]. The exponent is 0.
double wsr__loss_difference(float *dz, int *exponent, const float *z,
                            const wsr__aim *aim, size_t classes);

/// Kullback-Leibler divergence of softmax(z) from softmax(clean).
double wsr__loss_kl(float *dz, int *exponent, const float *z,
                    const wsr__aim *aim, size_t classes);

/// A number that is larger the larger a loss is, and has its sign; it also
/// tells apart losses that are too close to 0 for a double.
typedef double (*wsr__order)(const float *z, const wsr__aim *aim,
                             size_t classes);

double wsr__order_ce(const float *z, const wsr__aim *aim, size_t classes);
double wsr__order_margin(const float *z, const wsr__aim *aim, size_t classes);
double wsr__order_dlr(const float *z, const wsr__aim *aim, size_t classes);

/// Largest minus smallest logit.
double wsr__logit_spread(const float *z, size_t classes);

/// e of |value| = m 2^e with m in [1/2, 1); 0 for 0.
int wsr__exponent(double value);

/// The `rank`-th largest of z apart from `but`, rank from 0; the first of
/// equals comes first.
int32_t wsr__ranked(const float *z, size_t classes, int32_t but, size_t rank);

/// First largest of z.
int32_t wsr__argmax(const float *z, size_t classes);

// ------------------------------------------------------------------ models

/// Rows of an array that are meant: at[0], at[1], ..., or all from 0 on when
/// `at` is NULL.
typedef struct wsr__rows {
    const uint32_t *at;
    size_t n;
} wsr__rows;

static inline size_t wsr__row(const wsr__rows *rows, size_t k)
{
    return rows->at == NULL ? k : rows->at[k];
}

/// What a kind of model supplies. Arrays hold a row per image of a batch;
/// only those in `rows` are read and written.
typedef struct wsr__model_class {
    /// `keep`: backward may follow.
    wsr_status (*forward)(wsr_model *model, float *logits, const float *x,
                          const wsr__rows *rows, bool keep);
    /// For the rows of the last forward with `keep`; rows whose dlogits are
    /// all zero may be left out. NULL: a black box.
    wsr_status (*backward)(wsr_model *model, float *dx, const float *dlogits);
    /// Make what the largest batch needs and say how many bytes it takes, so
    /// that a shortage shows before any work; NULL: there is nothing to make.
    wsr_status (*reserve)(wsr_model *model, double *bytes);
    void (*release)(wsr_model *model); // what lies behind the common part
} wsr__model_class;

/// The common part; kinds put more behind it.
struct wsr_model {
    const wsr__model_class *cls;
    bool differentiable; // there are gradients
    wsr_shape shape;     // (c, h, w)
    int64_t pixels;
    size_t classes;
    size_t batch; // images per forward at most
    bool whole;   // always the same number of images, all of them: results of
                  // one depend on the others
    bool fixed_batch;
    wsr__box box;
    uint64_t queries;
    uint64_t gradients;
};

/// Fill the common part. ARG or SHAPE for a shape or a number of classes that
/// an attack cannot work with.
wsr_status wsr__model_init(wsr_model *model, const wsr__model_class *cls,
                           const wsr_shape *shape, size_t classes);

/// Make ready for whole batches. `bytes` receives the memory that is used.
wsr_status wsr__model_reserve(double *bytes, wsr_model *model);

/// A model of a plan that the caller owns, with the input "x" and the output
/// "logits"; whatever its mode, all of its batch is computed every time.
wsr_status wsr__model_from_plan(wsr_model **out, wsr_plan *plan);

/// Shape of a plan's input "x", batch included, NULL when it has none.
const wsr_shape *wsr__plan_images(const wsr_plan *plan);

// ----------------------------------------------------------------- attacks

typedef struct wsr__siege wsr__siege;

typedef struct wsr__attack_class {
    wsr__class super;
    unsigned norms; // 1 << WSR__LINF | ...
    /// Norm that the options choose; NULL: the only one.
    wsr__lp (*norm)(const void *params);
    bool needs_gradient;
    /// Whether the options make it need gradients; NULL: needs_gradient says.
    bool (*gradients)(const void *params);
    /// Check options against each other, fill what follows from them.
    wsr_status (*prepare)(void *params);
    /// Refuse a model that the options do not suit; NULL: all are suited.
    wsr_status (*fits)(const void *params, const wsr_model *model);
    bool targets;   // knows what to do with target classes
    bool unbounded; // strength INFINITY makes sense
    bool minimal;   // looks for the smallest change; strengths only judge it
    bool leaves; // drops images when it is done with them; so do minimal ones
    size_t classes; // the fewest that it can work with; 0: 2
    /// Attack the rows of `siege` at its strength. For minimal attacks: offer
    /// every image found.
    wsr_status (*run)(wsr__siege *siege, const void *params);
} wsr__attack_class;

#define WSR_REG(family, name) \
    extern const wsr__##family##_class wsr__##family##_##name;
#include "attack/attacks.def"
#undef WSR_REG

extern const wsr__family wsr__attacks;

typedef enum wsr__target {
    WSR__TARGET_NONE,
    WSR__TARGET_GIVEN,
    WSR__TARGET_LEAST,
    WSR__TARGET_SECOND,
    WSR__TARGET_RANDOM,
    WSR__TARGET_CLASS // the setting target_class
} wsr__target;

/// Options that all attacks have.
typedef struct wsr__attack_settings {
    bool stop;
    bool nested;
    bool images;
    wsr__text target;
    int64_t target_class; // negative: none
    int64_t seed;
    int64_t first;
    int64_t batch;
} wsr__attack_settings;

extern const wsr__option wsr__attack_schema[];

struct wsr_attack {
    const wsr__attack_class *cls;
    void *params;
    wsr__attack_settings settings;
    wsr__target target;
    wsr__lp norm;
    float *eps;
    size_t n_eps;
};

/// wsr_attack_new() with decoded settings.
wsr_status wsr__attack_make(wsr_attack **out, const char *spec,
                            const wsr__attack_settings *settings);

/// "pgd:steps=7": name, and the options that differ from their defaults.
void wsr__attack_spec(wsr__str *out, const wsr_attack *attack);

/// Find a class by a spec, whose name may have "-" for "_", and make its
/// params. [out, owned] params
wsr_status wsr__attack_decode(const wsr__attack_class **cls, void **params,
                              const char *spec);

bool wsr__attack_gradients_of(const wsr__attack_class *cls, const void *params);

/// ARG, SHAPE or FORMAT when an attack with these options cannot work on the
/// model: no gradients, too few classes, images that its files do not know.
wsr_status wsr__attack_fits(const wsr__attack_class *cls, const void *params,
                            const wsr_model *model);

wsr__lp wsr__attack_norm_of(const wsr__attack_class *cls, const void *params);

// ------------------------------------------------------------------ sieges

/// Arrays of its own that an attack can have, and their number.
enum { WSR__SPARES = 16 };

/// The images of a batch under attack at one strength. Arrays have a row per
/// image of the batch, at the same index all the time; `rows` lists those that
/// are still attacked.
struct wsr__siege {
    const wsr_attack *attack;
    wsr_model *model;
    size_t capacity; // rows of the arrays
    size_t n;        // images
    int64_t d;       // pixels of an image
    size_t classes;
    wsr__lp norm;
    float eps;
    bool stop;       // images that have fallen leave
    bool hurry;      // minimal attacks: all that is inside the ball will do
    uint64_t id;     // number of the first image
    uint32_t stream; // sets the random numbers of nested attacks apart
    const wsr__attack_class *cls;

    const float *x0; // clean images
    float *x;        // where the attack stands
    float *grad;     // gradient at x, divided by 2^exponent
    int *exponent;   // (n) of grad
    float *logits;   // at x
    float *dlogits;
    double *loss;          // at x
    const float *clean;    // logits of the clean images
    float *found;          // image that fell, or the last attempt
    double *best;          // minimal attacks: smallest norm of the changes
                           // found, INFINITY: none yet; else unused
    wsr__aim *aims;        // of the losses; an attack may change them
    const wsr__aim *goals; // what counts as fallen
    uint8_t *fallen;
    uint32_t *rows;
    size_t m; // of rows
    uint32_t *queries;
    uint32_t *gradients;
    uint32_t *flat;             // gradients that were zero everywhere
    struct wsr__siege_own *own; // of siege.c
};

static inline float *wsr__at(float *array, int64_t width, size_t row)
{
    return array + (int64_t)row * width;
}

static inline const float *wsr__at_const(const float *array, int64_t width,
                                         size_t row)
{
    return array + (int64_t)row * width;
}

/// Ball around row `row`.
wsr__ball wsr__siege_ball(const wsr__siege *s, size_t row);

/// Random numbers for one image and one step of the running attack.
wsr__rng wsr__siege_rng(const wsr__siege *s, size_t row, uint32_t step);

/// An array of the attack's own, `width` floats per image, kept from call to
/// call; its content is undefined at the beginning of `run`. NULL when memory
/// is short.
float *wsr__siege_spare(wsr__siege *s, size_t which, int64_t width);

/// An object of the attack's own that lasts as long as the siege, through all
/// batches and strengths; NULL before there is one. A new one replaces it.
void *wsr__siege_object(const wsr__siege *s);
void wsr__siege_keep(wsr__siege *s, void *object, void (*release)(void *));

/// x = the clean images.
void wsr__siege_reset(wsr__siege *s);

/// What to multiply a gradient of exponent `exponent` by before it is added to
/// `sum`, whose exponent is *sum_exponent: the sum is brought to the larger one
/// of the two. WSR__EXPONENT_NONE: the sum is zero so far.
float wsr__gradient_align(float *sum, int *sum_exponent, int exponent,
                          int64_t d);

/// The gradients of losses by the logits of images that depend on each other
/// have one exponent: that of the first `rows` is *exponent, that of the next
/// one is `next`; all of them get the larger one.
void wsr__gradient_join(float *dz, int *exponent, int next, size_t rows,
                        size_t classes);

/// A power of two by which a length has to be multiplied to become a float of
/// full precision whose inverse is one as well; 1 for most lengths.
float wsr__lift(double length);

/// Do something to each row, in parallel. `ctx` is passed on.
typedef void (*wsr__row_body)(wsr__siege *s, size_t row, void *ctx);
void wsr__siege_each(wsr__siege *s, wsr__row_body body, void *ctx);

/// Logits at x, nothing else. `keep`: wsr__siege_backward may follow.
wsr_status wsr__siege_forward(wsr__siege *s, bool keep);

/// The same at other images.
wsr_status wsr__siege_forward_at(wsr__siege *s, const float *x, bool keep);

/// Loss and gradient after a forward with `keep`, for the rows that are left.
wsr_status wsr__siege_backward(wsr__siege *s, wsr__loss loss);

/// Whether the logits of a row are what the attacker wants.
bool wsr__siege_won(const wsr__siege *s, size_t row);

/// After a forward at x: with stop, rows that have fallen leave.
void wsr__siege_fell(wsr__siege *s);

/// Logits at x; with stop, rows that have fallen leave.
wsr_status wsr__siege_judge(wsr__siege *s);

/// The same with loss and gradient for those that stay.
wsr_status wsr__siege_gradient(wsr__siege *s, wsr__loss loss);

/// Loss and gradient at other images, nothing else.
wsr_status wsr__siege_gradient_at(wsr__siege *s, const float *x,
                                  wsr__loss loss);

/// Loss and gradient at the clean images; the same for all strengths.
wsr_status wsr__siege_clean_gradient(wsr__siege *s, wsr__loss loss);

/// At the end of a run: x are the attack's images.
wsr_status wsr__siege_finish(wsr__siege *s);

/// A row has fallen by image `x`: note it. With stop, wsr__siege_leave removes
/// such rows.
void wsr__siege_take(wsr__siege *s, size_t row, const float *x);
void wsr__siege_leave(wsr__siege *s);

/// A row is done with: wsr__siege_leave removes it. For classes that are
/// minimal or `leaves`.
void wsr__siege_retire(wsr__siege *s, size_t row);

/// Rows are again those that the attack began with, apart from those that are
/// finally done with. For the same classes.
void wsr__siege_recall(wsr__siege *s);

/// Whether a minimal attack has found a change, and the smallest one of these
/// fits into strength `eps`; strength INFINITY takes any that was found.
static inline bool wsr__siege_within(const wsr__siege *s, size_t row, float eps)
{
    return s->best[row] < (double)INFINITY && s->best[row] <= (double)eps;
}

/// A minimal attack has found an image that is wrong: keep the nearest one. In
/// a hurry, wsr__siege_leave then removes it if it is near enough.
void wsr__siege_offer(wsr__siege *s, size_t row, const float *x);

/// Let another attack at the rows that still stand.
wsr_status wsr__siege_sub(wsr__siege *s, const wsr__attack_class *cls,
                          const void *params, uint32_t stream);

// ------------------------------------------------------- points and steps

/// Length of a step: alpha, or where that is 0, `ratio` strengths over all
/// steps together.
float wsr__step_size(const wsr__siege *s, double alpha, double ratio,
                     int64_t steps);

/// x += uniform noise in the ball, or normal noise of deviation `sigma` pixel
/// ranges; then into ball and box.
void wsr__start_uniform(wsr__siege *s, size_t row, uint32_t restart);
void wsr__start_gaussian(wsr__siege *s, size_t row, uint32_t restart,
                         double sigma);

/// x += alpha * (linf: sign(g); l2: g / |g|); then into ball and box.
void wsr__gradient_step(wsr__siege *s, size_t row, const float *g, float alpha);

/// m = decay * m + g / mean |g|
void wsr__momentum(float *m, const float *g, double decay, int64_t d);

/// Steps along the gradient of a loss, each followed by a judgement.
typedef struct wsr__climb {
    int64_t steps;
    wsr__loss loss;
    bool from_clean;    // x are the clean images at the beginning
    wsr__row_body step; // moves x by s->grad
    void *ctx;
} wsr__climb;

wsr_status wsr__climb_run(wsr__siege *s, const wsr__climb *climb);

/// Options of projected gradient descent, whatever its loss.
typedef struct wsr__descent {
    int64_t steps;
    double alpha;
    double ratio;
    bool random_start;
    wsr__text noise;
    double sigma;
    int64_t restarts;
    wsr__text norm;
} wsr__descent;

extern const wsr__option wsr__descent_schema[];
wsr__lp wsr__descent_norm(const void *descent);

/// Projected gradient descent in the norm of the siege.
wsr_status wsr__descent_run(wsr__siege *s, const wsr__descent *descent,
                            wsr__loss loss);

/// Options of an ascent along the sign of a momentum of gradients. Params that
/// hold more begin with them.
typedef struct wsr__ascent {
    int64_t steps;
    double alpha;
    double decay;
} wsr__ascent;

/// Their part of a schema.
// clang-format off
#define WSR__ASCENT_OPTIONS(decay_default)                                    \
    {"steps", WSR__INT, offsetof(wsr__ascent, steps), "10", 1, 100000,        \
     "steps", "gradient steps", NULL},                                        \
    {"alpha", WSR__FLOAT, offsetof(wsr__ascent, alpha), "0", 0, 1e9,          \
     "pixel values", "length of a step, 0: strength / steps", NULL},          \
    {"decay", WSR__FLOAT, offsetof(wsr__ascent, decay), (decay_default), 0,   \
     10, "", "what remains of the momentum from step to step", NULL}
// clang-format on

/// Where an ascent stands. The spare arrays from WSR__ASCENT_SPARES on are its
/// own.
typedef struct wsr__climber {
    const wsr__ascent *ascent;
    const void *params; // the same, as the attack knows it
    float alpha;
    float *m;     // momentum, a row per image
    int64_t step; // from 0
} wsr__climber;

enum {
    WSR__ASCENT_SPARES = WSR__SPARES - 4,
    WSR__ASCENT_AHEAD,
    WSR__DIVERSITY_SEEN,
    WSR__DIVERSITY_BACK
};

/// Leaves in s->grad what the momentum is to take in.
typedef wsr_status (*wsr__slope)(wsr__siege *s, const wsr__climber *c);

/// `ascent`: the beginning of the attack's params.
wsr_status wsr__ascent_run(wsr__siege *s, const void *ascent, wsr__slope slope);

/// The gradient at x, which is judged; and at the point that the momentum is
/// about to lead to, which may lie outside of the ball and is not.
wsr_status wsr__slope_here(wsr__siege *s, const wsr__climber *c);
wsr_status wsr__slope_ahead(wsr__siege *s, const wsr__climber *c);

/// ahead = those points.
void wsr__ascent_ahead(float *ahead, wsr__siege *s, const wsr__climber *c);

/// The same, corrected by how the gradients around the last point differed
/// from that point's (vmifgsm, vnifgsm).
typedef struct wsr__variance {
    wsr__ascent ascent;
    int64_t samples;
    double beta;
} wsr__variance;

extern const wsr__option wsr__variance_schema[];
wsr_status wsr__slope_tuned(wsr__siege *s, const wsr__climber *c);
wsr_status wsr__slope_tuned_ahead(wsr__siege *s, const wsr__climber *c);

/// An ascent on images made smaller at random and laid into zeros at random.
/// Params that hold more begin with it.
typedef struct wsr__diversity {
    wsr__ascent ascent;
    double rate; // smallest size of what it was
    double prob; // of changing an image at all
} wsr__diversity;

// clang-format off
#define WSR__DIVERSITY_OPTIONS                                                \
    WSR__ASCENT_OPTIONS("0"),                                                 \
    {"rate", WSR__FLOAT, offsetof(wsr__diversity, rate), "0.9", 0.01, 1, "",  \
     "smallest size of an image, as a part of its own", NULL},                \
    {"prob", WSR__FLOAT, offsetof(wsr__diversity, prob), "0.5", 0, 1, "",     \
     "probability that an image is changed", NULL}
// clang-format on

/// The gradient at x of the loss of such images; a slope of those params.
wsr_status wsr__slope_diverse(wsr__siege *s, const wsr__climber *c);

/// An image of (h, w) pixels per channel in the size (rows, columns) at
/// (top, left).
typedef struct wsr__shrunk {
    int64_t channels;
    int64_t h;
    int64_t w;
    int64_t rows;
    int64_t columns;
    int64_t top;
    int64_t left;
} wsr__shrunk;

/// to = from, shrunk bilinearly (pixel centres at half numbers); zeros around.
void wsr__shrink(float *to, const float *from, const wsr__shrunk *how);

/// The adjoint: what a gradient of the one is for the other.
void wsr__shrink_back(float *to, const float *from, const wsr__shrunk *how);

/// A search, per image, for the weight c of the misclassification beside the
/// size of the change: ten times as much after a failure without a success
/// before, else the middle between the last failure and the last success. Where
/// that is far from what the first gradient lets expect, the expectation comes
/// next. Sizes are in pixel ranges, so that weights fit every range.
typedef struct wsr__weighing {
    double c; // first weight
    int64_t search;
    double kappa; // by how much the image must be wrong
    int64_t steps;
    void (*begin)(wsr__siege *s, size_t row, void *ctx); // x and what is behind
    /// Moves x. For step 0, s->loss and s->grad are those of the margin at x.
    wsr_status (*step)(wsr__siege *s, void *ctx, int64_t step);
    double least; // what weight times gradient must exceed to move a pixel
    /// Of the change of a row.
    double (*size)(const wsr__siege *s, size_t row, const void *ctx);
    void *ctx;
} wsr__weighing;

/// Offers every image that is wrong enough; a tenth of the steps without a
/// fall of size + c * shortage ends a try. The spare array WSR__WEIGHING_SPARE
/// is its own.
wsr_status wsr__weighing_run(wsr__siege *s, const wsr__weighing *weighing);

enum { WSR__WEIGHING_SPARE = WSR__SPARES - 1 };

/// The weight of a row in the running try.
double wsr__weight(wsr__siege *s, size_t row);

/// Options of Auto-PGD.
typedef struct wsr__apgd {
    int64_t steps;
    int64_t restarts;
    int64_t eot;
    double rho;
    bool large;
    wsr__text norm;
    int64_t targets; // of wsr__apgd_run_targets
} wsr__apgd;

extern const wsr__option wsr__apgd_schema[];
wsr__lp wsr__apgd_norm(const void *apgd);

/// Auto-PGD on a loss, from `restarts` random points; for classes that are
/// `leaves`. `order`: of that loss.
wsr_status wsr__apgd_run(wsr__siege *s, const wsr__apgd *apgd, wsr__loss loss,
                         wsr__order order);

/// The same towards one class after the other.
wsr_status wsr__apgd_run_targets(wsr__siege *s, const wsr__apgd *apgd,
                                 wsr__loss loss, wsr__order order);

/// Options of the fast adaptive boundary attack.
typedef struct wsr__fab {
    int64_t steps;
    int64_t restarts;
    double alpha;
    double eta;
    double beta;
    wsr__text norm;
    int64_t targets; // of wsr__fab_run_targets
} wsr__fab;

/// The attack on the boundaries to all classes at once, or to one class after
/// the other; for classes that are minimal.
wsr_status wsr__fab_run(wsr__siege *s, const wsr__fab *fab);
wsr_status wsr__fab_run_targets(wsr__siege *s, const wsr__fab *fab);

// ------------------------------------------------------------- combinations

enum { WSR__MEMBERS = 16 };

typedef struct wsr__member {
    const wsr__attack_class *cls;
    void *params;
} wsr__member;

/// Attacks that are applied one after the other, all in one norm.
typedef struct wsr__members {
    wsr__member list[WSR__MEMBERS];
    size_t n;
} wsr__members;

/// From "a,b:k=v,c".
wsr_status wsr__members_new(wsr__members *out, const char *specs);
void wsr__members_free(wsr__members *members);

/// Each on what still stands; for classes that are `leaves`.
wsr_status wsr__members_run(wsr__siege *s, const wsr__members *members);

// For loop.c.

wsr_status wsr__siege_new(wsr__siege **out, const wsr_attack *attack,
                          wsr_model *model, size_t capacity);
void wsr__siege_free(wsr__siege *s);

/// Take up a batch: clean logits, goals.
wsr_status wsr__siege_begin(wsr__siege *s, const float *x0,
                            const int32_t *labels, size_t n, uint64_t id);

/// Attack at one strength, and at no smaller one afterwards: the images that
/// are right (with stop), apart from those that fell before (nested).
wsr_status wsr__siege_strength(wsr__siege *s, float eps);

/// Whether the model takes the clean image for its label (or, where only a
/// target is known, not for that).
bool wsr__siege_clean_stands(const wsr__siege *s, size_t row);

/// Whether each image of a result lies outside of ball or pixel range, which
/// would be the attack's fault. [borrowed] (n)
const uint8_t *wsr__attack_result_outside(const wsr_attack_result *result,
                                          size_t e);

// ---------------------------------------------------------------- training

/// The PGD step of training and search, without a siege around it.
typedef struct wsr__pgd {
    float eps;
    float alpha;
    size_t steps;
    float uniform;  // start: x + uniform noise of this size, 0: none
    float gaussian; // start: x + normal noise of this deviation, 0: none
    uint64_t seed;
    uint64_t id;        // number of the first image, for the noise
    wsr__loss loss;     // NULL: cross entropy
    const float *clean; // logits for wsr__loss_kl, (n, classes)
} wsr__pgd;

/// out = images after `steps` steps of
///   out <- clip to [x - eps, x + eps] and [0, 1] of out + alpha sign(grad),
/// all of the plan's batch at once, in the plan's mode. The plan has the input
/// "x", the output "logits" and WSR_GRAD_INPUT. `dlogits` of the plan hold the
/// last loss gradient afterwards, divided by a power of two. Allocates nothing.
wsr_status wsr__pgd_plan(float *out, wsr_plan *plan, const float *x,
                         const int32_t *labels, const wsr__pgd *pgd);

#endif
