// RUN: tiny-opt %s --tiny-schedule-form-integer-sums --split-input-file | FileCheck %s -enable-var-scope

// A matrix product of u8 minus a zero point and i8, each times a scale, one of them per column. The sum is
// of integers as they lie in memory; the zero point times the sum of the weights is a constant.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[X:.*]]: tensor<16x32xui8>
// CHECK-DAG:     %[[W:.*]] = tiny.constant dense<3> : tensor<32x64xi8>
// CHECK:         %[[ROWS:.*]] = tiny.expand {{.*}} to tensor<16x32x64xui8>
// CHECK:         %[[A:.*]] = tiny.cast %[[ROWS]] : tensor<16x32x64xui8> to tensor<16x32x64xi32>
// CHECK:         %[[NARROW:.*]] = tiny.cast {{.*}} : tensor<32x64xi32> to tensor<32x64xi8>
// CHECK:         %[[B:.*]] = tiny.cast {{.*}} : tensor<16x32x64xi8> to tensor<16x32x64xi32>
// CHECK:         %[[PRODUCTS:.*]] = tiny.mul %[[A]], %[[B]] : tensor<16x32x64xi32>
// CHECK:         %[[SUM:.*]] = tiny.reduce add %[[PRODUCTS]] dims [1]
// CHECK:         %[[POINT:.*]] = tiny.constant dense<-100> : tensor<16x64xi32>
// CHECK:         %[[WEIGHTS:.*]] = tiny.reduce add %[[B]] dims [1]
// CHECK:         %[[OFFSET:.*]] = tiny.mul %[[WEIGHTS]], %[[POINT]]
// CHECK:         %[[ALL:.*]] = tiny.add %[[SUM]], %[[OFFSET]]
// CHECK:         tiny.mul {{.*}} : tensor<16x64xf32>
// CHECK:         %[[FLOAT:.*]] = tiny.cast %[[ALL]] : tensor<16x64xi32> to tensor<16x64xf32>
// CHECK:         %[[RESULT:.*]] = tiny.mul %[[FLOAT]]
// CHECK:         return %[[RESULT]]
func.func @main(%x: tensor<16x32xui8>) -> tensor<16x64xf32> {
  %point = tiny.constant dense<-100> : tensor<16x32xi32>
  %scale = tiny.constant dense<0.0371> : tensor<16x32xf32>
  %0 = tiny.cast %x : tensor<16x32xui8> to tensor<16x32xi32>
  %1 = tiny.add %0, %point : tensor<16x32xi32>
  %2 = tiny.cast %1 : tensor<16x32xi32> to tensor<16x32xf32>
  %3 = tiny.mul %2, %scale : tensor<16x32xf32>
  %w = tiny.constant dense<3> : tensor<32x64xi8>
  %4 = tiny.cast %w : tensor<32x64xi8> to tensor<32x64xi32>
  %5 = tiny.cast %4 : tensor<32x64xi32> to tensor<32x64xf32>
  %scales = tiny.constant dense<0.25> : tensor<1x64xf32>
  %7 = tiny.expand %scales : tensor<1x64xf32> to tensor<32x64xf32>
  %8 = tiny.mul %5, %7 : tensor<32x64xf32>
  %9 = tiny.reshape %3 : tensor<16x32xf32> to tensor<16x32x1xf32>
  %10 = tiny.expand %9 : tensor<16x32x1xf32> to tensor<16x32x64xf32>
  %11 = tiny.reshape %8 : tensor<32x64xf32> to tensor<1x32x64xf32>
  %12 = tiny.expand %11 : tensor<1x32x64xf32> to tensor<16x32x64xf32>
  %13 = tiny.mul %10, %12 : tensor<16x32x64xf32>
  %14 = tiny.reduce add %13 dims [1] : tensor<16x32x64xf32> -> tensor<16x64xf32>
  return %14 : tensor<16x64xf32>
}

// -----

// A pad with zeros is one with the number that stands for 0.
// CHECK-LABEL: func.func @main
// CHECK:         tiny.pad %{{.*}} low [0, 2] high [0, 0] value 7 : i8 : tensor<16x30xi8> -> tensor<16x32xi8>
// CHECK:         tiny.mul {{.*}} : tensor<16x32x16xi32>
func.func @main(%x: tensor<16x30xi8>) -> tensor<16x16xf32> {
  %y = tiny.constant dense<5> : tensor<32x16xi8>
  %point = tiny.constant dense<-7> : tensor<16x30xi32>
  %scale = tiny.constant dense<0.5> : tensor<16x30xf32>
  %other = tiny.constant dense<0.125> : tensor<32x16xf32>
  %0 = tiny.cast %x : tensor<16x30xi8> to tensor<16x30xi32>
  %1 = tiny.add %0, %point : tensor<16x30xi32>
  %2 = tiny.cast %1 : tensor<16x30xi32> to tensor<16x30xf32>
  %3 = tiny.mul %2, %scale : tensor<16x30xf32>
  %4 = tiny.pad %3 low [0, 2] high [0, 0] value 0.0 : f32 : tensor<16x30xf32> -> tensor<16x32xf32>
  %5 = tiny.cast %y : tensor<32x16xi8> to tensor<32x16xi32>
  %6 = tiny.cast %5 : tensor<32x16xi32> to tensor<32x16xf32>
  %7 = tiny.mul %6, %other : tensor<32x16xf32>
  %8 = tiny.reshape %4 : tensor<16x32xf32> to tensor<16x32x1xf32>
  %9 = tiny.expand %8 : tensor<16x32x1xf32> to tensor<16x32x16xf32>
  %10 = tiny.reshape %7 : tensor<32x16xf32> to tensor<1x32x16xf32>
  %11 = tiny.expand %10 : tensor<1x32x16xf32> to tensor<16x32x16xf32>
  %12 = tiny.mul %9, %11 : tensor<16x32x16xf32>
  %13 = tiny.reduce add %12 dims [1] : tensor<16x32x16xf32> -> tensor<16x16xf32>
  return %13 : tensor<16x16xf32>
}

// -----

// A scale that changes along the sum stays in it, and so does one of a sum that might wrap.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: tiny.reduce add {{.*}}xf32>
// CHECK-NOT:     tiny.reduce
func.func @main(%x: tensor<16x32xi8>, %y: tensor<32x16xi8>, %z: tensor<16x32xi16>, %v: tensor<32x16xi16>)
    -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %scales = tiny.iota dim 1 : tensor<16x32xi32>
  %float = tiny.cast %scales : tensor<16x32xi32> to tensor<16x32xf32>
  %one = tiny.constant dense<1.0> : tensor<16x32xf32>
  %along = tiny.add %float, %one : tensor<16x32xf32>
  %other = tiny.constant dense<0.125> : tensor<32x16xf32>
  %0 = tiny.cast %x : tensor<16x32xi8> to tensor<16x32xi32>
  %1 = tiny.cast %0 : tensor<16x32xi32> to tensor<16x32xf32>
  %2 = tiny.mul %1, %along : tensor<16x32xf32>
  %3 = tiny.cast %y : tensor<32x16xi8> to tensor<32x16xi32>
  %4 = tiny.cast %3 : tensor<32x16xi32> to tensor<32x16xf32>
  %5 = tiny.mul %4, %other : tensor<32x16xf32>
  %6 = tiny.reshape %2 : tensor<16x32xf32> to tensor<16x32x1xf32>
  %7 = tiny.expand %6 : tensor<16x32x1xf32> to tensor<16x32x16xf32>
  %8 = tiny.reshape %5 : tensor<32x16xf32> to tensor<1x32x16xf32>
  %9 = tiny.expand %8 : tensor<1x32x16xf32> to tensor<16x32x16xf32>
  %10 = tiny.mul %7, %9 : tensor<16x32x16xf32>
  %11 = tiny.reduce add %10 dims [1] : tensor<16x32x16xf32> -> tensor<16x16xf32>
  %half = tiny.constant dense<0.5> : tensor<16x32xf32>
  %20 = tiny.cast %z : tensor<16x32xi16> to tensor<16x32xi32>
  %21 = tiny.cast %20 : tensor<16x32xi32> to tensor<16x32xf32>
  %22 = tiny.mul %21, %half : tensor<16x32xf32>
  %23 = tiny.cast %v : tensor<32x16xi16> to tensor<32x16xi32>
  %24 = tiny.cast %23 : tensor<32x16xi32> to tensor<32x16xf32>
  %25 = tiny.mul %24, %other : tensor<32x16xf32>
  %26 = tiny.reshape %22 : tensor<16x32xf32> to tensor<16x32x1xf32>
  %27 = tiny.expand %26 : tensor<16x32x1xf32> to tensor<16x32x16xf32>
  %28 = tiny.reshape %25 : tensor<32x16xf32> to tensor<1x32x16xf32>
  %29 = tiny.expand %28 : tensor<1x32x16xf32> to tensor<16x32x16xf32>
  %30 = tiny.mul %27, %29 : tensor<16x32x16xf32>
  %31 = tiny.reduce add %30 dims [1] : tensor<16x32x16xf32> -> tensor<16x16xf32>
  return %11, %31 : tensor<16x16xf32>, tensor<16x16xf32>
}
