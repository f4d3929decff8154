// SPDX-License-Identifier: Apache-2.0
//
// The options of a search. Defaults are the constants of the released search
// (the paper's run on CIFAR-10). Where that code departs from its paper, an
// option has the two values released and intended, see docs/fidelity.md.

#include "search/search.h"

#include <stddef.h>

#define AT(field) offsetof(wsr__search_params, field)
#define QUIRK(field, text) WSR__QUIRK(wsr__search_params, field, text)

const char *const wsr__search_norms[] = {"batch", "frozen", "running", NULL};
static const char *const samplings[] = {"searcher", "fair", NULL};
static const char *const derivations[] = {"alphas", "predicted", "measured",
                                          NULL};
static const char *const missing[] = {"refuse", "nearest", NULL};

const wsr__option wsr__search_schema[] = {
    WSR__FIDELITY(wsr__search_params),
    // Length of the phases.
    {"warm_up", WSR__INT, AT(warm_up), "100", 0, 100000, "epochs",
     "training of the supernet before anything is evaluated", NULL},
    {"population", WSR__INT, AT(population), "100", 0, 100000, "epochs",
     "epochs that fill the memories of estimator and predictor", NULL},
    {"epochs", WSR__INT, AT(epochs), "200", 1, 100000, "epochs",
     "epochs that update the alphas", NULL},
    {"budget", WSR__INT, AT(budget), "0", 0, 1e15, "passes",
     "forward-backward passes of images that the search may take: replaces "
     "epochs by as many as it pays for, so that searchers compare at equal "
     "cost; 0: no budget",
     NULL},
    {"predictor_warm_up", WSR__INT, AT(predictor_warm_up), "500", 0, 1000000,
     "passes", "passes of the predictor over its memory after the population",
     NULL},
    {"predictor_passes", WSR__INT, AT(predictor_passes), "500", 0, 1000000,
     "passes", "passes of the predictor over its memory per epoch", NULL},
    // Training of the supernet.
    {"batch", WSR__INT, AT(batch), "64", 2, 4096, "images", "images per batch",
     NULL},
    {"shards", WSR__INT, AT(shards), "1", 1, WSR__SHARDS_MAX, "",
     "parts of a batch of the supernet's training that are attacked and "
     "normalised each by itself",
     NULL},
    {"deterministic", WSR__TEXT, AT(deterministic), "", 0, 0, "",
     "shards:N: the same bits on any number of processes (search.shards=N); "
     "empty: a part for each process where search.shards is 1",
     NULL},
    {"train_fraction", WSR__FLOAT, AT(train_fraction), "0.5", 0.05, 0.95, "",
     "share of the training split that trains; the rest is held out", NULL},
    {"augment", WSR__TEXT, AT(augment), "random_crop:pad=4,flip", 0, 0, "",
     "augmentation of training images", NULL},
    {"lr", WSR__FLOAT, AT(lr), "0.1", 0, 10, "",
     "learning rate of the supernet", NULL},
    {"lr_min", WSR__FLOAT, AT(lr_min), "0.001", 0, 10, "",
     "learning rate after the last epoch", NULL},
    {"momentum", WSR__FLOAT, AT(momentum), "0.9", 0, 0.999, "",
     "momentum of the supernet's SGD", NULL},
    {"weight_decay", WSR__FLOAT, AT(weight_decay), "3e-4", 0, 1, "",
     "weight decay of the supernet's SGD", NULL},
    {"grad_clip", WSR__FLOAT, AT(grad_clip), "5", 0, 1e6, "",
     "largest gradient norm, 0: no limit", NULL},
    {"sampling", WSR__WORD, AT(sampling), "searcher", 0, 0, "",
     "paths that train the supernet: as the searcher draws them, by the alphas "
     "or at random; or fair, each candidate of an edge equally often "
     "(arXiv:1907.01845)",
     samplings},
    // Attacks and the noise that is estimated.
    {"eps", WSR__FLOAT, AT(eps), "0.03", 0, 1, "",
     "strength of the attack that the supernet trains against", NULL},
    {"steps", WSR__INT, AT(attack_steps), "7", 1, 1000, "steps",
     "steps of every attack, each 2.5 eps / steps long", NULL},
    {"attack_norms", WSR__WORD, AT(attack_norms), "batch", 0, 0, "",
     "statistics that attacks see: those of the attacked batch, those of the "
     "clean one (frozen, faster), or the running ones",
     wsr__search_norms},
    {"train_norms", WSR__WORD, AT(train_norms), "rank", 0, 0, "",
     "statistics of batch norms where batches of the supernet are divided: of "
     "each part, or of all parts of all processes (global)",
     wsr__train_norms},
    {"sources", WSR__FLOATS, AT(sources), "[0.03, 0.06, 0.09]", 0.0001, 1, "",
     "strengths that are attacked, ascending", NULL},
    {"random_eps", WSR__FLOAT, AT(random_eps), "0.15", 0, 1, "",
     "largest strength of the random attack that trains the estimator", NULL},
    {"targets", WSR__FLOATS, AT(targets), "[0.045, 0.075, 0.105]", 0.0001, 1,
     "", "strengths whose noise is estimated, ascending", NULL},
    // The objective, with a weight for each strength in the order of the slots.
    {"clean_weight", WSR__FLOAT, AT(clean_weight), "0.8", 0, 1, "",
     "weight of the clean loss in the objective; the others share the rest",
     NULL},
    {"weights", WSR__FLOATS, AT(weights), "[1, 2, 3, 5, 7, 10]", 0, 1000, "",
     "weights of the strengths, source and target by turns", NULL},
    // Size of an evaluation of an architecture.
    {"estimator_batches", WSR__INT, AT(estimator_batches), "10", 1, 100000,
     "batches", "training batches whose noises train the estimator", NULL},
    {"val_batches", WSR__INT, AT(val_batches), "0", 0, 100000, "batches",
     "held-out batches that an architecture is evaluated on, 0: all", NULL},
    {"train_batches", WSR__INT, AT(train_batches), "0", 0, 100000, "batches",
     "training batches of an epoch, 0: all", NULL},
    {"architectures", WSR__INT, AT(architectures), "1", 1, 1000, "",
     "architectures that are evaluated per epoch", NULL},
    {"random_baseline", WSR__INT, AT(random_baseline), "0", 0, 1000, "",
     "uniformly sampled architectures that are evaluated per epoch as well, "
     "for the log only; afterwards as many random genotypes beside the found "
     "one",
     NULL},
    {"max_skips", WSR__INT, AT(max_skips), "2", 0, 1000, "",
     "skip connections of a cell above which a warning says that the cells "
     "collapse: P-DARTS permits two of eight edges (arXiv:1904.12760), DARTS+ "
     "stops at two (arXiv:1909.06035)",
     NULL},
    {"holdout_architectures", WSR__INT, AT(holdout_architectures), "0", 0, 1000,
     "",
     "architectures that are evaluated per epoch as well and never remembered, "
     "for the rank correlation of the predictor in the log",
     NULL},
    {"holdout_predictors", WSR__TEXT, AT(holdout_predictors), "[]", 0, 0, "",
     "list of predictors, e.g. [gae, lstm:form=predictor3], that in the end "
     "learn from the same architectures and rank the held-out ones of the last "
     "epoch, for the log and the report",
     NULL},
    // Update of the alphas. 0 takes a default that depends on fidelity.
    {"tau", WSR__FLOAT, AT(tau), "0.1", 0.001, 100, "",
     "temperature of the architecture's Gumbel softmax", NULL},
    {"arch_steps", WSR__INT, AT(arch_steps), "0", 0, 10000, "steps",
     "steps of the alphas per epoch, 0: 1 as released, 10 as intended", NULL},
    {"arch_samples", WSR__INT, AT(arch_samples), "0", 0, 1024, "",
     "fresh Gumbel samples per step, 0: the epoch's own as released, 16 as "
     "intended",
     NULL},
    {"arch_lr", WSR__FLOAT, AT(arch_lr), "0", 0, 10, "",
     "Adam's learning rate for the alphas, 0: 3e-5 as released, 1e-3 as "
     "intended",
     NULL},
    {"arch_tau", WSR__FLOAT, AT(arch_tau), "0", 0, 100, "",
     "temperature of those samples, 0: tau as released, 1 as intended", NULL},
    {"derive", WSR__WORD, AT(derive), "alphas", 0, 0, "",
     "what the genotype comes from: the largest alphas; the lowest predicted "
     "objective of that genotype and random ones; or the lowest measured one "
     "of those predicted to be best",
     derivations},
    {"derive_samples", WSR__INT, AT(derive_samples), "1000", 1, 1000000, "",
     "random genotypes that are predicted for that", NULL},
    {"derive_measured", WSR__INT, AT(derive_measured), "32", 1, 100000, "",
     "of these the best ones that derive=measured evaluates with the shared "
     "weights after the last epoch",
     NULL},
    // Differences between the released code and the paper.
    QUIRK(path, "released: one path an epoch, which the architecture steps "
                "along; intended: one a batch, and fresh ones for steps"),
    QUIRK(gradients, "released: gradients of the attack's last step are added "
                     "to those that train"),
    QUIRK(attack_stats, "released: attacks move running statistics"),
    QUIRK(edge_weights, "released: edges are multiplied by their soft weight"),
    QUIRK(loss_scale, "released: adversarial losses are divided by the batch"),
    QUIRK(clean_split,
          "released: in the search phase, clean losses come from the "
          "training split"),
    QUIRK(norms,
          "released: running statistics, in the search phase those of the "
          "batch; intended: always those of the batch"),
    QUIRK(noise_range,
          "released: images with estimated noise may leave [0, 1]"),
    QUIRK(target_norms, "released: a target has one Euclidean norm for all "
                        "images, see norm_values; intended: in proportion to "
                        "the nearest source"),
    QUIRK(loss_centring,
          "released: the predictor learns losses as they were measured; "
          "intended: where an epoch measures several architectures, "
          "less their mean, for weights improve from epoch to epoch"),
    {"norm_values", WSR__FLOATS, AT(norm_values), "[2.3, 3.9, 5.5]", 0.0001,
     1e6, "", "Euclidean norms of the targets as released", NULL},
    // Accuracies that were measured before.
    {"table", WSR__TEXT, AT(table), "", 0, 0, "",
     "accuracies to look up instead of training a supernet: table.jsonl of a "
     "run, a file of NAS-RobBench-201, or a folder of the robustness dataset "
     "of "
     "Jung et al. (cifar10, ...); nothing is trained afterwards. A resumed run "
     "reads it again; empty: none",
     NULL},
    {"table_attack", WSR__TEXT, AT(table_attack), "pgd", 0, 0, "",
     "attack of these accuracies: pgd, fgsm, autoattack; pgd, fgsm, "
     "aa_apgd-ce, "
     "aa_square; all of a run's own",
     NULL},
    {"table_missing", WSR__WORD, AT(table_missing), "refuse", 0, 0, "",
     "architectures that the table has not: refuse the search, or take the "
     "mean "
     "of those that differ on the fewest edges",
     missing},
    // Diagnosis.
    {"ranking", WSR__TEXT, AT(ranking), "", 0, 0, "",
     "table.jsonl of architectures that were trained alone: the log says how "
     "shared weights and the predictor rank these; a resumed run reads it "
     "again; empty: none",
     NULL},
    {"ranking_every", WSR__INT, AT(ranking_every), "1", 1, 100000, "epochs",
     "between these lines of the log; the last epoch has one", NULL},
    {"ranking_architectures", WSR__INT, AT(ranking_architectures), "0", 0,
     100000, "", "first architectures of the table, 0: all", NULL},
    {0},
};

// In the order of wsr_phase; the log has these words.
const char *const wsr__phase_names[] = {"warm-up", "population", "search",
                                        "done", NULL};

#define WSR_REG(family, name) &wsr__##family##_##name.super,
static const wsr__class *const classes[] = {
#include "search/searchers.def"
    NULL,
};
#undef WSR_REG

const wsr__family wsr__searchers = {"searcher", classes};
