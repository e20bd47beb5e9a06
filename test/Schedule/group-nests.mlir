// Values that pass between nests stay inside of one kernel where that saves time: each function
// here is one launch, and what it keeps to itself is a tensor.empty.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[R:.*]] = tiny.launch @softmax_4x8(%arg0)
// CHECK-NEXT:    return %[[R]]
// CHECK:       func.func private @softmax_4x8(%{{.*}}: tensor<4x8xf32>, %[[OUT:.*]]: tensor<4x8xf32>)
// CHECK:         iterator_types = ["parallel", "reduction"]
// CHECK:         %[[E:.*]] = tensor.empty() : tensor<4x8xf32>
// CHECK:         iterator_types = ["parallel", "parallel"]{{.*}} outs(%[[E]]
// CHECK:         iterator_types = ["parallel", "reduction"]
// CHECK:         iterator_types = ["parallel", "parallel"]{{.*}} outs(%[[OUT]]
// CHECK-NOT:     tiny.launch
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tiny.reduce max %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %m1 = tiny.reshape %m : tensor<4xf32> to tensor<4x1xf32>
  %m2 = tiny.expand %m1 : tensor<4x1xf32> to tensor<4x8xf32>
  %n = tiny.constant dense<-1.0> : tensor<4x8xf32>
  %nm = tiny.mul %m2, %n : tensor<4x8xf32>
  %d = tiny.add %x, %nm : tensor<4x8xf32>
  %e = tiny.exp2 %d : tensor<4x8xf32>
  %l = tiny.reduce add %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %l1 = tiny.reshape %l : tensor<4xf32> to tensor<4x1xf32>
  %le = tiny.expand %l1 : tensor<4x1xf32> to tensor<4x8xf32>
  %o = tiny.div %e, %le : tensor<4x8xf32>
  return %o : tensor<4x8xf32>
}

// -----

// Over a middle axis the shared loops lie around the reduced one, and the image's rows and columns
// are one of them.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @softmax_2x5x3x4(%arg0)
// CHECK-NEXT:    return
// CHECK:       func.func private @softmax_2x5x3x4(%{{.*}}: tensor<2x5x12xf32>, %{{.*}}: tensor<2x5x12xf32>)
func.func @main(%x: tensor<2x5x3x4xf32>) -> tensor<2x5x3x4xf32> {
  %m = tiny.reduce max %x dims [1] : tensor<2x5x3x4xf32> -> tensor<2x3x4xf32>
  %m1 = tiny.reshape %m : tensor<2x3x4xf32> to tensor<2x1x3x4xf32>
  %m2 = tiny.expand %m1 : tensor<2x1x3x4xf32> to tensor<2x5x3x4xf32>
  %n = tiny.constant dense<-1.0> : tensor<2x5x3x4xf32>
  %nm = tiny.mul %m2, %n : tensor<2x5x3x4xf32>
  %d = tiny.add %x, %nm : tensor<2x5x3x4xf32>
  %e = tiny.exp2 %d : tensor<2x5x3x4xf32>
  %l = tiny.reduce add %e dims [1] : tensor<2x5x3x4xf32> -> tensor<2x3x4xf32>
  %l1 = tiny.reshape %l : tensor<2x3x4xf32> to tensor<2x1x3x4xf32>
  %le = tiny.expand %l1 : tensor<2x1x3x4xf32> to tensor<2x5x3x4xf32>
  %o = tiny.div %e, %le : tensor<2x5x3x4xf32>
  return %o : tensor<2x5x3x4xf32>
}

// -----

// Mean, variance and what is made of them; the rows are two dims here and one there.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    tiny.launch @norm_2x3x8(%arg0)
// CHECK-NEXT:    return
func.func @main(%x: tensor<2x3x8xf32>) -> tensor<2x3x8xf32> {
  %eighth = tiny.constant dense<0.125> : tensor<6xf32>
  %eps = tiny.constant dense<1.0e-5> : tensor<6xf32>
  %minus = tiny.constant dense<-1.0> : tensor<6x8xf32>
  %rows = tiny.reshape %x : tensor<2x3x8xf32> to tensor<6x8xf32>
  %sum = tiny.reduce add %rows dims [1] : tensor<6x8xf32> -> tensor<6xf32>
  %mean = tiny.mul %sum, %eighth : tensor<6xf32>
  %mean1 = tiny.reshape %mean : tensor<6xf32> to tensor<6x1xf32>
  %mean2 = tiny.expand %mean1 : tensor<6x1xf32> to tensor<6x8xf32>
  %neg = tiny.mul %mean2, %minus : tensor<6x8xf32>
  %d = tiny.add %rows, %neg : tensor<6x8xf32>
  %dd = tiny.mul %d, %d : tensor<6x8xf32>
  %s2 = tiny.reduce add %dd dims [1] : tensor<6x8xf32> -> tensor<6xf32>
  %var = tiny.mul %s2, %eighth : tensor<6xf32>
  %ve = tiny.add %var, %eps : tensor<6xf32>
  %sd = tiny.sqrt %ve : tensor<6xf32>
  %sd1 = tiny.reshape %sd : tensor<6xf32> to tensor<2x3x1xf32>
  %sd2 = tiny.expand %sd1 : tensor<2x3x1xf32> to tensor<2x3x8xf32>
  %d3 = tiny.reshape %d : tensor<6x8xf32> to tensor<2x3x8xf32>
  %o = tiny.div %d3, %sd2 : tensor<2x3x8xf32>
  return %o : tensor<2x3x8xf32>
}

// -----

// A contraction that reads what a stencil reads too: the stencil needs its neighbours' elements, so
// that the value is a buffer between two kernels.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[E:.*]] = tiny.launch @{{[a-z0-9_]*}}sqrt{{.*}}(%arg0)
// CHECK-NEXT:    %[[R:.*]] = tiny.launch @pool3_add_{{.*}}(%[[E]])
// CHECK-NEXT:    return %[[R]]
func.func @main(%x: tensor<34xf32>) -> tensor<32xf32> {
  %l = tiny.log2 %x : tensor<34xf32>
  %e = tiny.sqrt %l : tensor<34xf32>
  %r1 = tiny.reshape %e : tensor<34xf32> to tensor<1x34xf32>
  %r2 = tiny.expand %r1 : tensor<1x34xf32> to tensor<4x34xf32>
  %r3 = tiny.reshape %r2 : tensor<4x34xf32> to tensor<136xf32>
  %r4 = tiny.shrink %r3 offsets [0] sizes [105] : tensor<136xf32> -> tensor<105xf32>
  %r5 = tiny.reshape %r4 : tensor<105xf32> to tensor<3x35xf32>
  %r6 = tiny.shrink %r5 offsets [0, 0] sizes [3, 32] : tensor<3x35xf32> -> tensor<3x32xf32>
  %s = tiny.reduce add %r6 dims [0] : tensor<3x32xf32> -> tensor<32xf32>
  return %s : tensor<32xf32>
}

// -----

// Three products that read one value and do not need each other are launched side by side.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[R:.*]]:3 = tiny.launch @{{.*}}(%arg0, %arg1, %arg2, %arg3)
// CHECK-NEXT:    return %[[R]]#0, %[[R]]#1, %[[R]]#2
func.func @main(%x: tensor<8x4xf32>, %q: tensor<4x6xf32>, %k: tensor<4x5xf32>, %v: tensor<4x5xf32>)
    -> (tensor<8x6xf32>, tensor<8x5xf32>, tensor<8x5xf32>) {
  %x1 = tiny.reshape %x : tensor<8x4xf32> to tensor<8x4x1xf32>
  %x6 = tiny.expand %x1 : tensor<8x4x1xf32> to tensor<8x4x6xf32>
  %x5 = tiny.expand %x1 : tensor<8x4x1xf32> to tensor<8x4x5xf32>
  %q1 = tiny.reshape %q : tensor<4x6xf32> to tensor<1x4x6xf32>
  %q2 = tiny.expand %q1 : tensor<1x4x6xf32> to tensor<8x4x6xf32>
  %k1 = tiny.reshape %k : tensor<4x5xf32> to tensor<1x4x5xf32>
  %k2 = tiny.expand %k1 : tensor<1x4x5xf32> to tensor<8x4x5xf32>
  %v1 = tiny.reshape %v : tensor<4x5xf32> to tensor<1x4x5xf32>
  %v2 = tiny.expand %v1 : tensor<1x4x5xf32> to tensor<8x4x5xf32>
  %pq = tiny.mul %x6, %q2 : tensor<8x4x6xf32>
  %pk = tiny.mul %x5, %k2 : tensor<8x4x5xf32>
  %pv = tiny.mul %x5, %v2 : tensor<8x4x5xf32>
  %rq = tiny.reduce add %pq dims [1] : tensor<8x4x6xf32> -> tensor<8x6xf32>
  %rk = tiny.reduce add %pk dims [1] : tensor<8x4x5xf32> -> tensor<8x5xf32>
  %rv = tiny.reduce add %pv dims [1] : tensor<8x4x5xf32> -> tensor<8x5xf32>
  return %rq, %rk, %rv : tensor<8x6xf32>, tensor<8x5xf32>, tensor<8x5xf32>
}

// -----

// A value that is returned and used goes to its buffer once, and is read where it was computed.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[R:.*]]:2 = tiny.launch @{{.*}}(%arg0)
// CHECK-NEXT:    return %[[R]]#0, %[[R]]#1
// CHECK:       func.func private
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}}"parallel"]{{.*}} outs(%arg1
// CHECK:         %[[ROOT:.*]] = linalg.generic {{.*}} ins(%[[SUM]] {{.*}} outs(%arg2
// CHECK:         return %[[SUM]], %[[ROOT]]
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r = tiny.reduce add %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %e = tiny.sqrt %r : tensor<4xf32>
  return %r, %e : tensor<4xf32>, tensor<4xf32>
}
