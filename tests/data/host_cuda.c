/* A driver whose GPU is the processor: enough of libcuda.so.1 to try our CUDA layer on.
 *
 * Device memory is host memory, streams run at once, a graph is what was put into its stream.
 * HOST_CUDA_DEVICES (1), HOST_CUDA_BYTES (all there is to allocate) and HOST_CUDA_INTEGRATED (0)
 * say what it is.  Names and order of arguments are those of cuda.h 13.0.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ptr;
enum { OK = 0, INVALID = 1, NO_MEMORY = 2, NO_DEVICE = 100, NO_CONTEXT = 201, NOT_FOUND = 500 };

static __thread void *current; /* the context of this thread */
static size_t taken;
static struct { size_t bytes; void *at; } blocks[256];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define MOST_OPS 16
/* A copy, or a call where call is set. */
struct op { void *to; const void *from; size_t n; void (*call)(void *); };
struct graph { int n; struct op ops[MOST_OPS]; };
static struct graph *capturing;

static long said(const char *name, long otherwise) {
    const char *value = getenv(name);
    return value ? atol(value) : otherwise;
}

static int take(void **at, size_t bytes) {
    if (!current) return NO_CONTEXT;
    pthread_mutex_lock(&lock);
    int code = taken + bytes > (size_t)said("HOST_CUDA_BYTES", 1L << 30) ? NO_MEMORY : OK;
    for (int n = 0; code == OK && n < 256; n++)
        if (!blocks[n].at) {
            blocks[n].at = *at = calloc(1, bytes);
            taken += blocks[n].bytes = bytes;
            break;
        }
    pthread_mutex_unlock(&lock);
    return code;
}

static int give(void *at) {
    if (!current) return NO_CONTEXT;
    for (int n = 0; n < 256; n++)
        if (blocks[n].at == at) {
            taken -= blocks[n].bytes;
            free(at);
            blocks[n].at = NULL;
            return OK;
        }
    return INVALID;
}

static void run(struct op *op) {
    if (op->call) op->call(op->to);
    else memcpy(op->to, op->from, op->n);
}

static int put(struct op op) {
    if (!current) return NO_CONTEXT;
    if (capturing) {
        if (capturing->n == MOST_OPS) return INVALID;
        capturing->ops[capturing->n++] = op;
    } else
        run(&op);
    return OK;
}

static int copy(void *to, const void *from, size_t n) { return put((struct op){to, from, n, NULL}); }

int cuInit(unsigned flags) { return said("HOST_CUDA_DEVICES", 1) ? OK : NO_DEVICE; }
int cuDriverGetVersion(int *v) { *v = 13000; return OK; }
int cuDeviceGetCount(int *n) { *n = said("HOST_CUDA_DEVICES", 1); return OK; }
int cuDeviceGet(int *d, int n) { *d = n; return OK; }
int cuDeviceGetName(char *to, int n, int d) { snprintf(to, n, "Host processor"); return OK; }
int cuDeviceTotalMem_v2(size_t *n, int d) { *n = said("HOST_CUDA_BYTES", 1L << 30); return OK; }
int cuDeviceGetAttribute(int *v, int a, int d) {
    *v = a == 75 ? 8 : a == 76 ? 7 : a == 18 ? said("HOST_CUDA_INTEGRATED", 0) : 0;
    return OK;
}
int cuDevicePrimaryCtxRetain(void **c, int d) { *c = (void *)0x1000; return OK; }
int cuDevicePrimaryCtxRelease_v2(int d) { return OK; }
int cuCtxGetCurrent(void **c) { *c = current; return OK; }
int cuCtxSetCurrent(void *c) { current = c; return OK; }
int cuMemAlloc_v2(ptr *at, size_t n) { return take((void **)at, n); }
int cuMemFree_v2(ptr at) { return give((void *)at); }
int cuMemHostAlloc(void **at, size_t n, unsigned flags) { return take(at, n); }
int cuMemFreeHost(void *at) { return give(at); }
int cuMemHostGetDevicePointer_v2(ptr *to, void *at, unsigned f) { *to = (ptr)at; return OK; }
int cuStreamCreate(void **s, unsigned flags) { *s = (void *)0x2000; return current ? OK : NO_CONTEXT; }
int cuStreamDestroy_v2(void *s) { return OK; }
int cuStreamSynchronize(void *s) { return capturing ? INVALID : current ? OK : NO_CONTEXT; }
int cuMemcpyHtoDAsync_v2(ptr to, const void *at, size_t n, void *s) { return copy((void *)to, at, n); }
int cuMemcpyDtoHAsync_v2(void *to, ptr at, size_t n, void *s) { return copy(to, (void *)at, n); }
int cuLaunchHostFunc(void *s, void (*call)(void *), void *given) {
    return put((struct op){given, NULL, 0, call});
}
int cuStreamBeginCapture_v2(void *s, int mode) { capturing = calloc(1, sizeof *capturing); return OK; }
int cuStreamEndCapture(void *s, void **g) { *g = capturing; capturing = NULL; return OK; }
int cuGraphInstantiateWithFlags(void **x, void *g, unsigned long long f) {
    *x = malloc(sizeof(struct graph));
    memcpy(*x, g, sizeof(struct graph));
    return OK;
}
int cuGraphLaunch(void *x, void *s) {
    struct graph *g = x;
    for (int n = 0; n < g->n; n++) run(&g->ops[n]);
    return OK;
}
int cuGraphDestroy(void *g) { free(g); return OK; }
int cuGraphExecDestroy(void *x) { free(x); return OK; }
int cuGetErrorName(int code, const char **to) { *to = "CUDA_ERROR_OF_THE_HOST"; return OK; }

/* Newer libraries ask for each function by its name without a version. */
int cuGetProcAddress_v2(const char *name, void **to, int version, ptr flags, int *status) {
    char full[80];
    snprintf(full, sizeof full, "%s_v2", name);
    static void *own;
    if (!own) own = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (!strcmp(name, "cuGraphInstantiate")) strcpy(full, "cuGraphInstantiateWithFlags");
    *to = own ? dlsym(own, full) : NULL;
    if (!*to && own) *to = dlsym(own, name);
    if (status) *status = *to ? 0 : 1;
    return *to ? OK : NOT_FOUND;
}
int cuGetProcAddress(const char *name, void **to, int version, ptr flags) {
    return cuGetProcAddress_v2(name, to, version, flags, NULL);
}
