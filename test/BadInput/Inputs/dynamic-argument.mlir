// error: has arg0 of type 'tensor<?xf32>'
// tools: tiny-run
func.func @main(%x: tensor<?xf32>) { return }
