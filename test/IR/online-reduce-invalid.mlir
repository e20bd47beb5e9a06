// RUN: tiny-opt %s --split-input-file --verify-diagnostics

func.func @maps_missing(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has 4 operands, but 3 maps}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @too_many_reductions(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has 3 loops, of which 4 cannot reduce}}
  %r:2 = tiny.online_reduce over 4
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @no_projection(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{for operand 0, which is no projected permutation of 3 loops to 2 dims}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i + d, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @extents(%s: tensor<4x9xf32>, %v: tensor<8x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has operand 1 of 8 elements along a loop of 9}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<8x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @element_types(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf64>) {
  // expected-error @+1 {{has inits of different element types}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf64>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @reduced_result(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has a reducing loop in the map of init 1}}
  %r:2 = tiny.online_reduce over 2
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @pivot_loops(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<2xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has a score and a pivot of different loops}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (d)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<2xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @score_type(%s: tensor<4x9xi32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{has a score of 'i32', but floats only}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xi32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: i32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @weight_type(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{weight takes 'f64' where 'f32' belongs}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f64, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f32):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}

// -----

func.func @element(%s: tensor<4x9xf32>, %v: tensor<9x2xf32>, %m: tensor<4xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{combine takes 'f64' where 'f32' belongs}}
  %r:2 = tiny.online_reduce over 1
    maps [affine_map<(i, d, k) -> (i, k)>, affine_map<(i, d, k) -> (k, d)>, affine_map<(i, d, k) -> (i)>, affine_map<(i, d, k) -> (i, d)>]
    ins(%s, %v : tensor<4x9xf32>, tensor<9x2xf32>) outs(%m, %o : tensor<4xf32>, tensor<4x2xf32>)
    weight {
    ^bb0(%score: f32, %pivot: f32):
      tiny.yield %pivot : f32
    } combine {
    ^bb0(%w: f32, %e: f64):
      tiny.yield %w : f32
    } rescale {
    ^bb0(%older: f32, %newer: f32):
      tiny.yield %older : f32
    }
  return
}
