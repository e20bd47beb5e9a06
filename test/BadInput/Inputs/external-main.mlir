// error: has no function 'main' to run
// tools: tiny-run
func.func private @main(%x: tensor<4xf32>)
