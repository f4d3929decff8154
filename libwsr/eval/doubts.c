// SPDX-License-Identifier: Apache-2.0
//
// What makes the evaluation of a network doubtful before any attack: it
// guesses, which most often is a wrong normalisation of the images, or its
// outputs are no logits, which the losses of attacks work on.

#include "base/binomial.h"
#include "eval/eval.h"

#include <math.h>

enum { ENOUGH = 30 }; // images, for a finding about accuracy

static const double LEVEL = 0.01; // of the binomial test

wsr__outputs wsr__outputs_of(const float *z, size_t n, size_t classes)
{
    const double tol = 1e-3; // of sums; logits of all images miss them by more
    bool shares = true;
    bool logarithms = true;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        double exps = 0;
        for (size_t c = 0; c < classes; c++) {
            const double x = (double)z[i * classes + c];
            shares = shares && x >= 0 && x <= 1 + tol;
            logarithms = logarithms && x <= tol;
            sum += x;
            exps += exp(x);
        }
        shares = shares && fabs(sum - 1) < tol;
        logarithms = logarithms && fabs(exps - 1) < tol;
    }
    if (n == 0 || classes < 2) {
        return WSR__LOGITS;
    }
    return shares       ? WSR__PROBABILITIES
           : logarithms ? WSR__LOG_PROBABILITIES
                        : WSR__LOGITS;
}

bool wsr__doubt_outputs(wsr__doubt *out, const wsr_eval *eval)
{
    out->name = "softmax";
    if (eval->outputs == WSR__PROBABILITIES) {
        (void)snprintf(out->detail, sizeof(out->detail),
                       "the outputs of each image are shares of 1: the network "
                       "ends in a softmax");
        (void)snprintf(out->remedy, sizeof(out->remedy),
                       "attacks need logits: their losses (cross entropy, DLR, "
                       "margins) are other functions of probabilities, whose "
                       "gradients vanish where the network is sure; export the "
                       "network without its softmax");
    } else if (eval->outputs == WSR__LOG_PROBABILITIES) {
        (void)snprintf(out->detail, sizeof(out->detail),
                       "the outputs of each image are logarithms of shares of "
                       "1: the network ends in a log-softmax");
        (void)snprintf(out->remedy, sizeof(out->remedy),
                       "cross entropy, DLR and margins are those of the logits "
                       "but for rounding; export the network without its "
                       "log-softmax to be rid of that");
    }
    return eval->outputs != WSR__LOGITS;
}

// The test is one-sided, of guesses that are right with probability 1/classes.
bool wsr__doubt_chance(wsr__doubt *out, const wsr_eval *eval)
{
    const size_t n = eval->n_attacks > 0 ? wsr_eval_count(eval, 0) : 0;
    const size_t classes = eval->model != NULL ? eval->model->classes : 0;
    size_t right = 0;
    if (n < ENOUGH || classes < 2) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        right += eval->clean[i];
    }
    const double p = wsr__binomial_tail(right, n, 1 / (double)classes);
    if (p <= LEVEL) {
        return false;
    }
    const char *const takes = eval->model->takes;
    out->name = "chance";
    (void)snprintf(
        out->detail, sizeof(out->detail),
        "%zu of %zu clean images are recognised, which guesses among "
        "%zu classes reach with probability %.2g (binomial test, "
        "level %g)",
        right, n, classes, p, LEVEL);
    (void)snprintf(out->remedy, sizeof(out->remedy),
                   "most often the network wants images of another range or "
                   "normalisation: say how it was trained by --mean, --std and "
                   "--range (net.mean, net.std, net.range%s%.200s), or see "
                   "whether its classes have another order",
                   takes != NULL ? "; now " : "", takes != NULL ? takes : "");
    return true;
}
