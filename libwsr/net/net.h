// SPDX-License-Identifier: Apache-2.0
//
// The inside of networks: kinds, stems, cell, and the description that files
// carry; sampling of architectures.

#ifndef WSR_NET_NET_H
#define WSR_NET_NET_H

#include "cell/cell.h"
#include "op/normalize.h"
#include "op/pool.h"
#include "space/space.h"
#include "wsr/net.h"

// ------------------------------------------------------------------ options

/// What all kinds have; the first member of a kind's own options, if it has
/// further ones.
typedef struct wsr__net_options {
    int64_t classes;
    int64_t image_size; // 0: what the kind is for
    int64_t image_channels;
    wsr__normalize normalize;
} wsr__net_options;

/// What the kinds that are made of cells have; likewise the first member.
typedef struct wsr__cells_options {
    wsr__net_options super;
    int64_t channels;
    int64_t layers;
    wsr__text stem;
    bool auxiliary;
    double drop_path;
    wsr__text cells; // name or file of what the cells are; may be empty
} wsr__cells_options;

// Rows of every kind's schema, and of the kinds of cells, whose best width and
// depth depend on the kind.
// clang-format off
#define WSR__NET_AT(field) offsetof(wsr__net_options, field)
#define WSR__CELLS_AT(field) offsetof(wsr__cells_options, field)
#define WSR__NET_SIZES(channels) \
    {"classes", WSR__INT, WSR__NET_AT(classes), "10", 1, 100000, "", \
     "number of classes", NULL}, \
    {"image_size", WSR__INT, WSR__NET_AT(image_size), "0", 0, 4096, \
     "pixels", "side of an image; 0: what the stem is for", NULL}, \
    {"image_channels", WSR__INT, WSR__NET_AT(image_channels), channels, 1, \
     1024, "", "channels of an image", NULL}
#define WSR__NET_OPTIONS(channels) \
    WSR__NET_SIZES(channels), WSR__NORMALIZE_OPTIONS(WSR__NET_AT(normalize))
#define WSR__CELLS_OPTIONS(default_channels, default_layers) \
    {"channels", WSR__INT, WSR__CELLS_AT(channels), default_channels, 1, \
     4096, "", "width of the first cells", NULL}, \
    {"layers", WSR__INT, WSR__CELLS_AT(layers), default_layers, 1, 256, \
     "cells", "number of cells", NULL}, \
    WSR__NET_SIZES("3"), \
    {"stem", WSR__WORD, WSR__CELLS_AT(stem), "cifar", 0, 0, "", \
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

/// The same of an ONNX file (net/onnx.c), which such a file alone can make: the
/// kind is in no list.
wsr_status wsr__net_from_onnx(wsr_net **out, const char *path,
                              const wsr__net_override *override);

// -------------------------------------------------------------------- kinds

typedef struct wsr__cell wsr__cell;
typedef struct wsr__build wsr__build;

/// What a kind's cells are built from (a genotype, RobNet codes, a search
/// space), as an object of the kind's own.
typedef struct wsr__net_cells {
    const char *key; // option that names it: "genotype"; NULL: nothing does,
                     // and everything below is NULL
    /// Make the object: a copy of `given`, or, where that is NULL, what the
    /// option says. [out, owned]
    wsr_status (*make)(void **out, const wsr__cells_options *options,
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

/// The tensors of a file, under the names that they have in the network: the
/// prefix of a wrapper is left out.
typedef struct wsr__net_tensors {
    const void *ctx;
    /// Shape of a tensor; no dimensions where the file has none of the name.
    wsr_shape (*shape)(const void *ctx, const char *name);
} wsr__net_tensors;

/// Dimension `i` of a tensor of `ndims` dimensions, 0 where there is none.
int64_t wsr__net_dim(const wsr__net_tensors *tensors, const char *name,
                     int ndims, int i);

/// A kind of network. It is made of cells, which `inside` builds, between a
/// stem and a classifier; then its schema begins with the row of the cells'
/// key, if there is one, and WSR__CELLS_OPTIONS, and params_size is that of
/// wsr__cells_options or of a struct that begins with it. Or it has a `body` of
/// its own; then its schema has WSR__NET_OPTIONS and its struct begins with
/// wsr__net_options.
typedef struct wsr__net_class {
    wsr__class super;
    wsr__net_cells cells;
    bool affine;   // norms of cells have weights
    bool adaptive; // the last pool takes the whole image, whatever the stem
    bool paths;    // there is a graph per path only
    /// The space of which the network holds all candidates on every edge, NULL:
    /// it is of an architecture. NULL: always so.
    const wsr__space_class *(*space)(const wsr_net *net);
    /// Make net->own, what the kind needs besides options and cells. NULL:
    /// nothing.
    wsr_status (*open)(wsr_net *net);
    void (*close)(void *own); // NULL is legal
    /// Whether options and cells fit each other; NULL: always.
    wsr_status (*check)(const wsr_net *net);
    /// Whether a tensor of this name tells that a file without a description
    /// holds a network of this kind; NULL: `anchor` tells.
    bool (*tells)(const char *name);
    /// Build the inside of a cell; the result is its output.
    wsr_value (*inside)(wsr__cell *cell);

    // The rest belongs to kinds without cells.

    /// Build everything from the normalised image to the logits.
    wsr_value (*body)(const wsr__build *build, const wsr__site *site,
                      wsr_value x);
    /// Probability of the dropout of training graphs; NULL: they have none.
    double (*dropout)(const wsr__net_options *options);
    /// Side of the images where the option is 0.
    int64_t (*image_size)(const wsr__net_options *options);
    /// A parameter that every network of this kind has. What stands before the
    /// name in a file is the prefix of a wrapper.
    const char *anchor;
    /// Set the options that the tensors of a file tell of, and, unless the file
    /// has a description, those that they let one guess. FORMAT, saying what is
    /// missing, when the tensors are not those of such a network.
    wsr_status (*infer)(wsr__net_options *options,
                        const wsr__net_tensors *tensors, bool described);
} wsr__net_class;

#define WSR_REG(family, name) extern const wsr__net_class wsr__net_##name;
#include "net/nets.def"
#undef WSR_REG

extern const wsr__net_class wsr__net_onnx; // see wsr__net_from_onnx()

/// A file that tells of no kind holds a network of the first.
extern const wsr__family wsr__nets;

/// `anchor` and `infer` of a kind, those of cells where it is made of cells.
const char *wsr__net_anchor(const wsr__net_class *cls);
wsr_status wsr__net_infer(const wsr__net_class *cls, wsr__net_options *options,
                          const wsr__net_tensors *tensors, bool described);

/// The same for a network inside another.
wsr_status wsr__net_infer_inner(const wsr__net_class *cls,
                                wsr__net_options *options,
                                const wsr__net_tensors *tensors,
                                bool described);

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
    const wsr__stem *stem;     // NULL without cells
    void *cells;               // of the class
    void *own;                 // likewise
    wsr_shape image;
    wsr_params *params;
};

/// Make a network of options [copied], the class's own params, that its schema
/// permits. `cells` [copied], NULL: those that the options name. [out, owned]
wsr_status wsr__net_make(wsr_net **out, const wsr__net_class *cls,
                         const void *cells, const wsr__net_options *options,
                         uint64_t seed);
/// The same without parameters: what a body is built from. [out, owned]
wsr_status wsr__net_shell(wsr_net **out, const wsr__net_class *cls,
                          const void *cells, const wsr__net_options *options);
/// wsr__net_make() of options as text, "key=value,..."; NULL: the defaults.
wsr_status wsr__net_decode(wsr_net **out, const wsr__net_class *cls,
                           const void *cells, const char *options,
                           uint64_t seed);

/// How a network normalises images: "mean 0.5, std 0.25". [out, owned]
wsr_status wsr__net_normalization(char **out, const wsr_net *net);

/// The options of a network that is made of cells, NULL for another one.
const wsr__cells_options *wsr__net_cells_options(const wsr_net *net);
/// Number of its cells, 0 without cells.
size_t wsr__net_layers(const wsr_net *net);
/// The option drop_path, 0 without cells.
double wsr__net_drop_path(const wsr_net *net);

/// The probability of dropout in training graphs, 0 without.
double wsr__net_dropout(const wsr_net *net);
/// The input of the masks of dropout.
#define WSR__DROPOUT_NAME "dropout"

/// Whether files hold the object behind the key instead of the option.
bool wsr__net_holds_cells(const wsr__net_class *cls, const char *key);

/// Space of a network of all candidates, NULL for other networks.
const wsr__space_class *wsr__supernet_space(const wsr_net *net);

// ----------------------------------------------------------------- building

/// What stands beside the stages of a network (groups of blocks, cells): the
/// stage from x to y goes on with the result.
typedef struct wsr__beside {
    wsr_value (*stage)(void *ctx, wsr_value x, wsr_value y);
    void *ctx;
} wsr__beside;

/// What a graph is wanted for.
struct wsr__build {
    const wsr_net *net;
    bool all;      // every parameter: all candidates, auxiliary classifier
    bool training; // auxiliary classifier, drop path
    const unsigned char *choices; // of a supernet
    const float *weights;         // of a supernet, may be NULL
    bool open;                    // those are inputs instead
    const wsr_shape *image;       // (1, c, h, w); NULL: that of the network
    const wsr__beside *beside;    // NULL: nothing
    bool base;                    // of a boost network: its base alone
    double *madds; // of a boost network: see wsr__boost_madds(); or NULL
};

/// wsr_net_graph() for images (1, c, h, w) of another size. SHAPE, naming a
/// parameter whose shape the size determines.
wsr_status wsr__net_graph_at(wsr_graph **out, const wsr_net *net,
                             const wsr_shape *image, bool training);

/// The value behind a stage of the body, from x to y.
wsr_value wsr__build_stage(const wsr__build *build, wsr_value x, wsr_value y);

/// The body of any kind: from the normalised image to the logits.
wsr_value wsr__net_body(const wsr__build *build, const wsr__site *site,
                        wsr_value x);

/// Build a graph.
wsr_status wsr__net_build(wsr_graph **out, const wsr__build *build);

/// The body of kinds of cells, see build_cells.c.
wsr_value wsr__cells_body(const wsr__build *build, const wsr__site *site,
                          wsr_value x);

/// The single space of the cells of a network or a supernet, NULL: another one.
const wsr__space_class *wsr__net_single(const wsr_net *net);
/// Whether the options suit cells of such a space, see build_single.c.
wsr_status wsr__net_check_single(const wsr_net *net);
/// The body of networks whose cells are of such a space.
wsr_value wsr__single_body(const wsr__build *build, const wsr__site *site,
                           const wsr__space_class *space, wsr_value x);

/// A linear map of the features to the classes, named "classifier.".
wsr_value wsr__build_classifier(const wsr__site *site, wsr_value features,
                                const wsr_net *net);

/// Mean of every channel over an image of which the first `side` rows and
/// columns are looked at where it is a little larger: an average pool of a
/// fixed side. 0: over the whole image.
wsr_value wsr__build_last_pool(const wsr__site *site, int64_t side,
                               wsr_value x);

// Layers of kinds without cells, each with a name below the site's. The site
// says how their parameters start.
// clang-format off
/// A convolution as a row of layers: square kernel, stride, channels out.
#define WSR__NAMED_CONV(k, s, channels) \
    ((wsr__layer){.kernel = {(k), (k)}, .stride = {(s), (s)}, \
                  .width = (channels)})
// clang-format on
wsr_value wsr__named_conv(const wsr__site *site, const char *name,
                          wsr__layer layer, wsr_value x);
wsr_value wsr__named_norm(const wsr__site *site, const char *name, wsr_value x);
wsr_value wsr__named_linear(const wsr__site *site, const char *name,
                            int64_t width, wsr_value x);
wsr_value wsr__build_relu(const wsr__site *site, wsr_value x);
wsr_value wsr__build_max_pool(const wsr__site *site, wsr__pool2d pool,
                              wsr_value x);
/// (n, c, h, w) as (n, c h w).
wsr_value wsr__build_flat(const wsr__site *site, wsr_value x);

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
    const char *name;  // instead of both, "layers.N."; NULL: they are the name
    bool norm;         // put a norm behind what has none
    float weight;
    const char *factor; // the input that is multiplied with, NULL: weight is
} wsr__edge;

/// Stride of an edge from a state: edges from the cell's sources halve.
int64_t wsr__cell_stride(const wsr__cell *cell, size_t state);
/// An operation, with a norm (named "1.") behind it where it is bare and `norm`
/// asks for one.
wsr_value wsr__cell_candidate(const wsr__cell_class *cls, const wsr__site *site,
                              bool norm, wsr_value x);
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
/// ARG for a choice (one for each edge) that is no candidate of the network.
wsr_status wsr__supernet_check(const wsr_net *net,
                               const unsigned char *choices);

// -------------------------------------------------------------------- boost

/// Options of a boost network without a genotype: with images, classes and
/// space of a supernet. [out, owned]
wsr_status wsr__boost_options(void **out, const char *base,
                              const wsr__cells_options *supernet);

/// The graph of a boost network without a genotype: every candidate on every
/// edge. Inputs besides "x": "alphas" (n, edges, candidates) and "betas" (n,
/// edges), for each image; edges are those of the one cell that all blocks
/// share. `base`: the graph of the base alone, which has no such inputs.
wsr_status wsr__boost_graph(wsr_graph **out, const wsr_net *net, bool base);

/// Multiply-adds of a forward pass of one image: of each candidate on each
/// edge, summed over the blocks, `candidates` (edges, candidates), and of all
/// else.
wsr_status wsr__boost_madds(double *candidates, double *rest,
                            const wsr_net *net);

/// Put what a caller says into the options of a kind. CONFIG for an option that
/// it has not, or a value that it does not permit.
wsr_status wsr__net_take_override(void *options, const wsr__net_class *cls,
                                  const wsr__net_override *override);

// -------------------------------------------------------------- description

/// Hand out a network's description as keys and values ("wsr.kind", ...).
typedef wsr_status (*wsr__net_put)(void *ctx, const char *key,
                                   const char *value);
wsr_status wsr__net_metadata(const wsr_net *net, wsr__net_put put, void *ctx);

/// Value of a key of a description, NULL when there is none.
typedef const char *(*wsr__net_get)(void *ctx, const char *key);

/// What a network is made from: a description, and the tensors of the file,
/// which are believed where the two differ.
typedef struct wsr__net_source {
    wsr__net_get get;
    void *ctx;                       // of get
    const char *kind;                // where the description has none
    const wsr__net_tensors *tensors; // NULL: there is a description only
    const wsr__net_override *override;
} wsr__net_source;

/// Make a network. NOTFOUND without a kind; FORMAT for a description that makes
/// no sense; CONFIG for an option that its kind has not.
wsr_status wsr__net_from_source(wsr_net **out, const wsr__net_source *from,
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
