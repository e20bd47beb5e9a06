// UNSUPPORTED: sim
// Compiled code is kept for later runs, and nothing else than what was compiled comes back.

// RUN: rm -rf %t && mkdir %t
// RUN: tiny-run %s --cache %t/cache --input random:1 --output @%t/first.npy --report | FileCheck %s --check-prefix=COLD
// RUN: tiny-run %s --cache %t/cache --input random:1 --output @%t/second.npy --report | FileCheck %s --check-prefix=WARM
// RUN: cmp %t/first.npy %t/second.npy
// COLD: {{^}}schedule
// COLD: {{^}}cache
// COLD: {{^}}tile
// COLD: {{^}}llvm
// WARM: {{^}}schedule
// WARM: {{^}}cache
// WARM-NOT: {{^}}tile
// WARM-NOT: {{^}}llvm
// WARM: {{^}}all

// Limits hold for what is kept, too.
// RUN: not tiny-run %s --cache %t/cache --input random:1 --max-memory 100 2>&1 | FileCheck %s --check-prefix=LIMIT
// LIMIT: more than the limit of 100 bytes

// Other weights are the same code; their values are not in it.
// RUN: tiny-run %s --cache %t/cache --entry other_weights --input random:1 --output @%t/other.npy --report \
// RUN:   | FileCheck %s --check-prefix=WARM
// RUN: tiny-run %s --target reference --entry other_weights --input random:1 --expect @%t/other.npy
// RUN: not cmp %t/first.npy %t/other.npy
// RUN: ls %t/cache | grep -v timestamp | count 1

// Another processor, other plumbing of the same kernel, another program: all of them are made.
// RUN: tiny-run %s --cache %t/cache --entry in_place --input 1 --donate 0 --report | FileCheck %s --check-prefix=COLD
// RUN: tiny-run %s --cache %t/cache --entry in_place --input 1 --report | FileCheck %s --check-prefix=COLD
// RUN: ls %t/cache | grep -v timestamp | count 3

// A damaged entry is said to be one, and replaced: cut off, and with another byte somewhere.
// RUN: rm -rf %t/cache
// RUN: tiny-run %s --cache %t/cache --input random:1
// RUN: %python %S/Inputs/damage.py cut %t/cache
// RUN: tiny-run %s --cache %t/cache --input random:1 --expect @%t/first.npy 2>&1 | FileCheck %s --check-prefix=DAMAGED
// RUN: tiny-run %s --cache %t/cache --input random:1 --report 2>&1 | FileCheck %s --check-prefix=WARM
// RUN: %python %S/Inputs/damage.py flip %t/cache
// RUN: tiny-run %s --cache %t/cache --input random:1 --expect @%t/first.npy 2>&1 | FileCheck %s --check-prefix=DAMAGED
// DAMAGED: warning: the code in the cache is damaged, and is made anew: {{.*}}cache
// DAMAGED: as expected

// No cache, and one that cannot be.
// RUN: tiny-run %s --cache none --input random:1 --report | FileCheck %s --check-prefix=NONE
// NONE: {{^}}schedule
// NONE-NOT: {{^}}cache
// NONE: {{^}}llvm
// RUN: echo > %t/file
// RUN: tiny-run %s --cache %t/file/cache --input random:1 2>&1 | FileCheck %s --check-prefix=NOWHERE
// NOWHERE: warning: the code is not kept in the cache: cannot make '{{.*}}file/cache'
// NOWHERE: result0

// The default is the user's own.
// RUN: env XDG_CACHE_HOME=%t/home tiny-run %s --input random:1
// RUN: ls %t/home/tiny | grep -v timestamp | count 1

func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tiny.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<1x8xf32>
  %1 = tiny.expand %0 : tensor<1x8xf32> to tensor<4x8xf32>
  %2 = tiny.mul %x, %1 : tensor<4x8xf32>
  %3 = tiny.exp2 %2 : tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

func.func @other_weights(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tiny.constant dense<[[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]]> : tensor<1x8xf32>
  %1 = tiny.expand %0 : tensor<1x8xf32> to tensor<4x8xf32>
  %2 = tiny.mul %x, %1 : tensor<4x8xf32>
  %3 = tiny.exp2 %2 : tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

func.func @in_place(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tiny.sqrt %x : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
