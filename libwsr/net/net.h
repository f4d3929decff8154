// SPDX-License-Identifier: Apache-2.0
//
// The inside of networks: kinds, stems, cell, and the description that files
// carry; sampling of architectures.

#ifndef WSR_NET_NET_H
#define WSR_NET_NET_H

#include "cell/cell.h"
#include "op/normalize.h"
#include "space/space.h"
#include "wsr/net.h"

// ------------------------------------------------------------------ options

/// What all kinds have; the first member of a kind's own options, if it has
/// further ones.
typedef struct wsr__net_options {
    int64_t channels;
    int64_t layers;
    int64_t classes;
    int64_t image_size; // 0: that of the stem
    int64_t image_channels;
    wsr__text stem;
    bool auxiliary;
    double drop_path;
    wsr__normalize normalize;
    wsr__text cells; // name or file of what the cells are; may be empty
} wsr__net_options;

// Rows of a kind's schema that all kinds have, with the defaults of the two
// whose best value depends on the kind.
// clang-format off
#define WSR__NET_AT(field) offsetof(wsr__net_options, field)
#define WSR__NET_OPTIONS(default_channels, default_layers) \
    {"channels", WSR__INT, WSR__NET_AT(channels), default_channels, 1, 4096, \
     "", "width of the first cells", NULL}, \
    {"layers", WSR__INT, WSR__NET_AT(layers), default_layers, 1, 256, \
     "cells", "number of cells", NULL}, \
    {"classes", WSR__INT, WSR__NET_AT(classes), "10", 1, 100000, "", \
     "number of classes", NULL}, \
    {"image_size", WSR__INT, WSR__NET_AT(image_size), "0", 0, 4096, \
     "pixels", "side of an image; 0: what the stem is for", NULL}, \
    {"image_channels", WSR__INT, WSR__NET_AT(image_channels), "3", 1, 1024, \
     "", "channels of an image", NULL}, \
    {"stem", WSR__WORD, WSR__NET_AT(stem), "cifar", 0, 0, "", \
     "what comes before the cells", wsr__stem_names}, \
    WSR__NORMALIZE_OPTIONS(WSR__NET_AT(normalize))
// clang-format on

// ------------------------------------------------------- beside a file

enum { WSR__NET_OVERRIDES = 24 }; // options of all kinds together, at most

/// What a caller says otherwise than a network's file, of whichever kind that
/// is: values and marks by row of wsr__net_override_schema().
typedef struct wsr__net_override {
    wsr__field values[WSR__NET_OVERRIDES];
    bool given[WSR__NET_OVERRIDES];
} wsr__net_override;

/// The options of all kinds, each key once.
const wsr__option *wsr__net_override_schema(void);

/// wsr_net_load() with decoded options; NULL: none. In io/network.c.
wsr_status wsr__net_from_file(wsr_net **out, const char *path,
                              const wsr__net_override *override);

// -------------------------------------------------------------------- kinds

typedef struct wsr__cell wsr__cell;

/// What a kind's cells are built from (a genotype, RobNet codes, a search
/// space), as an object of the kind's own.
typedef struct wsr__net_cells {
    const char *key; // option that names it: "genotype"; NULL: no cells, and
                     // everything below is NULL
    /// Make the object: a copy of `given`, or, where that is NULL, what the
    /// option says. [out, owned]
    wsr_status (*make)(void **out, const wsr__net_options *options,
                       const void *given);
    void (*free)(void *cells); // NULL is legal; NULL when nothing is owned
    const char *(*name)(const void *cells);
    /// The object as YAML, which network files hold under "wsr.<key>", and
    /// back. NULL: files hold the option. [out, owned]
    wsr_status (*print)(char **out, const void *cells);
    wsr_status (*parse)(void **out, const char *text, const char *where);
    /// Whether networks of so many layers compute the same.
    bool (*same)(const void *a, const void *b, size_t layers);
} wsr__net_cells;

/// A kind of network. The schema begins with WSR__NET_OPTIONS, and with the row
/// of the cells' key; params_size is that of wsr__net_options or of a struct
/// that begins with it.
typedef struct wsr__net_class {
    wsr__class super;
    wsr__net_cells cells;
    bool affine;   // norms of cells have weights
    bool adaptive; // the last pool takes the whole image, whatever the stem
    bool paths;    // there is a graph per path only
    /// Whether options and cells fit each other; NULL: always.
    wsr_status (*check)(const wsr_net *net);
    /// Whether a tensor of this name tells that a file without a description
    /// holds a network of this kind; NULL: none does.
    bool (*tells)(const char *name);
    /// Build the inside of a cell; the result is its output.
    wsr_value (*inside)(wsr__cell *cell);
} wsr__net_class;

#define WSR_REG(family, name) extern const wsr__net_class wsr__net_##name;
#include "net/nets.def"
#undef WSR_REG

/// A file that tells of no kind holds a network of the first.
extern const wsr__family wsr__nets;

// ------------------------------------------------- beside a data set

enum { WSR__NET_KINDS = 32, WSR__NET_ROWS = 40 }; // at most

/// The kinds that a configuration can ask for: those that have one graph,
/// without the options that the data set determines.
const wsr__family *wsr__nets_for_data(void);

/// The schema that one of these kinds has there.
const wsr__option *wsr__net_schema_for_data(const wsr__net_class *cls);

/// The kind behind a class of that family.
const wsr__net_class *wsr__net_kind(const wsr__class *cls);

/// The option that selects the kind where nothing names it: "genotype".
const char *wsr__net_selector(const wsr__class *cls);

/// What is done to the image before the cell, and to a cell's output for the
/// auxiliary classifier.
typedef struct wsr__stem {
    const char *name;
    int64_t image_size;
    const wsr__layer *first;  // named "stem." or "stem0."
    const wsr__layer *second; // named "stem1."; NULL: both states are the first
    bool halves;              // from the first to the second state
    int64_t pool;             // side of the last pool; 0: the whole image
    const wsr__layer *auxiliary;
} wsr__stem;

extern const wsr__stem wsr__stems[]; // ended by a NULL name
extern const char *const wsr__stem_names[];

struct wsr_net {
    const wsr__net_class *cls;
    wsr__net_options *options; // of the class's params_size
    const wsr__stem *stem;
    void *cells; // of the class
    wsr_shape image;
    wsr_params *params;
};

/// Make a network of options [copied], the class's own params, that its schema
/// permits. `cells` [copied], NULL: those that the options name. [out, owned]
wsr_status wsr__net_make(wsr_net **out, const wsr__net_class *cls,
                         const void *cells, const wsr__net_options *options,
                         uint64_t seed);
/// The same of options as text, "key=value,..."; NULL: the defaults.
wsr_status wsr__net_decode(wsr_net **out, const wsr__net_class *cls,
                           const void *cells, const char *options,
                           uint64_t seed);

/// Whether files hold the object behind the key instead of the option.
bool wsr__net_holds_cells(const wsr__net_class *cls, const char *key);

/// Space of a supernet, NULL for other kinds.
const wsr__space_class *wsr__supernet_space(const wsr_net *net);

// ----------------------------------------------------------------- building

/// What a graph is wanted for.
typedef struct wsr__build {
    const wsr_net *net;
    bool all;      // every parameter: all candidates, auxiliary classifier
    bool training; // auxiliary classifier, drop path
    const unsigned char *choices; // of a supernet
    const float *weights;         // of a supernet, may be NULL
    bool open;                    // those are inputs instead
} wsr__build;

/// Build a graph.
wsr_status wsr__net_build(wsr_graph **out, const wsr__build *build);

enum { WSR__STATES = WSR__GENOTYPE_NODES + 2, WSR__TERMS = 64 };

/// A cell under construction.
struct wsr__cell {
    const wsr__build *build;
    size_t number; // of the cell
    bool reduce;
    wsr__site site; // prefix "cells.N."
    wsr_value states[WSR__STATES];
    size_t n_states;
    wsr_value terms[WSR__TERMS]; // of the node under construction
    size_t n_terms;
    size_t idle_state; // of an edge of the node that carries nothing
};

/// An edge of a cell.
typedef struct wsr__edge {
    const wsr__cell_class *cls;
    size_t state;      // where it comes from
    size_t number;     // "_ops.N."
    const char *below; // what follows that in names
    bool norm;         // put a norm behind what has none
    float weight;
    const char *factor; // the input that is multiplied with, NULL: weight is
} wsr__edge;

/// Add an edge to the node under construction.
void wsr__cell_edge(wsr__cell *cell, const wsr__edge *edge);
/// Sum the node's edges: the next state.
void wsr__cell_node(wsr__cell *cell);
/// Concatenate states.
wsr_value wsr__cell_concat(wsr__cell *cell, const size_t *states, size_t n);

/// Name of the mask input of an edge.
void wsr__drop_path_name(char out[WSR__SITE_NAME], size_t cell, size_t edge);

/// The graph of a path with an input (1) of this name per edge that it takes,
/// which multiplies the edge's result: its gradient is wanted. `row` is that
/// of the architecture's table.
void wsr__edge_weight_name(char out[WSR__SITE_NAME], size_t cell, size_t row);
wsr_status wsr__supernet_open(wsr_graph **out, const wsr_net *net,
                              const unsigned char *choices);

// -------------------------------------------------------------- description

/// Hand out a network's description as keys and values ("wsr.kind", ...).
typedef wsr_status (*wsr__net_put)(void *ctx, const char *key,
                                   const char *value);
wsr_status wsr__net_metadata(const wsr_net *net, wsr__net_put put, void *ctx);

/// Value of a key of a description, NULL when there is none.
typedef const char *(*wsr__net_get)(void *ctx, const char *key);

/// Make a network from a description. NOTFOUND without a description; FORMAT
/// for one that makes no sense; CONFIG for an option that its kind has not.
wsr_status wsr__net_from_metadata(wsr_net **out, wsr__net_get get, void *ctx,
                                  const wsr__net_override *override,
                                  uint64_t seed);

/// FORMAT, naming the key, when a description is that of a network that
/// computes something else with parameters of the same names and shapes:
/// another kind, stem, mean, deviation, genotype or codes. OK without one.
wsr_status wsr__net_agrees(const wsr_net *net, wsr__net_get get, void *ctx);

// ----------------------------------------------------------------- sampling

/// n numbers -log(-log(u)), u uniform.
void wsr__gumbel_fill(float *g, size_t n, wsr__rng *rng);

/// Architecture parameters as a search starts with: 1e-3 N(0, 1).
void wsr__alphas_fill(float *alphas, size_t n, wsr__rng *rng);

/// A table of architecture parameters and how it is sampled.
typedef struct wsr__arch {
    size_t rows; // edges
    size_t cols; // candidates
    double tau;  // temperature
} wsr__arch;

/// weights = softmax((alphas + g) / tau) per row; g NULL means 0.
void wsr__arch_weights(float *weights, const wsr__arch *arch,
                       const float *alphas, const float *g);

/// The first largest column of each row, and its weight where `top` is given.
void wsr__arch_choose(unsigned char *choices, float *top, const wsr__arch *arch,
                      const float *weights);

/// diff_alphas += gradient of <diff_weights, weights> through the softmax.
void wsr__arch_backward(float *diff_alphas, const wsr__arch *arch,
                        const float *weights, const float *diff_weights);

#endif
