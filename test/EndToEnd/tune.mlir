// UNSUPPORTED: sim
// --tune measures tilings, keeps the best ones in the cache, and later runs use them there.

// RUN: rm -rf %t && mkdir %t
// RUN: tiny-run %s --input random:1 --cache %t/cache --tune=3 --verify-against reference 2>&1 | FileCheck %s
// CHECK-NOT: rejected
// CHECK: tuned 1/2 {{.*}} launch{{.*}} tilings measured
// CHECK: tuned 2/2 {{.*}} launch{{.*}} tilings measured
// CHECK: result0: agrees
// RUN: ls %t/cache | grep tilings- | count 2
// RUN: tiny-run %s --cache %t/cache --report | FileCheck %s --check-prefix=USED
// USED: 2 of 2 kernels have tilings that --tune has found
// RUN: tiny-run %s --cache %t/cache --report=json | FileCheck %s --check-prefix=JSON
// JSON: "tunedKernels": 2
// RUN: tiny-run %s --input random:1 --cache none --report | FileCheck %s --check-prefix=NONE
// NONE-NOT: --tune has found

// Another processor has tilings of its own. So has another program, but for what it has in common with this one.
// RUN: tiny-run %s --cpu x86-64 --cache %t/cache --report | FileCheck %s --check-prefix=NONE
// RUN: tiny-run %s --entry first --cache %t/cache --report | FileCheck %s --check-prefix=FIRST
// FIRST: 1 of 1 kernels have tilings that --tune has found

// What is emitted depends on the cache only where one is named.
// RUN: tiny-run %s --cache %t/cache --emit asm -o %t/tuned.s 2>&1 | count 0
// RUN: tiny-run %s --cache %t/empty --emit asm -o %t/default.s 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: warning: no kernel has tilings in the cache '{{.*}}empty'
// RUN: env XDG_CACHE_HOME=%t/home tiny-run %s --emit asm -o %t/home.s
// RUN: cmp %t/default.s %t/home.s
// RUN: not ls %t/home

// A damaged entry is said to be one, and not used.
// RUN: rm %t/cache/llvmcache*
// RUN: %python %S/Inputs/damage.py flip %t/cache
// RUN: tiny-run %s --input random:1 --cache %t/cache --report --verify-against reference 2>&1 | FileCheck %s --check-prefix=DAMAGED
// DAMAGED: warning: tilings in the cache are damaged, and are not used: {{.*}}cache/tilings-
// DAMAGED-NOT: --tune has found
// DAMAGED: result0: agrees

// y = x·wᵀ, and the largest of each row of y·wᵀ.
func.func @main(%x: tensor<96x80xf32>, %w: tensor<80x80xf32>) -> tensor<96xf32> {
  %wr = tiny.reshape %w : tensor<80x80xf32> to tensor<1x80x80xf32>
  %we = tiny.expand %wr : tensor<1x80x80xf32> to tensor<96x80x80xf32>
  %ya = tiny.reshape %x : tensor<96x80xf32> to tensor<96x1x80xf32>
  %yb = tiny.expand %ya : tensor<96x1x80xf32> to tensor<96x80x80xf32>
  %yp = tiny.mul %yb, %we : tensor<96x80x80xf32>
  %y = tiny.reduce add %yp dims [2] : tensor<96x80x80xf32> -> tensor<96x80xf32>
  %za = tiny.reshape %y : tensor<96x80xf32> to tensor<96x1x80xf32>
  %zb = tiny.expand %za : tensor<96x1x80xf32> to tensor<96x80x80xf32>
  %zp = tiny.mul %zb, %we : tensor<96x80x80xf32>
  %z = tiny.reduce add %zp dims [2] : tensor<96x80x80xf32> -> tensor<96x80xf32>
  %m = tiny.reduce max %z dims [1] : tensor<96x80xf32> -> tensor<96xf32>
  return %m : tensor<96xf32>
}

func.func @first(%x: tensor<96x80xf32>, %w: tensor<80x80xf32>) -> tensor<96x80xf32> {
  %wr = tiny.reshape %w : tensor<80x80xf32> to tensor<1x80x80xf32>
  %we = tiny.expand %wr : tensor<1x80x80xf32> to tensor<96x80x80xf32>
  %ya = tiny.reshape %x : tensor<96x80xf32> to tensor<96x1x80xf32>
  %yb = tiny.expand %ya : tensor<96x1x80xf32> to tensor<96x80x80xf32>
  %yp = tiny.mul %yb, %we : tensor<96x80x80xf32>
  %y = tiny.reduce add %yp dims [2] : tensor<96x80x80xf32> -> tensor<96x80xf32>
  return %y : tensor<96x80xf32>
}
