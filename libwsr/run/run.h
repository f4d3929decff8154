// SPDX-License-Identifier: Apache-2.0
//
// What every long run shares: a folder that one process at a time holds, the
// resolved configuration, a log of JSON lines, checkpoints and resumption,
// progress, and what the run needs of the machine. run.c drives a method
// through its stages; a method is one wsr__run_class. Training, search and
// evaluation are such methods.

#ifndef WSR_RUN_RUN_H
#define WSR_RUN_RUN_H

#include "comm/comm.h"
#include "config/config.h"
#include "io/io.h"
#include "net/net.h"
#include "wsr/run.h"

// --------------------------------------------------------------------- log

/// The log of a run: JSON objects, one a line. Counted in lines, not bytes,
/// so that a checkpoint may name its place although lines hold times.
typedef struct wsr__run_log wsr__run_log;

/// Open a log and drop what follows its first `keep` lines; without a path
/// (NULL) its lines go to the reader alone. FORMAT when it has fewer; IO.
/// [out, owned] NULL on failure.
wsr_status wsr__run_log_open(wsr__run_log **out, const char *path,
                             uint64_t keep);
void wsr__run_log_close(wsr__run_log *log); // NULL is legal

/// Gets a line without its line feed. [borrowed]
typedef void (*wsr__run_reader)(const char *line, void *ctx);

/// Hand every line to `reader`: those that were kept now, others when they are
/// written. NULL: nobody reads.
wsr_status wsr__run_log_watch(wsr__run_log *log, wsr__run_reader reader,
                              void *ctx);

/// Begin a line {"event": event, ...}. [out, borrowed until the line ends]
wsr_status wsr__run_log_begin(wsr__json **line, wsr__run_log *log,
                              const char *event);

/// Write the line that was begun; it has reached the system afterwards.
wsr_status wsr__run_log_end(wsr__run_log *log);

/// Write JSON objects that have their events, one a line, as lines.
wsr_status wsr__run_log_text(wsr__run_log *log, const char *text);

/// Make sure that the lines are on the disk.
wsr_status wsr__run_log_sync(wsr__run_log *log);

/// Lines written so far, those that were kept included.
uint64_t wsr__run_log_lines(const wsr__run_log *log);

// -------------------------------------------------------------------- lock

/// Holds a folder against other processes by the file "lock" in it. The system
/// releases the lock when the process ends, however it ends.
typedef struct wsr__lock {
    int fd; // -1: nothing is held
    char *path;
} wsr__lock;

/// BUSY, naming process and machine, when another one holds the folder.
wsr_status wsr__lock_take(wsr__lock *lock, const char *dir);
void wsr__lock_release(wsr__lock *lock); // {-1, NULL} is legal

// ------------------------------------------------------------------- needs

/// What a run needs of the machine, part by part. Each part is named, so that
/// a refusal says which setting is too large.
typedef struct wsr__need {
    const char *what; // static: "images", "plans of training"
    double bytes;
} wsr__need;

enum { WSR__NEEDS = 24 };

typedef struct wsr__needs {
    wsr__need memory[WSR__NEEDS];
    size_t n;
    double disk; // bytes that the folder will hold
} wsr__needs;

void wsr__needs_memory(wsr__needs *needs, const char *what, double bytes);
double wsr__needs_sum(const wsr__needs *needs);
/// The part that takes most memory, NULL when there is none.
const wsr__need *wsr__needs_largest(const wsr__needs *needs);

/// NOMEM when the memory asked for is more than there is, naming the largest
/// part; IO when the disk of `dir` (or of the nearest folder above it that
/// exists) has less than asked for. Without a folder (NULL) the disk is not
/// looked at.
wsr_status wsr__needs_check(const wsr__needs *needs, const char *dir);

// ------------------------------------------------------------------ folder

struct wsr_folder {
    char *dir;
    wsr__lock lock;
    bool made; // by this process
};

/// IO when one of the files that the run writes cannot be a file, because a
/// folder has its name.
wsr_status wsr__folder_check_files(const wsr_folder *folder,
                                   const char *const *files);

typedef struct wsr__run wsr__run;

/// Adds everything that the run's owner needs to go on to a checkpoint.
typedef wsr_status (*wsr__run_state)(wsr__st_builder *builder, void *ctx);

/// A run's folder and who watches it. The owner sets `state` and `ctx`.
///
/// In a job of several processes all of them do the run, and rank 0 alone has
/// the folder; the others read in it what a resumed run needs. Checkpoints and
/// wsr__run_tell() are collective, unless `alone` is set: then the processes
/// work on different things.
struct wsr__run {
    wsr_folder *folder; // NULL: files and checkpoints are not written
    char *dir;          // of the folder, NULL: there is none
    bool alone;
    wsr__run_log *log; // NULL until wsr__run_begin
    wsr_progress_hook hook;
    void *user;
    wsr__run_state state; // NULL: checkpoints are not written
    void *ctx;
    const void *more; // of the request
    bool canceled;    // the hook said so
    double stage[2];  // part of the run where the stage begins and ends
    double span[2];   // part of the stage where the steps that are counted now
                      // begin and end
    double part;      // of the run that is done
};

/// Open a run. Resumed: its folder is locked; NOTFOUND when it is no run's
/// folder. Fresh: nothing is written; ARG when the folder holds anything but
/// what a start that was cut short leaves behind, IO when it cannot be made.
/// `dir` NULL: a fresh run without a folder. [out, owned] NULL on failure.
wsr_status wsr__run_open(wsr__run **out, const char *dir, bool resume,
                         wsr_progress_hook hook, void *user);
void wsr__run_close(wsr__run *run); // NULL is legal

/// Make and lock the folder of a fresh run.
wsr_status wsr__run_make(wsr__run *run);

/// Write what the cells of a network are made of into the folder, as
/// "genotype.yaml" or what its kind has; nothing where that is no text of its
/// own.
wsr_status wsr__run_store_cells(const wsr__run *run, const wsr_net *net);
/// Read it back. [out, owned: cls->cells.free] NULL where there is none.
wsr_status wsr__run_load_cells(void **out, const wsr__run *run,
                               const wsr__net_class *cls);
/// Whether a file of this name may hold it.
bool wsr__is_cells_file(const char *name);

/// Path of a file in the folder, of a run that has one, also where it is
/// another process that writes there. [out, owned]
wsr_status wsr__run_path(char **path, const wsr__run *run, const char *name);

/// Write a text file in the folder as a whole or not at all; nothing without a
/// folder.
wsr_status wsr__run_write(const wsr__run *run, const char *name,
                          const char *text);

/// Decode the folder's configuration; `given`, NULL or what the caller has
/// this time, must agree with it but for the number of threads.
wsr_status wsr__run_stored(const wsr__run *run, wsr__section *sections,
                           size_t n, const wsr_config *given);
/// Write the configuration that the sections stand for. From then on the
/// folder can be resumed, so everything else that a start needs precedes it.
wsr_status wsr__run_store(const wsr__run *run, const wsr__section *sections,
                          size_t n);

/// Load the folder's checkpoint. [out, owned] NULL when there is none yet.
wsr_status wsr__run_load(wsr__st **out, const wsr__run *run);

/// Open log.jsonl; `checkpoint` says how many lines count, NULL: none.
wsr_status wsr__run_begin(wsr__run *run, const wsr__st *checkpoint);

/// Write checkpoint.safetensors: what `state` adds, and the place in the log.
/// Collective, see struct wsr__run: a failure is that of all.
wsr_status wsr__run_checkpoint(wsr__run *run);
/// The same when 15 seconds have passed since the time `*saved`, which is that
/// of wsr__seconds(), on process 0; it becomes the present then. Collective.
wsr_status wsr__run_checkpoint_now_and_then(wsr__run *run, double *saved);

/// What part of the stage the phase is that the next calls of wsr__run_tell()
/// are about; the whole of it in the beginning.
void wsr__run_span(wsr__run *run, double begin, double end);

/// Tell the hook how far the work is. CANCELED when it wants to stop; the
/// caller then brings its state in order and leaves. Collective, see struct
/// wsr__run: all processes stop when one of them is asked to.
/// `part` of the progress is filled in.
wsr_status wsr__run_tell(wsr__run *run, const wsr_progress *progress);
/// The same between two steps of a phase.
wsr_status wsr__run_progress(wsr__run *run, const char *phase, size_t done,
                             size_t total, const char *note);

// ------------------------------------------------------------------ driver

/// One stage of a method. A stage that is done returns at once. Only stages
/// write results: a run that is done goes through none.
typedef wsr_status (*wsr__run_stage)(void *self, wsr__run *run);

enum { WSR__RUN_SECTIONS = 16, WSR__RUN_STAGES = 8 };

/// A method: what is configured, what is made of it, and its stages. `self` is
/// the method's own struct, zeroed, with the sections' params inside.
typedef struct wsr__run_class {
    const char *tool; // in the event "start"
    size_t size;      // bytes of self
    size_t n_sections;
    bool no_folder;           // whether the method works without one
    const char *const *files; // that the run writes in its folder, NULL ends
    /// Families that values of the options name, for --help; NULL at the end.
    const wsr__family *const *families;
    /// Fill in `sections`; the driver adds seed and threads and the defaults.
    void (*sections)(void *self, wsr__section *sections);
    /// Complete or refuse what was decoded for a new run; may be NULL.
    wsr_status (*decoded)(void *self, const wsr_config *config);
    /// Make all parts and refuse what a later stage could not do. Nothing is
    /// written. `resume`: files of the folder stand for those that were named.
    wsr_status (*prepare)(void *self, const wsr__run *run, bool resume);
    /// What the parts that were made will use; may be NULL.
    void (*needs)(const void *self, wsr__needs *needs);
    /// Write what a resumed run reads besides its configuration; may be NULL.
    wsr_status (*store)(const void *self, const wsr__run *run);
    /// Numbers for the event "start".
    wsr_status (*describe)(const void *self, wsr__json *line);
    /// State for checkpoints.
    wsr_status (*save)(const void *self, wsr__st_builder *builder);
    wsr_status (*load)(void *self, const wsr__st *checkpoint);
    const wsr__run_stage *stages;   // NULL at the end
    const char *const *stage_names; // of them
    /// Work of each stage, estimated once all is prepared, in any unit: for the
    /// forecast. NULL: as much as any other.
    void (*work)(const void *self, double *work);
    /// Seconds of a stage whose first steps do not tell its time; below 0 for
    /// others. NULL: there are none.
    wsr_status (*seconds)(double *seconds, void *self, size_t stage);
    /// Bring back what the stages of a run that is done left in `self`; may be
    /// NULL.
    wsr_status (*restore)(void *self, wsr__run *run);
    /// Move what the stages made into a result. With `failed`, *out stays NULL
    /// unless something was measured. [out, owned]
    wsr_status (*result)(wsr_result **out, void *self, bool failed);
    void (*free)(void *self); // what self holds
} wsr__run_class;

/// Settings that every method has: seed and number of threads.
typedef struct wsr__run_common {
    int64_t seed;
    int64_t threads;
} wsr__run_common;

extern const wsr__option wsr__run_common_schema[]; // keys without a section

/// Common settings, at the start of every method's struct.
typedef struct wsr__run_self {
    wsr__run_common common;
} wsr__run_self;

/// What a caller asks for; all borrowed.
typedef struct wsr__run_request {
    const wsr_config *config; // NULL: that of the folder
    const char *dir;          // NULL: no folder
    bool resume;
    wsr_progress_hook hook; // NULL: nobody watches
    void *user;
    const void *more; // for the method, which knows what it is
} wsr__run_request;

/// Do a whole run: decode, prepare, check, make the folder or take it up, go
/// through the stages, log "done". Errors as the public functions say.
/// [out, owned] `result` may be NULL.
wsr_status wsr__run_execute(wsr_result **result, const wsr__run_class *cls,
                            const wsr__run_request *request);

/// Estimate what a new run costs: prepare it without a folder, and time the
/// first steps of its stages.
wsr_status wsr__run_cost(wsr_cost *cost, const wsr__run_class *cls,
                         const wsr_config *config, wsr_progress_hook hook,
                         void *user);

/// The help on a topic: wsr__config_help_topic(). [out, owned]
wsr_status wsr__run_help(char **out, const wsr__run_class *cls,
                         const char *topic);

#endif
