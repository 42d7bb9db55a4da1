resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = module.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = var.policy_name
  role   = aws_iam_role.this.id
  policy = module.policy.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(var.managed_policy_arns)

  role       = aws_iam_role.this.name
  policy_arn = each.value
}

module "trust" {
  source = "../template"
  text   = file(var.trust_file)
  values = var.values
}

module "policy" {
  source = "../template"
  text   = file(var.policy_file)
  values = var.values
}
