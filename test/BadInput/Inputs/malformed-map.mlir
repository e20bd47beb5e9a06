// error: undeclared identifier
func.func @main() attributes {s = affine_map<(d0) -> (d1)>} {
  return
}
