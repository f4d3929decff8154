// SPDX-License-Identifier: Apache-2.0
//
// A search strategy of one's own over the supernet: regularised evolution
// (Real et al., arXiv:1802.01548). libwsr trains the supernet and measures the
// losses of architectures; this file decides which architectures to measure.
// The fitness is the loss at the strength that hurts most.
//
//   cc own_search.c $(pkg-config --cflags --libs wsr) -o own_search
//
// The file is C and C++ alike.

#include <wsr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A cell has four nodes, each with two edges from different earlier states.
// Node i can see i + 2 states, so the supernet has 14 edges per cell.
enum { CELLS = 2, NODES = 4, INPUTS = 2, EDGES = 14, MOST_LOSSES = 8 };
enum { POPULATION = 6, GENERATIONS = 18, TOURNAMENT = 3, SUPERNET_EPOCHS = 2 };

typedef struct gene {
    int state;     // that the edge comes from, below node + 2
    int candidate; // from 1 on: 0 is "none"
} gene;

typedef struct individual {
    gene genes[CELLS][NODES][INPUTS];
    double fitness; // loss; less is better
} individual;

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "own_search: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

static bool on_progress(const wsr_progress *p, void *user)
{
    (void)user;
    (void)fprintf(stderr, "%s %zu/%zu %s\n", p->phase, p->step, p->steps,
                  p->note);
    return true;
}

// A number below n (xorshift32).
static int draw(unsigned *random, int n)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return (int)(*random % (unsigned)n);
}

// ------------------------------------------------------------ architectures

static int draw_candidate(const wsr_search *search, unsigned *random)
{
    const size_t n = wsr_supernet_candidates(wsr_search_net(search));
    return 1 + draw(random, (int)n - 1);
}

// A state that the node's other edge does not come from.
static int draw_state(int node, int other, unsigned *random)
{
    const int state = draw(random, node + 1);
    return state < other ? state : state + 1;
}

static void randomise(individual *a, const wsr_search *search, unsigned *random)
{
    for (int c = 0; c < CELLS; c++) {
        for (int node = 0; node < NODES; node++) {
            gene *const g = a->genes[c][node];
            g[0].state = draw(random, node + 2);
            g[1].state = draw_state(node, g[0].state, random);
            g[0].candidate = draw_candidate(search, random);
            g[1].candidate = draw_candidate(search, random);
        }
    }
}

// Another candidate for an edge, or another place that it comes from.
static void mutate(individual *a, const wsr_search *search, unsigned *random)
{
    const int node = draw(random, NODES);
    const int k = draw(random, INPUTS);
    gene *const g = a->genes[draw(random, CELLS)][node];
    if (draw(random, 2) == 0) {
        g[k].candidate = draw_candidate(search, random);
    } else {
        g[k].state = draw_state(node, g[1 - k].state, random);
    }
}

// A candidate for each edge of the supernet: "none" where there is no gene.
static void express(unsigned char choices[CELLS * EDGES], const individual *a)
{
    memset(choices, 0, (size_t)CELLS * EDGES);
    for (int c = 0; c < CELLS; c++) {
        for (int node = 0; node < NODES; node++) {
            for (int k = 0; k < INPUTS; k++) {
                const gene *const g = &a->genes[c][node][k];
                const int edge = node * (node + 3) / 2 + g->state;
                choices[c * EDGES + edge] = (unsigned char)g->candidate;
            }
        }
    }
}

static void measure(individual *a, wsr_search *search)
{
    unsigned char choices[CELLS * EDGES];
    double losses[MOST_LOSSES];
    express(choices, a);
    check(wsr_search_evaluate(losses, search, choices));
    a->fitness = losses[0];
    for (size_t i = 1; i < wsr_search_losses(search); i++) {
        a->fitness = losses[i] > a->fitness ? losses[i] : a->fitness;
    }
}

// The genotype whose operations the architecture has.
static void print(const individual *a, const wsr_net *supernet)
{
    const size_t edges = wsr_supernet_edges(supernet);
    const size_t candidates = wsr_supernet_candidates(supernet);
    unsigned char choices[CELLS * EDGES];
    float *const alphas = (float *)calloc(edges * candidates, sizeof(float));
    wsr_genotype *genotype = NULL;
    char *text = NULL;
    if (alphas == NULL) {
        exit(EXIT_FAILURE);
    }
    express(choices, a);
    for (size_t i = 0; i < edges; i++) {
        alphas[i * candidates + choices[i]] = 1;
    }
    check(wsr_genotype_from_alphas(&genotype, alphas, edges, candidates,
                                   "darts", "evolved"));
    check(wsr_genotype_print(&text, genotype));
    printf("%s", text);
    wsr_text_free(text);
    wsr_genotype_free(genotype);
    free(alphas);
}

// ---------------------------------------------------------------- evolution

static const individual *fittest(const individual *some, int n)
{
    const individual *best = some;
    for (int i = 1; i < n; i++) {
        best = some[i].fitness < best->fitness ? some + i : best;
    }
    return best;
}

// The best of a few that are drawn has a child, which replaces the oldest.
static individual evolve(wsr_search *search, unsigned *random)
{
    individual population[POPULATION];
    individual best;
    for (int i = 0; i < POPULATION; i++) {
        randomise(&population[i], search, random);
        measure(&population[i], search);
    }
    best = *fittest(population, POPULATION);
    printf("best of %d at random: %.4f\n", POPULATION, best.fitness);
    for (int g = 0; g < GENERATIONS; g++) {
        individual parents[TOURNAMENT];
        for (int i = 0; i < TOURNAMENT; i++) {
            parents[i] = population[draw(random, POPULATION)];
        }
        individual child = *fittest(parents, TOURNAMENT);
        mutate(&child, search, random);
        measure(&child, search);
        population[g % POPULATION] = child;
        best = child.fitness < best.fitness ? child : best;
    }
    printf("best after %d generations: %.4f\n", GENERATIONS, best.fitness);
    return best;
}

// -------------------------------------------------------------------- main

static wsr_search *make_search(const wsr_dataset *data)
{
    static const char *const settings[] = {
        "searcher.name=naive", // attacks every strength, estimates none
        "supernet.channels=4",
        "supernet.layers=3",
        "search.warm_up=2", // as many as SUPERNET_EPOCHS
        "search.batch=32",
        "search.steps=2",
        "search.val_batches=2",
        "search.eps=0.03",
        "search.sources=[0.01, 0.03]",
        "search.targets=[]",
        "search.weights=[1, 1]",
    };
    wsr_config *config = NULL;
    wsr_search *search = NULL;
    check(wsr_config_new(&config));
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        check(wsr_config_set(config, settings[i]));
    }
    check(wsr_search_new(&search, data, config));
    wsr_config_free(config);
    return search;
}

int main(void)
{
    unsigned random = 2463534242u;
    wsr_dataset *data = NULL;
    check(wsr_dataset_open(&data, "synthetic:size=16", "train", "limit=256"));
    wsr_search *const search = make_search(data);
    if (wsr_supernet_edges(wsr_search_net(search)) != CELLS * EDGES ||
        wsr_search_losses(search) > MOST_LOSSES) {
        return EXIT_FAILURE;
    }
    wsr_search_set_hook(search, on_progress, NULL);
    for (int epoch = 0; epoch < SUPERNET_EPOCHS; epoch++) {
        check(wsr_search_step(search));
        printf("supernet, epoch %d: loss %.3f, accuracy %.3f\n", epoch + 1,
               wsr_search_train_loss(search),
               wsr_search_train_accuracy(search));
    }
    const individual best = evolve(search, &random);
    print(&best, wsr_search_net(search));
    wsr_search_free(search);
    wsr_dataset_free(data);
    return EXIT_SUCCESS;
}
