# Fill a file's placeholders by plain text, so that no template language meets IAM's or JSONata's own signs.
# A placeholder without a value is an error: the map has no such key.

locals {
  pieces = split(var.opening, var.text)
  filled = join("", concat([local.pieces[0]], [
    for piece in slice(local.pieces, 1, length(local.pieces)) :
    join("", [
      var.values[split(var.closing, piece)[0]],
      join(var.closing, slice(split(var.closing, piece), 1, length(split(var.closing, piece)))),
    ])
  ]))
}
