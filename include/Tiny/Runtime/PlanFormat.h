/*===- PlanFormat.h - the bytes of a launch plan -------------------*- C -*-===//
 *
 * A launch plan says everything a host has to do to run a compiled program:
 * which kernels, over which grids, on which pieces of memory, in which order.
 * It is one block of bytes: a header, then tables that the header names by byte
 * offset. There is no pointer in it, so it can be a constant of an object file,
 * a file, or the result of a compilation in process, and the same plan drives
 * the CPU and a GPU. This header is C, for hosts that are not C++.
 *
 * Numbers have the byte order of the host; the magic number shows a wrong one.
 * Every table starts at a multiple of 8 bytes, and so must the plan itself.
 *
 *===----------------------------------------------------------------------===*/

#ifndef TINY_RUNTIME_PLANFORMAT_H
#define TINY_RUNTIME_PLANFORMAT_H

#include <stdint.h>

#define TINY_PLAN_MAGIC 0x4e4c5059u /* "YPLN" in little-endian memory */
#define TINY_PLAN_VERSION 1u
/* A count that nobody has worked out. */
#define TINY_PLAN_UNKNOWN UINT64_MAX

/* The pieces of memory that a plan knows. There are as many arguments and
 * results as the entry function has, and one of each of the others. */
enum tiny_segment {
  TINY_SEGMENT_ARGUMENT = 0,
  TINY_SEGMENT_RESULT = 1,
  TINY_SEGMENT_CONSTANTS = 2,
  TINY_SEGMENT_STATE = 3,
  TINY_SEGMENT_WORKSPACE = 4,
};

/* `count` records (characters, for a string) from byte `offset` of the plan on.
 * A string also has a zero byte behind its last character. */
typedef struct tiny_plan_table {
  uint64_t offset;
  uint64_t count;
} tiny_plan_table;

/* A range of bytes in a segment. `index` counts arguments and results and is 0
 * in the other segments. */
typedef struct tiny_plan_buffer {
  uint32_t segment;
  uint32_t index;
  uint64_t offset;
  uint64_t bytes;
} tiny_plan_buffer;

/* A kernel, found in the code by its name. On the CPU it is
 *   void kernel(void *const *buffers, uint32_t x, uint32_t y, uint32_t z)
 * and one call is one workgroup, so that `block` is 1, 1, 1. On a GPU `block` is
 * the number of threads and `local_bytes` the LDS of a workgroup. */
typedef struct tiny_plan_kernel {
  tiny_plan_table name;
  uint32_t block[3];
  uint32_t local_bytes;
} tiny_plan_kernel;

/* Run a kernel once for each workgroup of `grid`, in any order or all at once,
 * after all launches before it. The buffers are a range of the buffer table. */
typedef struct tiny_plan_launch {
  uint32_t kernel;
  uint32_t grid[3];
  uint32_t first_buffer;
  uint32_t num_buffers;
  tiny_plan_table label;
  uint64_t flops; /* or TINY_PLAN_UNKNOWN, as below */
  uint64_t bytes_read;
  uint64_t bytes_written;
} tiny_plan_launch;

/* An argument or a result of the entry function: argument i is segment
 * (ARGUMENT, i), result i is (RESULT, i), dense and row-major. `element` counts
 * f64 f32 f16 bf16 i1 i8 i16 i32 i64 ui8 ui16 ui32 ui64 from 0 (i1 is a byte).
 * `donor` of an argument is 1 if launches may write to it: the caller gives its
 * contents away. `donor` of a result is 1 + the number of such an argument, of as
 * many bytes, in whose memory the result lies; 0 if it has its own. */
typedef struct tiny_plan_tensor {
  tiny_plan_table name;  /* empty when it has none */
  tiny_plan_table shape; /* of int64_t */
  uint32_t element;
  uint32_t donor;
} tiny_plan_tensor;

/* A test in the program: after the last launch both buffers must agree, equal to
 * the bit (kind 0) or |actual - expected| <= atol + rtol * |expected| (kind 1);
 * NaNs are equal either way. */
typedef struct tiny_plan_check {
  uint32_t kind;
  uint32_t element;
  tiny_plan_buffer actual;
  tiny_plan_buffer expected;
  tiny_plan_table shape; /* of int64_t */
  tiny_plan_table location;
  double rtol;
  double atol;
} tiny_plan_check;

typedef struct tiny_plan {
  uint32_t magic;
  uint32_t version;
  uint64_t total_bytes;
  uint64_t constants_bytes;
  uint64_t state_bytes;
  uint64_t workspace_bytes;
  tiny_plan_table entry;    /* name of the entry function */
  tiny_plan_table kernels;  /* of tiny_plan_kernel */
  tiny_plan_table launches; /* of tiny_plan_launch, in order */
  tiny_plan_table buffers;  /* of tiny_plan_buffer */
  tiny_plan_table inputs;   /* of tiny_plan_tensor */
  tiny_plan_table outputs;  /* of tiny_plan_tensor */
  tiny_plan_table checks;   /* of tiny_plan_check */
} tiny_plan;

#endif /* TINY_RUNTIME_PLANFORMAT_H */
