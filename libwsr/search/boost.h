// SPDX-License-Identifier: Apache-2.0
//
// What the searchers over boost networks share: a base network with a block of
// one searched cell beside each stage (net/boost.c). The cell is relaxed, so
// that alphas and betas descend the loss itself.
//
// Weights learn from training images, alphas and betas from held-out ones, both
// as in Free-AT (arXiv:1904.12843): a batch is learned from several times, and
// each backward pass also moves a perturbation. boost.c has these loops,
// boost_alphas.c the derivatives by alphas and betas, and what follows from
// them; a searcher says what it does with clean images.

#ifndef WSR_SEARCH_BOOST_H
#define WSR_SEARCH_BOOST_H

#include "search/search.h"

/// The first member of a searcher's options.
typedef struct wsr__boost_params {
    wsr__text base;
    int64_t repeats;
    double alpha;
    bool flops;
} wsr__boost_params;

#define WSR__BOOST_AT(field) offsetof(wsr__boost_params, field)

// clang-format off
#define WSR__BOOST_OPTIONS \
    {"base", WSR__TEXT, WSR__BOOST_AT(base), "small_cnn", 0, 0, "", \
     "kind of network beside which cells are searched, with its options: " \
     "resnet:depth=18,width=32", NULL}, \
    {"repeats", WSR__INT, WSR__BOOST_AT(repeats), "4", 1, 1000, "", \
     "how often each batch is learned from", NULL}, \
    {"alpha", WSR__FLOAT, WSR__BOOST_AT(alpha), "0", 0, 1, "", \
     "length of a step of the perturbation, 0: search.eps", NULL}, \
    {"flops", WSR__BOOL, WSR__BOOST_AT(flops), "false", 0, 0, "", \
     "alphas descend the loss times 0.2 log(multiply-adds)^0.6", NULL}
// clang-format on

/// What is learned: the weights on training images, or alphas and betas on
/// held-out images.
typedef enum wsr__boost_part {
    WSR__BOOST_WEIGHTS,
    WSR__BOOST_ALPHAS,
    WSR__BOOST_PARTS
} wsr__boost_part;

/// What a searcher does differently.
typedef struct wsr__boost_rule {
    /// Learn from the clean images of a batch, before the attacked ones. NULL:
    /// nothing.
    wsr_status (*clean)(wsr_search *search, const wsr_batch *batch,
                        wsr__boost_part part);
    wsr__passes clean_passes[WSR__BOOST_PARTS]; // of an image
    unsigned base_purpose; // of the plan of the base alone; 0: there is none
    bool frozen_base;      // attacked images do not train it
} wsr__boost_rule;

/// The first member of what a searcher owns.
typedef struct wsr__boost {
    const wsr__boost_rule *rule;
    wsr__boost_params params;
    wsr_plan *plans[WSR__BOOST_PARTS]; // of the whole, in the search's arena
    wsr_plan *base;
    float *noise[WSR__BOOST_PARTS]; // (batch, pixels) perturbations
    float *betas;                   // (edges), in search->arch_params
    float *table;                   // (2 edges, candidates)
    double *madds;                  // (edges, candidates), see
    double other_madds;             // wsr__boost_madds()
} wsr__boost;

/// Release what `boost` holds, and the memory of the whole, which it begins.
void wsr__boost_free(void *own);
/// Fill in `boost`, which search->own begins with.
wsr_status wsr__boost_open(wsr_search *search, const wsr__boost_params *params,
                           const wsr__boost_rule *rule);
/// The same for a searcher that owns nothing else.
wsr_status wsr__boost_make(wsr_search *search, const void *params,
                           const wsr__boost_rule *rule);
enum { WSR__BOOST_STATES = 3 };
size_t wsr__boost_states(const wsr_search *search);
wsr__state wsr__boost_state(const wsr_search *search, size_t i);

// Members of wsr__searcher_class; WSR__BOOST_MEMBERS has them all.
wsr_status wsr__boost_network(wsr_net **out, const wsr__cells_options *supernet,
                              const void *options, uint64_t seed);
wsr_status wsr__boost_found(void **options, const wsr__net_class **kind,
                            const wsr_search *search,
                            const wsr__net_options *net);
wsr_status wsr__boost_train(wsr_search *search, const wsr_batch *batch);
wsr_status wsr__boost_evaluate(wsr_search *search, wsr__run *run);
wsr_status wsr__boost_update(wsr_search *search, wsr__run *run);
wsr_status wsr__boost_evaluator(double *losses, wsr_search *search,
                                const wsr__path *path, wsr__evaluation how);
wsr__passes wsr__boost_passes(const wsr_search *search, wsr_phase phase,
                              wsr__search_stage stage);

// clang-format off
#define WSR__BOOST_MEMBERS \
    .free = wsr__boost_free, \
    .table = wsr__boost_table, \
    .evaluate = wsr__boost_evaluate, \
    .update_alphas = wsr__boost_update, \
    .network = wsr__boost_network, \
    .found = wsr__boost_found, \
    .train = wsr__boost_train, \
    .evaluator = wsr__boost_evaluator, \
    .passes = wsr__boost_passes, \
    .pairs = true
// clang-format on

// ------------------------------------------------- for learning from images

/// Forward pass of a batch through a plan of boost->plans or boost->base, and
/// its mean loss.
wsr_status wsr__boost_forward(double *loss, wsr_search *search, wsr_plan *plan,
                              const wsr_batch *batch, const float *x);
/// Backward pass of `weight` times the loss, after a forward pass through the
/// same plan.
wsr_status wsr__boost_backward(wsr_search *search, wsr_plan *plan,
                               const wsr_batch *batch, double weight);
/// Forget the gradients of a part.
void wsr__boost_begin(wsr_search *search, wsr__boost_part part);
/// A step of the optimiser of a part, along the gradients of the last backward
/// pass. `loss` is what the option flops multiplies for alphas; NULL: nothing.
wsr_status wsr__boost_step(wsr_search *search, wsr__boost_part part,
                           const double *loss);

// ------------------------------------------------------------ boost_alphas.c

/// Put alphas (edges, candidates) and betas (edges) into the inputs of a plan.
void wsr__boost_enter(wsr_plan *plan, const wsr_search *search,
                      const float *alphas, const float *betas);
/// Those of an architecture with one candidate for each edge: all others have
/// weight 0, edges with "none" too, and the others of a node equal ones.
void wsr__boost_fix(float *alphas, float *betas, const wsr_search *search,
                    const unsigned char *choices);
/// Gradients by alphas and betas of the loss that a plan was run backward from,
/// to those of search->arch_params; see wsr__boost_step().
wsr_status wsr__boost_gradients(const wsr_search *search, wsr_plan *plan,
                                const double *loss);
/// softmax(alpha) times softmax(beta), (2 edges, candidates): the two strongest
/// edges of every node, and the strongest candidate on each, are the genotype.
const float *wsr__boost_table(const wsr_search *search);

#endif
